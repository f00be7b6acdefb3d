"""The newest transactions with their times: rings of stated length, so that nothing grows while a run goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, overload

from simulators.events import Batch
from simulators.transactions import Transactions
from sqlwatch.metrics.snapshot import Recent

NEWEST: Final = 2_000
"""Newest transactions of all workers together."""

GRAVE: Final = 1_000
"""The same of those that are grave, in a ring of their own."""

EVENT_WAIT_NS: Final = 500_000
"""A wait from this length on is an event by itself, as `simulators.telemetry.EVENT_NS` has it."""

OF_A_WORKER: Final = 20
"""Newest transactions of one worker."""


class _Part(NamedTuple):
    """Transactions that came together, but for those at some indexes, which are left out once somebody looks."""

    worker: int
    together: Transactions
    left_out: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return len(self.together) - len(self.left_out)

    @property
    def transactions(self) -> Transactions:
        return self.together.without(self.left_out) if self.left_out else self.together


class Newest(Sequence[Recent]):
    """Transactions as they came, a worker's at a time; a Recent is made of each only when somebody looks at it."""

    def __init__(self, parts: Iterable[_Part]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        return sum(part.size for part in self._parts)

    def __iter__(self) -> Iterator[Recent]:
        for part in self._parts:
            for transaction in part.transactions:
                yield Recent(part.worker, transaction)

    @overload
    def __getitem__(self, index: int) -> Recent: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Recent, ...]: ...
    def __getitem__(self, index: int | slice) -> Recent | tuple[Recent, ...]:
        return tuple(self)[index]


class _Ring:
    """The newest transactions, up to a number, and what came with the oldest of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._parts: deque[_Part] = deque()

    @property
    def kept(self) -> int:
        return min(self._held, self._limit)

    def add(self, part: _Part) -> None:
        size = part.size
        if not size:
            return
        parts, held = self._parts, self._held + size
        parts.append(part)
        while held - (oldest := parts[0].size) >= self._limit:
            held -= oldest
            parts.popleft()
        self._held = held

    def freeze(self) -> Newest:
        parts = list(self._parts)
        if self._held > self._limit:
            oldest = parts[0].transactions
            parts[0] = _Part(parts[0].worker, oldest[self._held - self._limit :])
        return Newest(parts)


class Recents:
    """The mutable side of `Simulation.recent`, `grave` and `newest_of`."""

    def __init__(self) -> None:
        self._newest, self._grave = _Ring(NEWEST), _Ring(GRAVE)
        self._of_workers: dict[int, Transactions] = {}
        """At least the newest of each."""
        self._added = 0

    def add(self, batch: Batch) -> None:
        """Add the transactions of a batch."""
        transactions, worker = batch.transactions, batch.worker
        count = len(transactions)
        if not count:
            return
        self._added += count
        before = self._of_workers.get(worker) if count < OF_A_WORKER else None
        self._of_workers[worker] = before[-OF_A_WORKER:] + transactions if before is not None else transactions
        grave = batch.sums.grave
        if grave:
            self._grave.add(_Part(worker, transactions.chosen(grave)))
        self._newest.add(_Part(worker, transactions, grave))

    @property
    def newest(self) -> Newest:
        """The newest ones that are not grave, oldest first."""
        return self._newest.freeze()

    @property
    def grave(self) -> Newest:
        """The newest grave ones, oldest first."""
        return self._grave.freeze()

    @property
    def of_workers(self) -> dict[int, Transactions]:
        """The newest transactions of each worker that has any, oldest first."""
        return {worker: transactions[-OF_A_WORKER:] for worker, transactions in self._of_workers.items()}

    @property
    def forgotten(self) -> int:
        """How many have been pushed out."""
        return self._added - self._newest.kept - self._grave.kept
