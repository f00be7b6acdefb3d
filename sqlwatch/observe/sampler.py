"""The sampler: looks at one database hundreds of times a second, thoroughly a few times, and tells what it saw.

It reads by pread and F_GETLK only.  Use it in a process that has no SQLite connection.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Final

from sqlwatch.metrics.observations import Absent, JournalMode, LockKind, LockName, LockSample, Look, Message, Refusal
from sqlwatch.observe.commits import CommitCounter
from sqlwatch.observe.facts import CannotObserve, inspect_database, read_header
from sqlwatch.observe.files import FollowedFile, read_at
from sqlwatch.observe.holders import SHM_LOCKS, whole_main_probe
from sqlwatch.observe.locks import SHARED_FIRST, Lock, layout_of
from sqlwatch.observe.looker import Looker
from sqlwatch.observe.runs import RunTracker
from sqlwatch.observe.text import printable
from sqlwatch.observe.wal import WalReader

FLUSH_NS: Final = 100_000_000
"""Time between two messages of what the fast looks saw."""
LOOK_NS: Final = 250_000_000
"""Time between two thorough looks, unless they cost more CPU time than a 50th of that."""

_CHANGE_COUNTER: Final = struct.Struct(">I")
_CHANGE_COUNTER_AT: Final = 24

_WRITE, _EXCLUSIVE, _EXCLUSIVELY = LockName.WRITE, LockName.EXCLUSIVE, LockKind.EXCLUSIVE
_NOTHING: Final[dict[int, Lock]] = {}
_SHM_FOLLOWED: Final = {int(SHM_LOCKS[name]): name for name in (_WRITE, LockName.CHECKPOINT, LockName.RECOVER)}
"""Byte of the -shm -> the lock, of those that are followed at the sampling rate."""


class Sampler:
    """Follows one database, whether it is there or not.

    `sample` is the fast look, at the sampling rate (about 20 us); `collect` returns the messages that are due.
    """

    def __init__(self, path: Path, started_ns: int, database: int = 0) -> None:
        self._path = path
        self._database = database
        self._missed = 0
        self._look_cost_ns = 0
        self._since_ns = self._next_look_ns = started_ns
        self.due_ns = started_ns
        """When `collect` has something to tell again."""
        self._probe = whole_main_probe() if layout_of() is not None else None
        self._begin(started_ns)

    def sample(self, at_ns: int) -> None:
        """Look once at the locks, the -shm header and the counters; `at_ns` is CLOCK_MONOTONIC."""
        descriptor = self._main.descriptor
        if self._wal.can_read_index:
            self._wal.read_shm()
        if descriptor is None:
            return
        if self._probe is None:
            self._count(descriptor, 0)
        else:
            try:
                lock = self._probe.ask(descriptor)
            except OSError:
                return  # a file system without locks; the thorough look says so
            holders: dict[LockName, int] = {}
            if lock is not None:
                self._name_main(lock, holders)
            for byte, held in (self._wal.locks or _NOTHING).items():
                if byte in _SHM_FOLLOWED and held.kind is _EXCLUSIVELY:
                    holders[_SHM_FOLLOWED[byte]] = held.pid
            committed = self._count(descriptor, holders.get(_EXCLUSIVE, 0))
            self._runs.add(at_ns, holders, committed=committed)
        self._note_marks(at_ns)

    def note_missed(self, looks: int) -> None:
        """Count looks that were due and not taken because we were behind."""
        self._missed += looks

    def collect(self, at_ns: int) -> list[Message]:
        """Return what is due since the last call, right after a `sample`; nothing, most of the time."""
        if at_ns < self.due_ns:
            return []
        messages: list[Message] = self._flush(at_ns)
        self.due_ns = at_ns + FLUSH_NS
        if at_ns >= self._next_look_ns:
            messages.append(self.look(at_ns))
            self._follow_link(at_ns)
        return messages

    def finish(self, at_ns: int) -> list[Message]:
        """Return what was seen since the last call and a last thorough look, right after a `sample`."""
        return [*self._flush(at_ns), self.look(at_ns)]

    def look(self, at_ns: int) -> Absent | Look:
        """Look thoroughly, right after a `sample` of the same moment."""
        began_ns = time.thread_time_ns()
        try:
            if self._main.descriptor is None:
                inspect_database(self._path)  # says why, unless the file has just appeared
                sentence = f"There was no file {printable(self._real)} a moment ago."
                return Absent(at_ns, self._database, Refusal.MISSING, sentence)
            return self._looker.look(at_ns, self._main, self._wal, self._seen, self._runs, self._read_since)
        except CannotObserve as error:
            return Absent(at_ns, self._database, error.reason, error.sentence)
        except OSError as error:
            sentence = f"Cannot observe {printable(self._real)}: {error.strerror}."
            return Absent(at_ns, self._database, Refusal.UNREADABLE, sentence)
        finally:
            cost_ns, self._look_cost_ns = self._look_cost_ns, time.thread_time_ns() - began_ns
            self._next_look_ns = at_ns + max(LOOK_NS, 50 * min(cost_ns, self._look_cost_ns))

    def close(self) -> None:
        """Let go of all files."""
        self._main.close()
        self._wal.close()

    def _begin(self, at_ns: int) -> None:
        self._real = os.path.realpath(self._path)
        self._main = FollowedFile(self._real)
        self._wal = WalReader(Path(self._real), self._database)
        self._looker = Looker(self._real, self._database, at_ns)
        self._runs = RunTracker()
        self._commits = CommitCounter(at_ns, self._database)
        self._read_since: dict[int, tuple[int, int, bool]] = {}
        self._is_wal = True
        self._has_sampled = False
        self._since_ns = self.due_ns = self._next_look_ns = at_ns
        self._main.follow()
        self._seen = self._wal.read(at_ns)
        self._find_journal_mode()

    def _follow_link(self, at_ns: int) -> None:
        """Begin anew if a symbolic link in the path leads somewhere else by now."""
        if os.path.realpath(self._path) != self._real:
            self.close()
            self._begin(at_ns)

    def _restart(self, at_ns: int) -> None:
        """Another file lies under the path, or none: nothing that was seen is true of it."""
        self._runs.restart()
        self._commits.restart()
        self._looker.restart(at_ns)
        self._read_since.clear()
        self._has_sampled = False

    def _follow_main(self, at_ns: int) -> None:
        """See which file lies under the path now, and in what journal mode it is."""
        generation = self._main.generation
        if self._main.follow() is None or self._main.generation != generation:
            self._restart(at_ns)
        self._find_journal_mode()

    def _find_journal_mode(self) -> None:
        """Read the mode anew; while the header cannot be read, what was last known stands."""
        if self._main.descriptor is not None:
            try:
                _, mode = read_header(self._main.descriptor, self._real)
            except CannotObserve:
                return
            self._is_wal = mode is JournalMode.WAL

    def _name_main(self, lock: Lock, holders: dict[LockName, int]) -> None:
        """In rollback mode RESERVED, PENDING and EXCLUSIVE are all held by the one process that may write."""
        if not self._is_wal:
            holders[_WRITE] = lock.pid
        if lock.overlaps(SHARED_FIRST):
            holders[_EXCLUSIVE] = lock.pid

    def _count(self, descriptor: int, exclusive_pid: int) -> bool:
        if self._is_wal:
            return self._commits.add_wal(self._wal.shm.generation, self._wal.index)
        try:
            data = read_at(descriptor, _CHANGE_COUNTER.size, _CHANGE_COUNTER_AT)
        except OSError:
            return False
        if len(data) < _CHANGE_COUNTER.size:
            return False
        is_exclusive = self._runs.since(_EXCLUSIVE, exclusive_pid) is not None
        return self._commits.add_rollback(_CHANGE_COUNTER.unpack(data)[0], is_exact=not is_exclusive)

    def _note_marks(self, at_ns: int) -> None:
        """Remember since when each read mark is held with the same frame."""
        known = self._read_since
        now: dict[int, tuple[int, int, bool]] = {}
        for slot, frame, _ in self._wal.readers():
            since = known.get(slot)
            is_same = since is not None and since[0] == frame
            now[slot] = since if since and is_same else (frame, at_ns, not self._has_sampled)
        self._read_since = now
        self._has_sampled = True

    def _flush(self, at_ns: int) -> list[Message]:
        self._follow_main(at_ns)
        looks, held, runs = self._runs.take()
        since_ns, self._since_ns = self._since_ns, at_ns
        missed, self._missed = self._missed, 0
        self._seen = self._wal.summary(at_ns)
        messages: list[Message] = [
            LockSample(at_ns, since_ns, self._database, looks, missed, held, runs),
            self._seen,
        ]
        commits = self._commits.take(at_ns)
        return [*messages, commits] if commits is not None else messages
