"""Spans of time in which a process held the write lock, or seemed to wait for it: what can be selected on its lane."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from enum import StrEnum
from typing import Final

import msgspec

from sqlwatch.metrics.observations import HeldRun

KEPT_SPANS: Final = 1_000
"""Spans that have ended; the oldest go first."""

LENGTH_EDGES_NS: Final = (10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000, 3_000_000_000)
"""Between them lie the classes by which lengths of holds are counted."""


class SpanKind(StrEnum):
    """What a process did."""

    HELD = "held"
    WAITED = "waited"


class LockSpan(msgspec.Struct, frozen=True):
    """A hold that two looks or more found, or a wait that was inferred from how somebody slept, by one or more.

    A shorter hold has no length that could be told: the lanes show its share of the looks.  The same span comes again,
    longer, as long as it goes on.
    """

    pid: int
    kind: SpanKind
    since_ns: int
    """First look that found it so."""
    until_ns: int
    """Last look that found it so."""
    goes_on: bool
    is_lower_bound: bool = False
    """Of a hold: it was there when the looks began."""
    naps: tuple[tuple[int, int], ...] = ()
    """Of a wait: (length in ns, looks that found it), of the sleeps it was found in, the longest last."""

    @property
    def length_ns(self) -> int:
        """Time from the first to the last look that found it."""
        return self.until_ns - self.since_ns


class WaitSeen:
    """A wait that goes on."""

    __slots__ = ("naps", "seen_ns", "since_ns")

    def __init__(self, at_ns: int) -> None:
        self.since_ns = self.seen_ns = at_ns
        self.naps: dict[int, int] = {}

    def add(self, at_ns: int, nap_ns: int) -> None:
        """Note that a look found it, in a sleep of this length."""
        self.seen_ns = at_ns
        self.naps[nap_ns] = self.naps.get(nap_ns, 0) + 1

    def span(self, pid: int, *, goes_on: bool) -> LockSpan:
        """Return it as it is now."""
        naps = tuple(sorted(self.naps.items()))
        return LockSpan(pid, SpanKind.WAITED, self.since_ns, self.seen_ns, goes_on, naps=naps)


class SpanRing:
    """The newest spans that have ended, and of each process how many holds were how long."""

    def __init__(self) -> None:
        self._ended: deque[LockSpan] = deque(maxlen=KEPT_SPANS)
        self._lengths: dict[int, list[int]] = {}

    def add_hold(self, run: HeldRun) -> None:
        """Take in a hold that has ended."""
        lengths = self._lengths.setdefault(run.pid, [0] * LENGTH_CLASSES)
        lengths[_length_class(run)] += 1
        if (span := span_of(run)) is not None:
            self._ended.append(span)

    def add_wait(self, pid: int, wait: WaitSeen) -> None:
        """Take in a wait that has ended."""
        self._ended.append(wait.span(pid, goes_on=False))

    def forget(self, pid: int) -> None:
        """Forget how long the holds of a process were."""
        self._lengths.pop(pid, None)

    def lengths_of(self, pid: int) -> tuple[int, ...]:
        """Return how many ended holds of a process one look found, then how many fell into each class of length."""
        return tuple(self._lengths.get(pid, ()))

    def since(self, from_ns: int) -> list[LockSpan]:
        """Return those that ended after a moment, in the order in which that was noticed, and forget the others."""
        while self._ended and self._ended[0].until_ns < from_ns:
            self._ended.popleft()
        return list(self._ended)


LENGTH_CLASSES: Final = len(LENGTH_EDGES_NS) + 2


def span_of(run: HeldRun) -> LockSpan | None:
    """Return a run of looks as a span; None if it was a single look."""
    if run.until_ns <= run.since_ns:
        return None
    return LockSpan(run.pid, SpanKind.HELD, run.since_ns, run.until_ns, run.is_ongoing, run.is_lower_bound)


def _length_class(run: HeldRun) -> int:
    length_ns = run.until_ns - run.since_ns
    return bisect_right(LENGTH_EDGES_NS, length_ns) + 1 if length_ns else 0
