"""Incident 20: nothing is wrong, and nothing is found, in 20 looks at each."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlwatch.metrics.observations import LockName, Look
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.snapshot import Snapshot

from .crew import APSW, MAKE_WAL, Client, Crew
from .diagnosis import assert_stays_healthy

INSERT = "c.execute('insert into t values(1)')\n"
REST = "say()\nlisten()\n"

QUIET = 10
"""Looks at a time where nothing changes while we look."""


def observed(snapshot: Snapshot) -> Observed:
    assert snapshot.observation is not None
    return snapshot.observation


def last_look(snapshot: Snapshot) -> Look:
    look = observed(snapshot).look
    assert look is not None
    return look


def test_20_nobody_has_it_open(crew: Crew, database: Path) -> None:
    crew.make_wal()
    for snapshot in assert_stays_healthy(database, lanes=QUIET):
        assert last_look(snapshot).open_files == ()


def test_20_idle(crew: Crew, database: Path) -> None:
    users = [crew.start_as(client, MAKE_WAL + INSERT + REST) for client in (Client.PYTHON, Client.APSW)]
    users.append(crew.shell("insert into t values(1);"))
    for snapshot in assert_stays_healthy(database, lanes=QUIET):
        assert {process.pid for process in last_look(snapshot).processes} == {user.pid for user in users}


@pytest.mark.parametrize("rows", [0, 1])
def test_20_a_fresh_wal(crew: Crew, database: Path, rows: int) -> None:
    crew.make_wal()
    crew.start_apsw("c = connect()\nc.execute('select * from t').fetchall()\n" + rows * INSERT + REST)
    for snapshot in assert_stays_healthy(database, lanes=QUIET):
        assert last_look(snapshot).facts.wal_bytes == rows * (32 + 24 + 4096)


WRITES_NOW_AND_THEN = (
    MAKE_WAL
    + """
import random
say()
while True:
    c.execute("begin immediate")
    for _ in range(10):
        c.execute("insert into t values(zeroblob(1000))")
    time.sleep(0.002)
    c.execute("commit")
    time.sleep(random.uniform(0.02, 0.1))
"""
).replace("c = connect()", "c = connect(timeout=60)")


def test_20_eight_writers_are_busy_and_fine(crew: Crew, database: Path) -> None:
    crew.make_wal()
    for number in range(8):
        crew.start_as(Client.APSW if number % 2 else Client.PYTHON, WRITES_NOW_AND_THEN)
    for snapshot in assert_stays_healthy(database):
        assert observed(snapshot).window_commits > 20
        assert 0 < (observed(snapshot).write_utilisation or 0) < 0.8


READS_NOW_AND_THEN = """
import random
say()
while True:
    c = connect()
    for _ in range(random.randrange(1, 5)):
        c.execute("begin")
        c.execute("select count(*), sum(length(x)) from t").fetchall()
        time.sleep(random.uniform(0, 0.1))
        c.execute("commit")
        time.sleep(random.uniform(0, 0.2))
    c.close()
"""

WRITES_A_LOT = (
    MAKE_WAL
    + """
say()
while True:
    c.execute("insert into t values(zeroblob(100000))")
    c.execute("delete from t where rowid < (select max(rowid) from t) - 20")
    time.sleep(0.02)
"""
).replace("c = connect()", "c = connect(timeout=60)")


def test_20_readers_come_and_go(crew: Crew, database: Path) -> None:
    crew.make_wal()
    for client in (Client.PYTHON, Client.APSW, Client.PYTHON, Client.APSW):
        crew.start_as(client, READS_NOW_AND_THEN)
    crew.start(WRITES_A_LOT)
    snapshots = assert_stays_healthy(database)
    assert all((observed(snapshot).frames_per_s or 0) > 100 for snapshot in snapshots)
    assert any(observed(snapshot).pins for snapshot in snapshots), "now and then somebody holds some frames back"


CHECKPOINTS_OFTEN = """
c = connect(timeout=60)
say()
while True:
    for kind in ("passive", "full", "restart", "truncate"):
        c.execute(f"pragma wal_checkpoint({kind})").fetchall()
        time.sleep(0.05)
"""


def test_20_checkpoints_of_every_kind_run(crew: Crew, database: Path) -> None:
    crew.make_wal()
    crew.start(WRITES_A_LOT)
    crew.start_apsw(READS_NOW_AND_THEN.replace("0.1", "0.02"))
    crew.start_apsw(CHECKPOINTS_OFTEN)
    snapshots = assert_stays_healthy(database)
    assert all(observed(snapshot).window_commits for snapshot in snapshots)


ON_A_SLOW_DISK = (
    APSW
    + """
class SlowDisk(apsw.VFS):
    def __init__(self):
        super().__init__("slow", base="")
    def xOpen(self, name, flags):
        return SlowFile(name, flags)
class SlowFile(apsw.VFSFile):
    def __init__(self, name, flags):
        super().__init__("", name, flags)
        self.is_database = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
    def xWrite(self, data, offset):
        if self.is_database:
            time.sleep(0.01)
        super().xWrite(data, offset)
disk = SlowDisk()
c = apsw.Connection(sys.argv[1], vfs="slow")
say()
listen()
c.execute("pragma wal_checkpoint").fetchall()
say("checkpointed")
listen()
"""
)

FILLS_THE_WAL = (
    MAKE_WAL
    + """
c.execute("pragma wal_autocheckpoint=0")
c.execute("insert into t values(zeroblob(8000000))")
say()
while True:
    c.execute("insert into t values(1)")
    time.sleep(0.05)
"""
)


def test_20_a_long_checkpoint_runs(crew: Crew, database: Path) -> None:
    crew.start(FILLS_THE_WAL)
    checkpointer = crew.start(ON_A_SLOW_DISK)
    checkpointer.tell()
    for snapshot in assert_stays_healthy(database):
        (holder,) = observed(snapshot).held(LockName.CHECKPOINT)
        assert holder.pid == checkpointer.pid
