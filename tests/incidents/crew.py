"""Who uses the databases of the incidents: programs with Python's sqlite3 or with apsw, and the sqlite3 shell.

All are child processes: a process that observes a database must have no SQLite connection, and the tests observe.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from ..observe.programs import Program, Programs

__all__ = ["APSW", "MAKE_WAL", "Client", "Crew", "Program", "Shell", "crew_on"]

APSW = """
import apsw
def connect(path=sys.argv[1], timeout=5.0):
    connection = apsw.Connection(path)
    connection.set_busy_timeout(round(timeout * 1000))
    return connection
"""
"""Put before a program: the same program, with the other binding and its newer SQLite."""

MAKE_WAL = """
c = connect()
c.execute("pragma journal_mode=wal").fetchall()
c.execute("pragma synchronous=normal")
c.execute("create table if not exists t(x)")
"""

_WORD = "sqlwatch-is-done"


class Client(StrEnum):
    """A way to use SQLite."""

    PYTHON = "python"
    APSW = "apsw"
    SHELL = "shell"


class Shell(Program):
    """The sqlite3 command-line shell; it reads SQL and dot commands from a pipe, and waits there between them."""

    def __init__(self, program: str, database: Path) -> None:
        self.process = subprocess.Popen(
            [program, "-batch", str(database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self.do(".timeout 60000")

    def do(self, *lines: str) -> list[str]:
        """Run SQL to its end and return the lines it printed."""
        self.begin(*lines, f".print {_WORD}")
        printed: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == _WORD:
                return printed
            printed.append(line.strip())
        raise AssertionError(f"the shell has ended: {printed}")

    def begin(self, *lines: str) -> None:
        """Have SQL run, without waiting for its end."""
        for line in lines:
            self.tell(line)


class Crew(Programs):
    """Starts programs of all three kinds on one database, and ends them all."""

    def start_as(self, client: Client, code: str, *arguments: str, ready: bool = True) -> Program:
        """Start a program with one of the two Python bindings."""
        assert client is not Client.SHELL, "the shell knows no Python"
        return self.start((APSW if client is Client.APSW else "") + code, *arguments, ready=ready)

    def start_apsw(self, code: str, *arguments: str, ready: bool = True) -> Program:
        """Start a program that uses apsw."""
        return self.start_as(Client.APSW, code, *arguments, ready=ready)

    def shell(self, *lines: str) -> Shell:
        """Start the shell and run some lines; skip the test where there is none."""
        program = shutil.which("sqlite3")
        if program is None:
            pytest.skip("not run: the sqlite3 command-line shell is not installed")
        shell = Shell(program, self.database)
        self._running.append(shell)
        shell.do(*lines)
        return shell

    def make_wal(self) -> None:
        """Make an empty database in WAL mode with a table, and let go of it."""
        self.run(MAKE_WAL + "c.close()")


@contextlib.contextmanager
def crew_on(database: Path) -> Iterator[Crew]:
    """Give a crew for one database, and end it whatever happens."""
    crew = Crew(database)
    try:
        yield crew
    finally:
        crew.end()
