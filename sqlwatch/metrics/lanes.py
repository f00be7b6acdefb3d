"""The lock timeline: what each worker did when, over the last seconds; a frozen part of the Snapshot.

A transaction that is an event is exact: when it asked, got the lock, released it.  Transactions are numbered, so it is
known how many between two events were only counted; of those only the share of time that they held is known.  What no
event tells (reading, resting, a wait that goes on) comes from the samples of the workers' slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from simulators.events import Checkpoint, Mode, Role, WorkerState
from simulators.transactions import Transaction, Transactions

KEPT_NS: Final = 32_000_000_000
"""How far back the lanes reach."""

LATENESS_NS: Final = 200_000_000
"""All that happened longer ago than this has arrived: a batch comes up to 100 ms late, and more during a sleep."""


class Doing(StrEnum):
    """What a worker does in an interval."""

    IDLE = "idle"
    ASLEEP = "asleep"
    """Waits for the lock and sleeps between two looks at it: it cannot notice that the lock is free."""
    QUEUED = "queued"
    """Waits without having slept: in the single writer's queue, for the mutex, or for the processor."""
    HOLDING = "holding"
    MIXED = "mixed"
    """Several transactions that were only counted; known are the shares of time."""
    READING = "reading"
    CHECKPOINTING = "checkpointing"
    ABSENT = "absent"
    """Not started, at rest, or ended."""


class Interval(NamedTuple):
    """What a worker did from `from_ns` until `until_ns`; `transaction` is set in the waits and holds of events.

    `asked_ns` is when a wait began, also where its beginning was cut off.
    """

    doing: Doing
    from_ns: int
    until_ns: int
    is_exact: bool
    held: float = 0.0
    """Share of the interval in which it held the write lock, as the next two."""
    asleep: float = 0.0
    queued: float = 0.0
    transaction: Transaction | None = None
    asked_ns: int = 0


class Run(NamedTuple):
    """Samples of one worker's slot that found the same state one after the other."""

    state: WorkerState
    from_ns: int
    until_ns: int


class LockLook(NamedTuple):
    """What the looks of the 50 ms before `at_ns` counted, for each database."""

    at_ns: int
    looks: int
    held: tuple[int, ...]
    wasted: tuple[int, ...]


class Chunk(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a batch told of one worker, from `since_ns` to `until_ns`.

    `transactions` are the events among the `finished` transactions after number `number_before`; a chunk that has
    become old keeps none, only the sums (ns within the chunk).
    """

    since_ns: int
    until_ns: int
    mode: Mode
    number_before: int
    finished: int
    transactions: Transactions = Transactions()
    counted_hold_ns: int = 0
    """Time for which the transactions that are no events held the lock."""
    held_ns: int = 0
    """The same of the events."""
    asleep_ns: int = 0
    queued_ns: int = 0
    failed: bool = False
    """Whether it had a busy error."""
    checkpoints: tuple[Checkpoint, ...] = ()
    has_events: bool = True
    """False where only the sums are left, or never was more."""

    @property
    def counted(self) -> int:
        """Transactions that were only counted."""
        return self.finished - len(self.transactions)


class WorkerLane(msgspec.Struct, frozen=True):
    """One worker on the timeline: chunks and runs, both oldest first."""

    worker: int
    role: Role
    database: int
    chunks: tuple[Chunk, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def label(self) -> str:
        """Letter of the role and number: `w1`, `r17`, `s19`."""
        return f"{_LETTERS[self.role]}{self.worker}"

    @property
    def settled_ns(self) -> int:
        """Until when nothing changes any more: the next chunk can shorten the newest one, but reaches no further back.

        0 where that is not known: of a writer that has told of no transaction yet.
        """
        if self.chunks:
            return self.chunks[-1].since_ns
        return self.runs[-1].from_ns if self.runs and self.role in (Role.READER, Role.PINNED_READER) else 0


_LETTERS: Final = {
    Role.WRITER: "w", Role.READER: "r", Role.SINGLE_WRITER: "s", Role.PINNED_READER: "p", Role.CHECKPOINTER: "c",
}  # fmt: skip


class Lanes(msgspec.Struct, frozen=True):
    """The lock timeline at one moment; rings of bounded length (see `lane_ring`)."""

    now_ns: int = 0
    databases: int = 1
    mode: Mode = Mode.CONTENDED
    """That of the newest moment: while everybody rests, the one in which they worked."""
    delays_ns: tuple[int, ...] | None = None
    """Delays of the busy policy, the last one repeating; None where they are drawn at random."""
    limit_ns: int = 0
    """How long a wait may last until the busy error."""
    lanes: tuple[WorkerLane, ...] = ()
    looks: tuple[LockLook, ...] = ()
    late_ns: int = 0
    """How much later than usual batches may come."""
    parked_ns: int | None = None
    """When the last worker came to rest, while all of them rest; None while anybody works."""

    @property
    def newest_ns(self) -> int:
        """The newest moment of which all is known: where lanes end.  While everybody rests, the last one with work."""
        settled_ns = self.now_ns - LATENESS_NS - self.late_ns
        return settled_ns if self.parked_ns is None else min(settled_ns, self.parked_ns)

    def modes_in(self, from_ns: int, until_ns: int) -> frozenset[Mode]:
        """Return the modes in which workers worked in a stretch of time: more than one where the mode changed in it."""
        told = {chunk.mode for lane in self.lanes for chunk in chunks_in(lane, from_ns, until_ns)}
        return frozenset(told | {self.mode} if not told or until_ns >= self.newest_ns else told)

    def lane(self, worker: int) -> WorkerLane | None:
        """Return the lane of a worker."""
        return next((lane for lane in self.lanes if lane.worker == worker), None)


def wait_end_ns(transaction: Transaction, mode: Mode) -> int:
    """Return when its wait ended: with the lock, or with the answer; a client of the single writer waits for that."""
    if mode is Mode.SINGLE_WRITER:
        return transaction.done_ns
    return transaction.got_ns or transaction.done_ns


def chunks_in(lane: WorkerLane, from_ns: int, until_ns: int) -> tuple[Chunk, ...]:
    """Return the chunks that overlap a stretch of time; what lies before it costs nothing."""
    chunks = lane.chunks
    end = len(chunks)
    while end and chunks[end - 1].since_ns >= until_ns:
        end -= 1
    first = end
    while first and chunks[first - 1].until_ns > from_ns:
        first -= 1
    return chunks[first:end]


def transactions_of(lane: WorkerLane, from_ns: int, until_ns: int) -> Iterator[tuple[Transaction, Mode]]:
    """Yield the events of a worker that overlap a stretch of time, oldest first."""
    for chunk in chunks_in(lane, from_ns, until_ns):
        for transaction in chunk.transactions:
            if transaction.done_ns > from_ns and transaction.asked_ns < until_ns:
                yield transaction, chunk.mode
