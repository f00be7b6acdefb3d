"""How evenly turns fall to workers: Jain's index, streaks, starvation."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Final

from simulators.transactions import Transactions
from sqlwatch.metrics.turns import divided, judge


def jain_index(commits: Sequence[int]) -> float | None:
    """Return Jain's fairness index (sum x)^2 / (n sum x^2) of commits a worker; None if nobody committed.

    1 means even shares, 1/n that one worker took everything (Jain, Chiu, Hawe: DEC-TR-301, 1984).

    >>> jain_index([5, 5, 5, 5]), jain_index([9, 0, 0])
    (1.0, 0.3333333333333333)
    """
    squares = sum(count * count for count in commits)
    return sum(commits) ** 2 / (len(commits) * squares) if squares else None


def starved_after_ns(writers: int, commits_per_s: float | None, *, least_ns: int = 10**9, turns: int = 10) -> int:
    """Return the wait in ns from which a writer counts as starved: its fair turn, `turns` times over, at least 1 s.

    >>> starved_after_ns(8, 400.0), starved_after_ns(16, 20.0)
    (1000000000, 8000000000)
    """
    if not commits_per_s:
        return least_ns
    return max(least_ns, round(turns * writers / commits_per_s * 1e9))


class Streaks:
    """Runs of the same winner, from transactions in the order in which they got the lock.

    Batches of different workers arrive late and out of order, so a turn is judged only once everything that got the
    lock before it must have arrived.
    """

    def __init__(self, lateness_ns: int = 2_000_000_000) -> None:
        self.longest = 0
        self.longest_of: dict[int, int] = {}
        """The same of each winner."""
        self.count = 0
        self.turns = 0
        self._lateness_ns = lateness_ns
        self._pending: defaultdict[int, deque[Transactions]] = defaultdict(deque)
        """What is not judged yet of each worker, oldest first."""
        self._winner = _NOBODY
        self._length = 0

    def add(self, transactions: Transactions, worker: int) -> None:
        """Add transactions of one worker that got the lock, oldest first, and later than those that it told before."""
        if transactions:
            self._pending[worker].append(transactions)

    def settle(self, now_ns: int) -> None:
        """Judge the turns that nothing can come before any more."""
        limit_ns = now_ns - self._lateness_ns
        settled = []
        for worker, pending in self._pending.items():
            rest = Transactions()
            while pending and not rest:
                due, rest = divided(pending.popleft(), limit_ns)
                if due:
                    settled.append((due.packed, worker))
            if rest:
                pending.appendleft(rest)
        turns, runs, self._winner, self._length, longest = judge(settled, self._winner, self._length)
        self.turns += turns
        self.count += runs
        for worker, length in longest.items():
            self.longest_of[worker] = max(self.longest_of.get(worker, 0), length)
            self.longest = max(self.longest, length)

    @property
    def mean(self) -> float | None:
        """Mean length of a run; None before the first."""
        return self.turns / self.count if self.count else None


_NOBODY: Final = 0
"""Workers are numbered from 1."""
