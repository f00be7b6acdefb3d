"""The WAL of one database, read from its -shm and -wal headers by pread and F_GETLK."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlwatch.metrics.observations import LockKind, ReadMark, WalObservation
from sqlwatch.observe.files import FollowedFile
from sqlwatch.observe.formats import (
    UNUSED_MARK,
    WAL_HEADER_BYTES,
    WAL_INDEX_BYTES,
    FormatError,
    WalHeader,
    WalIndex,
    parse_wal_header,
    parse_wal_index,
)
from sqlwatch.observe.locks import Lock, LockProbe, ShmByte, SpanProbe, layout_of

TRIES: Final = 5
"""Reads of a header before it counts as unreadable; at most a few in a thousand are torn."""

_READ0: Final = int(ShmByte.READ0)
_SHARED: Final = LockKind.SHARED


class WalReader:
    """Reads the state of one database's WAL; use it only in a process that has no SQLite connection to it.

    The database need not exist yet, nor its files stay what they are: each read looks at what the paths hold then.
    """

    def __init__(self, path: Path, database: int = 0) -> None:
        real = os.path.realpath(path)  # SQLite, too, puts the -wal beside the file that a symbolic link points at
        self.can_read_index = sys.platform != "win32"
        """Whether the -shm is read at all.  On Windows locks are mandatory: reading it would collide with them."""
        self.shm = FollowedFile(real + "-shm")
        self.wal = FollowedFile(real + "-wal")
        self.index: WalIndex | None = None
        """What the last read saw in the -shm; None if there was nothing to believe."""
        self.header: WalHeader | None = None
        """What the last read saw at the beginning of the -wal; None likewise."""
        self.locks: dict[int, Lock] | None = None
        """Byte of the -shm below DMS -> who holds it, as the last read saw it; None if that cannot be told."""
        self._database = database
        self._last_index: tuple[bytes | None, WalIndex | None] = (None, None)
        self._last_header: tuple[bytes, WalHeader] | None = None
        can_ask = layout_of() is not None
        self._probe = SpanProbe(ShmByte.WRITE, ShmByte.DMS - ShmByte.WRITE) if can_ask else None
        self._users = LockProbe(ShmByte.DMS) if can_ask else None

    def read(self, at_ns: int) -> WalObservation:
        """Look once; what could not be read is None.  `at_ns` is the caller's CLOCK_MONOTONIC time in ns."""
        if self.can_read_index:
            self.shm.follow()
            self.read_shm()
        return self.summary(at_ns)

    def summary(self, at_ns: int) -> WalObservation:
        """Return what the last look at the -shm saw, unless it was replaced since, and the -wal as it is now."""
        if self.can_read_index and self._has_other_shm():
            self.read_shm()
        wal = self.wal.follow()
        self.header = self._read_header() if wal is not None else None
        index, header = self.index, self.header
        held = {slot: lock for slot, _, lock in self.readers()}
        return WalObservation(
            at_ns=at_ns,
            database=self._database,
            file_bytes=self.wal.status.st_size if self.wal.status is not None else None,
            live_frames=index.live_frames if index is not None else None,
            backfilled_frames=index.backfilled_frames if index is not None else None,
            checkpoint_sequence=header.checkpoint_sequence if header is not None else None,
            marks=_marks(index, held) if index is not None and self.locks is not None else (),
            generation=int.from_bytes(index.salts[:4], "big") if index is not None else None,
        )

    def _has_other_shm(self) -> bool:
        generation, descriptor = self.shm.generation, self.shm.descriptor
        return self.shm.follow() != descriptor or self.shm.generation != generation

    def read_shm(self) -> None:
        """Look at the -shm only: `locks` and `index`.

        The locks are asked for before the marks are read, so that marks and live frames come from one moment.
        """
        locks = self._ask(self.shm.descriptor)
        if not locks and not self._is_in_use():
            locks = self._ask(self.shm.follow())
        self.locks = locks
        self.index = self.read_index() if self.shm.descriptor is not None else None

    def readers(self) -> Iterator[tuple[int, int, Lock]]:
        """Yield (slot, frame, a reader that holds its lock byte), as the last read saw them.

        An exclusive lock is no reader: it moves the mark or copies pages.  Nor is one whose mark is unused by now.
        """
        if self.locks and self.index is not None:
            marks = self.index.marks
            for byte, lock in self.locks.items():
                if byte >= _READ0 and lock.kind is _SHARED and marks[byte - _READ0] != UNUSED_MARK:
                    yield byte - _READ0, marks[byte - _READ0], lock

    def close(self) -> None:
        """Let go of both files."""
        self.shm.close()
        self.wal.close()
        self.index = self.header = None

    def _ask(self, shm: int | None) -> dict[int, Lock] | None:
        if shm is None or self._probe is None:
            return None
        try:
            return self._probe.ask(shm)
        except OSError:
            return None

    def _is_in_use(self) -> bool:
        """Tell whether somebody has the -shm that we know open: then it is most likely still the one to look at.

        Asking costs a fraction of looking at its path, which `read` does in any case.
        """
        if self.shm.descriptor is None or self._users is None:
            return False
        try:
            return self._users.ask(self.shm.descriptor) is not None
        except OSError:
            return False

    def read_index(self) -> WalIndex | None:
        """Read the header of the -shm that is open now; None if there is nothing to believe."""
        known, known_index = self._last_index
        for _ in range(TRIES):
            data = self.shm.read(WAL_INDEX_BYTES)
            if data == known:
                return known_index
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


def _marks(index: WalIndex, readers: dict[int, Lock]) -> tuple[ReadMark, ...]:
    marks = []
    for slot, frame in enumerate(index.marks):
        lock = readers.get(slot)
        marks.append(ReadMark(slot, frame, lock is not None, max(lock.pid, 0) if lock is not None else 0))
    return tuple(marks)
