"""Open files and lost locks, followed from look to look until they can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlwatch.metrics.observations import LostLocks, OpenFile
from sqlwatch.observe.holders import LockTable
from sqlwatch.observe.locks import ListedLock
from sqlwatch.observe.open_files import Foreign, Scan, find_lost_locks, scan_descriptors

SCAN_NS: Final = 1_500_000_000
"""Time between two scans of everybody's descriptors, unless a scan costs more CPU time than a 300th of that."""

FULL_SCANS: Final = 4
"""One scan in so many looks at all descriptors anew; the others believe that what pointed elsewhere still does.

It does not if a program closes one file and opens another, which gets the same number: of those that take locks then,
all descriptors are looked at.
"""

CONFIRMATIONS: Final = 4
"""Looks in a row that must find the same trouble.

A program that opens and closes its connection all the time may be caught between opening and locking, or between
unlinking and closing, but hardly so often in a row.
"""

_Doubt = LostLocks | OpenFile
_Listed = tuple[ListedLock, ...]


class FileWatch:
    """Watches who has the files of one database open."""

    def __init__(self, real: str) -> None:
        self.has_hidden = True
        """Whether there are processes whose descriptors we may not list."""
        self._real = real
        self._everybody: Scan | None = None
        self._next_scan_ns = 0
        self._scans = 0
        self._foreign: Foreign = {}
        self._lockers: set[int] = set()
        self._doubts: dict[_Doubt, int] = {}

    def restart(self) -> None:
        """Begin anew: other files have the same names."""
        self._everybody = None
        self._next_scan_ns = 0
        self._foreign.clear()
        self._doubts.clear()

    def look(
        self, at_ns: int, locks: LockTable, list_again: Callable[[], tuple[_Listed, _Listed] | None]
    ) -> tuple[tuple[OpenFile, ...] | None, tuple[LostLocks, ...]]:
        """Return (open files, lost locks); those in trouble only once they are believed.

        All processes are scanned every `SCAN_NS`, doubtful ones at every look.  `list_again` lists locks after the
        scan: a process must have lacked its locks before and after to have lost them.
        """
        files = self._scan(at_ns, {held.pid for held in locks.held})
        if files is None:
            return None, ()
        troubles: list[_Doubt] = [file for file in files if not file.is_current]
        if locks.is_complete:
            before = find_lost_locks(files, locks.main_listed, locks.shm_listed)
            after = list_again() if before else None
            if after is not None:
                missing = find_lost_locks(files, *after)
                troubles += [lost for lost in missing if lost in before]
        self._doubts = {trouble: self._doubts.get(trouble, 0) + 1 for trouble in troubles}
        believed = [trouble for trouble, looks in self._doubts.items() if looks >= CONFIRMATIONS]
        lost = tuple(trouble for trouble in believed if isinstance(trouble, LostLocks))
        return tuple(file for file in files if file.is_current or file in believed), lost

    def _scan(self, at_ns: int, lockers: set[int]) -> tuple[OpenFile, ...] | None:
        for pid in lockers - self._lockers:
            self._foreign.pop(pid, None)
        self._lockers = lockers
        if at_ns >= self._next_scan_ns:
            began_ns = time.thread_time_ns()
            if self._scans % FULL_SCANS == 0:
                self._foreign.clear()
            self._scans += 1
            self._everybody = scan_descriptors(self._real, foreign=self._foreign)
            self._next_scan_ns = at_ns + max(SCAN_NS, 300 * (time.thread_time_ns() - began_ns))
        elif self._everybody is not None and self._doubts:
            pids = {doubt.pid for doubt in self._doubts}
            again = scan_descriptors(self._real, pids)
            others = tuple(file for file in self._everybody.files if file.pid not in pids)
            files = (*others, *(again.files if again is not None else ()))
            self._everybody = Scan(files, self._everybody.hidden_pids)
        self.has_hidden = self._everybody is None or bool(self._everybody.hidden_pids)
        return self._everybody.files if self._everybody is not None else None
