"""In which order workers got the write lock, and runs of the same winner in it.

Compiled (`_turns.c`) ten thousand turns a second cost a tenth of what they do in Python.  Which of the two is in use
depends on whether there was a compiler when sqlwatch was installed; they count alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Final, TypeAlias

from simulators.slots import SLOT_COUNT
from simulators.transactions import Transactions

Part: TypeAlias = "tuple[bytes, int]"
"""Transactions of one worker that got the lock, packed and oldest first, and that worker."""

Judged: TypeAlias = "tuple[int, int, int, int, dict[int, int]]"
"""How many turns there were, how many runs began, who won last, how long that run is by now, and the longest run that
ended or went on for each winner."""

Judge: TypeAlias = "Callable[[list[Part], int, int], Judged]"


def judge_in_python(parts: list[Part], winner: int, length: int, /) -> Judged:
    """Put turns into their order, of the same moment by worker, and count runs; the last one before goes on.

    >>> from simulators.transactions import Transaction
    >>> def got(*moments_ns: int) -> bytes:
    ...     return Transactions.of(Transaction(1, 0, 0, at_ns, 0, 0, 0, 0) for at_ns in moments_ns).packed
    >>> judge_in_python([(got(20, 30, 60), 1), (got(40, 50), 2)], 1, 4)
    (5, 2, 1, 1, {1: 6, 2: 2})
    """
    turns = []
    for packed, worker in parts:
        turns += [got_ns << _WORKER_BITS | worker for got_ns in Transactions(packed).column("got_ns")]
    turns.sort()
    runs, longest = 0, dict[int, int]()
    for turn in turns:
        worker = turn & _WORKER_MASK
        if worker == winner:
            length += 1
        else:
            winner, length = worker, 1
            runs += 1
        if length > longest.get(worker, 0):
            longest[worker] = length
    return len(turns), runs, winner, length, longest


_WORKER_BITS: Final = SLOT_COUNT.bit_length()
"""A turn is sorted as one number, its moment and below that its worker, in two thirds of the time that pairs take."""
_WORKER_MASK: Final = (1 << _WORKER_BITS) - 1

compiled_judge: Judge | None
"""The same in C, or None if there was no compiler."""
try:
    from sqlwatch.metrics import _turns
except ImportError:
    compiled_judge = None
else:
    compiled_judge = _turns.judge

judge: Final[Judge] = compiled_judge or judge_in_python


def divided(transactions: Transactions, limit_ns: int) -> tuple[Transactions, Transactions]:
    """Return those that got the lock until a moment, and those that got it later; oldest first, all got it."""
    got_ns = transactions.view("got_ns")
    if got_ns[0] > limit_ns:
        return Transactions(), transactions
    if got_ns[-1] <= limit_ns:
        return transactions, Transactions()
    count = bisect_right(got_ns, limit_ns)
    return transactions[:count], transactions[count:]
