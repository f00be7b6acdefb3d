"""What the dashboards write to a terminal of 16 colours, and how soon they answer keys over a slow link.

    python -m tests.benchmarks.slow_link [--seconds 15]

Limits: under 200 KiB/s at 200x50; at 80x24 over 9,600 baud, or 300 ms away, keys are still answered.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import deque
from pathlib import Path

import click
import pyte

from sqlwatch.tui.link import QUESTION
from tests.test_end_of_life import TAKE_TERMINAL

PROGRAM = [sys.executable, "-m", "sqlwatch"]
CONTENDED = ["simulate", "--writers", "16", "--readers", "2"]


class SlowTerminal:
    """A program on a pseudo-terminal that is read at so many bytes a second, and is so far away."""

    def __init__(
        self, arguments: list[str], columns: int, rows: int, *, bytes_per_s: float = 1e9, delay_s: float = 0.0,
        **environment: str,
    ) -> None:  # fmt: skip
        self.bytes_per_s, self.delay_s = bytes_per_s, delay_s
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "screen", "COLORTERM": "", **environment},
        )  # fmt: skip
        os.close(slave)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.total = self.questions = 0
        """Bytes and questions that have arrived."""
        self._tail = b""
        self._credit, self._at_s = 0.0, time.monotonic()
        self._there: deque[tuple[float, bytes]] = deque()
        self._back: deque[tuple[float, bytes]] = deque()

    def step(self) -> None:
        """Let bytes pass in both directions, as far as rate and distance allow."""
        now_s = time.monotonic()
        self._credit = min(self._credit + (now_s - self._at_s) * self.bytes_per_s, self.bytes_per_s / 20)
        self._at_s = now_s
        if self._credit >= 1 and select.select([self.master], [], [], 0.005)[0]:
            with contextlib.suppress(OSError):
                data = os.read(self.master, min(int(self._credit), 65536))
                self._credit -= len(data)
                self._there.append((now_s + self.delay_s / 2, data))
        else:
            time.sleep(0.002)
        while self._there and self._there[0][0] <= now_s:
            data = self._there.popleft()[1]
            self.total += len(data)
            with contextlib.suppress(TypeError):  # pyte does not know every private sequence
                self._stream.feed(data)
            data = self._tail + data
            for _ in range(data.count(QUESTION)):
                self.questions += 1
                self.press(b"\x1b[1;1R")
            self._tail = data[-len(QUESTION) + 1 :]
        while self._back and self._back[0][0] <= now_s:
            os.write(self.master, self._back.popleft()[1])

    def press(self, keys: bytes) -> None:
        """Send keys, which arrive after half of the delay."""
        self._back.append((time.monotonic() + self.delay_s / 2, keys))

    def until(self, words: str, patience_s: float = 60) -> float:
        """Return how long it took until the words were shown."""
        began_s = time.monotonic()
        while words not in "\n".join(self.screen.display):
            if time.monotonic() - began_s > patience_s:
                raise click.ClickException(f"{words!r} was not shown within {patience_s} s")
            before = self.total
            while self.total == before and time.monotonic() - began_s <= patience_s:
                self.step()
        return time.monotonic() - began_s

    def run(self, seconds: float) -> None:
        """Let time pass."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.step()

    def end(self) -> float:
        """Press q and return how long the end took."""
        began_s = time.monotonic()
        self.press(b"q")
        while self.process.poll() is None:
            self.step()
        os.close(self.master)
        return time.monotonic() - began_s


def answers_s(terminal: SlowTerminal, presses: int) -> list[float]:
    """Return how long the help and the way back took to appear, each time."""
    times = []
    for _ in range(presses):
        terminal.press(b"?")
        times.append(terminal.until("What you see"))
        terminal.press(b"\x1b")
        terminal.until("Quit")
        terminal.run(4)  # the rest of the picture
    return sorted(times)


@click.command()
@click.option("--seconds", default=15.0, show_default=True, help="How long output is counted.")
@click.option("--presses", default=6, show_default=True)
def main(seconds: float, presses: int) -> None:
    """Print what goes out, and how soon keys are answered."""
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary) / "kept.db"
        workload = subprocess.Popen(
            [*PROGRAM, *CONTENDED, "--db", str(database), "--headless", "--duration", "1h"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while not database.with_name("kept.db-wal").exists():
                time.sleep(0.05)
            for name, arguments in (("watch", ["watch", str(database)]), ("simulate", CONTENDED)):
                if name == "simulate":
                    workload.terminate()
                    workload.wait()
                _measure(name, arguments, temporary, seconds, presses)
        finally:
            workload.terminate()
            workload.wait()


def _measure(name: str, arguments: list[str], temporary: str, seconds: float, presses: int) -> None:
    for columns, rows in ((80, 24), (200, 50)):
        terminal = SlowTerminal(arguments, columns, rows, TMPDIR=temporary)
        terminal.until("commits")
        terminal.run(3)
        before = terminal.total
        terminal.run(seconds)
        click.echo(f"{name} {columns}x{rows}: {(terminal.total - before) / seconds / 1024:.1f} KiB/s")
        terminal.end()
    for words, bytes_per_s, delay_s in (
        ("9,600 baud", 960, 0.0), ("38,400 baud", 3840, 0.0), ("300 ms away", 1e9, 0.3)
    ):  # fmt: skip
        terminal = SlowTerminal(arguments, 80, 24, bytes_per_s=bytes_per_s, delay_s=delay_s, TMPDIR=temporary)
        terminal.until("commits")
        terminal.run(4)
        before, pictures = terminal.total, terminal.questions
        began_s = time.monotonic()
        terminal.run(seconds)
        passed_s = time.monotonic() - began_s
        rate = (terminal.total - before) / passed_s
        per_s = (terminal.questions - pictures) / passed_s
        times = answers_s(terminal, presses)
        click.echo(
            f"{name} 80x24, {words}: {rate:.0f} bytes/s in {per_s:.1f} pictures/s; help after "
            f"{statistics.median(times):.2f} s, longest {times[-1]:.2f} s; ended after {terminal.end():.2f} s"
        )


if __name__ == "__main__":
    main()
