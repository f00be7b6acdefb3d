"""Incident 8 and its like: a checkpoint of a blocking kind waits, and has others wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Severity

from .crew import Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding
from .test_readers import READS_IN_TRANSACTION, WRITES_ON_DEMAND

CHECKPOINTS = """
c = connect(timeout=600)
say()
c.execute("pragma wal_checkpoint({kind})").fetchall()
say("checkpointed")
listen()
"""


def start_checkpoint(crew: Crew, client: Client, kind: str) -> Program:
    if client is Client.SHELL:
        shell = crew.shell(".timeout 600000")
        shell.begin(f"pragma wal_checkpoint({kind});", ".print checkpointed")
        return shell
    return crew.start_as(client, CHECKPOINTS.format(kind=kind))


@pytest.mark.parametrize(
    ("client", "kind"), [(Client.PYTHON, "restart"), (Client.SHELL, "truncate"), (Client.APSW, "full")]
)
def test_8_a_checkpoint_waits_for_a_reader_and_keeps_all_writers_out(
    crew: Crew, database: Path, client: Client, kind: str
) -> None:
    writer = crew.start(WRITES_ON_DEMAND)
    reader = crew.start_apsw(READS_IN_TRANSACTION)
    writer.tell("3")
    writer.expect("wrote")
    culprit = start_checkpoint(crew, client, kind)
    finding = wait_for_finding(database, "checkpoint-holding-write-lock", beside=[])
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
    assert finding.evidence["blocked_by"] == [reader.pid]
    assert f"(pid {culprit.pid}) has held the write lock" in finding.summary
    assert f"(pid {reader.pid})" in finding.summary
    assert "wal_checkpoint(PASSIVE)" in finding.remedy
    assert f"(pid {reader.pid})" in finding.remedy

    reader.tell()
    reader.expect("done")
    if client is not Client.SHELL:
        culprit.expect("checkpointed")
        assert_nothing_found(database)


def test_a_checkpoint_waits_for_a_writer(crew: Crew, database: Path) -> None:
    writer = crew.shell(
        "pragma journal_mode=wal;", "create table t(x);", "begin immediate;", "insert into t values(1);"
    )
    culprit = start_checkpoint(crew, Client.APSW, "full")
    finding = wait_for_finding(database, "checkpoint-blocked", beside=["idle-writer"])
    assert (finding.severity, finding.pid) == (Severity.WARNING, culprit.pid)
    assert finding.evidence["blocked_by"] == [writer.pid]
    assert f"(pid {writer.pid}) holds the write lock" in finding.summary
    assert f"See to sqlite3 (pid {writer.pid}) first" in finding.remedy

    writer.do("commit;")
    culprit.expect("checkpointed")
    assert_nothing_found(database)
