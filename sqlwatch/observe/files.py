"""Descriptors that do no harm: read-only, never blocking, never mapped, and aware of a path that changes its file."""

from __future__ import annotations

import os
import stat

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""O_NONBLOCK: a FIFO under the file's name must not stop us."""
_NO_ATIME = getattr(os, "O_NOATIME", 0)


def open_for_reading(path: str) -> int:
    """Open a file read-only, without changing its access time where the system lets us; raise OSError."""
    if _NO_ATIME:
        try:
            return os.open(path, _FLAGS | _NO_ATIME)
        except PermissionError:  # only the owner may ask for it
            pass
    return os.open(path, _FLAGS)


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
            return os.pread(self.descriptor, length, offset)
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
