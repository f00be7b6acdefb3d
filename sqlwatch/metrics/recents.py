"""The newest transactions with their times: rings of stated length, so that nothing grows while a run goes on."""

from __future__ import annotations

from collections import deque
from typing import Final

from simulators.events import Batch, Transaction
from sqlwatch.metrics.snapshot import Recent

NEWEST: Final = 2_000
"""Newest transactions of all workers together."""

GRAVE: Final = 1_000
"""The same of those that are grave, in a ring of their own."""

GRAVE_WAIT_NS: Final = 100_000_000
"""A wait from this length on is grave: one more sleep at the end of SQLite's backoff ladder."""

EVENT_WAIT_NS: Final = 500_000
"""A wait from this length on is an event by itself, as `simulators.telemetry.EVENT_NS` has it."""

OF_A_WORKER: Final = 20
"""Newest transactions of one worker."""


class Recents:
    """The mutable side of `Simulation.recent`, `grave` and `newest_of`."""

    def __init__(self) -> None:
        self.newest: deque[Recent] = deque(maxlen=NEWEST)
        self.grave: deque[Recent] = deque(maxlen=GRAVE)
        self._of_workers: dict[int, deque[Transaction]] = {}
        self._added = 0

    def add(self, batch: Batch) -> None:
        """Add the transactions of a batch."""
        recents = [Recent(batch.worker, transaction) for transaction in batch.transactions]
        if batch.finished == batch.committed and batch.lock_wait.max_ns < GRAVE_WAIT_NS:
            self.newest.extend(recents)  # none can be grave: at thousands a second it pays not to ask each
        else:
            self.grave.extend(one for one in recents if is_grave(one.transaction))
            self.newest.extend(one for one in recents if not is_grave(one.transaction))
        self._of_workers.setdefault(batch.worker, deque(maxlen=OF_A_WORKER)).extend(batch.transactions)
        self._added += len(recents)

    def of(self, worker: int) -> tuple[Transaction, ...]:
        """Return the newest transactions of a worker, oldest first."""
        return tuple(self._of_workers.get(worker, ()))

    @property
    def forgotten(self) -> int:
        """How many have been pushed out."""
        return self._added - len(self.newest) - len(self.grave)


def wait_ns(transaction: Transaction) -> int:
    """Return how long it waited for the write lock, whether it got it or not."""
    return (transaction.got_ns or transaction.done_ns) - transaction.asked_ns


def is_grave(transaction: Transaction) -> bool:
    """Tell whether it failed, or waited very long.

    >>> is_grave(Transaction(1, 0, 0, 90_000_000, 0, 95_000_000, 12, 0))
    False
    >>> is_grave(Transaction(2, 0, 0, 0, 0, 5_000_000, 3, 5)), is_grave(Transaction(3, 0, 0, 10**8, 0, 10**8, 9, 0))
    (True, True)
    """
    return transaction.outcome > 0 or wait_ns(transaction) >= GRAVE_WAIT_NS
