"""Snapshots of an observed database, the same in every run: one function for each state a database can be in."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.metrics.lock_spans import SpanKind
from sqlwatch.metrics.log_messages import LogKind, LogLine
from sqlwatch.metrics.observations import (
    Absent,
    Activity,
    FileRole,
    HeldRun,
    Hidden,
    Holder,
    JournalMode,
    LockKind,
    LockName,
    LostLocks,
    OpenFile,
    Refusal,
    Waiter,
    WalObservation,
)
from sqlwatch.metrics.observed import BusyLog, HeldLock, Observed, ReaderPin
from sqlwatch.metrics.snapshot import Mark, MarkKind, Snapshot, Status, Timeline, Wal
from tests.tui.observed_parts import (
    HOSTILE,
    LISTENS,
    PATH,
    SECOND,
    STARTED_NS,
    facts,
    held,
    lane,
    look,
    observed,
    participant,
    process,
    snapshot,
    span,
    timeline,
)


def starting() -> Snapshot:
    """Nothing has been seen yet."""
    empty = Observed(database=PATH, sample_rate_hz=200.0)
    return snapshot(
        empty, 0.1, status=Status.STARTING, commits_per_s=None, wal=Wal(), timeline=Timeline(1, 0), own_cpu=None
    )


def absent() -> Snapshot:
    """The database is not there, or not there any more."""
    reason = Absent(STARTED_NS, 0, Refusal.MISSING, f"There is no file {PATH}.")
    gone = observed(absent=reason, write_utilisation=None, looks=0, utilisation_floor=None)
    return snapshot(gone, commits_per_s=None, wal=Wal())


def healthy(writers: int = 4) -> Snapshot:
    """Some writers that take turns, and two readers that come and go."""
    rng = random.Random(5)
    workers = [process(40_100 + number, f"/usr/bin/python3 worker.py --queue {number}") for number in range(writers)]
    readers = [process(40_200 + number, "/usr/bin/node report.js", LISTENS) for number in range(2)]
    lanes = [
        lane(one.pid, 210, lambda _: max(rng.gauss(0.08, 0.06), 0.0), lambda _: rng.random() < 0.03) for one in workers
    ]
    people = [
        participant(one, 0.09 - number / 100, longest_hold_ns=4_300_000, last_held_ns=STARTED_NS + 41 * SECOND)
        for number, one in enumerate(workers)
    ]
    people += [participant(one) for one in readers]
    locks = (
        held(LockName.READ1, 40_200, 0.2, frame=806), held(LockName.READ2, 40_201, 0.05, frame=811),
        *(held(LockName.DMS, one.pid, 42, bound=True) for one in (*workers, *readers)),
    )  # fmt: skip
    run = HeldRun(LockName.WRITE, 40_101, STARTED_NS, STARTED_NS + 4_300_000, False, False)
    log = BusyLog(("/var/log/shop/app.log",), (), {}, 0, ())
    return snapshot(
        observed(
            look=look([*workers, *readers]), locks=locks, participants=tuple(people), lanes=tuple(lanes),
            longest_hold=run, busy=log,
        )
    )  # fmt: skip


def idle_writer(**changes: Any) -> Snapshot:
    """A process sleeps inside its transaction, and five wait for it."""
    holder = process(48_211, "/usr/bin/python3 /srv/shop/bin/import_orders.py --batch 5000 --source s3")
    waiters = [process(48_300 + number, f"/usr/bin/python3 worker.py --queue {number}") for number in range(5)]
    reader = process(47_020, "/usr/bin/node report.js", LISTENS, user="reports")
    since = 18
    rng = random.Random(3)

    def worked(cell: int) -> float:
        return 0.0 if cell <= since * 5 else max(rng.gauss(0.15, 0.1), 0.0)

    lanes = [lane(48_211, 210, lambda cell: 1.0 if cell <= since * 5 else 0.0, lambda _: False)]
    lanes += [lane(one.pid, 210, worked, lambda cell: cell < since * 5 - 4) for one in waiters]
    people = [
        participant(
            holder, 1.0, longest_hold_ns=since * SECOND, last_held_ns=STARTED_NS + 42 * SECOND,
            hold_lengths=(40, 6, 0, 2, 0, 0, 0, 0),
        ),
        *(
            participant(one, waiting_for_ns=int((since - 0.4 - number / 2) * SECOND), longest_hold_ns=23_000_000,
                        last_held_ns=STARTED_NS + (42 - since) * SECOND)
            for number, one in enumerate(waiters)
        ),
        participant(reader),
    ]  # fmt: skip
    locks = (
        held(LockName.WRITE, 48_211, since),
        held(LockName.READ1, 47_020, 3.2, frame=812),
        held(LockName.READ1, 48_211, since, frame=812),
        *(held(LockName.DMS, one.pid, 42, bound=True) for one in (holder, *waiters, reader)),
    )
    run = HeldRun(LockName.WRITE, 48_211, STARTED_NS, STARTED_NS + since * SECOND, True, False)
    seen = look(
        [holder, *waiters, reader],
        waiters=tuple(Waiter(one.pid, 100_000_000) for one in waiters),
        uncommitted_frames=37,
    )
    lines = tuple(
        LogLine(
            STARTED_NS + (42 - 3 * back) * SECOND, LogKind.BUSY, "/var/log/shop/app.log",
            f"ERROR worker {back}: sqlite3.OperationalError: database is locked",
        )
        for back in (5, 3, 1)
    )  # fmt: skip
    log = BusyLog(("/var/log/shop/app.log",), (), {LogKind.BUSY: 14, LogKind.SLOW: 2}, 4, lines)
    began = 42 - since
    spans = (
        span(48_300, SpanKind.HELD, 20.0, 20.4),
        span(48_300, SpanKind.WAITED, 20.5, 21.25, naps=((50_000_000, 1), (100_000_000, 3))),
        span(48_301, SpanKind.HELD, 20.6, 21.3),
        span(48_211, SpanKind.HELD, began, 42.0, goes_on=True),
        *(
            span(one.pid, SpanKind.WAITED, began + 0.4, 41.9, goes_on=True, naps=((100_000_000, 71),))
            for one in waiters
        ),
    )
    given = {
        "look": seen, "locks": locks, "spans": spans, "participants": tuple(people), "lanes": tuple(lanes),
        "write_utilisation": 1.0, "longest_hold": run, "busy": log, "commits": 4_310, "window_commits": 0,
        "frames_per_commit": None, **changes,
    }  # fmt: skip
    return snapshot(observed(**given), commits_per_s=0.0, timeline=timeline(42, commits=180, stopped_after=42 - since))


def pinned() -> Snapshot:
    """A reader from before we looked keeps the WAL from being copied, and it grows."""
    reader = process(51_007, "/opt/metabase/bin/java -jar metabase.jar", LISTENS, user="metabase")
    writer = process(51_100, "/usr/bin/ruby bin/jobs", user="shop")
    frames = 18_460
    locks = (
        held(LockName.READ2, 51_007, 42, bound=True, frame=800),
        held(LockName.DMS, 51_007, 42, bound=True),
        held(LockName.DMS, 51_100, 42, bound=True),
    )
    pins = (ReaderPin(51_007, 2, 800, 42 * SECOND, True, frames - 800),)
    rng = random.Random(4)
    lanes = (lane(51_100, 210, lambda _: max(rng.gauss(0.3, 0.1), 0.0), lambda _: False),)
    people = (participant(writer, 0.3, longest_hold_ns=8_000_000), participant(reader))
    grown = look(
        [writer, reader],
        facts=facts(wal_bytes=frames * 4_120),
        wal=WalObservation(STARTED_NS, 0, frames * 4_120, frames, 800, 3),
        holders=(Holder(LockName.READ2, LockKind.SHARED, 51_007, STARTED_NS, True, 800),),
    )
    return snapshot(
        observed(look=grown, locks=locks, pins=pins, participants=people, lanes=lanes),
        wal=Wal(frames * 4_120, frames * 4_120, frames, 800, frames - 800, resets=0, checkpoints=9),
        timeline=timeline(42, commits=180, growing=True),
    )


def rollback() -> Snapshot:
    """A rollback-journal database: one writes, one waits to, one reads."""
    writer, reader = process(600, "/usr/bin/php worker.php"), process(601, "/usr/bin/php web.php")
    locks = (
        held(LockName.PENDING, 600, 1.5), held(LockName.RESERVED, 600, 2.0), held(LockName.SHARED, 600, 2.0),
        held(LockName.SHARED, 601, 42, bound=True),
    )  # fmt: skip
    mode = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None, journal_bytes=12_824)
    seen = look([writer, reader], facts=mode, wal=WalObservation(STARTED_NS, 0, None, None, None, None))
    lanes = (lane(600, 210, lambda cell: 1.0 if cell < 10 else 0.0, lambda _: False),)
    people = (participant(writer, 0.2, longest_hold_ns=2 * SECOND), participant(reader))
    return snapshot(
        observed(look=seen, locks=locks, participants=people, lanes=lanes, frames_per_s=None, frames_per_commit=None),
        wal=Wal(),
    )


def replaced() -> Snapshot:
    """The files were deleted under a process that goes on writing into them, and another has lost its locks."""
    writer, other = process(700, "/usr/bin/python3 app.py"), process(701, "/usr/bin/python3 backup.py", None, state="T")
    files = (
        OpenFile(700, FileRole.DATABASE, False, False, True),
        OpenFile(700, FileRole.WAL, False, True, True),
        OpenFile(701, FileRole.DATABASE, True, False, None),
    )
    seen = look([writer, other], open_files=files, lost_locks=(LostLocks(701, (LockName.DMS, LockName.SHARED), 700),))
    marks = (
        Mark(STARTED_NS + 20 * SECOND, MarkKind.DATABASE, "the database is gone"),
        Mark(STARTED_NS + 24 * SECOND, MarkKind.DATABASE, "the database is there"),
    )
    history = msgspec.structs.replace(timeline(42, commits=180), marks=marks)
    people = (participant(writer, 0.1), participant(other))
    return snapshot(observed(look=seen, participants=people, commits_are_exact=False), timeline=history)


def unprivileged() -> Snapshot:
    """Another user's processes: what they do and whether they wait is hidden; one holder is not even named."""
    denied = Activity(is_denied=True, wait_channel="hrtimer_nanosleep")
    other = process(800, "/usr/sbin/apache2", denied, user="www-data")
    hidden = (Hidden.ACTIVITY, Hidden.WAITERS, Hidden.DESCRIPTORS, Hidden.UNNAMED_HOLDER)
    seen = look([other], waiters=None, open_files=None, hidden=hidden)
    gone = participant(
        other, 0.4, longest_hold_ns=SECOND, longest_is_lower_bound=True, last_held_ns=STARTED_NS, cpu=None
    )
    unnamed = msgspec.structs.replace(gone, pid=0, process=None, is_open=False)
    locks = (held(LockName.WRITE, 0, 12, bound=True), held(LockName.READ1, -1, 12, bound=True, frame=812))
    lanes = (lane(0, 210, lambda _: 0.4, lambda _: False),)
    return snapshot(
        observed(look=seen, locks=locks, participants=(unnamed, participant(other)), lanes=lanes, missed=900)
    )


def hostile() -> Snapshot:
    """Names, paths and log lines from somebody who wants to break the screen."""
    one = process(900, HOSTILE, Activity(doing=HOSTILE, peer=HOSTILE, target=HOSTILE, calls=(HOSTILE,)), user=HOSTILE)
    other = process(901, "\n", Activity(calls=(HOSTILE, HOSTILE)), user="", state="\x1b")
    seen = look([one, other], facts=facts(path=HOSTILE, file_system=HOSTILE), uncommitted_frames=2**60)
    locks = (held(LockName.WRITE, 900, 1e7, bound=True), held(LockName.READ4, 901, 1e7, bound=True, frame=2**60))
    lines = tuple(LogLine(STARTED_NS, kind, HOSTILE, HOSTILE, HOSTILE, 10**15) for kind in LogKind)
    counts = dict.fromkeys(LogKind, 2**60)
    lanes = (lane(900, 300, lambda cell: None if cell % 3 else 1.0, lambda cell: bool(cell % 2)),)
    people = (participant(one, 1.0, longest_hold_ns=10**17, waiting_for_ns=10**17), participant(other, 0.99))
    return snapshot(
        observed(
            database=HOSTILE, look=seen, locks=locks, participants=people, lanes=lanes, commits=2**60,
            pins=(ReaderPin(901, 4, 0, 10**17, True, 2**60),), frames_per_commit=1e12,
            busy=BusyLog((HOSTILE,), (HOSTILE,), counts, 2**60, lines),
        ),
        message=HOSTILE,
        own_cpu=9.99,
        commits_per_s=1e12,
    )  # fmt: skip


STATES: dict[str, Callable[[], Snapshot]] = {
    "starting": starting,
    "absent": absent,
    "healthy": healthy,
    "idle-writer": idle_writer,
    "pinned": pinned,
    "rollback": rollback,
    "replaced": replaced,
    "unprivileged": unprivileged,
    "hostile": hostile,
}


def verdict(snapshot: Snapshot) -> str:
    """A verdict for tests, which do not need the real one."""
    observed = snapshot.observation
    if observed is None or (observed.look is None and observed.absent is None):
        return ""
    if observed.absent is not None:
        return "there is no database: waiting for it to appear"
    found = findings(snapshot)
    return found[0].summary if found else "nothing is wrong: the write lock is held 31% of the time"


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """What a diagnosis might find; tests do not need the real one."""
    observed = snapshot.observation
    if observed is None or observed.look is None:
        return ()
    found = [_idle_writer(lock) for lock in observed.held(LockName.WRITE)]
    found += [_pinned_wal(pin) for pin in observed.pins]
    if observed.busy is not None and observed.busy.busy_errors:
        summary = f"{observed.busy.busy_errors} times an application logged that the database is locked"
        evidence = {"by_kind": {kind.value: count for kind, count in observed.busy.counts.items()}}
        remedy = "Set a busy timeout that is longer than the longest hold."
        found.append(Finding("busy-errors", Severity.WARNING, summary, None, None, evidence, remedy))
    if observed.look.facts.journal_mode is JournalMode.ROLLBACK:
        summary = "the database is in rollback-journal mode: readers and writers block each other"
        remedy = "Switch once: PRAGMA journal_mode=WAL."
        found.append(Finding("rollback-journal", Severity.INFO, summary, None, None, {"page_size": 4096}, remedy))
    return tuple(found)


def _idle_writer(lock: HeldLock) -> Finding:
    seconds = lock.held_ns // SECOND
    return Finding(
        "idle-writer",
        Severity.CRITICAL,
        f"python3 (pid {lock.pid}) has held the write lock for {seconds}s while it sleeps; 5 processes wait for it",
        lock.pid,
        lock.held_ns / 1e9,
        {"held_s": lock.held_ns / 1e9, "doing": "clock_nanosleep", "waiters": [48_300, 48_301], "peer": None},
        f"Now: end process {lock.pid} (kill {lock.pid}); ending it rolls its open transaction back.\n"
        "For good: it began a transaction and went to sleep before it committed. Commit before anything that takes "
        "time: sleeping, the network, asking a person.",
    )


def _pinned_wal(pin: ReaderPin) -> Finding:
    return Finding(
        "pinned-wal",
        Severity.WARNING,
        f"java (pid {pin.pid}) reads a snapshot that is {pin.frames_held_back:,} frames old, so the WAL grows",
        pin.pid,
        pin.held_ns / 1e9,
        {"frames_held_back": pin.frames_held_back, "wal_bytes": 76_000_000, "held_is_lower_bound": True},
        "Finish or reset the statement, or end the transaction, as soon as its rows are read.",
    )
