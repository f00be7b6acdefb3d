"""Descriptors that do no harm: read-only, never blocking, never mapped, and aware of a path that changes its file."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from typing import Final

_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_NOINHERIT")
)
"""O_NONBLOCK: a FIFO under the file's name must not stop us."""
_NO_ATIME: Final = getattr(os, "O_NOATIME", 0)
_PIECE: Final = 1 << 16
_HALF_A_PAGE: Final = 2048


def _seek_and_read(descriptor: int, length: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)


read_at: Final[Callable[[int, int, int], bytes]] = getattr(os, "pread", _seek_and_read)
"""Reads (descriptor, length, offset); on Windows, which has no pread, it moves the file position."""


def open_for_reading(path: str) -> int:
    """Open a file read-only, without changing its access time where the system lets us; raise OSError."""
    if sys.platform == "win32":
        return _open_shared(path)
    if _NO_ATIME:
        try:
            return os.open(path, _FLAGS | _NO_ATIME)
        except PermissionError:  # only the owner may ask for it
            pass
    return os.open(path, _FLAGS)


def _open_shared(path: str) -> int:
    """Open a file on Windows so that others may still rename and delete it, which os.open forbids them.

    SQLite deletes the -wal and the -shm when the last connection closes.  Written from the documentation of
    CreateFileW; not tried on Windows.
    """
    import ctypes
    import msvcrt

    create = ctypes.WinDLL("kernel32", use_last_error=True).CreateFileW  # type: ignore[attr-defined]  # Windows only
    create.restype = ctypes.c_void_p
    create.argtypes = [
        ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
        ctypes.c_void_p,
    ]  # fmt: skip
    handle = create(path, _GENERIC_READ, _SHARE_EVERYTHING, None, _OPEN_EXISTING, 0, None)
    if handle in (None, ctypes.c_void_p(-1).value):
        raise ctypes.WinError(ctypes.get_last_error())  # type: ignore[attr-defined]  # Windows only
    return int(msvcrt.open_osfhandle(handle, _FLAGS))  # type: ignore[attr-defined]  # Windows only


_GENERIC_READ: Final = 0x80000000
_SHARE_EVERYTHING: Final = 1 | 2 | 4
"""FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE."""
_OPEN_EXISTING: Final = 3


def read_small(path: str) -> bytes:
    """Return all of a file in /proc: a third of what `Path.read_bytes` costs; raise OSError.

    The kernel fills a page with whole lines at a time, whatever is asked for, so an answer of less than half a page is
    the last: reading on to the empty one would make it, for /proc/locks, stop all locking once more.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        data = piece = os.read(descriptor, _PIECE)
        while len(piece) >= _HALF_A_PAGE:
            piece = os.read(descriptor, _PIECE)
            data += piece
        return data
    finally:
        os.close(descriptor)


class FollowedFile:
    """The regular file under a path, whichever that is now: opened when it appears, again when it is replaced.

    While it is open its inode number cannot be given to another file, so equal device and inode mean the same file.
    `status` is that of the last `follow`, None if there was no readable regular file; `generation` counts openings.
    `is_forbidden`: there is a file, but we lack the permission to read it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor: int | None = None
        self.status: os.stat_result | None = None
        self.generation = 0
        self.is_forbidden = False
        self._identity: tuple[int, int] | None = None

    def follow(self) -> int | None:
        """Look at the path again; return a descriptor of the file that is there now, None if none can be read."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a Path costs three times as much, 200 times a second
        except OSError as error:
            self.close()
            self.is_forbidden = isinstance(error, PermissionError)
            return None
        if (status.st_dev, status.st_ino) != self._identity:
            self.close()
            if stat.S_ISREG(status.st_mode):
                self._open()
        elif self.descriptor is not None:
            self.status = status
        return self.descriptor

    def read(self, length: int, offset: int = 0) -> bytes:
        """Return up to `length` bytes; fewer at the end of the file, none if it is not open or cannot be read."""
        if self.descriptor is None:
            return b""
        try:
            return read_at(self.descriptor, length, offset)
        except OSError:
            return b""

    def close(self) -> None:
        """Let go of the file."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = self.status = self._identity = None
        self.is_forbidden = False

    def _open(self) -> None:
        try:
            descriptor = open_for_reading(self.path)
        except OSError as error:
            self.is_forbidden = isinstance(error, PermissionError)
            return
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return
        self.descriptor, self.status = descriptor, status
        self._identity = (status.st_dev, status.st_ino)
        self.generation += 1
