"""The newest transactions with their times: rings of stated length, so that nothing grows while a run goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

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


class Newest(Sequence[Recent]):
    """Transactions as they came, a worker's at a time; a Recent is made of each only when somebody looks at it."""

    def __init__(self, parts: Iterable[tuple[int, tuple[Transaction, ...]]]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        return sum(len(transactions) for _, transactions in self._parts)

    def __iter__(self) -> Iterator[Recent]:
        for worker, transactions in self._parts:
            for transaction in transactions:
                yield Recent(worker, transaction)

    @overload
    def __getitem__(self, index: int) -> Recent: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Recent, ...]: ...
    def __getitem__(self, index: int | slice) -> Recent | tuple[Recent, ...]:
        return tuple(self)[index]


class Recents:
    """The mutable side of `Simulation.recent`, `grave` and `newest_of`."""

    def __init__(self) -> None:
        self._newest: deque[tuple[int, tuple[Transaction, ...]]] = deque()
        self._kept = 0
        self.grave: deque[Recent] = deque(maxlen=GRAVE)
        self._of_workers: dict[int, deque[Transaction]] = {}
        self._added = 0

    def add(self, batch: Batch) -> None:
        """Add the transactions of a batch."""
        transactions = batch.transactions
        if not transactions:
            return
        worker = batch.worker
        self._added += len(transactions)
        self._of_workers.setdefault(worker, deque(maxlen=OF_A_WORKER)).extend(transactions[-OF_A_WORKER:])
        # Of committed ones without a long wait none can be grave: at thousands a second it pays not to ask each.
        if batch.finished != batch.committed or batch.lock_wait.max_ns >= GRAVE_WAIT_NS:
            others: list[Transaction] = []
            for one in transactions:
                if one.outcome > 0 or (one.got_ns or one.done_ns) - one.asked_ns >= GRAVE_WAIT_NS:  # is_grave, inlined
                    self.grave.append(Recent(worker, one))
                else:
                    others.append(one)
            transactions = tuple(others)
        if transactions:
            self._newest.append((worker, transactions))
        self._kept += len(transactions)
        while self._kept > NEWEST:
            worker, transactions = self._newest.popleft()
            surplus = min(self._kept - NEWEST, len(transactions))
            self._kept -= surplus
            if surplus < len(transactions):
                self._newest.appendleft((worker, transactions[surplus:]))

    @property
    def newest(self) -> Newest:
        """The newest ones that are not grave, oldest first."""
        return Newest(self._newest)

    def of(self, worker: int) -> tuple[Transaction, ...]:
        """Return the newest transactions of a worker, oldest first."""
        return tuple(self._of_workers.get(worker, ()))

    @property
    def forgotten(self) -> int:
        """How many have been pushed out."""
        return self._added - self._kept - len(self.grave)


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
