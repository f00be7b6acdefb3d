"""What is never followed as a log: above all an SQLite database and the files beside it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from sqlwatch.observe.files import open_for_reading
from sqlwatch.observe.text import printable

_DATABASE_SUFFIXES: Final = (".db", ".db3", ".sqlite", ".sqlite3", ".s3db")
_BESIDE_SUFFIXES: Final = ("-wal", "-shm", "-journal")
_COMPRESSED_SUFFIXES: Final = (".gz", ".xz", ".bz2", ".zst", ".lz4", ".zip", ".Z")
_DATABASE_HEADS: Final = (
    b"SQLite format 3\0",
    b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83",  # -wal
    b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",  # -journal
    (3007000).to_bytes(4, "little") + bytes(4), (3007000).to_bytes(4, "big") + bytes(4),  # -shm
)  # fmt: skip
"""https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html"""
_COMPRESSED_HEADS: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\x04\x22\x4d\x18")
HEAD_BYTES: Final = 16


class Refused(Exception):  # noqa: N818 - a verdict, not a failure
    """This path is not followed; the sentence says why.  `is_quiet`: not worth saying of a glob's matches."""

    def __init__(self, sentence: str, *, is_quiet: bool = False) -> None:
        super().__init__(sentence)
        self.is_quiet = is_quiet


def open_log(path: str) -> int:
    """Return a descriptor of a log; raise Refused or OSError.

    A file of a database is refused by its name, that of any link included, before it would be opened; by its first
    bytes after that, which does no harm either: this process holds no lock on it that closing it could lose.
    """
    status = os.stat(path)  # noqa: PTH116 - a path with surrogates stays what it is
    if stat.S_ISDIR(status.st_mode):
        raise Refused(
            f"{printable(path)} is a directory: name a log in it, or write {printable(path)}/*.", is_quiet=True
        )
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{printable(path)} is no regular file, so it cannot be followed.", is_quiet=True)
    check_name(path)
    descriptor = open_for_reading(path)
    try:
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            raise FileNotFoundError(errno.ENOENT, "replaced meanwhile", path)  # noqa: TRY301 - the next look sees which
        check_head(path, os.pread(descriptor, HEAD_BYTES, 0))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_name(path: str) -> None:
    """Raise Refused if the name, or that of the file it leads to, is one that only a database's files have."""
    for name in {path, os.path.realpath(path)}:
        lower = name.lower()
        if lower.endswith(_DATABASE_SUFFIXES):
            raise Refused(f"{printable(path)} is named as a database, not as a log: it is not read.")
        for suffix in _BESIDE_SUFFIXES:
            if lower.endswith(suffix) and (suffix != "-journal" or Path(name[: -len(suffix)]).exists()):
                raise Refused(f"{printable(path)} belongs to an SQLite database: it is not read.")
        if name.endswith(_COMPRESSED_SUFFIXES):
            raise Refused(f"{printable(path)} is compressed: it is not read.", is_quiet=True)


def check_head(path: str, head: bytes) -> None:
    """Raise Refused if the first bytes of a file are those of a database or of something compressed."""
    if head.startswith(_DATABASE_HEADS):
        raise Refused(f"{printable(path)} is a file of an SQLite database, not a log: it is not read.")
    if head.startswith(_COMPRESSED_HEADS):
        raise Refused(f"{printable(path)} is compressed: it is not read.", is_quiet=True)


def sentence_about(path: str, error: OSError) -> str:
    """Say in words why a log cannot be read."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"There is no log {printable(path)} yet."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"No permission to read the log {printable(path)}."
    return f"The log {printable(path)} cannot be read: {printable(error.strerror or str(error))}."
