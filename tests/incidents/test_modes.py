"""Incidents 9 and 10: a whole database locked by one process, and a rollback journal used by several."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Severity
from sqlwatch.session.look import look_at

from .crew import MAKE_WAL, Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding

EXCLUSIVE_AFTER_WAL = (
    MAKE_WAL
    + """
c.execute("pragma locking_mode=exclusive").fetchall()
c.execute("insert into t values(1)")
say()
listen()
c.execute("pragma locking_mode=normal").fetchall()
c.execute("select * from t").fetchall()
say("normal")
listen()
"""
)

EXCLUSIVE_BEFORE_WAL = """
c = connect()
c.execute("pragma locking_mode=exclusive").fetchall()
c.execute("pragma journal_mode=wal").fetchall()
c.execute("create table t(x)")
c.execute("insert into t values(1)")
say()
listen()
"""

EXCLUSIVE_WITH_A_JOURNAL = EXCLUSIVE_BEFORE_WAL.replace("journal_mode=wal", "journal_mode=delete")


def start_exclusive(crew: Crew, client: Client, has_shm: bool) -> Program:
    if client is Client.SHELL:
        normal, exclusive = ["pragma journal_mode=wal;", "create table t(x);"], "pragma locking_mode=exclusive;"
        return crew.shell(*([*normal, exclusive] if has_shm else [exclusive, *normal]), "insert into t values(1);")
    return crew.start_as(client, EXCLUSIVE_AFTER_WAL if has_shm else EXCLUSIVE_BEFORE_WAL)


@pytest.mark.parametrize(
    ("client", "has_shm"), [(Client.PYTHON, True), (Client.SHELL, True), (Client.APSW, False), (Client.SHELL, False)]
)
def test_9_one_process_owns_the_whole_database(crew: Crew, database: Path, client: Client, has_shm: bool) -> None:
    culprit = start_exclusive(crew, client, has_shm)
    assert Path(f"{database}-shm").exists() is has_shm
    finding = wait_for_finding(database, "exclusive-locking")
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
    assert (finding.evidence["shm_bytes"] is not None) is has_shm
    assert f"(pid {culprit.pid}) has locked the whole database" in finding.summary
    assert "locking_mode=NORMAL" in finding.remedy
    assert f"end process {culprit.pid}" in finding.remedy
    observed = look_at(database).observation
    assert observed is not None
    assert observed.write_utilisation is None, "its writes take no lock that could be seen"
    if client is Client.PYTHON:
        culprit.tell()
        culprit.expect("normal")
        assert_nothing_found(database)


@pytest.mark.parametrize("client", [Client.PYTHON, Client.APSW])
def test_9_with_a_rollback_journal_too(crew: Crew, database: Path, client: Client) -> None:
    culprit = crew.start_as(client, EXCLUSIVE_WITH_A_JOURNAL)
    finding = wait_for_finding(database, "exclusive-locking")
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)


KEEPS_WRITING = """
c = connect(timeout=60)
c.execute("create table if not exists t(x)")
say()
while True:
    c.execute("insert into t values(1)")
    time.sleep(0.1)
"""


def test_10_a_rollback_journal_under_concurrent_use(crew: Crew, database: Path) -> None:
    writers = [crew.start(KEEPS_WRITING), crew.start_apsw(KEEPS_WRITING)]
    finding = wait_for_finding(database, "rollback-journal")
    assert (finding.severity, finding.pid) == (Severity.WARNING, None)
    assert finding.evidence["processes"] == sorted(writer.pid for writer in writers)
    assert finding.evidence["commits_per_s"] > 1
    assert all(f"(pid {writer.pid})" in finding.summary for writer in writers)
    assert "PRAGMA journal_mode=WAL" in finding.remedy


def test_10_a_rollback_journal_of_one_process_is_no_trouble(crew: Crew, database: Path) -> None:
    crew.start(KEEPS_WRITING)
    assert wait_for_finding(database, "rollback-journal").severity is Severity.INFO


def test_10_an_idle_writer_with_a_rollback_journal_is_named_too(crew: Crew, database: Path) -> None:
    culprit = crew.shell("create table t(x);", "begin immediate;", "insert into t values(1);")
    victim = crew.start_apsw("c = connect(timeout=60)\nsay()\nc.execute('begin immediate')")
    finding = wait_for_finding(database, "idle-writer", when=lambda it: it.evidence["waiting"] == [victim.pid])
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
