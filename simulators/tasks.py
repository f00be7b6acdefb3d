"""What `prepare` has done in a child process: make the databases of a simulation, and check them afterwards."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import apsw

from simulators.database import APPLICATION_ID, SCHEMA
from simulators.prepare import CHECKED_BYTES, Found


def report(task: str, paths: list[str], sender: Connection) -> None:
    """Do `make`, `make without WAL` or `check` and send a Found, or a sentence about what went wrong."""
    try:
        sender.send(check(paths) if task == "check" else make(paths, with_wal=task == "make"))
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


def check(paths: list[str]) -> Found:
    """Count rows and increments, check integrity where that does not take long, and leave no rollback journal."""
    rows = increments = 0
    complaints: list[str] = []
    is_small = sum(_size_of(path) for path in paths) <= CHECKED_BYTES
    for path in paths:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(2000)
        rows += connection.execute("SELECT count(*) FROM entry").get
        increments += connection.execute("SELECT sum(value) FROM counter").get
        if is_small:
            lines = [line for (line,) in connection.execute("PRAGMA integrity_check(10)")]
            complaints += lines if lines != ["ok"] else []
        if connection.pragma("journal_mode") != "wal":  # leaving mode persist is what deletes a journal that was kept
            connection.pragma("journal_mode", "persist")
            connection.pragma("journal_mode", "delete")
        connection.close()
    return Found(apsw.sqlite_lib_version(), rows, increments, tuple(complaints) if is_small else None)


def _size_of(path: str) -> int:
    """Return the size of a database with its WAL, in bytes."""
    return sum(file.stat().st_size for file in (Path(path), Path(f"{path}-wal")) if file.exists())
