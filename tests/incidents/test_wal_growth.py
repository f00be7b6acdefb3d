"""Incidents 7, 15 and 16: a large -wal that is history, one that a single transaction fills, one nobody checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Severity

from .crew import MAKE_WAL, Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding

MORE_THAN_16_MIB = 18 * 2**20

GREW_ONCE = (
    MAKE_WAL
    + f"""
c.execute("insert into t values(zeroblob({MORE_THAN_16_MIB}))")  # one commit, and the automatic checkpoint after it
say()
while True:
    listen()
    c.execute("update t set x = 1")
    say("wrote")
"""
)


@pytest.mark.parametrize(("client", "writes"), [(Client.PYTHON, 0), (Client.APSW, 1)])
def test_7_a_huge_wal_with_next_to_nothing_in_it(crew: Crew, database: Path, client: Client, writes: int) -> None:
    program = crew.start_as(client, GREW_ONCE)
    for _ in range(writes):
        program.tell()
        program.expect("wrote")
    finding = wait_for_finding(database, "oversized-wal", beside=[])
    assert (finding.severity, finding.pid) == (Severity.INFO, None)
    assert finding.evidence["wal_bytes"] == Path(f"{database}-wal").stat().st_size > MORE_THAN_16_MIB
    assert finding.evidence["backlog_frames"] == writes * finding.evidence["live_frames"]
    assert "wal_checkpoint(TRUNCATE)" in finding.remedy
    assert "journal_size_limit" in finding.remedy
    assert "Never delete the file" in finding.remedy


@pytest.mark.parametrize("client", [Client.PYTHON, Client.SHELL])
def test_15_one_giant_transaction_spills_into_the_wal(crew: Crew, database: Path, client: Client) -> None:
    crew.start(MAKE_WAL + "say()\nlisten()")
    insert = (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500) "
        "insert into t select randomblob(3900) from n"
    )
    culprit: Program
    if client is Client.SHELL:
        culprit = crew.shell("pragma cache_size=20;", "begin immediate;", f"{insert};")
    else:
        code = f"c.execute('pragma cache_size=20')\nc.execute('begin immediate')\nc.execute('{insert}')\n"
        culprit = crew.start(MAKE_WAL + code + "say()\nlisten()")
    finding = wait_for_finding(database, "spilled-transaction", beside=["idle-writer"])
    assert (finding.severity, finding.pid) == (Severity.WARNING, culprit.pid)
    assert 1000 <= finding.evidence["uncommitted_frames"] <= 2000
    assert finding.evidence["uncommitted_bytes"] == finding.evidence["uncommitted_frames"] * (4096 + 24)
    assert "Commit in batches" in finding.remedy

    culprit.end()
    if client is Client.PYTHON:
        assert_nothing_found(database)


NEVER_CHECKPOINTED = (
    MAKE_WAL
    + f"""
c.execute("pragma wal_autocheckpoint=0")
c.execute("insert into t values(zeroblob({MORE_THAN_16_MIB}))")
say()
while True:
    c.execute("insert into t values(zeroblob(100000))")
    time.sleep(0.02)
"""
)


@pytest.mark.parametrize("client", [Client.PYTHON, Client.APSW])
def test_16_nobody_runs_checkpoints(crew: Crew, database: Path, client: Client) -> None:
    crew.start_as(client, NEVER_CHECKPOINTED)
    finding = wait_for_finding(database, "no-checkpoints", beside=[])
    assert (finding.severity, finding.pid) == (Severity.WARNING, None)
    assert finding.evidence["backlog_bytes"] >= MORE_THAN_16_MIB
    assert finding.evidence["backfilled_frames"] == 0
    assert finding.evidence["commits"] > 0
    assert finding.evidence["backlog_growth_frames"] > 0
    assert "no reader is in the way" in finding.summary
    assert "wal_autocheckpoint" in finding.remedy
    assert "wal_checkpoint(TRUNCATE)" in finding.remedy


def test_16_a_backlog_that_only_stands_there_is_no_warning(crew: Crew, database: Path) -> None:
    crew.start(NEVER_CHECKPOINTED.replace("while True:", "while listen():"))
    finding = wait_for_finding(database, "no-checkpoints", beside=[])
    assert (finding.severity, finding.evidence["backlog_growth_frames"]) == (Severity.INFO, 0)
    assert "the next commit should copy them" in finding.summary
