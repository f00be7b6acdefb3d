"""What happened lately, as one list: the waits and errors that have times, the marks of the timeline, log lines."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from simulators.events import is_busy
from simulators.transactions import Transaction, wait_ns
from sqlwatch.metrics.recents import EVENT_WAIT_NS
from sqlwatch.metrics.snapshot import MarkKind, Recent, Snapshot


class EventKind(StrEnum):
    """What an event is."""

    WAIT = "wait"
    """Got the write lock after waiting for it."""
    HOLD = "hold"
    """Had the lock at once, and held it long."""
    BUSY = "busy error"
    ERROR = "error"
    WITHDRAWN = "withdrawn"
    """Was still waiting when the phase or the run ended; or its end is not known."""
    EXIT = "exit"
    CHECKPOINT = "checkpoint"
    RESET = "reset"
    PHASE = "phase"
    DATABASE = "database"
    LOG_LINE = "log"
    """A line of an application's log."""


class Event(NamedTuple):
    """One event; `worker` and `transaction` where there is one, `text` where there is no transaction."""

    at_ns: int
    kind: EventKind
    worker: int | None = None
    transaction: Transaction | None = None
    text: str = ""

    @property
    def wait_ns(self) -> int | None:
        """How long was waited for the write lock; None where nobody waited for it."""
        return wait_ns(self.transaction) if self.transaction is not None else None


def events_of(snapshot: Snapshot) -> list[Event]:
    """Return all events that a Snapshot still knows, oldest first."""
    events = [Event(mark.at_ns, _OF_MARK[mark.kind], mark.worker, None, mark.text) for mark in snapshot.timeline.marks]
    simulation, observed = snapshot.simulation, snapshot.observation
    if simulation is not None:
        events += [_of_transaction(one) for one in simulation.recent]
        events += [_of_transaction(one) for one in simulation.grave]
    if observed is not None and observed.busy is not None:
        lines = observed.busy.newest
        events += [Event(one.at_ns, EventKind.LOG_LINE, text=f"{one.kind.value}: {one.words}") for one in lines]
    return sorted(events, key=_moment)


def _moment(event: Event) -> int:
    return event.at_ns


def _of_transaction(recent: Recent) -> Event:
    transaction = recent.transaction
    return Event(transaction.done_ns, _kind_of(transaction), recent.worker, transaction)


def _kind_of(transaction: Transaction) -> EventKind:
    """Say what a transaction is in the log.

    >>> _kind_of(Transaction(1, 0, 0, 9_000_000, 0, 9_500_000, 2, 0)).value
    'wait'
    >>> _kind_of(Transaction(1, 0, 0, 0, 0, 5, 0, 517)).value, _kind_of(Transaction(1, 0, 0, 9, 0, 10**9, 0, 0)).value
    ('busy error', 'hold')
    """
    if transaction.outcome > 0:
        return EventKind.BUSY if is_busy(transaction.outcome) else EventKind.ERROR
    if transaction.outcome < 0:
        return EventKind.WITHDRAWN
    return EventKind.WAIT if transaction.retries or wait_ns(transaction) >= EVENT_WAIT_NS else EventKind.HOLD


_OF_MARK: Final = {
    MarkKind.PHASE: EventKind.PHASE, MarkKind.CHECKPOINT: EventKind.CHECKPOINT, MarkKind.WAL_RESET: EventKind.RESET,
    MarkKind.WORKER_EXIT: EventKind.EXIT, MarkKind.DATABASE: EventKind.DATABASE,
}  # fmt: skip
