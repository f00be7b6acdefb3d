"""Transactions with their times, one by one and many in one message."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, starmap
from typing import Final, overload

import msgspec


class Transaction(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One transaction that waited, failed or held the lock long, with its times.

    `due_ns` is the intended start (equal to `asked_ns` in a closed loop), `got_ns` is 0 if the lock was never got,
    `released_ns` is 0 likewise, `done_ns` is when the client knew the outcome.  `lock_wait` is `got - asked`.
    """

    number: int
    due_ns: int
    asked_ns: int
    got_ns: int
    released_ns: int
    done_ns: int
    retries: int
    outcome: int


_WORDS: Final = struct.Struct("8q")
_COLUMNS: Final = {name: number for number, name in enumerate(Transaction.__struct_fields__)}


class Transactions(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Transactions of one worker, oldest first, packed: of each its fields as native 64-bit integers, in their order.

    There are thousands a second, and few are ever looked at by themselves: only then one becomes a `Transaction`.
    """

    packed: bytes = b""

    @classmethod
    def of(cls, transactions: Iterable[Transaction]) -> Transactions:
        """Pack transactions."""
        return cls(b"".join(starmap(_WORDS.pack, map(msgspec.structs.astuple, transactions))))

    def __len__(self) -> int:
        return len(self.packed) // _WORDS.size

    def __bool__(self) -> bool:
        return bool(self.packed)

    def __iter__(self) -> Iterator[Transaction]:
        return starmap(Transaction, _WORDS.iter_unpack(self.packed))

    @overload
    def __getitem__(self, index: int) -> Transaction: ...
    @overload
    def __getitem__(self, index: slice) -> Transactions: ...
    def __getitem__(self, index: int | slice) -> Transaction | Transactions:
        """Return one; or several that follow each other: a slice with a step raises ValueError."""
        if isinstance(index, int):
            try:
                return Transaction(*_WORDS.unpack_from(self.packed, index * _WORDS.size))
            except struct.error as error:
                raise IndexError(f"there is no transaction {index} of {len(self)}") from error
        places = range(0, len(self.packed), _WORDS.size)[index]
        if places.step != _WORDS.size:
            raise ValueError("transactions are sliced without a step")
        return Transactions(self.packed[places.start : places.stop])

    def __add__(self, more: Transactions) -> Transactions:
        return Transactions(self.packed + more.packed)

    def column(self, field: str) -> list[int]:
        """Return a field of all of them.

        >>> some = [Transaction(1, 0, 0, 5, 9, 9, 0, 0), Transaction(2, 9, 9, 11, 14, 14, 0, 0)]
        >>> Transactions.of(some).column("got_ns")
        [5, 11]
        """
        return self.view(field).tolist()

    def view(self, field: str) -> memoryview[int]:
        """Return the same without copying it: for who looks at a few of them."""
        return memoryview(self.packed).cast("q")[_COLUMNS[field] :: len(_COLUMNS)]

    def chosen(self, at: Sequence[int]) -> Transactions:
        """Return those at these indexes."""
        size = _WORDS.size
        return Transactions(b"".join([self.packed[index * size : (index + 1) * size] for index in at]))

    def without(self, at: Sequence[int]) -> Transactions:
        """Return all but those at these indexes, which ascend."""
        size = _WORDS.size
        ends = chain([-1], at, [len(self)])
        kept = [self.packed[(before + 1) * size : after * size] for before, after in pairwise(ends)]
        return Transactions(b"".join(kept))


GRAVE_WAIT_NS: Final = 100_000_000
"""A wait from this length on is grave: one more sleep at the end of SQLite's backoff ladder."""


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


class EventSums(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What transactions come to, added up by who sends them: whoever receives thousands a second looks at none.

    Times in ns: for how long they held the lock, waited for it asleep between two looks, waited for it otherwise, and
    took from asking to the answer.
    """

    held_ns: int = 0
    asleep_ns: int = 0
    queued_ns: int = 0
    answered_ns: int = 0
    grave: tuple[int, ...] = ()
    """Indexes of those that failed or waited very long."""

    @classmethod
    def of(cls, transactions: Iterable[Transaction]) -> EventSums:
        """Add up transactions."""
        held_ns = asleep_ns = queued_ns = answered_ns = 0
        grave = []
        for index, one in enumerate(transactions):
            if one.got_ns and one.released_ns:
                held_ns += one.released_ns - one.got_ns
            if one.retries:
                asleep_ns += wait_ns(one)
            else:
                queued_ns += wait_ns(one)
            answered_ns += one.done_ns - one.asked_ns
            if is_grave(one):
                grave.append(index)
        return cls(held_ns, asleep_ns, queued_ns, answered_ns, tuple(grave))
