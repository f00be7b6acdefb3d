"""In a real terminal: the first picture, and how it is given back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import fcntl, sys, termios
if sys.argv[2]:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from tests.tui.fake import FakeSession, headline, make_snapshot
from sqlwatch.tui.run import run_dashboard

class Session(FakeSession):
    def start(self, on_snapshot):
        super().start(on_snapshot)
        on_snapshot(make_snapshot())

session = Session()
code = run_dashboard(session, headline=headline)
with open(sys.argv[1], "w") as file:
    file.write(" ".join(session.calls))
sys.exit(code)
"""
PATIENCE_S = 20


class Terminal:
    """A pseudo-terminal with the dashboard in it."""

    def __init__(self, note: Path, *, controlling: bool, environment: dict[str, str], program: str = PROGRAM) -> None:
        self.note = note
        self.output = b""
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        slave = self.slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(note), "controlling" if controlling else ""],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )

    def read_until(self, words: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.output:
            assert time.monotonic() < deadline, self.output[-500:]
            self._read()

    def wait(self) -> int:
        """Wait for the end, reading what is written meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None or self._read():
            assert time.monotonic() < deadline, "the dashboard does not end"
            self._read()
        return self.process.returncode

    def _read(self) -> bytes:
        if self.master < 0:
            time.sleep(0.02)
            return b""
        if not select.select([self.master], [], [], 0.05)[0]:
            return b""
        data = os.read(self.master, 65536)
        self.output += data
        return data

    def close_master(self) -> None:
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            self.close_master()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "calls", controlling=False, environment={})
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("how", "code"),
    [(b"q", 0), (b"\x03", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_the_terminal_is_given_back(terminal: Terminal, how: bytes | signal.Signals, code: int) -> None:
    terminal.read_until(b"CONTENDED")
    if isinstance(how, bytes):
        os.write(terminal.master, how)
    else:
        terminal.process.send_signal(how)
    assert terminal.wait() == code
    assert termios.tcgetattr(terminal.slave) == terminal.before
    for sequence in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
        assert sequence in terminal.output
    assert terminal.note.read_text() == "start stop"


@pytest.mark.parametrize("controlling", [True, False])
def test_a_closed_terminal_ends_the_session(tmp_path: Path, controlling: bool) -> None:
    """With a controlling terminal there is a SIGHUP, without one only the terminal's own hang-up."""
    terminal = Terminal(tmp_path / "calls", controlling=controlling, environment={})
    try:
        terminal.read_until(b"CONTENDED")
        terminal.close_master()
        assert terminal.wait() == 129
        assert terminal.note.read_text() == "start stop"
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"NO_COLOR": "1"}, False), ({"TERM": "linux", "COLORTERM": ""}, True), ({"COLORTERM": "truecolor"}, True)],
)
def test_colours_are_those_of_the_terminal(tmp_path: Path, environment: dict[str, str], coloured: bool) -> None:
    terminal = Terminal(tmp_path / "calls", controlling=False, environment=environment)
    try:
        terminal.read_until(b"CONTENDED")
        os.write(terminal.master, b"q")
        assert terminal.wait() == 0
    finally:
        terminal.close()
    rich_colours = b"[38;2;" in terminal.output or b";38;2;" in terminal.output or b"38;5;" in terminal.output
    assert rich_colours == (environment.get("COLORTERM") == "truecolor")
    simple = any(b"\x1b[%d" % code in terminal.output or b";%dm" % code in terminal.output for code in (31, 33, 94))
    assert simple == (coloured and not rich_colours)
