"""How evenly turns fall to workers: Jain's index, streaks, starvation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from simulators.slots import SLOT_COUNT


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
    """Runs of the same winner, from holds in the order in which the lock was got.

    Batches of different workers arrive late and out of order, so a hold is judged only once everything that was got
    before it must have arrived.
    """

    def __init__(self, lateness_ns: int = 1_000_000_000) -> None:
        self.longest = 0
        self.longest_of: dict[int, int] = {}
        """The same of each winner."""
        self.count = 0
        self.turns = 0
        self._lateness_ns = lateness_ns
        self._pending: list[tuple[Sequence[int], int]] = []
        """Holds that are not judged yet: when they began, ascending, and by whom."""
        self._winner = _NOBODY
        self._length = 0

    def add(self, got_ns: Iterable[int], worker: int) -> None:
        """Add holds of one worker by the moments at which they began."""
        ascending = sorted(got_ns)
        if ascending:
            self._pending.append((ascending, worker))

    def settle(self, now_ns: int) -> None:
        """Judge the holds that nothing can come before any more."""
        limit_ns = now_ns - self._lateness_ns
        settled: list[int] = []
        pending, self._pending = self._pending, []
        for holds in pending:
            got_ns, worker = holds
            if got_ns[0] > limit_ns:  # so most are: they come four times before they are judged
                self._pending.append(holds)
                continue
            count = bisect_right(got_ns, limit_ns)
            settled += [at_ns << _WORKER_BITS | worker for at_ns in got_ns[:count]]
            if count < len(got_ns):
                self._pending.append((got_ns[count:], worker))
        settled.sort()
        winner, length = self._winner, self._length
        for hold in settled:
            worker = hold & _WORKER_MASK
            if worker == winner:
                length += 1
            else:
                self._note(winner, length)
                winner, length = worker, 1
                self.count += 1
        self._note(winner, length)
        self._winner, self._length = winner, length
        self.turns += len(settled)

    def _note(self, winner: int, length: int) -> None:
        if length > self.longest_of.get(winner, 0):
            self.longest_of[winner] = length
            self.longest = max(self.longest, length)

    @property
    def mean(self) -> float | None:
        """Mean length of a run; None before the first."""
        return self.turns / self.count if self.count else None


_NOBODY: Final = 0
"""Workers are numbered from 1."""
_WORKER_BITS: Final = SLOT_COUNT.bit_length()
"""A hold is sorted as one number, its moment and below that its worker, in two thirds of the time that pairs take."""
_WORKER_MASK: Final = (1 << _WORKER_BITS) - 1
