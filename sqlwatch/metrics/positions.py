"""Who gets the write lock first, second ... last when all writers ask together, round after round; pure.

The writers of a round begin together (see `simulators.rounds`), so the moment at which it began names it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Final

import msgspec

from simulators.transactions import Transaction
from sqlwatch.metrics.chi_square import chi_square, p_value

LATE_NS: Final = 1_000_000_000
"""A round that somebody has not told of by this long after a later one began is left out: batches come every 0.1 s."""


class Positions(msgspec.Struct, frozen=True):
    """What the rounds of a period came to; the rows of both tables are the `workers`, the columns first to last."""

    workers: tuple[int, ...]
    rounds: int
    """Rounds in which every writer got the lock; only these are in the tables."""
    left_out: int
    """Rounds in which a writer got no lock, or died, or which ran before the writers changed."""
    table: tuple[tuple[int, ...], ...]
    """How often each worker got the lock as the first, the second ... the last."""
    arrivals: tuple[tuple[int, ...], ...]
    """How often each worker asked for it as the first, the second ... the last."""
    longest_waits_ns: tuple[int, ...]
    """Of each worker."""
    acquisitions: int
    contended: int | None
    """Acquisitions that found the lock taken at least once; None where nobody asks SQLite for it in vain."""
    kept_places: int
    """Acquisitions in the place in which they were asked for: by the first to ask as the first, and so on."""
    pairs: int
    """Pairs of rounds that followed each other."""
    last_then_first: int
    """How often the worker that got the lock last in a round got it first in the next."""
    last_then_asked_first: int
    """How often it was the first to ask in the next."""

    @property
    def contended_share(self) -> float | None:
        """Share of acquisitions that had to wait for another writer."""
        return self.contended / self.acquisitions if self.acquisitions and self.contended is not None else None

    @property
    def kept_place_share(self) -> float | None:
        """Share of acquisitions in the place in which they were asked for; chance is 1 over the writers."""
        return self.kept_places / self.acquisitions if self.acquisitions else None

    @property
    def last_then_first_share(self) -> float | None:
        """Share of the rounds in which the last of the round before was the first; chance is 1 over the writers."""
        return self.last_then_first / self.pairs if self.pairs else None

    @property
    def last_then_asked_first_share(self) -> float | None:
        """Share of the rounds in which the last of the round before asked first; chance is 1 over the writers."""
        return self.last_then_asked_first / self.pairs if self.pairs else None

    @property
    def last_then_first_p_value(self) -> float | None:
        """How likely a share as far from chance as `last_then_first_share` is by chance."""
        return self._p_value_of_share(self.last_then_first)

    @property
    def last_then_asked_first_p_value(self) -> float | None:
        """The same of `last_then_asked_first_share`."""
        return self._p_value_of_share(self.last_then_asked_first)

    def _p_value_of_share(self, times: int) -> float | None:
        """Return the p-value of chi-square, on one degree of freedom, for `times` of all pairs."""
        if not self.pairs or len(self.workers) < 2:
            return None
        chance = 1 / len(self.workers)
        expected = self.pairs * chance
        return p_value((times - expected) ** 2 / (expected * (1 - chance)), 1)

    @property
    def wait_spread(self) -> float | None:
        """Longest wait of the unluckiest worker over that of the luckiest."""
        shortest = min(self.longest_waits_ns, default=0)
        return max(self.longest_waits_ns) / shortest if shortest else None

    def chi_square_of(self, position: int) -> float | None:
        """Return chi-square of one column against an even spread; it has one degree of freedom less than workers."""
        return chi_square([row[position] for row in self.table])

    @property
    def chi_square(self) -> float | None:
        """Chi-square of the whole table against an even spread."""
        return chi_square([count for row in self.table for count in row])

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the whole table, whose rows and columns all have the same sum."""
        return (len(self.workers) - 1) ** 2

    @property
    def p_value(self) -> float | None:
        """How likely a table as uneven as this one is by chance, if no round depended on the one before.

        Every round fills each row and each column once, which spreads the cells more than as many free draws with
        these degrees of freedom would: chi-square exceeds its distribution by n / (n - 1) for n workers (R. L.
        Anderson, "Use of contingency tables in the analysis of consumer preference studies", Biometrics 15, 1959).
        """
        statistic, count = self.chi_square, len(self.workers)
        return p_value(statistic * (count - 1) / count, self.degrees) if statistic is not None and count > 1 else None

    def p_value_of(self, position: int) -> float | None:
        """Return the same for one column."""
        statistic = self.chi_square_of(position)
        return p_value(statistic, len(self.workers) - 1) if statistic is not None and self.degrees else None


_Turn = tuple[int, Transaction]
"""A worker and its transaction in a round."""


class RoundStory:
    """Collects the rounds of one period; a round is counted when everyone has told of it."""

    def __init__(self) -> None:
        self._open: dict[int, list[_Turn]] = {}
        self._given_up_ns = 0
        self._begin(())

    def _begin(self, workers: tuple[int, ...]) -> None:
        size = len(workers)
        self._workers = workers
        self._rounds = 0
        self._left_out = 0
        self._table = [[0] * size for _ in workers]
        self._arrivals = [[0] * size for _ in workers]
        self._longest_ns = [0] * size
        self._acquisitions = self._contended = self._kept_places = self._pairs = 0
        self._last_then_first = self._last_then_asked_first = 0
        self._last: int | None = None

    def add(self, worker: int, transactions: Iterable[Transaction]) -> None:
        """Take in a worker's transactions, each of another round; those of a round that was given up are too late."""
        for transaction in transactions:
            if transaction.due_ns > self._given_up_ns:
                self._open.setdefault(transaction.due_ns, []).append((worker, transaction))

    def freeze(self, members: Iterable[int], *, is_over: bool, polls: bool = True) -> Positions:
        """Return the tables for the writers `members`; rounds begin to count anew when these change.

        If the period `is_over`, rounds that are not complete count as left out, though what is missing may still be
        on its way: then the next call counts it.  `polls` tells whether the writers themselves ask SQLite for the
        lock, so that a retry means that it was taken.
        """
        workers = tuple(sorted(members))
        if workers != self._workers:
            before = self._rounds + self._left_out
            self._begin(workers)
            self._left_out = before
        self._count_rounds(late_ns=LATE_NS)
        story = self
        if is_over and self._open:
            story = copy.deepcopy(self)
            story._count_rounds(late_ns=0)
        return story._tables(polls=polls)

    def _count_rounds(self, late_ns: int) -> None:
        """Count the open rounds in their order, up to one that is not complete and began less than `late_ns` ago."""
        newest_ns = max(self._open, default=0)
        for began_ns in sorted(self._open):
            turns = self._open[began_ns]
            if len(turns) < len(self._workers):
                if newest_ns - began_ns < late_ns:
                    break
                self._given_up_ns = began_ns
            del self._open[began_ns]
            self._count(turns)

    def _tables(self, *, polls: bool) -> Positions:
        return Positions(
            workers=self._workers, rounds=self._rounds, left_out=self._left_out,
            table=tuple(map(tuple, self._table)), arrivals=tuple(map(tuple, self._arrivals)),
            longest_waits_ns=tuple(self._longest_ns), acquisitions=self._acquisitions,
            contended=self._contended if polls else None, kept_places=self._kept_places,
            pairs=self._pairs, last_then_first=self._last_then_first,
            last_then_asked_first=self._last_then_asked_first,
        )  # fmt: skip

    def _count(self, turns: list[_Turn]) -> None:
        """Count a round, or leave it out where not exactly all of the workers got the lock in it."""
        got_it = {worker for worker, transaction in turns if transaction.got_ns}
        if got_it != set(self._workers) or len(turns) != len(self._workers):
            self._left_out += 1
            self._last = None
            return
        row = {worker: number for number, worker in enumerate(self._workers)}
        winners = [worker for worker, _ in sorted(turns, key=lambda turn: turn[1].got_ns)]
        asking = [worker for worker, _ in sorted(turns, key=lambda turn: turn[1].asked_ns)]
        for position, (winner, asker) in enumerate(zip(winners, asking, strict=True)):
            self._table[row[winner]][position] += 1
            self._arrivals[row[asker]][position] += 1
            self._kept_places += winner == asker
        for worker, transaction in turns:
            wait_ns = transaction.got_ns - transaction.asked_ns
            self._longest_ns[row[worker]] = max(self._longest_ns[row[worker]], wait_ns)
            self._contended += transaction.retries > 0
        self._acquisitions += len(turns)
        self._rounds += 1
        if self._last is not None:
            self._pairs += 1
            self._last_then_first += winners[0] == self._last
            self._last_then_asked_first += asking[0] == self._last
        self._last = winners[-1]
