"""What sqlwatch itself costs."""

from __future__ import annotations

import time
from typing import Final

import psutil

INTERVAL_NS: Final = 1_000_000_000


class OwnCpu:
    """CPU time of this process, and of a sampler beside it, as a share of one core over the last second or so."""

    def __init__(self, child: int | None = None) -> None:
        self._child = psutil.Process(child) if child is not None else None
        self._used_s, self._at_ns = self._total_s(), time.monotonic_ns()
        self._share: float | None = None

    def share(self, now_ns: int) -> float | None:
        """Return the share; None until enough time has passed to tell."""
        passed_ns = now_ns - self._at_ns
        if passed_ns >= INTERVAL_NS:
            used_s = self._total_s()
            self._share = max(used_s - self._used_s, 0.0) * 1e9 / passed_ns
            self._used_s, self._at_ns = used_s, now_ns
        return self._share

    def _total_s(self) -> float:
        total_s = time.process_time()
        if self._child is not None:
            try:
                times = self._child.cpu_times()
            except psutil.Error:  # it has just ended
                return total_s
            total_s += times.user + times.system
        return total_s
