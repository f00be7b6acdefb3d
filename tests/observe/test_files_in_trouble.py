"""Unlinked files and lost locks, and what only looks like them; staged with real processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from sqlwatch.metrics.observations import FileRole, LockName, Look, LostLocks
from sqlwatch.observe.sampling import observe

from .programs import MAKE_WAL, WRITE_ON_DEMAND, Programs

LONG_ENOUGH_S = 1.2
"""Trouble with files is believed after several looks in a row."""


def look(database: Path) -> Look:
    return observe(database, LONG_ENOUGH_S).last


def test_an_unlinked_wal(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink()
    seen = look(database)
    lost = {(file.pid, file.role) for file in seen.open_files or () if not file.is_current}
    assert lost == {(writer.pid, FileRole.WAL), (writer.pid, FileRole.SHM)}
    assert all(file.is_deleted for file in seen.open_files or () if not file.is_current)
    assert (seen.facts.wal_bytes, seen.wal.live_frames) == (None, None)


def test_lost_locks(programs: Programs, database: Path) -> None:
    programs.start(WRITE_ON_DEMAND)
    loser = programs.start(
        "c = connect()\nc.execute('select * from t').fetchall()\nopen(sys.argv[1]).close()\nsay()\nlisten()"
    )
    assert look(database).lost_locks == (LostLocks(loser.pid, (LockName.SHARED,)),)


def test_connections_that_come_and_go_have_lost_nothing(programs: Programs, database: Path) -> None:
    programs.run(MAKE_WAL)
    for _ in range(2):
        programs.start(
            "say()\nwhile True:\n    c = connect()\n    c.execute('select * from t').fetchall()\n    c.close()"
        )
    seen = observe(database, 3.0)
    assert len(seen.looks) >= 5
    for one in seen.looks:
        assert one.lost_locks == ()
        assert all(file.is_current for file in one.open_files or ())
        assert one.hidden == ()


def test_a_forked_child_is_told_from_a_loser(programs: Programs, database: Path) -> None:
    parent = programs.start(
        MAKE_WAL + "child = os.fork()\nif child == 0:\n    time.sleep(60)\nprint('ready', child, flush=True)\nlisten()",
        ready=False,
    )
    child = int(parent.expect())
    try:
        missing = (LockName.DMS, LockName.SHARED)
        assert look(database).lost_locks == (LostLocks(child, missing, forked_from=parent.pid),)
    finally:
        os.kill(child, signal.SIGKILL)
