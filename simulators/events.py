"""What a simulation tells the outside: the tagged, versioned messages that the fold eats.

All times are CLOCK_MONOTONIC nanoseconds, which all processes of one machine share.  A recording is a file of these
messages, so a field is only ever added, never given another meaning; `VERSION` counts incompatible changes.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from simulators.transactions import EventSums, Transactions

VERSION = 2


class Mode(StrEnum):
    """How writers come to the write lock."""

    CONTENDED = "contended"
    """Every writer has its own connection and asks SQLite for the write lock."""
    MUTEX = "mutex"
    """Every writer has its own connection and takes one flock before it asks SQLite."""
    SINGLE_WRITER = "single-writer"
    """One process owns the only write connection; writers send it whole transactions and wait for the commit."""


class Role(StrEnum):
    """What a worker process does."""

    WRITER = "writer"
    READER = "reader"
    SINGLE_WRITER = "single-writer"
    PINNED_READER = "pinned-reader"
    """Keeps one snapshot for long, then takes a new one."""
    CHECKPOINTER = "checkpointer"
    """Runs checkpoints at an interval."""


class Outcome(IntEnum):
    """How a transaction ended, where it did not end with a SQLite error code (those are positive)."""

    COMMITTED = 0
    WITHDRAWN = -1
    """It was still waiting for the lock when the run, the phase or the pause asked it to stop; no error."""
    WRITER_DIED = -2
    """The single writer died and the transaction is not in the database."""
    UNKNOWN = -3
    """The single writer died and nobody could look the transaction up: in doubt."""


BUSY_CODE = 5
BUSY_SNAPSHOT_CODE = 517


def is_busy(outcome: int) -> bool:
    """Tell whether `outcome` is SQLITE_BUSY or one of its extended codes (https://sqlite.org/rescode.html)."""
    return outcome > 0 and outcome & 0xFF == BUSY_CODE


class Counts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A histogram since the last batch: parallel bucket indexes (see `buckets`) and counts, sum and maximum in ns."""

    buckets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    sum_ns: int = 0
    max_ns: int = 0


class CheckpointKind(StrEnum):
    """What a checkpoint waits for (https://sqlite.org/c3ref/wal_checkpoint_v2.html)."""

    PASSIVE = "passive"
    """Nobody: it copies what it can."""
    FULL = "full"
    """Writers and readers, until all frames are copied."""
    RESTART = "restart"
    """Also for every reader of the WAL, so that the next writer begins the file again."""
    TRUNCATE = "truncate"
    """The same, and cuts the file to nothing."""


class Checkpoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One checkpoint that a worker ran: frames in the WAL, and how many of them are now in the database.

    `outcome` is 0 or SQLite's extended result code: busy if a writer, a reader or another checkpoint was in its way.
    """

    started_ns: int
    ended_ns: int
    wal_frames: int
    backfilled_frames: int
    outcome: int
    kind: CheckpointKind = CheckpointKind.PASSIVE

    @property
    def is_incomplete(self) -> bool:
        """Whether it ended without an error and yet left frames behind, as a passive one does behind a reader."""
        return self.outcome == 0 and self.backfilled_frames < self.wal_frames


class Batch(msgspec.Struct, frozen=True, tag="batch", gc=False):
    """What one worker did since its last batch; sent every 50..100 ms on the worker's own queue.

    `finished`, `committed` and so on count since the last batch.  The histograms hold *every* transaction, also the
    ones listed in `transactions`.  A single writer reports holds and checkpoints, its clients everything else.
    """

    worker: int
    role: Role
    database: int
    phase: int
    since_ns: int
    until_ns: int
    finished: int = 0
    committed: int = 0
    withdrawn: int = 0
    in_doubt: int = 0
    rows: int = 0
    reads: int = 0
    busy_retries: int = 0
    errors: dict[int, int] = {}
    lock_wait: Counts = Counts()
    lock_hold: Counts = Counts()
    commit_latency: Counts = Counts()
    read_latency: Counts = Counts()
    transactions: Transactions = Transactions()
    checkpoints: tuple[Checkpoint, ...] = ()
    cache_hits: int = 0
    cache_misses: int = 0
    queue_depth_max: int = 0
    """Single writer: most requests that were waiting at once."""
    groups: int = 0
    """Single writer: SQL transactions it committed (one per request, or one per group)."""
    service_latency: Counts = Counts()
    """Open loop: commit latency from the actual start instead of the intended one."""
    snapshots: int = 0
    """Pinned reader: snapshots it has kept and let go; they are not among the reads."""
    sums: EventSums = EventSums()
    """Of the `transactions`."""


class WorkerState(StrEnum):
    """What a worker is doing, as its shared slot says."""

    STARTING = "starting"
    IDLE = "idle"
    WAITING = "waiting"
    HOLDING = "holding"
    READING = "reading"
    CHECKPOINTING = "checkpointing"
    PARKED = "parked"
    ENDED = "ended"
    DEAD = "dead"


class WorkerSample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The slot of one worker at one moment; `since_ns` is 0 where the slot does not say."""

    worker: int
    state: WorkerState
    since_ns: int
    queue_depth: int = 0


class SlotSample(msgspec.Struct, frozen=True, tag="slots"):
    """The workers' shared slots, sampled: their states now, and what the looks since the last message counted.

    Per database: `looks` samples were taken while the workload ran, in `held` of them somebody held the write lock, in
    `wasted` of them nobody held it while at least one writer waited.  While a checkpointer that is not passive works,
    which takes the write lock at a moment that cannot be seen, a look in which no writer holds it counts as neither.
    """

    at_ns: int
    phase: int
    looks: int
    held: tuple[int, ...]
    wasted: tuple[int, ...]
    workers: tuple[WorkerSample, ...]
    weight: int = 1
    """For how much time each of the looks, and this sample of the states, stands, beside those at the usual pace."""
    late_ns: int = 0
    """How much later than usual a batch may come now."""


class WorkerStarted(msgspec.Struct, frozen=True, tag="started"):
    """A worker process was started."""

    at_ns: int
    worker: int
    pid: int
    role: Role
    database: int


class WorkerExited(msgspec.Struct, frozen=True, tag="exited"):
    """A worker process ended; the totals are its own, from its slot, and may exceed what arrived if it was killed."""

    at_ns: int
    worker: int
    exit: str
    """`ok`, `killed` (by us, on demand), `signal 9`, or `exit 1: reason`."""
    finished: int
    committed: int
    in_doubt: int


class PhaseStarted(msgspec.Struct, frozen=True, tag="phase"):
    """A phase began: a name, a mode, and from now on batches carry its number.  Phase 0 is the warm-up."""

    at_ns: int
    phase: int
    name: str
    mode: Mode
    warm_up: bool = False


class Running(msgspec.Struct, frozen=True, tag="running"):
    """The workload was paused or resumed, or began or ended to switch modes; paused time counts in no rate.

    An end may be told late: where the writers have done all their work, `at_ns` is when the last of them had.
    """

    at_ns: int
    running: bool
    paused: bool = False
    """Whether it is a pause that begins."""


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """The clock, for windows that slide while nothing happens; `own_cpu` is our share of a core, where known."""

    at_ns: int
    own_cpu: float | None = None
