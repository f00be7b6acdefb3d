"""Incidents 4 to 6: a reader keeps its snapshot while others write, so the WAL cannot be checkpointed and grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Severity
from sqlwatch.diagnose.observation import observation_findings
from sqlwatch.session.look import look_at

from .crew import MAKE_WAL, Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding

FRAMES = 1500

WRITES_ON_DEMAND = (
    MAKE_WAL
    + """
c.execute("insert into t values(0), (0), (0)")
say()
while True:
    for _ in range(int(listen())):
        c.execute("update t set x = x + 1")  # one page, so one frame
    say("wrote")
"""
)

READS_IN_TRANSACTION = """
c = connect()
c.execute("begin")
c.execute("select count(*) from t").fetchall()
say()
listen()
c.execute("commit")
say("done")
listen()
"""

KEEPS_A_CURSOR_OPEN = """
c = connect()
cursor = c.execute("select x from t")
cursor.fetchone()  # and no more: two rows are left
say()
listen()
cursor.close()
say("done")
listen()
"""


def start_reader(crew: Crew, client: Client) -> Program:
    if client is Client.SHELL:
        return crew.shell("begin;", "select count(*) from t;")
    return crew.start_as(client, READS_IN_TRANSACTION if client is Client.APSW else KEEPS_A_CURSOR_OPEN)


def end_read(reader: Program, client: Client) -> None:
    if client is Client.SHELL:
        reader.end()
    else:
        reader.tell()
        reader.expect("done")


@pytest.mark.parametrize("client", Client)
def test_4_a_long_reader_pins_the_wal(crew: Crew, database: Path, client: Client) -> None:
    writer = crew.start(WRITES_ON_DEMAND)
    culprit = start_reader(crew, client)
    crew.start_apsw(READS_IN_TRANSACTION).end()  # a reader that is gone again
    writer.tell(str(FRAMES))
    writer.expect("wrote")
    finding = wait_for_finding(database, "pinned-wal")
    assert (finding.severity, finding.pid) == (Severity.WARNING, culprit.pid)
    assert (finding.evidence["slot"], finding.evidence["frames_held_back"]) == (1, FRAMES)
    assert finding.evidence["live_frames"] == finding.evidence["frame"] + FRAMES
    assert f"(pid {culprit.pid})" in finding.summary
    assert f"holds back {FRAMES:,} frames" in finding.summary
    assert finding.since_s is not None
    assert finding.since_s >= 0.7
    assert "finish that read" in finding.remedy
    assert f"end process {culprit.pid}" in finding.remedy

    end_read(culprit, client)
    if client is Client.APSW:
        assert_nothing_found(database)


def test_4_of_several_readers_the_oldest_is_named_first(crew: Crew, database: Path) -> None:
    writer = crew.start_apsw(WRITES_ON_DEMAND)
    readers = []
    for client, frames in ((Client.PYTHON, 300), (Client.SHELL, FRAMES)):
        readers.append(start_reader(crew, client))
        writer.tell(str(frames))
        writer.expect("wrote")
    start_reader(crew, Client.APSW)  # it reads the newest snapshot and holds nothing back
    finding = wait_for_finding(database, "pinned-wal")
    assert (finding.pid, finding.evidence["frames_held_back"]) == (readers[0].pid, 300 + FRAMES)
    assert finding.evidence["also"] == [readers[1].pid]


def test_5_a_reader_that_needs_nothing_of_the_wal_stops_all_copying(crew: Crew, database: Path) -> None:
    writer = crew.start(WRITES_ON_DEMAND.replace("say()", "c.execute('pragma wal_checkpoint').fetchall()\nsay()", 1))
    culprit = crew.start_apsw(READS_IN_TRANSACTION)
    writer.tell(str(FRAMES))
    writer.expect("wrote")
    finding = wait_for_finding(database, "pinned-wal")
    assert (finding.severity, finding.pid, finding.evidence["slot"]) == (Severity.WARNING, culprit.pid, 0)
    assert (finding.evidence["backfilled_frames"], finding.evidence["frames_held_back"]) == (0, FRAMES)
    assert "no frame can be copied" in finding.summary
    assert f"end process {culprit.pid}" in finding.remedy

    culprit.tell()
    culprit.expect("done")
    writer.tell("1")  # whose automatic checkpoint now copies everything
    writer.expect("wrote")
    assert_nothing_found(database)


def test_6_read_marks_without_a_reader_pin_nothing(crew: Crew, database: Path) -> None:
    writer = crew.start(WRITES_ON_DEMAND.replace("say()", "c.execute('pragma wal_autocheckpoint=0')\nsay()", 1))
    readers = [crew.start(READS_IN_TRANSACTION), crew.start_apsw(READS_IN_TRANSACTION)]
    writer.tell(str(FRAMES))
    writer.expect("wrote")
    for reader in readers:
        reader.tell()
        reader.expect("done")
    snapshot = look_at(database)
    assert snapshot.observation is not None
    assert snapshot.observation.look is not None
    wal = snapshot.observation.look.wal
    assert wal.live_frames is not None
    assert any(mark.frame == wal.live_frames - FRAMES and not mark.held for mark in wal.marks)
    assert observation_findings(snapshot) == ()
