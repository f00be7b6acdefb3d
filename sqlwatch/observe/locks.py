"""Who holds SQLite's locks: F_GETLK on read-only descriptors, and /proc/locks.  No lock is ever taken.

F_GETLK names the first holder that stands in the way of an imagined lock; /proc/locks names all, where it exists.
Lock bytes: src/os_unix.c and https://sqlite.org/walformat.html#wal_locks.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Final, cast

import msgspec

from sqlwatch.metrics.observations import LockKind as LockKind
from sqlwatch.observe.files import read_small

with contextlib.suppress(ImportError):  # Windows has none: locks are anonymous there
    import fcntl


class ShmByte(IntEnum):
    """The lock bytes of the -shm file."""

    WRITE = 120
    CHECKPOINT = 121
    RECOVER = 122
    READ0 = 123
    READ1 = 124
    READ2 = 125
    READ3 = 126
    READ4 = 127
    DMS = 128
    """Shared by every process that has the -shm open ("dead man's switch")."""


PENDING: Final = 0x40000000
RESERVED: Final = PENDING + 1
SHARED_FIRST: Final = PENDING + 2
SHARED_BYTES: Final = 510
MAIN_BYTES: Final = 2 + SHARED_BYTES
"""The main file's lock bytes are PENDING, RESERVED and the SHARED range, in this order."""

READER_BYTES: Final = tuple(ShmByte)[3:8]

_SHARED, _EXCLUSIVE = LockKind.SHARED, LockKind.EXCLUSIVE  # looking members up costs more than the rest of a probe


class Lock(msgspec.Struct, frozen=True):
    """A POSIX lock that somebody holds: kind, first byte, length in bytes (0: to the end of the file), and by whom.

    `pid` is 0 if the holder lives in another PID namespace or on another machine, -1 for an open-file-description
    lock.  Neighbouring ranges of one process merge: compare by `overlaps`, never by equality.
    """

    kind: LockKind
    start: int
    length: int
    pid: int

    def overlaps(self, start: int, length: int = 1) -> bool:
        """Tell whether the lock touches any of the given bytes."""
        return self.start < start + length and (self.length == 0 or start < self.start + self.length)


class FlockLayout(msgspec.Struct, frozen=True, dict=True):
    """How a system lays out `struct flock`: its struct format, the order of its fields, and the three lock types."""

    form: str
    fields: tuple[str, ...]
    shared: int
    unlocked: int
    exclusive: int

    def request(self, kind: LockKind, start: int, length: int) -> bytes:
        """Return the struct that asks who stands in the way of such a lock."""
        wanted = self.exclusive if kind is LockKind.EXCLUSIVE else self.shared
        values = {"type": wanted, "whence": os.SEEK_SET, "start": start, "length": length}
        return struct.pack(self.form, *(values.get(field, 0) for field in self.fields))

    def parse(self, answer: bytes) -> Lock | None:
        """Return the lock that stands in the way, None if none does."""
        kind, start, length, pid = self.unpack(answer)
        if kind == self.unlocked:
            return None
        return Lock(_EXCLUSIVE if kind == self.exclusive else _SHARED, start, length, pid)

    @property
    def unlocked_at(self) -> slice:
        """Where the lock type lies in the bytes."""
        return slice(0, 2) if self.fields[0] == "type" else slice(20, 22)

    @functools.cached_property
    def unpack(self) -> Callable[[bytes], tuple[int, int, int, int]]:
        """Turns the bytes into (type, start, length, pid)."""
        if self.fields == ("type", "whence", "start", "length", "pid"):  # Linux: they lie in this order
            return cast(
                Callable[[bytes], tuple[int, int, int, int]], struct.Struct(self.form.replace("hh", "h2x")).unpack
            )
        unpack = struct.Struct(self.form).unpack
        pick = operator.itemgetter(*(self.fields.index(name) for name in ("type", "start", "length", "pid")))
        return lambda answer: pick(unpack(answer))


LINUX: Final = FlockLayout("@hhqqi0q", ("type", "whence", "start", "length", "pid"), 0, 2, 1)
"""asm-generic/fcntl.h, with 64-bit offsets; native alignment, which differs between 32-bit processors."""
DARWIN: Final = FlockLayout("=qqihh", ("start", "length", "pid", "type", "whence"), 1, 2, 3)
"""macOS sys/fcntl.h; written from its header and tested on bytes only."""
FREEBSD: Final = FlockLayout("=qqihhi4x", ("start", "length", "pid", "type", "whence", "sysid"), 1, 2, 3)
"""FreeBSD sys/fcntl.h; written from its header and tested on bytes only."""

_LAYOUTS: Final = {"linux": LINUX, "darwin": DARWIN, "freebsd": FREEBSD}


def layout_of(platform: str = sys.platform) -> FlockLayout | None:
    """Return the layout of `struct flock` on a system; None where this code does not know it, or there is none."""
    return next((layout for name, layout in _LAYOUTS.items() if platform.startswith(name)), None)


def _known_layout() -> FlockLayout:
    layout = layout_of()
    if layout is None:
        raise NotImplementedError(f"the lock structure of {sys.platform} is not known")
    return layout


class LockProbe:
    """A question prepared once and asked often: who stands in the way of a lock on these bytes.

    Asking for an exclusive lock finds every holder, asking for a shared one finds exclusive holders only.  Raises
    NotImplementedError on a system whose lock structure we do not know: `layout_of` tells beforehand.
    """

    __slots__ = ("_layout", "_request", "_unlocked_at", "_unlocked_bytes")

    def __init__(self, start: int, length: int = 1, kind: LockKind = LockKind.EXCLUSIVE) -> None:
        self._layout = layout = _known_layout()
        self._request = layout.request(kind, start, length)
        self._unlocked_at = layout.unlocked_at
        self._unlocked_bytes = struct.pack("=h", layout.unlocked)

    def ask(self, descriptor: int) -> Lock | None:
        """Return the first holder, None if nobody stands in the way; raise OSError if the system cannot tell."""
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, self._request)
        if answer[self._unlocked_at] == self._unlocked_bytes:
            return None
        return self._layout.parse(answer)


class SpanProbe:
    """A question about neighbouring bytes: who stands in the way on each, in as few system calls as there are locks.

    Asked hundreds of times a second, with everything else out of the processor's caches, so it does all in one place.
    """

    __slots__ = ("_kinds", "_requests", "_unlocked", "_unpack", "_whole")

    def __init__(self, start: int, length: int) -> None:
        layout = _known_layout()
        self._whole = (start, start + length)
        self._requests = {
            (low, high): layout.request(_EXCLUSIVE, low, high - low)
            for low in range(start, start + length)
            for high in range(low + 1, start + length + 1)
        }
        self._unpack = layout.unpack
        self._unlocked = layout.unlocked
        self._kinds = {layout.shared: _SHARED, layout.exclusive: _EXCLUSIVE}

    def ask(self, descriptor: int) -> dict[int, Lock]:
        """Return byte -> a holder, for the bytes that are held; raise OSError if the system cannot tell."""
        ask, command, requests = fcntl.fcntl, fcntl.F_GETLK, self._requests
        found: dict[int, Lock] = {}
        pending: list[tuple[int, int]] = []
        span = self._whole
        while True:
            kind, start, length, pid = self._unpack(ask(descriptor, command, requests[span]))
            low, high = span
            if kind != self._unlocked and start < high and (not length or start + length > low):
                lock = Lock(self._kinds[kind], start, length, pid)
                if start > low:
                    pending.append((low, start))
                    low = start
                if length and start + length < high:
                    pending.append((start + length, high))
                    high = start + length
                for byte in range(low, high):
                    found[byte] = lock
            if not pending:
                return found
            span = pending.pop()


def holder(descriptor: int, start: int, length: int = 1, kind: LockKind = LockKind.EXCLUSIVE) -> Lock | None:
    """Ask once for the first holder that stands in the way; raise OSError if the system cannot tell."""
    return LockProbe(start, length, kind).ask(descriptor)


class ListedLock(msgspec.Struct, frozen=True):
    """A line of /proc/locks: a POSIX or open-file-description lock on one file; `waiting` if it is only asked for."""

    lock: Lock
    waiting: bool = False


class FileKey(msgspec.Struct, frozen=True):
    """A file as /proc/locks names it: device numbers and inode."""

    major: int
    minor: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileKey:
        """Return the key of a file's status; on btrfs the device there is not the one that /proc/locks shows."""
        if not hasattr(os, "major"):  # Windows, which lists no locks
            return cls(0, status.st_dev, status.st_ino)
        return cls(os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)

    def __str__(self) -> str:
        return f"{self.major:02x}:{self.minor:02x}:{self.inode}"


def parse_proc_locks(text: str, files: Iterable[FileKey]) -> dict[FileKey, list[ListedLock]]:
    """Return the locks of the given files from the text of /proc/locks; lines of unknown form are skipped.

    A line reads `1: POSIX  ADVISORY  WRITE 4711 fe:00:2179591 120 120`, with `->` before POSIX where the process
    still waits; EOF stands for the end of the file.
    """
    return {key: list(_lines_on(text, str(key))) for key in files}


def _lines_on(text: str, name: str) -> Iterator[ListedLock]:
    """Search instead of splitting everything: a machine may hold thousands of locks on other files."""
    name = f" {name} "
    at = text.find(name)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = end if end >= 0 else len(text)
        words = text[start:end].split()
        waiting = words[1:2] == ["->"]
        if waiting:
            del words[1]
        if len(words) == 8 and words[5] == name[1:-1] and words[1] in ("POSIX", "OFDLCK"):
            lock = _listed_lock(words)
            if lock is not None:
                yield ListedLock(lock, waiting)
        at = text.find(name, end)


def _listed_lock(words: list[str]) -> Lock | None:
    kind = {"READ": LockKind.SHARED, "WRITE": LockKind.EXCLUSIVE}.get(words[3])
    try:
        pid, start = int(words[4]), int(words[6])
        length = 0 if words[7] == "EOF" else int(words[7]) - start + 1
    except ValueError:
        return None
    return Lock(kind, start, length, pid) if kind is not None and start >= 0 and length >= 0 else None


def read_proc_locks(files: Iterable[FileKey]) -> dict[FileKey, list[ListedLock]] | None:
    """Return all locks of the given files that this PID namespace shows; None where there is no /proc/locks."""
    try:
        text = read_small("/proc/locks").decode("ascii", "replace")
    except OSError:
        return None
    return parse_proc_locks(text, files)
