"""The frozen Snapshot: all that a dashboard, a text, a file or an exporter may read.

A Snapshot is a common core (WAL, rates, timeline) with a part of its own for each kind of source.  Every quantity has a
quality; `quality` maps name the ones that are not exact.  None means unknown and is never shown as 0.
Durations in `_ns` are integers on CLOCK_MONOTONIC; shares and utilisations are 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from simulators.events import Checkpoint, Mode, Role, WorkerState
from simulators.transactions import Transaction, Transactions
from sqlwatch.metrics.histogram import EMPTY, Histogram, merged
from sqlwatch.metrics.lanes import Lanes
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.positions import Positions


class Quality(StrEnum):
    """How a figure was come by."""

    EXACT = "exact"
    SAMPLED = "sampled"
    INFERRED = "inferred"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """What the session is doing."""

    STARTING = "starting"
    WARMING_UP = "warming up"
    RUNNING = "running"
    PAUSED = "paused"
    SWITCHING = "switching"
    STOPPING = "stopping"
    ENDED = "ended"


class MarkKind(StrEnum):
    """What happened at a marked moment of the timeline."""

    PHASE = "phase"
    CHECKPOINT = "checkpoint"
    WAL_RESET = "reset"
    WORKER_EXIT = "exit"
    DATABASE = "database"
    """The database appeared, or went away."""


class Mark(msgspec.Struct, frozen=True):
    """A moment worth a mark on a time axis, with a few words."""

    at_ns: int
    kind: MarkKind
    text: str
    worker: int | None = None
    """Whose doing it was, where that is one worker of a simulation."""


class Pause(NamedTuple):
    """A stretch in which the workload was paused; `until_ns` is None while it goes on."""

    since_ns: int
    until_ns: int | None = None


class Timeline(msgspec.Struct, frozen=True):
    """Series over the last minutes, one value a period, oldest first; the last period is complete.

    `wal_bytes`, `live_frames` and `backlog_frames` are the largest seen in the period; None where nothing was seen.
    """

    period_ns: int
    end_ns: int
    """End of the newest period."""
    commits: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    busy_errors: tuple[int, ...] = ()
    wal_bytes: tuple[int | None, ...] = ()
    live_frames: tuple[int | None, ...] = ()
    backlog_frames: tuple[int | None, ...] = ()
    marks: tuple[Mark, ...] = ()
    pauses: tuple[Pause, ...] = ()


class Pin(msgspec.Struct, frozen=True):
    """A reader that keeps WAL frames from being reused: its mark is held and lies before the newest frame."""

    slot: int
    frame: int
    held_ns: int
    """How long it has been seen (a lower bound)."""
    pid: int
    """First process that the kernel names for the lock; 0 if it names none."""


class Wal(msgspec.Struct, frozen=True):
    """Write-ahead logs now, summed over the databases of a workload; None where nothing could be read."""

    file_bytes: int | None = None
    peak_bytes: int | None = None
    live_frames: int | None = None
    """Frames a reader may still need (mxFrame); the file may be far larger."""
    backfilled_frames: int | None = None
    backlog_frames: int | None = None
    """Frames not yet copied into the database: live - backfilled."""
    resets: int | None = 0
    """How often a writer started again at the beginning of the file."""
    checkpoints: int | None = 0
    last_checkpoint: Checkpoint | None = None
    pins: tuple[Pin, ...] = ()
    pinned_ns: int | None = 0
    """How long a held read mark has kept a checkpoint from going on (it had copied all frames up to the mark)."""


class WalTotals(msgspec.Struct, frozen=True):
    """The WAL's story of a period; None where nothing could be read, and everywhere where there is no WAL."""

    peak_bytes: int | None = None
    final_bytes: int | None = None
    checkpoints: int | None = None
    resets: int | None = None
    pinned_ns: int | None = None
    checkpoints_busy: int | None = None
    """Checkpoints that ended with a busy error, since a writer, a reader or another checkpoint was in their way."""
    checkpoints_incomplete: int | None = None
    """Checkpoints without an error that yet left frames behind, as passive ones do behind a reader."""


class Fairness(msgspec.Struct, frozen=True):
    """How evenly a period's commits fell to its writers.

    `jain` is (sum x)^2 / (n sum x^2) of commits a writer: 1 is even, `floor` = 1/n means one writer took everything.
    None where there is nothing to judge (no writer, no commit) or, for streaks, where transactions were only counted.
    """

    jain: float | None = None
    floor: float | None = None
    max_over_median_wait: float | None = None
    longest_streak: int | None = None
    mean_streak: float | None = None
    longest_wait_ns: int = 0
    """The longest wait, ended or not."""
    starved_workers: int = 0
    """Writers that were starved at any time of the period."""


class Worker(msgspec.Struct, frozen=True):
    """One worker of a simulation within one period."""

    id: int
    pid: int
    role: Role
    database: int
    state: WorkerState
    state_for_ns: int | None
    """How long it has been in this state; None where the slot does not say."""
    current_wait_ns: int
    """How long it has been waiting for the write lock; 0 if it is not waiting."""
    finished: int = 0
    committed: int = 0
    reads: int = 0
    share: float | None = None
    """Its share of the writers' commits in the period."""
    busy_errors: int = 0
    busy_retries: int = 0
    other_errors: int = 0
    longest_wait_ns: int = 0
    last_commit_ns: int | None = None
    """Moment (not a duration) up to which it last reported commits."""
    starved: bool = False
    """Waiting longer than its fair turn ten times over, now."""
    was_starved: bool = False
    """Starved at any time of the period."""
    exit: str | None = None
    """`ok`, `killed`, `signal 9`, `exit 1: ...`; None while it lives."""
    queue_depth: int = 0
    """Single writer: requests waiting now."""
    snapshots: int = 0
    """Pinned reader: snapshots it has kept and let go."""
    checkpoints: int = 0
    """Checkpoints it ran, whatever came of them."""
    errors: dict[int, int] = {}
    """SQLite extended result code, or a negative `Outcome`, to count."""
    longest_streak: int | None = None
    """Most commits in a row; None where commits were only counted, not seen in order."""
    lock_wait: Histogram | None = None
    """Its own waits that ended with the lock; None in the whole run and in the sliding window, which keep none."""
    states: dict[WorkerState, int] = {}
    """In how many of the samples of its slot it was in each state (sampled)."""


class Period(msgspec.Struct, frozen=True):
    """Figures of one stretch of a simulation: the whole run, a phase, or the sliding window; pauses do not count.

    `name` and `mode` are those of the phase; the whole run has no single mode.
    """

    name: str
    mode: Mode | None
    number: int
    started_ns: int
    elapsed_ns: int
    """Time the workload ran within the period."""
    until_ns: int = 0
    """Moment (not a duration) up to which the workload last ran in it, pauses included; 0 where that is not known."""
    finished: int = 0
    committed: int = 0
    withdrawn: int = 0
    in_doubt: int = 0
    rows: int = 0
    reads: int = 0
    errors: dict[int, int] = {}
    """SQLite extended result code, or a negative `Outcome`, to count."""
    busy_errors: int = 0
    """SQLITE_BUSY that reached the application, all extended codes."""
    busy_snapshot_errors: int = 0
    other_errors: int = 0
    busy_retries: int = 0
    lock_wait: Histogram = EMPTY
    """Waits that ended with the lock."""
    given_up_waits: Histogram = EMPTY
    """Waits that ended without it: busy errors after retries, and waits withdrawn when the phase or the run ended."""
    unfinished_waits_ns: tuple[int, ...] = ()
    """Waits that have not ended, at their length so far."""
    lock_hold: Histogram = EMPTY
    commit_latency: Histogram = EMPTY
    """From the intended start to the acknowledged commit; in a closed loop a transaction is due when it starts."""
    service_latency: Histogram = EMPTY
    """Open loop only: the same from the actual start, blind to how late that was (coordinated omission)."""
    read_latency: Histogram = EMPTY
    checkpoint: Histogram = EMPTY
    lock_utilisation: float | None = None
    wasted_lock_time: float | None = None
    """Share of the time in which nobody held the write lock while at least one writer waited for it."""
    looks: int = 0
    """Slot samples behind the two shares above."""
    cache_hit_ratio: float | None = None
    fairness: Fairness = Fairness()
    wal: WalTotals = WalTotals()
    groups: int = 0
    """Transactions that the single writer committed; fewer than `committed` with group commit."""
    queue_depth_max: int = 0
    workers: tuple[Worker, ...] = ()
    positions: Positions | None = None
    """Who got the lock as which, where all writers ask together in rounds."""
    quality: dict[str, Quality] = {}
    """Quality of each figure that is not exact, by field name."""

    @property
    def elapsed_s(self) -> float:
        """Running time of the period in seconds."""
        return self.elapsed_ns / 1e9

    @property
    def all_waits(self) -> Histogram:
        """Waits with and without success, unfinished ones at their length so far: what a starved worker suffers."""
        return merged([self.lock_wait, self.given_up_waits]).including(self.unfinished_waits_ns)

    @property
    def winners(self) -> frozenset[int]:
        """Living writers that took more than one and a half times their fair share of the commits."""
        writers = [worker for worker in self.workers if worker.share is not None and worker.exit is None]
        return frozenset(worker.id for worker in writers if (worker.share or 0.0) * len(writers) > 1.5)

    def per_second(self, count: int) -> float | None:
        """Return a count of this period as a rate; None before any time has passed."""
        return count / self.elapsed_s if self.elapsed_ns > 0 else None


class Recent(NamedTuple):
    """A transaction that waited, failed or held the lock long, and whose it was."""

    worker: int
    transaction: Transaction


class Simulation(msgspec.Struct, frozen=True):
    """The part of a Snapshot that only a simulation has."""

    workload: str
    """The workload in words, with the writers and readers that live; after the end, that lived until then."""
    mode: Mode
    databases: int
    run: Period
    """Everything since the warm-up."""
    phase: Period
    """Since the last change of mode or reset."""
    window: Period
    """The last seconds, sliding."""
    ended_phases: tuple[Period, ...] = ()
    recent: Sequence[Recent] = ()
    """Newest waits, errors and long holds in the order in which they arrived; a ring of bounded length."""
    grave: Sequence[Recent] = ()
    """The same of those that failed or waited very long: a ring of their own, so that many short ones push none out."""
    forgotten: int = 0
    """How many were in these rings and are not any more."""
    newest_of: dict[int, Transactions] = {}
    """The same of each worker, oldest first; a short ring for each."""
    starved_after_ns: int = 0
    """Current wait beyond which a writer counts as starved."""
    lanes: Lanes = Lanes()
    """What each worker did over the last seconds."""
    next_mode: Mode | None = None
    """The mode of the phase that follows by itself; None where none does."""

    def latest_of(self, mode: Mode) -> Period | None:
        """Return the newest phase that ran in `mode`, the current one included; None if none has."""
        candidates = [period for period in (*self.ended_phases, self.phase) if period.mode == mode]
        return candidates[-1] if candidates else None


class LessonRun(msgspec.Struct, frozen=True):
    """How far a lesson is, and what its phases have left so far."""

    phase: int
    """Number of the present phase in its scenario, from 0."""
    repeat: int
    """Number of the present repeat of all phases, from 0."""
    repeats: int
    """How often all phases are run."""
    ended: tuple[tuple[Period, ...], ...] = ()
    """Periods that have ended, for each repeat that is over or under way."""
    is_held: bool = False
    """Whether a phase goes on past its time, until somebody asks for the next one."""
    awaits_next: bool = False
    """Whether the present phase has done its work, and the next one is held back until somebody asks for it."""
    faults: tuple[str, ...] = ()
    """Invariants that did not hold in the phases that have ended, a sentence each."""
    switched_to: Mode | None = None
    """The mode that somebody has switched to within the present phase; None while it runs in its own."""


class Snapshot(msgspec.Struct, frozen=True):
    """All that is known at one moment."""

    at_ns: int
    status: Status
    elapsed_ns: int
    """For how long the workload has run, pauses and changes of mode not counted, or the database been watched."""
    commits_per_s: float | None = None
    """Smoothed over the sliding window."""
    reads_per_s: float | None = None
    wal: Wal = Wal()
    timeline: Timeline = Timeline(period_ns=1, end_ns=0)
    own_cpu: float | None = None
    """CPU time of the observing process as a share of one core."""
    message: str | None = None
    """One sentence about the session itself: a worker that died, a limit that was reached."""
    simulation: Simulation | None = None
    lesson: LessonRun | None = None
    """Only of a simulation that is a lesson."""
    observation: Observed | None = None
    started_ns: int | None = None
    """When the workload, or the watching, began."""


class Accounting(msgspec.Struct, frozen=True):
    """Every transaction attempted, counted exactly once (three independent counts; see `lost`)."""

    transactions_attempted: int
    """From the workers' own final counters."""
    transactions_received: int
    """From what crossed the queues."""
    commits_received: int
    withdrawn: int
    in_doubt: int
    rows_expected: int
    rows_in_database: int | None
    """Counted by a process of its own at the end; None if it could not be counted."""
    lost: int
    """attempted - received."""
    increments_expected: int | None = None
    """Read-then-write only: how often the counter was incremented, by the workers' own counts; None elsewhere."""
    increments_in_database: int | None = None
    """What the counters say at the end; fewer than expected are lost updates."""
    integrity: str | None = None
    """`ok`, what PRAGMA integrity_check complains of first, or why it was not done; None where nobody could look."""
    integrity_errors: int | None = None
    """Lines of complaint from PRAGMA integrity_check, at most ten a database; None where it was not done."""
    rows_in_doubt: int = 0
    """Rows of the transactions in doubt: as many more than expected may be there."""
    workers_killed: int = 0
    """Workers that did not end by themselves; what such a one had not sent yet is lost."""
