"""Child processes that use SQLite, so that the process under test never does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PRELUDE = """
import os, sqlite3, sys, time
def connect(path=sys.argv[1], **options):
    return sqlite3.connect(path, isolation_level=None, **options)
def say(word="ready"):
    print(word, flush=True)
def listen():
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    return line.strip()
"""


class Program:
    """A Python program in a process of its own that says a word on stdout and listens for lines on stdin."""

    def __init__(
        self, code: str, database: Path, *arguments: str, command: tuple[str, ...] = (sys.executable,)
    ) -> None:
        self.process = subprocess.Popen(
            [*command, "-c", PRELUDE + code, str(database), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def expect(self, word: str = "ready") -> str:
        """Wait for a line that begins with the word, and return the rest of it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line.startswith(word), f"expected {word!r}, got {line!r}"
        return line.removeprefix(word).strip()

    def tell(self, line: str = "go") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def end(self) -> None:
        """End the program, also a stopped one, and wait for it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


class Programs:
    """Starts programs on one database and ends them all."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._running: list[Program] = []

    def start(
        self, code: str, *arguments: str, command: tuple[str, ...] = (sys.executable,), ready: bool = True
    ) -> Program:
        program = Program(code, self.database, *arguments, command=command)
        self._running.append(program)
        if ready:
            program.expect()
        return program

    def run(self, code: str, *arguments: str) -> None:
        """Run a program to its end."""
        program = Program(code, self.database, *arguments)
        try:
            assert program.process.wait(20) == 0
        finally:
            program.end()

    def end(self) -> None:
        for program in self._running:
            program.end()


@contextlib.contextmanager
def programs_on(database: Path) -> Iterator[Programs]:
    programs = Programs(database)
    try:
        yield programs
    finally:
        programs.end()


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for a condition; fail if it does not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.005)


MAKE_WAL = """
c = connect()
c.execute("pragma journal_mode=wal")
c.execute("create table if not exists t(x)")
"""

HOLD_WRITE = (
    MAKE_WAL
    + """
c.execute("begin immediate")
c.execute("insert into t values(1)")
say()
listen()
c.execute("commit")
say("committed")
listen()
"""
)

WRITE_ON_DEMAND = (
    MAKE_WAL
    + """
say()
while True:
    for _ in range(int(listen())):
        c.execute("insert into t values(1)")
    say("wrote")
"""
)

READ = """
c = connect()
c.execute("begin")
c.execute("select count(*) from t").fetchone()
say()
listen()
c.execute("commit")
say("done")
listen()
"""
