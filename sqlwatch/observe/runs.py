"""Following who holds the exclusive locks from look to look; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlwatch.metrics.observations import HeldLooks, HeldRun, LockName

_WRITE: Final = LockName.WRITE


class _Run:
    """Consecutive looks with the same holder."""

    __slots__ = ("is_lower_bound", "looks", "pid", "since_ns", "until_ns")

    def __init__(self, pid: int, at_ns: int, *, is_lower_bound: bool) -> None:
        self.pid = pid
        self.since_ns = self.until_ns = at_ns
        self.is_lower_bound = is_lower_bound
        self.looks = 1
        """Looks that are not counted yet."""


class RunTracker:
    """Counts looks and joins them to runs."""

    def __init__(self) -> None:
        self.looks = 0
        self.last_held_ns: int | None = None
        """When any of the locks was last seen held."""
        self._is_first = True
        self._runs: dict[LockName, _Run] = {}
        self._ended: list[tuple[LockName, _Run]] = []

    def add(self, at_ns: int, holders: Mapping[LockName, int], *, committed: bool = False) -> None:
        """Add one look: lock -> pid.  A commit since the last look ends the run of the WRITE lock."""
        self.looks += 1
        runs = self._runs
        for lock, run in list(runs.items()) if runs else ():
            pid = holders.get(lock)
            if pid == run.pid and not (committed and lock is _WRITE):
                run.until_ns = at_ns
                run.looks += 1
            else:
                self._ended.append((lock, run))
                del runs[lock]
        for lock, pid in holders.items():
            if lock not in runs:
                runs[lock] = _Run(pid, at_ns, is_lower_bound=self._is_first)
        if holders:
            self.last_held_ns = at_ns
        self._is_first = False

    @property
    def is_following(self) -> bool:
        """Whether there was a look since the beginning, or the last restart."""
        return not self._is_first

    def since(self, lock: LockName, pid: int) -> tuple[int, bool] | None:
        """Return (since_ns, is_lower_bound) of the run in which this process holds the lock; None if it does not."""
        run = self._runs.get(lock)
        return (run.since_ns, run.is_lower_bound) if run is not None and run.pid == pid else None

    def take(self) -> tuple[int, tuple[HeldLooks, ...], tuple[HeldRun, ...]]:
        """Return (looks, who held in how many of them, runs) since the last call, and count anew."""
        looks, self.looks = self.looks, 0
        ongoing = tuple(self._runs.items())
        counts: dict[tuple[LockName, int], int] = {}
        for lock, run in (*self._ended, *ongoing):
            counts[lock, run.pid] = counts.get((lock, run.pid), 0) + run.looks
            run.looks = 0
        held = tuple(HeldLooks(lock, pid, count) for (lock, pid), count in counts.items() if count)
        ended = tuple(_frozen(lock, run, is_ongoing=False) for lock, run in self._ended)
        self._ended.clear()
        return looks, held, (*ended, *(_frozen(lock, run, is_ongoing=True) for lock, run in ongoing))

    def restart(self) -> None:
        """End all runs: the database was replaced or went away.  What is held at the next look may be older."""
        self._ended += self._runs.items()
        self._runs.clear()
        self._is_first = True


def _frozen(lock: LockName, run: _Run, *, is_ongoing: bool) -> HeldRun:
    return HeldRun(lock, run.pid, run.since_ns, run.until_ns, is_ongoing, run.is_lower_bound)
