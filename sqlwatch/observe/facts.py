"""What kind of database a path holds, or, in one sentence, why it cannot be observed."""

from __future__ import annotations

import errno
import functools
import os
import stat
from typing import Final

from sqlwatch.metrics.observations import Database, JournalMode, Refusal
from sqlwatch.observe.files import open_for_reading, read_at
from sqlwatch.observe.filesystems import FileSystem, file_system_of
from sqlwatch.observe.formats import DATABASE_HEADER_BYTES, DatabaseHeader, FormatError, parse_database_header
from sqlwatch.observe.processes import in_nested_pid_namespace
from sqlwatch.observe.text import printable

_JOURNAL_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")
_SUFFIXES: Final = ("-wal", "-shm", "-journal")


class CannotObserve(Exception):  # noqa: N818 - it names a state of affairs, which is no error while watch waits
    """The path cannot be observed: the sentence says why and what to do, `reason` what kind of trouble it is."""

    def __init__(self, reason: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def inspect_database(path: str | os.PathLike[str]) -> Database:
    """Read the header of a database and see where it lies; raise CannotObserve."""
    real = os.path.realpath(path)
    _check_kind(real)
    try:
        descriptor = open_for_reading(real)
    except OSError as error:
        raise _refused(real, error) from error
    try:
        return inspect_open_database(descriptor, real, file_system_of(descriptor, real))
    finally:
        os.close(descriptor)


def inspect_open_database(descriptor: int, real: str, system: FileSystem | None) -> Database:
    """Do the same with a descriptor of the file that lies at `real`, a path without symbolic links."""
    status = os.fstat(descriptor)
    header, mode = read_header(descriptor, real)
    return Database(
        path=printable(real),
        journal_mode=mode,
        page_size=header.page_size,
        file_bytes=status.st_size,
        change_counter=header.change_counter,
        sqlite_version=header.sqlite_version,
        wal_bytes=_size(real + "-wal"),
        shm_bytes=_size(real + "-shm"),
        journal_bytes=_size(real + "-journal"),
        has_journal=_has_journal(real + "-journal"),
        file_system=printable(system.type) if system else None,
        mount_point=printable(system.mount_point) if system else None,
        is_network_file_system=system.is_network if system else None,
        is_mounted_read_only=system.is_read_only if system else None,
        in_nested_pid_namespace=in_nested_pid_namespace(),
    )


def read_header(descriptor: int, real: str) -> tuple[DatabaseHeader, JournalMode]:
    """Return the header and its journal mode; raise CannotObserve if it is none that we know."""
    try:
        data = read_at(descriptor, DATABASE_HEADER_BYTES, 0)
    except OSError as error:
        raise _refused(real, error) from error
    if not data:
        raise CannotObserve(
            Refusal.EMPTY, f"{_name(real)} is empty: there is no database in it yet. Start the program that fills it."
        )
    try:
        header = _parse(data)
    except FormatError as error:
        raise _not_a_database(real, data) from error
    mode = {"wal": JournalMode.WAL, "rollback": JournalMode.ROLLBACK}.get(header.journal_mode or "")
    if mode is None:
        what = header.journal_mode or f"version {header.read_version}"
        raise CannotObserve(
            Refusal.OTHER_FORMAT,
            f"{_name(real)} uses the file format {what}, which SQLite's releases do not have; "
            "only rollback-journal and WAL databases can be observed.",
        )
    return header, mode


@functools.lru_cache(maxsize=16)
def _parse(data: bytes) -> DatabaseHeader:
    """Parse a header, which seldom changes but is read several times a second."""
    return parse_database_header(data)


def _check_kind(real: str) -> None:
    try:
        mode = os.stat(real).st_mode  # noqa: PTH116 - a path with surrogates stays what it is
    except OSError as error:
        raise _refused(real, error) from error
    if stat.S_ISDIR(mode):
        raise CannotObserve(Refusal.DIRECTORY, f"{_name(real)} is a directory; name the database file in it.")
    if not stat.S_ISREG(mode):
        kinds = ((stat.S_ISSOCK, "a socket"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"))
        what = next((words for test, words in kinds if test(mode)), "a device")
        raise CannotObserve(Refusal.NOT_A_FILE, f"{_name(real)} is {what}, not a database file.")


def _refused(real: str, error: OSError) -> CannotObserve:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return CannotObserve(Refusal.MISSING, f"There is no file {_name(real)}; check the path.")
    if isinstance(error, PermissionError):
        return CannotObserve(
            Refusal.NO_PERMISSION,
            f"No permission to read {_name(real)}; run as the user that owns it, or as root.",
        )
    return CannotObserve(Refusal.UNREADABLE, f"Cannot read {_name(real)}: {error.strerror}.")


def _not_a_database(real: str, data: bytes) -> CannotObserve:
    for suffix in _SUFFIXES:
        if real.endswith(suffix):
            sentence = f"{_name(real)} is a {suffix} file, not a database; name {_name(real.removesuffix(suffix))}."
            return CannotObserve(Refusal.NOT_A_DATABASE, sentence)
    if data.startswith(b"** This file contains an SQLite 2"):
        return CannotObserve(
            Refusal.OTHER_FORMAT, f"{_name(real)} is a SQLite 2 database; only SQLite 3 is known here."
        )
    if len(data) < DATABASE_HEADER_BYTES:
        sentence = f"{_name(real)} is not a SQLite database: it has only {len(data)} bytes."
        return CannotObserve(Refusal.NOT_A_DATABASE, sentence)
    sentence = f"{_name(real)} is not a SQLite database, or it is encrypted: its header is not SQLite's."
    return CannotObserve(Refusal.NOT_A_DATABASE, sentence)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a path with surrogates stays what it is
    except OSError:
        return None


def _has_journal(path: str) -> bool:
    """Tell whether a rollback journal begins with its magic (https://sqlite.org/fileformat.html#the_rollback_journal)."""
    if not _size(path):
        return False
    try:
        descriptor = open_for_reading(path)
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(_JOURNAL_MAGIC), 0) == _JOURNAL_MAGIC
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _name(real: str) -> str:
    return printable(real)
