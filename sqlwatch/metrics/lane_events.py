"""What can be selected on a worker's lane: the transactions that are events, and the one that no batch tells of yet."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulators.events import Role, WorkerState
from simulators.transactions import Transaction
from sqlwatch.metrics.lanes import Lanes, Run, WorkerLane, transactions_of

_NEXT_SAMPLE_NS: Final = 150_000_000
"""A hold that begins so soon after a wait was last seen, three looks at the slots, belongs to it."""


_SENDING_NS: Final = 5_000_000
"""A batch that is sent in a hold, at its beginning, takes no longer."""


class EventKey(NamedTuple):
    """A transaction on the lock timeline: by its number or, before a batch has told that, by its beginning as seen."""

    worker: int
    number: int
    """0 where it is not told yet."""
    seen_ns: int = 0


class Untold(NamedTuple):
    """A wait, a hold, or both, that only the samples of a worker's slot have seen so far; at least one is there."""

    wait: Run | None
    hold: Run | None
    goes_on: bool
    """Whether the newest sample found it so."""
    has_ended: bool
    """Whether its worker has."""

    @property
    def from_ns(self) -> int:
        """When it was seen to begin."""
        return self.wait.from_ns if self.wait is not None else self._newest.from_ns

    @property
    def until_ns(self) -> int:
        """Until when it was seen."""
        return self._newest.until_ns

    @property
    def _newest(self) -> Run:
        run = self.hold or self.wait
        assert run is not None
        return run


class LaneEvent(NamedTuple):
    """Where an event lies on a lane."""

    key: EventKey
    from_ns: int
    until_ns: int
    waited_ns: int
    """For the write lock, so far."""
    held_ns: int
    goes_on: bool


def events_of(lanes: Lanes, worker: int) -> list[LaneEvent]:
    """Return a worker's events that are kept and have begun far enough back to be in sight, oldest first."""
    lane = lanes.lane(worker)
    if lane is None:
        return []
    until_ns = lanes.newest_ns
    events = [_told(worker, transaction) for transaction, _ in transactions_of(lane, 0, until_ns)]
    open_one = untold(lane)
    if open_one is not None and open_one.from_ns < until_ns:
        events.append(_open(worker, open_one))
    return events


def event_of(lanes: Lanes, key: EventKey) -> LaneEvent | None:
    """Return an event by its key, under its number if that has become known; None if it is not kept (any more)."""
    lane = lanes.lane(key.worker)
    if lane is None:
        return None
    for transaction, _ in transactions_of(lane, key.seen_ns, lanes.now_ns):
        if transaction.number == key.number or (not key.number and transaction.asked_ns <= key.seen_ns):
            return _told(key.worker, transaction)
    open_one = untold(lane) if not key.number else None
    if open_one is None or not open_one.from_ns <= key.seen_ns <= open_one.until_ns:
        return None
    return _open(key.worker, open_one)


def untold(lane: WorkerLane) -> Untold | None:
    """Return the newest wait or hold that no batch has told of; None where there is none."""
    told_ns = _told_until_ns(lane)
    batch_ns = lane.chunks[-1].until_ns - _SENDING_NS if lane.chunks else 0
    runs = lane.runs
    for number in range(len(runs) - 1, -1, -1):
        run = runs[number]
        if run.until_ns <= told_ns:
            return None
        if run.from_ns < told_ns or run.state not in _OF_THE_LOCK or run.from_ns == run.until_ns:
            continue  # told already, or seen at one look only: a short transaction
        if run.state is WorkerState.HOLDING and run.from_ns < batch_ns:
            continue  # several short ones, of which the batch tells
        before = runs[number - 1] if number and run.state is WorkerState.HOLDING else None
        if before is not None and before.state is WorkerState.WAITING and before.from_ns >= told_ns:
            wait = before if run.from_ns - before.until_ns <= _NEXT_SAMPLE_NS else None
        else:
            wait = run if run.state is WorkerState.WAITING else None
        return Untold(
            wait,
            run if run.state is WorkerState.HOLDING else None,
            goes_on=number == len(runs) - 1,
            has_ended=runs[-1].state in _GONE,
        )
    return None


def _told_until_ns(lane: WorkerLane) -> int:
    """Return until when batches tell: a wait that goes on while its worker sends one has begun after its last event."""
    newest = lane.chunks[-1] if lane.chunks else None
    if newest is None:
        return 0
    if lane.role is Role.SINGLE_WRITER:
        return newest.until_ns
    return newest.transactions[-1].done_ns if newest.transactions else newest.since_ns


_OF_THE_LOCK: Final = (WorkerState.WAITING, WorkerState.HOLDING)
_GONE: Final = (WorkerState.ENDED, WorkerState.DEAD)


def _told(worker: int, transaction: Transaction) -> LaneEvent:
    return LaneEvent(
        EventKey(worker, transaction.number),
        transaction.asked_ns,
        transaction.done_ns,
        (transaction.got_ns or transaction.done_ns) - transaction.asked_ns,
        transaction.released_ns - transaction.got_ns if transaction.got_ns else 0,
        goes_on=False,
    )


def _open(worker: int, seen: Untold) -> LaneEvent:
    waited_until_ns = seen.hold.from_ns if seen.hold is not None else seen.until_ns
    return LaneEvent(
        EventKey(worker, 0, seen.from_ns),
        seen.from_ns,
        seen.until_ns,
        waited_until_ns - seen.from_ns,
        seen.until_ns - waited_until_ns,
        seen.goes_on,
    )
