"""The WAL of one database, read from its -shm and -wal headers by pread and F_GETLK."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sqlwatch.metrics.observations import LockKind, ReadMark, WalObservation
from sqlwatch.observe.files import FollowedFile
from sqlwatch.observe.formats import (
    MARK_COUNT,
    UNUSED_MARK,
    WAL_HEADER_BYTES,
    WAL_INDEX_BYTES,
    FormatError,
    WalHeader,
    WalIndex,
    parse_wal_header,
    parse_wal_index,
)
from sqlwatch.observe.locks import READER_BYTES, Lock, LockProbe, ShmByte, layout_of

TRIES: Final = 5
"""Reads of a header before it counts as unreadable; at most a few in a thousand are torn."""


class WalReader:
    """Reads the state of one database's WAL; use it only in a process that has no SQLite connection to it.

    The database need not exist yet, nor its files stay what they are: each read looks at what the paths hold then.
    """

    def __init__(self, path: Path, database: int = 0) -> None:
        real = os.path.realpath(path)  # SQLite, too, puts the -wal beside the file that a symbolic link points at
        self.shm = FollowedFile(real + "-shm")
        self.wal = FollowedFile(real + "-wal")
        self.index: WalIndex | None = None
        """What the last read saw in the -shm; None if there was nothing to believe."""
        self.header: WalHeader | None = None
        """What the last read saw at the beginning of the -wal; None likewise."""
        self.held: dict[int, Lock] | None = None
        """Slot -> a reader that holds its lock byte, as the last read saw it; None if that cannot be told."""
        self._database = database
        self._last_index: tuple[bytes, WalIndex] | None = None
        self._last_header: tuple[bytes, WalHeader] | None = None
        self._probes = _ReaderProbes() if layout_of() is not None else None

    def read(self, at_ns: int) -> WalObservation:
        """Look once; what could not be read is None.  `at_ns` is the caller's CLOCK_MONOTONIC time in ns."""
        self.read_shm()
        wal = self.wal.follow()
        self.header = self._read_header() if wal is not None else None
        index, header, held = self.index, self.header, self.held
        return WalObservation(
            at_ns=at_ns,
            database=self._database,
            file_bytes=self.wal.status.st_size if self.wal.status is not None else None,
            live_frames=index.live_frames if index is not None else None,
            backfilled_frames=index.backfilled_frames if index is not None else None,
            checkpoint_sequence=header.checkpoint_sequence if header is not None else None,
            marks=_marks(index, held) if index is not None and held is not None else (),
            generation=int.from_bytes(index.salts[:4], "big") if index is not None else None,
        )

    def read_shm(self) -> None:
        """Look at the -shm only: `index` and `held`."""
        shm = self.shm.follow()
        before = self.index
        self.held = self._ask_readers(shm, before)
        self.index = self.read_index() if shm is not None else None
        if before is not None and self.index is not None and _has_new_slot(before, self.index):
            self.held = self._ask_readers(shm, self.index)

    def close(self) -> None:
        """Let go of both files."""
        self.shm.close()
        self.wal.close()
        self.index = self.header = None

    def _ask_readers(self, shm: int | None, index: WalIndex | None) -> dict[int, Lock] | None:
        """Return the shared locks on the five reader bytes; None if they cannot be told.

        They are asked for before the marks are read, so that marks and live frames come from one moment.
        """
        if shm is None or self._probes is None:
            return None
        try:
            return self._probes.ask(shm, index)
        except OSError:
            return None

    def read_index(self) -> WalIndex | None:
        """Read the header of the -shm that is open now; None if there is nothing to believe."""
        for _ in range(TRIES):
            data = self.shm.read(WAL_INDEX_BYTES)
            if self._last_index is not None and data == self._last_index[0]:
                return self._last_index[1]
            try:
                index = parse_wal_index(data)
            except FormatError:
                continue
            self._last_index = (data, index)
            return index
        return None

    def _read_header(self) -> WalHeader | None:
        for _ in range(TRIES):
            data = self.wal.read(WAL_HEADER_BYTES)
            if self._last_header is not None and data == self._last_header[0]:
                return self._last_header[1]
            if len(data) < WAL_HEADER_BYTES:
                return None
            try:
                header = parse_wal_header(data)
            except FormatError:
                continue
            self._last_header = (data, header)
            return header
        return None


class _ReaderProbes:
    """Asks for the five reader bytes: all at once first, since most often nobody reads."""

    def __init__(self) -> None:
        self._any = LockProbe(ShmByte.READ0, MARK_COUNT)
        self._each = [(slot, LockProbe(byte)) for slot, byte in enumerate(READER_BYTES)]

    def ask(self, descriptor: int, index: WalIndex | None) -> dict[int, Lock]:
        """Return slot -> first reader, for the slots that are held; raise OSError.

        Slots without a frame in `index` have no readers and are not asked for.  An exclusive lock is no reader: it
        moves the mark or copies pages.
        """
        if self._any.ask(descriptor) is None:
            return {}
        used = _used(index) if index is not None else _ALL_SLOTS
        asked = ((slot, probe.ask(descriptor)) for slot, probe in self._each if slot in used)
        return {slot: lock for slot, lock in asked if lock is not None and lock.kind is LockKind.SHARED}


_ALL_SLOTS: Final = frozenset(range(MARK_COUNT))


def _used(index: WalIndex) -> frozenset[int]:
    return frozenset(slot for slot, frame in enumerate(index.marks) if frame != UNUSED_MARK)


def _has_new_slot(before: WalIndex, now: WalIndex) -> bool:
    """Tell whether a slot has come into use, whose first reader was therefore not asked for."""
    return before.marks != now.marks and not _used(now) <= _used(before)


def _marks(index: WalIndex, readers: dict[int, Lock]) -> tuple[ReadMark, ...]:
    marks = []
    for slot, frame in enumerate(index.marks):
        lock = readers.get(slot)
        marks.append(ReadMark(slot, frame, lock is not None, max(lock.pid, 0) if lock is not None else 0))
    return tuple(marks)
