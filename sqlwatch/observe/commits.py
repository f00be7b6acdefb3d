"""Counting commits from counters that SQLite itself keeps; pure."""

from __future__ import annotations

from sqlwatch.metrics.observations import Commits
from sqlwatch.observe.formats import WalIndex

_MASK = 0xFFFFFFFF


class CommitCounter:
    """Adds up the differences of iChange (WAL) or of the change counter (rollback journal) from look to look."""

    def __init__(self, started_ns: int, database: int = 0) -> None:
        self._database = database
        self._since_ns = started_ns
        self._commits = 0
        self._frames: int | None = None
        self._is_exact = True
        self._has_seen = False
        self._wal: tuple[int, WalIndex] | None = None
        self._counter: int | None = None
        self._has_looked = False

    def add_wal(self, generation: int, index: WalIndex | None) -> bool:
        """Add a look at the wal-index, `generation` numbering the -shm files seen; tell whether commits were new.

        A -shm that was not there at the first look is younger than that, so all its commits are new.
        """
        if index is None:
            self._has_looked = True
            return False
        before = self._wal
        self._wal, self._has_seen, self._counter = (generation, index), True, None
        if before is None:
            if not self._has_looked:
                self._has_looked, self._frames = True, self._frames or 0
                return False
            passed = grew = -1
        else:
            known = before[1]
            if known is index and before[0] == generation:
                return False
            passed = (index.changes - known.changes) & _MASK if before[0] == generation else -1
            grew = index.live_frames - known.live_frames if known.salts == index.salts else -1
        if not 0 <= passed <= _MASK >> 1:  # recovery, or another -shm, began again at 0
            passed = index.changes
            self._is_exact = False
        self._commits += passed
        self._frames = (self._frames or 0) + (grew if grew >= 0 else index.live_frames)
        return passed > 0

    def add_rollback(self, counter: int, *, is_exact: bool = True) -> bool:
        """Add a look at the change counter; tell whether commits were new.

        Not exact while locking_mode=EXCLUSIVE, in which SQLite advances the counter only once.
        """
        before, self._counter = self._counter, counter
        if self._wal is not None or (before is None and self._has_seen):
            self._is_exact = False  # the journal mode was changed in between
        self._wal, self._has_seen, self._has_looked = None, True, True
        self._is_exact &= is_exact
        if before is None:
            return False
        passed = (counter - before) & _MASK
        self._commits += passed if passed <= _MASK >> 1 else 0
        return passed > 0

    def take(self, at_ns: int) -> Commits | None:
        """Return what was counted since the last call; None if no counter could be read in that time."""
        if not self._has_seen:
            self._since_ns = at_ns
            return None
        taken = Commits(at_ns, self._since_ns, self._database, self._commits, self._frames, self._is_exact)
        self._since_ns, self._commits, self._is_exact, self._has_seen = at_ns, 0, True, False
        self._frames = 0 if self._wal is not None else None
        return taken

    def restart(self) -> None:
        """Believe no counter seen before: the database itself was replaced."""
        self._wal = self._counter = None
        self._has_looked = False
