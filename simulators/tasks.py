"""What `prepare` has done in a child process: make the databases of a simulation, and check them afterwards."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import Final

import apsw

from simulators.database import APPLICATION_ID, SCHEMA
from simulators.prepare import Found

_STEPS_PER_LOOK: Final = 1000
"""Steps of SQLite's virtual machine, or pages checked, between two looks at the clock."""


def report(task: str, paths: list[str], sender: Connection, limit_s: float) -> None:
    """Do `make`, `make without WAL` or `check` and send a Found, or a sentence about what went wrong."""
    try:
        sender.send(check(paths, limit_s) if task == "check" else make(paths, with_wal=task == "make"))
    except apsw.BusyError:
        sender.send("The database is in use by another program; choose another --db.")
    except (apsw.Error, OSError) as error:
        sender.send(f"SQLite cannot use the database: {error}.")


def make(paths: list[str], *, with_wal: bool) -> Found:
    """Make empty databases at `paths`, out of nothing or out of databases that we made earlier."""
    for path in paths:
        connection = apsw.Connection(path)
        # Leaving WAL mode needs every other connection gone, so this is also the test that nobody uses the file.
        connection.pragma("journal_mode", "delete")
        with connection:
            for table in ("entry", "counter"):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute("VACUUM")
        connection.pragma("application_id", APPLICATION_ID)
        if with_wal:
            connection.pragma("journal_mode", "wal")
        with connection:
            for statement in SCHEMA:
                connection.execute(statement)
        connection.close()
    return Found(apsw.sqlite_lib_version())


def check(paths: list[str], limit_s: float) -> Found:
    """Count rows and increments, check integrity for at most `limit_s`, and leave no rollback journal."""
    rows: int = 0
    increments: int = 0
    complaints: list[str] | None = []
    deadline_s = time.monotonic() + limit_s
    for path in paths:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(2000)
        try:
            rows += connection.execute("SELECT count(*) FROM entry").get
            increments += connection.execute("SELECT sum(value) FROM counter").get
        except (apsw.CorruptError, apsw.NotADBError) as error:
            return Found(apsw.sqlite_lib_version(), None, None, (str(error),))
        if complaints is not None:
            found = check_integrity(connection, deadline_s)
            complaints = None if found is None else [*complaints, *found]
        if connection.pragma("journal_mode") != "wal":  # leaving mode persist is what deletes a journal that was kept
            connection.pragma("journal_mode", "persist")
            connection.pragma("journal_mode", "delete")
        connection.close()
    if complaints is None:
        unchecked = f"not done within {limit_s:g} s"
        return Found(apsw.sqlite_lib_version(), rows, increments, None, unchecked)
    return Found(apsw.sqlite_lib_version(), rows, increments, tuple(complaints))


def check_integrity(connection: apsw.Connection, deadline_s: float) -> list[str] | None:
    """Return what PRAGMA integrity_check complains of, at most ten lines; None if it was not done by `deadline_s`."""
    if time.monotonic() >= deadline_s:
        return None
    connection.set_progress_handler(lambda: time.monotonic() >= deadline_s, _STEPS_PER_LOOK)
    try:
        lines = [line for (line,) in connection.execute("PRAGMA integrity_check(10)")]
    except apsw.InterruptError:
        return None
    finally:
        connection.set_progress_handler(None)
    return lines if lines != ["ok"] else []
