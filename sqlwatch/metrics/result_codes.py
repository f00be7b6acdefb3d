"""The names of SQLite's result codes (https://sqlite.org/rescode.html), for processes that may not load SQLite."""

from __future__ import annotations

from typing import Final

from simulators.events import Outcome

_PRIMARY: Final = (
    "OK", "ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR", "CORRUPT",
    "NOTFOUND", "FULL", "CANTOPEN", "PROTOCOL", "EMPTY", "SCHEMA", "TOOBIG", "CONSTRAINT", "MISMATCH", "MISUSE",
    "NOLFS", "AUTH", "FORMAT", "RANGE", "NOTADB", "NOTICE", "WARNING",
)  # fmt: skip

_EXTENDED: Final = {
    261: "BUSY_RECOVERY", 517: "BUSY_SNAPSHOT", 773: "BUSY_TIMEOUT", 262: "LOCKED_SHAREDCACHE", 516: "ABORT_ROLLBACK",
    264: "READONLY_RECOVERY", 520: "READONLY_CANTLOCK", 776: "READONLY_ROLLBACK", 1032: "READONLY_DBMOVED",
    1288: "READONLY_CANTINIT", 1544: "READONLY_DIRECTORY", 266: "IOERR_READ", 522: "IOERR_SHORT_READ",
    778: "IOERR_WRITE", 1034: "IOERR_FSYNC", 1290: "IOERR_DIR_FSYNC", 1546: "IOERR_TRUNCATE", 1802: "IOERR_FSTAT",
    2058: "IOERR_UNLOCK", 2314: "IOERR_RDLOCK", 2570: "IOERR_DELETE", 3338: "IOERR_ACCESS", 3850: "IOERR_LOCK",
    4106: "IOERR_CLOSE", 4618: "IOERR_SHMOPEN", 4874: "IOERR_SHMSIZE", 5130: "IOERR_SHMLOCK", 5386: "IOERR_SHMMAP",
    5642: "IOERR_SEEK", 5898: "IOERR_DELETE_NOENT", 6154: "IOERR_MMAP",
}  # fmt: skip

_OUTCOMES: Final = {
    Outcome.WITHDRAWN: "withdrawn",
    Outcome.WRITER_DIED: "the single writer died",
    Outcome.UNKNOWN: "outcome unknown",
}


_MESSAGES: Final = {
    1: "SQL logic error", 4: "query aborted", 5: "database is locked", 6: "database table is locked",
    8: "attempt to write a readonly database", 9: "interrupted", 10: "disk I/O error",
    11: "database disk image is malformed", 13: "database or disk is full", 14: "unable to open database file",
    15: "locking protocol", 19: "constraint failed",
}  # fmt: skip


def message_of(code: int) -> str:
    """Return SQLite's own words for a result code (sqlite3ErrStr in main.c), after its name; `committed` for 0.

    >>> message_of(0), message_of(517), message_of(-1)
    ('committed', 'SQLITE_BUSY_SNAPSHOT: database is locked', 'withdrawn')
    """
    if code == 0:
        return "committed"
    words = _MESSAGES.get(code & 0xFF) if code > 0 else None
    return f"{name_of(code)}: {words}" if words else name_of(code)


def name_of(code: int) -> str:
    """Return the name of an extended result code, or of a negative `Outcome`, with what cannot be named as a number.

    >>> name_of(5), name_of(517), name_of(13), name_of(5 + 256 * 90), name_of(-2)
    ('SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_FULL', 'SQLITE_BUSY (23045)', 'the single writer died')
    """
    if code < 0:
        return _OUTCOMES[Outcome(code)] if code in _OUTCOMES else f"outcome {code}"
    if code in _EXTENDED:
        return f"SQLITE_{_EXTENDED[code]}"
    primary = code & 0xFF
    if primary >= len(_PRIMARY):
        return f"code {code}"
    name = f"SQLITE_{_PRIMARY[primary]}"
    return name if code == primary else f"{name} ({code})"
