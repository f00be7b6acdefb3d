"""What `prepare` has done in a child process: make the databases of a simulation, and count their rows afterwards."""

from __future__ import annotations

from multiprocessing.connection import Connection

import apsw

from simulators.database import APPLICATION_ID, SCHEMA
from simulators.prepare import Counted


def report(task: str, paths: list[str], sender: Connection) -> None:
    """Do `make`, `make without WAL` or `count` and send a Counted, or a sentence about what went wrong."""
    try:
        sender.send(count(paths) if task == "count" else make(paths, with_wal=task == "make"))
    except apsw.BusyError:
        sender.send("The database is in use by another program; choose another --db.")
    except (apsw.Error, OSError) as error:
        sender.send(f"SQLite cannot use the database: {error}.")


def make(paths: list[str], *, with_wal: bool) -> Counted:
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
    return Counted(0, apsw.sqlite_lib_version())


def count(paths: list[str]) -> Counted:
    """Count the rows of all databases, and leave no rollback journal beside them."""
    rows = 0
    for path in paths:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(2000)
        rows += connection.execute("SELECT count(*) FROM entry").get
        if connection.pragma("journal_mode") != "wal":  # leaving mode persist is what deletes a journal that was kept
            connection.pragma("journal_mode", "persist")
            connection.pragma("journal_mode", "delete")
        connection.close()
    return Counted(rows, apsw.sqlite_lib_version())
