"""The thorough look, a few times a second: holders, processes, waiters, open files, frames behind the last commit."""

from __future__ import annotations

import os
import time
from typing import Final

from sqlwatch.metrics.observations import (
    READ_LOCKS,
    Activity,
    Hidden,
    Holder,
    LockKind,
    LockName,
    Look,
    OpenFile,
    Process,
    Waiter,
    WalObservation,
)
from sqlwatch.observe.activity import denied, describe, waiter_among
from sqlwatch.observe.facts import inspect_open_database
from sqlwatch.observe.file_watch import FileWatch
from sqlwatch.observe.files import FollowedFile
from sqlwatch.observe.filesystems import FileSystem, file_system_of
from sqlwatch.observe.formats import UNUSED_MARK
from sqlwatch.observe.frames import count_recoverable, count_uncommitted
from sqlwatch.observe.holders import Held, LockLooker, LockTable, list_locks
from sqlwatch.observe.locks import FileKey, layout_of
from sqlwatch.observe.processes import ProcessTable
from sqlwatch.observe.runs import RunTracker
from sqlwatch.observe.syscalls import calls_of, shows_system_calls
from sqlwatch.observe.wal import WalReader

MOST_PROCESSES: Final = 200
"""Processes whose threads are looked at; beyond, holders of exclusive locks come first."""

_SAMPLED: Final = (LockName.WRITE, LockName.CHECKPOINT, LockName.RECOVER)
"""Locks that the fast looks follow in every journal mode, with better times than two thorough looks give."""

_LINGERS_NS: Final = 200_000_000
"""A waiter's longest nap is 100 ms: who naps longer after the last lock was seen waits for nothing."""

_MOUNT_NS: Final = 5_000_000_000
"""Time for which the file system that was looked up is believed."""

_COUNTS: Final = 2
"""Tries to count uncommitted frames before the writer counts as too fast for that."""

_MTIME_SLACK_NS: Final = 50_000_000
"""File times advance in ticks of up to 10 ms, and a hold is seen up to two sampling periods late."""


class Looker:
    """Looks thoroughly at one database; the sampler gives it the open files and what it has seen of the fast locks."""

    def __init__(self, real: str, database: int, started_ns: int) -> None:
        self._real = real
        self._database = database
        self._started_ns = started_ns
        self._locks = LockLooker() if layout_of() is not None else None
        self._can_ask = self._locks is not None
        self._table = ProcessTable()
        self._ages: dict[tuple[LockName, int, int | None], tuple[int, bool]] = {}
        self._has_looked = False
        self._files = FileWatch(real)
        self._file_system: tuple[int, int, FileSystem | None] | None = None
        self._can_see_calls = shows_system_calls()

    def restart(self, started_ns: int) -> None:
        """Begin anew with another file under the same path."""
        self._started_ns = started_ns
        self._has_looked = False
        self._ages.clear()
        self._files.restart()

    def look(
        self, at_ns: int, main: FollowedFile, wal: WalReader, seen: WalObservation, runs: RunTracker,
        read_since: dict[int, tuple[int, int, bool]],
    ) -> Look:  # fmt: skip
        """Look once.  `read_since`: slot -> (frame, since_ns, is_lower_bound), as the sampler saw it.

        Raises CannotObserve if the file is no database (any more), OSError if it cannot be read.
        """
        assert main.descriptor is not None, "the sampler opens the file first"
        system = self._find_file_system(at_ns, main)
        facts = inspect_open_database(main.descriptor, self._real, system)
        keys = _keys(main, wal, system)
        locks = self._ask(main, wal, keys)
        open_files, lost = self._files.look(at_ns, locks, lambda: list_locks(*keys))
        holders = self._age(at_ns, locks, wal, runs, read_since)
        may_wait = runs.last_held_ns is not None and at_ns - runs.last_held_ns <= _LINGERS_NS
        processes, waiters, is_denied = self._look_at_processes(holders, open_files or (), may_wait=may_wait)
        self._has_looked = True
        return Look(
            at_ns=at_ns,
            database=self._database,
            since_ns=self._started_ns,
            facts=facts,
            holders=holders,
            processes=processes,
            waiters=waiters,
            wal=seen,
            uncommitted_frames=_uncommitted(wal, holders),
            recoverable_frames=_recoverable(wal, holders) if self._can_ask else None,
            open_files=open_files,
            lost_locks=lost,
            hidden=self._hidden(locks, wal, is_denied=is_denied),
        )

    # Locks.

    def _find_file_system(self, at_ns: int, main: FollowedFile) -> FileSystem | None:
        """Return where the file lies; looked up anew now and then, since a mount may become read-only."""
        assert main.descriptor is not None
        known = self._file_system
        if known is None or known[0] != main.generation or at_ns - known[1] > _MOUNT_NS:
            known = (main.generation, at_ns, file_system_of(main.descriptor, self._real))
            self._file_system = known
        return known[2]

    def _ask(self, main: FollowedFile, wal: WalReader, keys: tuple[FileKey, FileKey | None]) -> LockTable:
        self._can_ask = self._locks is not None
        if self._locks is None or main.descriptor is None:
            return LockTable((), is_complete=False, hides_holders=True)
        try:
            return self._locks.look(main.descriptor, keys[0], wal.shm.descriptor, keys[1])
        except OSError:  # a network file system without a lock manager
            self._can_ask = False
            return LockTable((), is_complete=False, hides_holders=True)

    def _age(
        self, at_ns: int, locks: LockTable, wal: WalReader, runs: RunTracker,
        read_since: dict[int, tuple[int, int, bool]],
    ) -> tuple[Holder, ...]:  # fmt: skip
        """Join the holders with since when they are seen; forget those that are gone."""
        ages: dict[tuple[LockName, int, int | None], tuple[int, bool]] = {}
        holders = []
        for held in locks.held:
            frame = _frame_of(held, wal)
            key = (held.lock, held.pid, frame)
            since_ns, is_lower_bound = self._ages.get(key, (at_ns, not self._has_looked))
            if held.kind is LockKind.SHARED and held.lock in READ_LOCKS:
                mark = read_since.get(READ_LOCKS.index(held.lock))
                if mark is not None and mark[1] > since_ns:  # between two looks nobody held it for a while
                    _, since_ns, is_lower_bound = mark
            lock = LockName.WRITE if held.lock in (LockName.RESERVED, LockName.PENDING) else held.lock
            run = runs.since(lock, held.pid)
            if run is None and runs.is_following and lock in _SAMPLED and held.kind is LockKind.EXCLUSIVE:
                run = at_ns, False  # the sample just before this look did not find it: it was taken since
            since_ns, is_lower_bound = run or (since_ns, is_lower_bound)
            ages[key] = (since_ns, is_lower_bound)
            holders.append(Holder(held.lock, held.kind, held.pid, since_ns, is_lower_bound, frame))
        self._ages = ages
        return tuple(holders)

    # Processes.

    def _look_at_processes(
        self, holders: tuple[Holder, ...], open_files: tuple[OpenFile, ...], *, may_wait: bool
    ) -> tuple[tuple[Process, ...], tuple[Waiter, ...] | None, bool]:
        """Return (processes, waiters, whether we were denied a look at somebody's system calls)."""
        exclusive = [holder.pid for holder in holders if holder.kind is LockKind.EXCLUSIVE]
        openers = (file.pid for file in open_files)
        pids = dict.fromkeys([*exclusive, *(holder.pid for holder in holders), *openers])
        pids.pop(os.getpid(), None)
        processes, waiters = [], []
        asked = refused = 0

        def look_at_calls(pid: int, threads: int) -> Activity | None:
            nonlocal asked, refused
            asked += 1
            activity, waiter = _look_at_calls(pid, threads)
            refused += activity is not None and activity.is_denied
            if waiter is not None:
                waiters.append(waiter)
            return activity

        for number, pid in enumerate(pid for pid in pids if pid > 0):
            can_see = self._can_see_calls and number < MOST_PROCESSES
            process = self._table.look(pid, look_at_calls if can_see else None)
            if process is not None:
                processes.append(process)
        self._table.keep_only(set(pids))
        is_blind = not self._can_see_calls or (asked > 0 and refused == asked)
        return tuple(processes), (None if is_blind else tuple(waiters) if may_wait else ()), refused > 0

    def _hidden(self, locks: LockTable, wal: WalReader, *, is_denied: bool) -> tuple[Hidden, ...]:
        hidden = []
        if not self._can_ask:
            hidden.append(Hidden.LOCKS)
        elif locks.hides_holders:
            hidden.append(Hidden.OTHER_HOLDERS)
        if any(held.pid <= 0 for held in locks.held):
            hidden.append(Hidden.UNNAMED_HOLDER)
        if wal.shm.is_forbidden or not wal.can_read_index:
            hidden.append(Hidden.WAL_INDEX)
        if wal.wal.is_forbidden:
            hidden.append(Hidden.WAL)
        if is_denied or not self._can_see_calls:
            hidden += [Hidden.ACTIVITY, Hidden.WAITERS]
        if self._files.has_hidden:
            hidden.append(Hidden.DESCRIPTORS)
        return tuple(hidden)


def _keys(main: FollowedFile, wal: WalReader, system: FileSystem | None) -> tuple[FileKey, FileKey | None]:
    """Return under which keys /proc/locks lists the main file and the -shm."""
    assert main.status is not None
    main_key = FileKey.of(main.status)
    if system is not None and system.device is not None:
        main_key = FileKey(*system.device, main.status.st_ino)
    if wal.shm.status is None:
        return main_key, None
    return main_key, FileKey(main_key.major, main_key.minor, wal.shm.status.st_ino)


def _look_at_calls(pid: int, threads: int) -> tuple[Activity | None, Waiter | None]:
    try:
        calls = calls_of(pid, threads)
    except PermissionError:
        return denied(pid), None
    except OSError:
        return None, None
    return describe(pid, calls), waiter_among(pid, calls)


def _frame_of(held: Held, wal: WalReader) -> int | None:
    """Return the newest frame that the holder of a read lock sees."""
    if wal.index is None or held.kind is not LockKind.SHARED or held.lock not in READ_LOCKS:
        return None
    frame = wal.index.marks[READ_LOCKS.index(held.lock)]
    return None if frame == UNUSED_MARK else frame


def _uncommitted(wal: WalReader, holders: tuple[Holder, ...]) -> int | None:
    """Count frames of the transaction being written, if somebody writes."""
    writer = next((holder for holder in holders if holder.lock is LockName.WRITE), None)
    if writer is None:
        return None
    if not writer.is_lower_bound and _is_older_than(wal, writer.since_ns):
        return 0  # whatever lies there was rolled back by an earlier writer
    for _ in range(_COUNTS):
        index = wal.read_index()
        frames = count_uncommitted(wal.wal, wal.header, index) if index is not None else None
        after = wal.read_index()
        if index is not None and after is not None and after.changes == index.changes:
            return frames
    return None  # it commits faster than we can count


def _is_older_than(wal: WalReader, moment_ns: int) -> bool:
    """Tell whether the -wal was last written well before a moment on CLOCK_MONOTONIC."""
    if wal.wal.status is None:
        return False
    offset_ns = time.time_ns() - time.monotonic_ns()
    return wal.wal.status.st_mtime_ns + _MTIME_SLACK_NS < moment_ns + offset_ns


def _recoverable(wal: WalReader, holders: tuple[Holder, ...]) -> int | None:
    """Count frames that the next opener must recover, if nobody has the database open."""
    if wal.header is None or holders:
        return None
    frames = count_recoverable(wal.wal, wal.header)
    if wal.index is not None and wal.index.salts == wal.header.salts:
        frames -= min(wal.index.backfilled_frames, frames)
    return frames
