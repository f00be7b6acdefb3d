"""How a waiter sleeps: the delays between its looks at a taken lock, and when those looks are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from simulators.quantities import BusyKind, BusyPolicy

DELAYS_MS: Final = (1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100)
"""SQLite's delays between two looks at a taken lock (sqliteDefaultBusyCallback in main.c); the last one repeats."""

RUNGS_MS: Final = (*accumulate(DELAYS_MS[:-1]), *range(sum(DELAYS_MS), 30_000, DELAYS_MS[-1]))
"""Waits after which SQLite looks at the lock again, in ms: most contended waits end on one of these."""


def delays_of(policy: BusyPolicy) -> tuple[int, ...] | None:
    """Return the delays of a busy policy in ns, the last one repeating; None where they are drawn at random."""
    match policy.kind:
        case BusyKind.TIMEOUT:
            return tuple(delay_ms * 1_000_000 for delay_ms in DELAYS_MS)
        case BusyKind.CONSTANT:
            return (round(policy.delay_ms * 1e6),)
        case BusyKind.NONE:
            return ()
        case BusyKind.BACKOFF:
            return None


def sleeps_ns(delays_ns: Sequence[int], retries: int) -> list[int]:
    """Return the first `retries` delays in ns.

    >>> sleeps_ns((1, 2, 5), 5), sleeps_ns((), 3)
    ([1, 2, 5, 5, 5], [])
    """
    if not delays_ns:
        return []
    return [delays_ns[min(number, len(delays_ns) - 1)] for number in range(retries)]


def looks_ns(delays_ns: Sequence[int], waited_ns: int, after_ns: int = 0) -> list[int]:
    """Return when a waiter that sleeps has looked at the lock again, in ns since it asked: after `after_ns` only.

    >>> looks_ns((1, 2, 5), 14), looks_ns((1, 2, 5), 25, 10), looks_ns((), 14)
    ([1, 3, 8, 13], [13, 18, 23], [])
    """
    if not delays_ns or delays_ns[-1] <= 0:
        return []
    ladder = list(accumulate(delays_ns))
    looks = [look for look in ladder if after_ns < look <= waited_ns]
    last_ns = delays_ns[-1]
    first_ns = ladder[-1] + max((after_ns - ladder[-1]) // last_ns + 1, 1) * last_ns
    return [*looks, *range(first_ns, waited_ns + 1, last_ns)]


def looks_until_got_ns(delays_ns: Sequence[int], retries: int, waited_ns: int, after_ns: int = 0) -> list[int]:
    """Return when a waiter looked in a wait that ended with the lock; the last look is its end.

    A process wakes up a little late each time, so the looks are spread over the wait.

    >>> looks_until_got_ns((1, 2, 5), 3, 16), looks_until_got_ns((1, 2, 5), 3, 16, 2)
    ([2, 6, 16], [6, 16])
    """
    if not delays_ns or not retries:
        return []
    slept_ns = sum(delays_ns[:retries]) + max(retries - len(delays_ns), 0) * delays_ns[-1]
    looks = looks_ns(delays_ns, slept_ns, after_ns * slept_ns // max(waited_ns, 1))
    return [look * waited_ns // slept_ns for look in looks]
