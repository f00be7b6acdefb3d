"""Incidents 11 and 12: the write lock is never free, because of many in turn or because of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Finding, Severity

from .crew import MAKE_WAL, Client, Crew
from .diagnosis import wait_for_finding

MANY_SHORT_TRANSACTIONS = (
    MAKE_WAL
    + """
say()
listen()
while True:
    try:
        c.execute("begin immediate")
    except Exception as error:
        assert "locked" in str(error)
        time.sleep(0.001)  # try again each millisecond, as the driver of Rails does
        continue
    c.execute("insert into t values(1)")
    time.sleep(0.02)
    c.execute("commit")
    time.sleep(0.005)
"""
).replace("c = connect()", "c = connect(timeout=0)")


def test_11_the_write_lock_is_saturated(crew: Crew, database: Path) -> None:
    crew.make_wal()
    clients = [Client.PYTHON, Client.APSW, Client.PYTHON, Client.APSW, Client.PYTHON]
    writers = [crew.start_as(client, MANY_SHORT_TRANSACTIONS) for client in clients]
    for writer in writers:
        writer.tell()
    finding = wait_for_finding(database, "write-lock-saturated")
    assert (finding.severity, finding.pid) == (Severity.WARNING, None)
    used = finding.evidence["write_lock_utilisation"]
    assert 0.9 <= used <= 1
    shares = {one["pid"]: one["utilisation"] for one in finding.evidence["by_process"]}
    assert set(shares) == {writer.pid for writer in writers}
    assert sum(shares.values()) == pytest.approx(used)
    assert "5 processes in turn" in finding.summary
    assert "one transaction" in finding.remedy
    assert "let one process write for all" in finding.remedy


NEVER_PAUSES = (
    MAKE_WAL
    + """
say()
listen()
while True:
    c.execute("begin immediate")
    c.execute("insert into t values(1)")
    time.sleep(0.02)
    c.execute("commit")
"""
).replace("c = connect()", "c = connect(timeout=60)")

WANTS_A_TURN = NEVER_PAUSES.replace('c.execute("commit")', 'c.execute("commit")\n    time.sleep(0.05)')


def others_in(finding: Finding) -> set[int]:
    """Return who waits or got some of the time, besides the hog."""
    takers = {one["pid"] for one in finding.evidence["by_process"]}
    return (takers | set(finding.evidence["waiting"])) - {finding.pid}


@pytest.mark.parametrize("client", [Client.PYTHON, Client.APSW])
def test_12_one_process_takes_nearly_every_turn(crew: Crew, database: Path, client: Client) -> None:
    crew.make_wal()
    culprit = crew.start_as(client, NEVER_PAUSES)
    victims = [crew.start(WANTS_A_TURN), crew.start_apsw(WANTS_A_TURN)]
    shell = crew.shell()
    culprit.tell()
    for victim in victims:
        victim.tell()
    shell.begin(*["begin immediate; insert into t values(1); commit;", ".system sleep 0.05"] * 50)
    pids = {shell.pid, *(victim.pid for victim in victims)}
    finding = wait_for_finding(database, "write-lock-hog", when=lambda it: others_in(it) == pids)
    assert (finding.severity, finding.pid) == (Severity.WARNING, culprit.pid)
    assert finding.evidence["share_of_held"] >= 0.8
    assert finding.evidence["utilisation"] >= 0.5
    assert f"(pid {culprit.pid}) has the write lock" in finding.summary
    assert all(f"(pid {pid})" in finding.summary for pid in pids)
    assert "pause between its transactions" in finding.remedy
