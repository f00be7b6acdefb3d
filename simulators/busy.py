"""What a connection does when the lock is taken: busy handlers that count their calls and can be told to give up.

SQLite's own timeout is replayed here, delay by delay, because a handler of our own is the only way to count the retries
exactly and to see a wait while it lasts (sqliteDefaultBusyCallback in SQLite's main.c).
"""

from __future__ import annotations

import ctypes
import random
import time
from collections.abc import Callable
from typing import Final

from simulators.orders import Inbox
from simulators.quantities import BusyKind, BusyPolicy
from simulators.slots import Slot

LADDER_MS: Final = (1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100)
"""SQLite's delays; the last one repeats."""

_LONGEST_SLEEP_US: Final = 100_000
"""How long a wait that keeps the interpreter lock sleeps before it looks for an order."""

_sleep_us: Final = ctypes.PyDLL(None).usleep
"""usleep, called without releasing the interpreter lock: that is what PyDLL is for."""


def delay_before_retry_ms(policy: BusyPolicy, retry: int, waited_ms: float, rng: random.Random) -> float | None:
    """Return how long to sleep before retry number `retry` (from 0), in ms; None means give up: busy error.

    `waited_ms` is the sum of the delays so far; the last delay is what is left of the limit, as SQLite does it.
    """
    match policy.kind:
        case BusyKind.NONE:
            return None
        case BusyKind.TIMEOUT:
            delay_ms: float = LADDER_MS[min(retry, len(LADDER_MS) - 1)]
        case BusyKind.CONSTANT:
            delay_ms = policy.delay_ms
        case BusyKind.BACKOFF:
            delay_ms = rng.uniform(0, min(policy.longest_delay_ms, policy.delay_ms * 2.0 ** min(retry, 60)))
    left_ms = policy.limit_ms - waited_ms
    return min(delay_ms, left_ms) if left_ms > 0 else None


class BusyHandler:
    """Called by SQLite each time the lock is taken; sleeps as the policy says.

    With `keeps_interpreter` no other thread of the process can run Python during a sleep, as where SQLite is bound to a
    language without letting go of its interpreter lock.  They can between two sleeps, while SQLite looks at the lock.
    """

    def __init__(
        self,
        policy: BusyPolicy,
        slot: Slot,
        inbox: Inbox,
        rng: random.Random,
        on_retry: Callable[[], None],
        *,
        keeps_interpreter: bool = False,
    ) -> None:
        self.retries = 0
        """Calls since `begin`; SQLite looked at the lock once more than that, unless the wait was given up."""
        self.withdrawn = False
        """True if the wait was given up because an order wanted the worker to park."""
        self._policy = policy
        self._slot = slot
        self._inbox = inbox
        self._rng = rng
        self._on_retry = on_retry
        self._waited_ms = 0.0
        self._keeps_interpreter = keeps_interpreter

    def begin(self) -> None:
        """Forget the last transaction's retries."""
        self.retries = 0
        self.withdrawn = False

    def __call__(self, retry: int) -> bool:
        """Sleep and return True to try again, or return False for a busy error; `retry` counts from 0."""
        if retry == 0:
            self._waited_ms = 0.0
            if not self._slot.waiting_since_ns:
                self._slot.waiting_since_ns = time.monotonic_ns()
        self.retries += 1
        self._on_retry()
        delay_ms = delay_before_retry_ms(self._policy, retry, self._waited_ms, self._rng)
        if delay_ms is None:
            return False
        self._waited_ms += delay_ms
        if self._keeps_interpreter:
            self._rest_keeping_interpreter(round(delay_ms * 1e6))
        else:
            self._inbox.rest(round(delay_ms * 1e6))
        if self._inbox.parks:
            self.withdrawn = True
        return not self.withdrawn

    def _rest_keeping_interpreter(self, duration_ns: int) -> None:
        deadline_ns = time.monotonic_ns() + duration_ns
        self._inbox.look()
        while not self._inbox.parks and (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            _sleep_us(min(left_ns // 1000 + 1, _LONGEST_SLEEP_US))
            self._inbox.look()
