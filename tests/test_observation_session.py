"""An observation from start to end, over databases that come, go and change; all with real processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sqlwatch.diagnose import observation_findings
from sqlwatch.metrics.observations import JournalMode, LockName
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.snapshot import MarkKind, Snapshot, Status
from sqlwatch.session.errors import SessionError
from sqlwatch.session.observation import MOST_RESTARTS, ObservationSession

from .observe.programs import HOLD_WRITE, MAKE_WAL, WRITE_ON_DEMAND, Programs, programs_on, wait_until

PATIENCE_S = 20


def samplers() -> list[psutil.Process]:
    """Return the samplers that are children of this process."""
    found = []
    for child in psutil.Process().children():
        try:
            found += [child] if "sampler_process" in " ".join(child.cmdline()) else []
        except psutil.Error:  # it has just ended
            continue
    return found


class Watching:
    """A session and the Snapshots that it made."""

    def __init__(self, path: Path, **options: float) -> None:
        self.session = ObservationSession(path, snapshots_per_s=20, **options)  # type: ignore[arg-type]
        self._changed = threading.Condition()
        self.newest: Snapshot | None = None
        self.session.start(self._take)

    def _take(self, snapshot: Snapshot) -> None:
        with self._changed:
            self.newest = snapshot
            self._changed.notify_all()

    def until(self, condition: Callable[[Snapshot, Observed], bool]) -> Observed:
        """Wait for a Snapshot of which the condition is true."""

        def holds() -> bool:
            seen = self.newest
            return seen is not None and seen.observation is not None and condition(seen, seen.observation)

        with self._changed:
            assert self._changed.wait_for(holds, PATIENCE_S), self.newest
            assert self.newest is not None
            assert self.newest.observation is not None
            return self.newest.observation

    def sampler(self) -> psutil.Process:
        (child,) = samplers()
        return child

    def end(self) -> None:
        self.session.stop()
        assert self.session.wait(PATIENCE_S)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def programs(database: Path) -> Iterator[Programs]:
    with programs_on(database) as started:
        yield started


@pytest.fixture
def watching(database: Path) -> Iterator[Watching]:
    watching = Watching(database)
    yield watching
    watching.end()
    assert not samplers()
    assert not [thread for thread in threading.enumerate() if thread.name in ("observation", "logs")]


def test_a_database_that_comes_goes_and_comes_again(watching: Watching, programs: Programs, database: Path) -> None:
    watching.until(lambda _, seen: seen.absent is not None)
    assert not database.exists(), "nothing was created"

    writer = programs.start(HOLD_WRITE)
    seen = watching.until(lambda _, seen: bool(seen.held(LockName.WRITE)))
    assert seen.held(LockName.WRITE)[0].pid == writer.pid
    writer.tell()
    writer.expect("committed")
    watching.until(lambda _, seen: seen.commits >= 1 and not seen.held(LockName.WRITE))
    writer.end()

    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    watching.until(lambda _, seen: seen.absent is not None)

    again = programs.start(HOLD_WRITE)
    seen = watching.until(lambda _, seen: bool(seen.held(LockName.WRITE)))
    assert seen.held(LockName.WRITE)[0].pid == again.pid
    newest = watching.newest
    assert newest is not None
    marks = [mark.text for mark in newest.timeline.marks if mark.kind is MarkKind.DATABASE]
    assert marks == ["the database is there", "the database is gone", "the database is there"]


def test_the_journal_mode_is_followed(watching: Watching, programs: Programs) -> None:
    program = programs.start("""
c = connect()
c.execute("create table t(x)")
say()
while True:
    c.execute("pragma journal_mode=" + listen()).fetchone()
    c.execute("insert into t values(1)")
    say("did")
""")
    for mode, expected in (
        ("delete", JournalMode.ROLLBACK),
        ("wal", JournalMode.WAL),
        ("delete", JournalMode.ROLLBACK),
    ):
        program.tell(mode)
        program.expect("did")
        watching.until(lambda _, seen: seen.look is not None and seen.look.facts.journal_mode is expected)  # noqa: B023


def test_commits_are_counted_and_reset(watching: Watching, programs: Programs) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    watching.until(lambda _, seen: seen.look is not None and seen.look.facts.journal_mode is JournalMode.WAL)
    before = watching.until(lambda snapshot, seen: snapshot.wal.live_frames is not None).commits
    writer.tell("300")
    writer.expect("wrote")
    seen = watching.until(lambda _, seen: seen.commits >= before + 300)
    assert seen.commits == before + 300
    watching.session.reset()
    watching.until(lambda _, seen: seen.commits == 0)


def test_while_nobody_watches_snapshots_are_rare(watching: Watching, programs: Programs) -> None:
    programs.run(MAKE_WAL)
    first = watching.until(lambda _, observed: observed.absent is None)
    watching.session.attend(is_watched=False)
    moments: list[int] = []

    def is_rare(snapshot: Snapshot, _: Observed) -> bool:
        moments.extend([snapshot.at_ns] if snapshot.at_ns not in moments else [])
        return len(moments) > 1 and moments[-1] - moments[-2] >= 900_000_000

    later = watching.until(is_rare)
    assert later.looks - first.looks > 100, "it is looked at as often as before"
    watching.session.attend(is_watched=True)
    watching.until(lambda snapshot, _: snapshot.at_ns > moments[-1])


def test_what_is_found_in_a_live_observation(watching: Watching, programs: Programs) -> None:
    writer = programs.start(HOLD_WRITE)

    def is_found(snapshot: Snapshot, _: Observed) -> bool:
        return [(one.code, one.pid) for one in observation_findings(snapshot)] == [("idle-writer", writer.pid)]

    watching.until(is_found)
    writer.tell()
    writer.expect("committed")
    watching.until(lambda snapshot, _: "idle-writer" not in [one.code for one in observation_findings(snapshot)])


def test_a_killed_sampler_is_started_again_and_that_is_said(watching: Watching, programs: Programs) -> None:
    programs.start(MAKE_WAL + "say()\nlisten()")
    watching.until(lambda _, seen: seen.look is not None)
    first = watching.sampler()
    first.kill()
    watching.until(lambda snapshot, _: snapshot.message is not None and "was started again" in snapshot.message)
    wait_until(lambda: watching.sampler().pid != first.pid)
    watching.until(lambda _, seen: seen.look is not None)


def test_a_sampler_that_keeps_dying_ends_the_observation(database: Path) -> None:
    watching = Watching(database)
    killed: set[int] = set()
    while not watching.session.wait(0.02):
        for sampler in samplers():
            if sampler.pid not in killed:
                killed.add(sampler.pid)
                os.kill(sampler.pid, signal.SIGKILL)
    assert len(killed) == MOST_RESTARTS + 1
    with pytest.raises(SessionError, match="signal 9"):
        watching.session.check()


def test_a_duration_ends_it(database: Path) -> None:
    watching = Watching(database, duration_s=0.3)
    assert watching.session.wait(PATIENCE_S)
    watching.session.check()
    assert watching.newest is not None
    assert watching.newest.status is Status.ENDED


def test_one_that_never_started_ends_at_once(database: Path) -> None:
    session = ObservationSession(database)
    session.stop()
    assert session.ended
