"""When the next transaction starts: at once, after a think time, at its own time (open loop), or with all others."""

from __future__ import annotations

import time
from typing import Final

from simulators.orders import Order
from simulators.rounds import Rounds
from simulators.worker import Worker

LONGEST_BURST: Final = 128
"""Most short transactions between two looks at the clock, the WAL's length and the inbox."""


class Pace:
    """The pace of one writer during one order."""

    def __init__(self, worker: Worker, order: Order) -> None:
        self.started_ns: int | None = None
        """Open loop: when the newest transaction actually started."""
        self._worker = worker
        self._think = worker.workload.think
        per_s = worker.workload.arrival.per_s
        self._interval_ns = 1e9 * max(worker.workload.writers, 1) / per_s if per_s else None
        self._last = worker.slot.done + order.transactions if order.transactions else None
        self._rounds = None if worker.workload.arrival.pause_ns is None else Rounds(worker)
        rests = not worker.workload.arrival.is_closed or self._think.mean_ns > 0
        # The WAL grows by one burst at most beyond where a checkpoint is due: by an eighth, at one frame a transaction.
        frames = worker.workload.autocheckpoint or 8 * LONGEST_BURST
        self._burst = 1 if rests else max(min(frames // 8, LONGEST_BURST), 1)

    def start(self) -> tuple[int, int]:
        """Return when the first transaction is due and when it asks, in ns."""
        if self._rounds is not None:
            return self._rounds.wait()
        now_ns = time.monotonic_ns()
        if self._interval_ns is None:
            return now_ns, now_ns
        return self.next(now_ns + round(self._worker.random.uniform(0, self._interval_ns) - self._draw_interval()))

    def burst(self, number: int) -> range:
        """Return the numbers of the next transactions, to be run without looking up; empty if the share is done."""
        end = number + 1 + self._burst
        return range(number + 1, end if self._last is None else min(end, self._last + 1))

    def next(self, due_ns: int) -> tuple[int, int]:
        """Pause after a transaction that was due at `due_ns`; return when the next is due and when it asks, in ns.

        In an open loop transactions are due at exponentially distributed intervals, whether the last one has ended or
        not, and one that is late starts at once but is measured from when it was due.
        """
        if self._rounds is not None:
            return self._rounds.wait()
        if self._interval_ns is None:
            if self._think.mean_ns:
                self._worker.think(self._worker.draw(self._think))
            now_ns = time.monotonic_ns()
            return now_ns, now_ns
        due_ns += self._draw_interval()
        self._worker.think(max(due_ns - time.monotonic_ns(), 0))
        self.started_ns = time.monotonic_ns()
        return due_ns, self.started_ns

    def end(self) -> None:
        """Give back what the pace needed."""
        if self._rounds is not None:
            self._rounds.close()

    def _draw_interval(self) -> int:
        return round(self._worker.random.expovariate(1 / self._interval_ns)) if self._interval_ns else 0
