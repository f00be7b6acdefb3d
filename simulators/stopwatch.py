"""The stopwatch of a writer: all that the instrument does in each transaction.

A contended benchmark must not be slowed by its own instrument.  In Python two looks at the clock, two words of the slot
and three counters cost a short transaction a tenth of its time; compiled (`_stopwatch.c`) they cost a fiftieth.
Which of the two is in use depends on whether there was a compiler when sqlwatch was installed; they count alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from simulators.slots import DONE, GOT

SHIFT: Final = 7
BINS: Final = 512
"""A short transaction takes less than BINS << SHIFT ns; its times are counted in bins of 1 << SHIFT ns."""

Bins: TypeAlias = "list[int]"
"""How many durations fell into each bin."""


class Stopwatch(Protocol):
    """Times one transaction after the other and counts those that were short; times are CLOCK_MONOTONIC ns."""

    @property
    def due_ns(self) -> int:
        """The intended start of the present transaction."""

    @property
    def asked_ns(self) -> int:
        """When it asked for the write lock."""

    @property
    def got_ns(self) -> int:
        """When the newest transaction that got the lock got it."""

    @property
    def released_ns(self) -> int:
        """When the newest transaction that committed had released it."""

    def start(self, due_ns: int, asked_ns: int, /) -> None:
        """Begin with a transaction that was due then and asks for the lock now."""

    def ask(self) -> None:
        """Note that the transaction asks for the lock only now."""

    def got(self, number: int, /) -> None:
        """Transaction `number` has got the lock: note when, and tell it in the slot."""

    def done(self, number: int, /) -> bool:
        """Transaction `number` has committed: note when, tell it in the slot, and count it if it was short.

        Returns whether it was counted; then the next one is due, and asks, at the moment at which this one ended.
        """

    def take(self) -> tuple[Bins, Bins, Bins]:
        """Return lock waits, holds and commit latencies counted since the last call, and begin again."""


class PlainStopwatch:
    """The stopwatch in Python."""

    def __init__(self, words: memoryview, *, counts: bool) -> None:
        self.due_ns = self.asked_ns = self.got_ns = self.released_ns = 0
        self._words = words
        self._counts = counts
        self._waits, self._holds, self._latencies = _empty(), _empty(), _empty()

    def start(self, due_ns: int, asked_ns: int, /) -> None:
        """See `Stopwatch`."""
        self.due_ns, self.asked_ns = due_ns, asked_ns

    def ask(self) -> None:
        """See `Stopwatch`."""
        self.asked_ns = time.monotonic_ns()

    def got(self, number: int, /) -> None:
        """See `Stopwatch`."""
        self.got_ns = time.monotonic_ns()
        self._words[GOT] = number

    def done(self, number: int, /) -> bool:
        """See `Stopwatch`."""
        self.released_ns = released_ns = time.monotonic_ns()
        self._words[DONE] = number
        latency = released_ns - self.due_ns >> SHIFT
        if latency >= BINS or not self._counts:
            return False
        self._latencies[latency] += 1
        self._waits[self.got_ns - self.asked_ns >> SHIFT] += 1
        self._holds[released_ns - self.got_ns >> SHIFT] += 1
        self.due_ns = self.asked_ns = released_ns
        return True

    def take(self) -> tuple[Bins, Bins, Bins]:
        """See `Stopwatch`."""
        taken = self._waits, self._holds, self._latencies
        self._waits, self._holds, self._latencies = _empty(), _empty(), _empty()
        return taken


def _empty() -> Bins:
    return [0] * BINS


CompiledStopwatch: Callable[..., Stopwatch] | None
"""The stopwatch in C, or None if there was no compiler."""
try:
    from simulators import _stopwatch
except ImportError:
    CompiledStopwatch = None
else:
    CompiledStopwatch = _stopwatch.Stopwatch


def create_stopwatch(words: memoryview, *, counts: bool) -> Stopwatch:
    """Return a stopwatch that tells through the words of a slot (see `slots`), the compiled one where there is one.

    Without `counts` no transaction is short, so that each is recorded with its times.
    """
    return (CompiledStopwatch or PlainStopwatch)(words, counts=counts)
