"""Following who holds the exclusive locks from look to look; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlwatch.metrics.observations import HeldLooks, HeldRun, LockName

FOLLOWED: Final = (LockName.WRITE, LockName.CHECKPOINT, LockName.RECOVER, LockName.EXCLUSIVE)


class _Run:
    """Consecutive looks with the same holder."""

    __slots__ = ("is_lower_bound", "pid", "since_ns", "until_ns")

    def __init__(self, pid: int, at_ns: int, *, is_lower_bound: bool) -> None:
        self.pid = pid
        self.since_ns = self.until_ns = at_ns
        self.is_lower_bound = is_lower_bound


class RunTracker:
    """Counts looks and joins them to runs."""

    def __init__(self) -> None:
        self.looks = 0
        self.last_held_ns: int | None = None
        """When any of the locks was last seen held."""
        self._is_first = True
        self._runs: dict[LockName, _Run] = {}
        self._ended: list[HeldRun] = []
        self._counts: dict[tuple[LockName, int], int] = {}

    def add(self, at_ns: int, holders: Mapping[LockName, int], *, committed: bool = False) -> None:
        """Add one look: lock -> pid.  A commit since the last look ends the run of the WRITE lock."""
        self.looks += 1
        if holders:
            self.last_held_ns = at_ns
        for lock in FOLLOWED:
            pid = holders.get(lock)
            run = self._runs.get(lock)
            if run is not None and (run.pid != pid or (committed and lock is LockName.WRITE)):
                self._end(lock, run)
                run = None
            if pid is None:
                continue
            if run is None:
                run = self._runs[lock] = _Run(pid, at_ns, is_lower_bound=self._is_first)
            run.until_ns = at_ns
            self._counts[lock, pid] = self._counts.get((lock, pid), 0) + 1
        self._is_first = False

    def since(self, lock: LockName, pid: int) -> tuple[int, bool] | None:
        """Return (since_ns, is_lower_bound) of the run in which this process holds the lock; None if it does not."""
        run = self._runs.get(lock)
        return (run.since_ns, run.is_lower_bound) if run is not None and run.pid == pid else None

    def take(self) -> tuple[int, tuple[HeldLooks, ...], tuple[HeldRun, ...]]:
        """Return (looks, who held in how many of them, runs) since the last call, and count anew."""
        looks, self.looks = self.looks, 0
        held = tuple(HeldLooks(lock, pid, count) for (lock, pid), count in self._counts.items())
        ongoing = (_frozen(lock, run, is_ongoing=True) for lock, run in self._runs.items())
        runs = (*self._ended, *ongoing)
        self._counts.clear()
        self._ended.clear()
        return looks, held, runs

    def restart(self) -> None:
        """End all runs: the database was replaced or went away.  What is held at the next look may be older."""
        for lock, run in list(self._runs.items()):
            self._end(lock, run)
        self._is_first = True

    def _end(self, lock: LockName, run: _Run) -> None:
        self._ended.append(_frozen(lock, run, is_ongoing=False))
        del self._runs[lock]


def _frozen(lock: LockName, run: _Run, *, is_ongoing: bool) -> HeldRun:
    return HeldRun(lock, run.pid, run.since_ns, run.until_ns, is_ongoing, run.is_lower_bound)
