"""Where a simulation's files lie: a directory of our own, locked while we live, swept by the next run if we die.

Nothing here opens a database through SQLite: the process that observes holds no connection.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

_PREFIX: Final = "sqlwatch-run-"
_LOCK_NAME: Final = "in-use.lock"
_MARK: Final = b"made by sqlwatch simulate; removed when its run is over\n"
_MEMORY_FILE_SYSTEMS: Final = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_APPLICATION_ID_AT: Final = 68
_APPLICATION_ID: Final = (0x73716C77).to_bytes(4, "big")
_LONGEST_SOCKET_PATH: Final = 100
"""sockaddr_un holds 108 bytes on Linux and 104 on macOS."""


class PlaceError(Exception):
    """The files cannot lie where they should: one sentence; `is_usage` if the path is a wrong choice."""

    def __init__(self, message: str, *, is_usage: bool = False) -> None:
        super().__init__(message)
        self.is_usage = is_usage


class Place:
    """The run directory and the database files of one simulation."""

    def __init__(self, directory: Path, lock: int, databases: Sequence[Path], *, keeps_databases: bool) -> None:
        self.directory = directory
        self.databases = tuple(databases)
        self.keeps_databases = keeps_databases
        self._lock = lock

    def socket(self, database: int) -> Path:
        """Return where the single writer of a database listens."""
        return self.directory / f"writer-{database + 1}.sock"

    def mutex(self, database: int) -> Path:
        """Return the file whose flock is the mutex of a database."""
        return self.directory / f"mutex-{database + 1}"

    @property
    def rounds(self) -> Path:
        """Where the gates of the rounds lie, a number to be added to the name."""
        return self.directory / "rounds"

    def stderr(self, worker: int) -> Path:
        """Return the file that takes what a worker prints."""
        return self.directory / f"worker-{worker}.txt"

    def size_bytes(self) -> int:
        """Return the size of all databases and their WALs or rollback journals together."""
        total = 0
        for database in self.databases:
            for path in (database, wal_path(database), database.with_name(database.name + "-journal")):
                try:
                    total += path.stat().st_size
                except FileNotFoundError:
                    continue
        return total

    def remove(self) -> None:
        """Remove what the run made; a database that the user named stays."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self._lock)


def wal_path(database: Path) -> Path:
    """Return the path of a database's WAL."""
    return database.with_name(database.name + "-wal")


def create_place(databases: int, at: Path | None) -> Place:
    """Make the run directory, after sweeping what killed runs left; `at` is a database file the user wants to keep.

    Raises PlaceError.
    """
    if at is not None:
        check_database_path(at, databases)
    root = temporary_root()
    sweep(root)
    try:
        directory, lock = _make_directory(root)
    except OSError as error:
        raise PlaceError(f"Cannot make a directory in {root}: {error.strerror}. Set TMPDIR to another.") from error
    place = Place(directory, lock, _paths(at or directory / "simulation.db", databases), keeps_databases=at is not None)
    if len(str(place.socket(databases))) > _LONGEST_SOCKET_PATH:
        place.remove()
        raise PlaceError(f"The path of {root} is too long for a socket in it; set TMPDIR to a shorter one.")
    return place


def check_database_path(path: Path, databases: int) -> None:
    """Raise PlaceError unless we may make our databases at `path`: nothing there, an empty file, or one we made."""
    for candidate in _paths(path, databases):
        parent = candidate.parent
        if not parent.is_dir():
            raise PlaceError(f"There is no directory {parent} for the database {candidate.name}.")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PlaceError(f"The directory {parent} is not writable; choose another --db.")
        if candidate.is_symlink() or (candidate.exists() and not candidate.is_file()):
            raise PlaceError(f"{candidate} exists and is not a plain file; choose another --db.", is_usage=True)
        if candidate.exists():
            _check_is_ours(candidate)
        elif any(candidate.with_name(candidate.name + suffix).exists() for suffix in ("-wal", "-shm", "-journal")):
            raise PlaceError(f"A -wal, -shm or -journal lies beside {candidate}; choose another --db.", is_usage=True)


def _check_is_ours(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise PlaceError(f"Cannot read {path}: {error.strerror}.") from error
    if header and header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4] != _APPLICATION_ID:
        raise PlaceError(
            f"{path} exists and was not made by sqlwatch; simulate never touches a database it did not make. "
            "Choose another --db.",
            is_usage=True,
        )


def temporary_root() -> Path:
    """Return the directory for temporary files: the usual one, unless that lies in memory and /var/tmp does not.

    On a file system in memory fsync costs nothing and every lesson about it would be wrong.
    """
    usual, other = Path(tempfile.gettempdir()), Path("/var/tmp")
    if "TMPDIR" in os.environ or filesystem_of(usual) not in _MEMORY_FILE_SYSTEMS:
        return usual
    usable = other.is_dir() and os.access(other, os.W_OK) and filesystem_of(other) not in _MEMORY_FILE_SYSTEMS
    return other if usable else usual


def filesystem_of(path: Path) -> str | None:
    """Return the type of the file system that holds `path`, such as ext4 or tmpfs; None if it cannot be told."""
    resolved = path.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else None


def sweep(root: Path) -> list[Path]:
    """Remove run directories of ours whose run is dead, and return them; touch nothing else.

    A directory is ours if it has our name, our owner and our lock file, and dead if nobody holds its lock.
    """
    swept = []
    for directory in root.glob(_PREFIX + "*"):
        if directory.is_symlink() or not directory.is_dir() or directory.stat().st_uid != os.geteuid():
            continue
        try:
            lock = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.read(lock, len(_MARK)) == _MARK:
                shutil.rmtree(directory, ignore_errors=True)
                swept.append(directory)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
    return swept


def _make_directory(root: Path) -> tuple[Path, int]:
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
    lock = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.write(lock, _MARK)  # last: without the mark a sweep at this very moment leaves the directory alone
    return directory, lock


def _paths(first: Path, databases: int) -> list[Path]:
    others = [first.with_name(f"{first.stem}-{number}{first.suffix}") for number in range(2, databases + 1)]
    return [first, *others]
