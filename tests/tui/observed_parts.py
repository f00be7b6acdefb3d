"""Parts of observed databases: processes, locks, looks, lanes, timelines, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sqlwatch.metrics.lock_spans import LockSpan, SpanKind
from sqlwatch.metrics.observations import (
    Activity,
    Database,
    FileRole,
    JournalMode,
    LockKind,
    LockName,
    Look,
    OpenFile,
    Process,
    ReadMark,
    WalObservation,
)
from sqlwatch.metrics.observed import HeldLock, Lane, Observed, Participant
from sqlwatch.metrics.snapshot import Mark, MarkKind, Snapshot, Status, Timeline, Wal

SECOND = 1_000_000_000
PERIOD_NS = SECOND // 2
CELL_NS = SECOND // 5
STARTED_NS = 2_000 * SECOND
PATH = "/srv/shop/releases/current/data/production/orders.db"
SLEEPS = Activity(doing="clock_nanosleep", calls=("clock_nanosleep",))
WAITS_FOR_PAYMENT = Activity(doing="recvfrom", peer="192.0.2.17:443", calls=("recvfrom", "futex"))
LISTENS = Activity(doing="epoll_wait", calls=("epoll_wait",))
HOSTILE = "a\x1b[31mb\x07\u202ec\n[bold]d[/bold] \U0001f600 数据 e\u0301 %s {x} " + "x" * 300


def process(pid: int, command: str, activity: Activity | None = SLEEPS, **changes: Any) -> Process:
    """A process that sleeps."""
    name = command.split()[0].rpartition("/")[2] if command.split() else command
    known = Process(pid, name, command, "shop", "S", 4, 3_200 * 1_000_000, 1_760_000_000.0, activity)
    return msgspec.structs.replace(known, **changes)


def participant(process: Process, utilisation: float | None = 0.0, **changes: Any) -> Participant:
    """A process at the database that holds nothing."""
    one = Participant(
        pid=process.pid,
        process=process,
        utilisation=utilisation,
        longest_hold_ns=0,
        longest_is_lower_bound=False,
        last_held_ns=None,
        waiting_for_ns=None,
        cpu=0.0,
        is_open=True,
    )
    return msgspec.structs.replace(one, **changes)


def held(lock: LockName, pid: int, seconds: float, *, bound: bool = False, frame: int | None = None) -> HeldLock:
    """A lock that has been held for some seconds."""
    shared = (LockName.SHARED, LockName.DMS)
    kind = LockKind.SHARED if frame is not None or lock in shared else LockKind.EXCLUSIVE
    return HeldLock(lock, kind, pid, int(seconds * SECOND), bound, frame)


def facts(**changes: Any) -> Database:
    """A database in WAL mode."""
    known = Database(
        PATH,
        JournalMode.WAL,
        4096,
        48_600_000,
        17,
        3_045_001,
        4_120_000,
        32_768,
        None,
        False,
        "ext4",
        "/",
        False,
        False,
        False,
    )
    return msgspec.structs.replace(known, **changes)


def look(processes: Sequence[Process], **changes: Any) -> Look:
    """A thorough look, at which nothing was hidden."""
    marks = tuple(ReadMark(slot, 0, False) for slot in range(5))
    seen = Look(
        at_ns=STARTED_NS,
        database=0,
        since_ns=STARTED_NS,
        facts=facts(),
        holders=(),
        processes=tuple(processes),
        waiters=(),
        wal=WalObservation(STARTED_NS, 0, 4_120_000, 812, 400, 3, marks),
        uncommitted_frames=None,
        recoverable_frames=None,
        open_files=tuple(
            OpenFile(one.pid, role, True, False, True)
            for one in processes
            for role in (FileRole.DATABASE, FileRole.WAL, FileRole.SHM)
        ),
        lost_locks=(),
        hidden=(),
    )
    return msgspec.structs.replace(seen, **changes)


def lane(pid: int, cells: int, held_share: Callable[[int], float | None], waits: Callable[[int], bool]) -> Lane:
    """A lane whose cells are told by their number from the newest, 0."""
    back = range(cells - 1, -1, -1)
    return Lane(pid, tuple(held_share(cell) for cell in back), tuple(waits(cell) for cell in back))


def span(pid: int, kind: SpanKind, from_s: float, until_s: float, *, goes_on: bool = False, **changes: Any) -> LockSpan:
    """A hold or a wait between two moments, in seconds after the beginning."""
    from_ns, until_ns = (STARTED_NS + int(moment_s * SECOND) for moment_s in (from_s, until_s))
    return LockSpan(pid, kind, from_ns, until_ns, goes_on, **changes)


def timeline(seconds: float, *, commits: int, stopped_after: float | None = None, growing: bool = False) -> Timeline:
    """A timeline with a checkpoint every 4 s and a reset a little later, or a WAL that only grows."""
    rng = random.Random(11)
    count = int(seconds * SECOND / PERIOD_NS)
    stop = count if stopped_after is None else int(stopped_after * SECOND / PERIOD_NS)
    marks = []
    for second in range(4, int(seconds), 4):
        if second * 2 < stop:
            marks.append(Mark(STARTED_NS + second * SECOND, MarkKind.CHECKPOINT, "checkpoint 900 of 900 frames"))
            if not growing:
                marks.append(Mark(STARTED_NS + second * SECOND + SECOND // 4, MarkKind.WAL_RESET, "reset"))
    grown = [min(index, stop) * 220 for index in range(count)]
    cyclic = [min(index, stop) % 8 * 112 for index in range(count)]
    live = grown if growing else cyclic
    return Timeline(
        period_ns=PERIOD_NS,
        end_ns=STARTED_NS + count * PERIOD_NS,
        commits=tuple(
            max(int(rng.gauss(commits / 2, commits / 20)), 0) if index < stop else 0 for index in range(count)
        ),
        reads=(0,) * count,
        busy_errors=(0,) * count,
        wal_bytes=tuple(max(frames, 0 if growing else 900) * 4_120 for frames in live),
        live_frames=tuple(live),
        backlog_frames=tuple(max(frames - 800, 0) if growing else frames % 500 for frames in live),
        marks=tuple(marks),
    )


def snapshot(observed: Observed, seconds: float = 42.0, **changes: Any) -> Snapshot:
    """A Snapshot of an observation that has run for some seconds."""
    whole = Snapshot(
        at_ns=STARTED_NS + int(seconds * SECOND),
        status=Status.RUNNING,
        elapsed_ns=int(seconds * SECOND),
        commits_per_s=180.0,
        wal=Wal(4_120_000, 4_120_000, 812, 400, 412, resets=9, checkpoints=9),
        timeline=timeline(seconds, commits=180),
        own_cpu=0.021,
        started_ns=STARTED_NS,
        observation=observed,
    )
    return msgspec.structs.replace(whole, **changes)


def observed(**changes: Any) -> Observed:
    """An observation with a full window of looks."""
    seconds = changes.pop("seconds", 42.0)
    known = Observed(
        database=PATH,
        sample_rate_hz=200.0,
        window_ns=10 * SECOND,
        looks=2_000,
        write_utilisation=0.31,
        utilisation_floor=1 / 2_000,
        commits=7_560,
        window_commits=1_800,
        frames_per_s=430.0,
        frames_per_commit=2.4,
        lane_period_ns=CELL_NS,
        lane_end_ns=STARTED_NS + int(seconds * SECOND) // CELL_NS * CELL_NS,
    )
    return msgspec.structs.replace(known, **changes)
