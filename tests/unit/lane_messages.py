"""Hand-made messages for the lock timeline; times are ms after T0."""

from __future__ import annotations

from collections import Counter

from simulators.events import BUSY_CODE, Batch, Checkpoint, Counts, Role, SlotSample, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
from simulators.transactions import EventSums, Transaction, Transactions
from sqlwatch.metrics.ladder import delays_of
from sqlwatch.metrics.lane_intervals import intervals
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.lanes import Interval, Lanes

MS = 1_000_000
S = 1_000 * MS
T0 = 100 * S
LIMIT_NS = 5 * S


def ring(writers: int = 2, policy: str = "timeout:5000") -> LaneRing:
    made = LaneRing(1, delays_of(BusyPolicy.parse(policy)), LIMIT_NS)
    for worker in range(1, writers + 1):
        made.start(worker, Role.WRITER, 0)
    return made


def transaction(number: int, asked_ms: float, got_ms: float, released_ms: float, retries: int = 0) -> Transaction:
    asked, got, released = (T0 + round(ms * MS) for ms in (asked_ms, got_ms, released_ms))
    return Transaction(number, asked, asked, got, released, released, retries, 0)


def refused(number: int, asked_ms: float, done_ms: float, retries: int) -> Transaction:
    asked, done = T0 + round(asked_ms * MS), T0 + round(done_ms * MS)
    return Transaction(number, asked, asked, 0, done, done, retries, BUSY_CODE)


def batch(
    worker: int, since_ms: float, until_ms: float, *transactions: Transaction, counted: int = 0, hold_us: int = 0,
    role: Role = Role.WRITER, checkpoints: tuple[Checkpoint, ...] = (), groups: int = 0,
) -> Batch:  # fmt: skip
    holds = sum(one.released_ns - one.got_ns for one in transactions if one.got_ns) + hold_us * 1000
    return Batch(
        worker=worker, role=role, database=0, phase=1, since_ns=T0 + round(since_ms * MS),
        until_ns=T0 + round(until_ms * MS), finished=len(transactions) + counted,
        transactions=Transactions.of(transactions), sums=EventSums.of(transactions),
        errors=Counter(one.outcome for one in transactions if one.outcome > 0),
        lock_hold=Counts(sum_ns=holds), checkpoints=checkpoints, groups=groups,
    )  # fmt: skip


def sample(at_ms: float, *workers: WorkerSample, held: int = 0, wasted: int = 0) -> SlotSample:
    return SlotSample(T0 + round(at_ms * MS), 1, 10, (held,), (wasted,), workers)


def told(lanes: Lanes, worker: int, from_ms: float, until_ms: float) -> list[tuple[str, float, float]]:
    """Intervals as (state, from, until) in ms."""
    return [
        (piece.doing.value, (piece.from_ns - T0) / MS, (piece.until_ns - T0) / MS)
        for piece in of(lanes, worker, T0 + round(from_ms * MS), T0 + round(until_ms * MS))
    ]


def of(lanes: Lanes, worker: int, from_ns: int, until_ns: int) -> list[Interval]:
    lane = lanes.lane(worker)
    assert lane is not None
    return intervals(lane, lanes.mode, from_ns, until_ns)


def waits(worker: int, since_ms: float) -> WorkerSample:
    return WorkerSample(worker, WorkerState.WAITING, T0 + round(since_ms * MS))
