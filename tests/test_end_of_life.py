"""However a simulation ends, the terminal is restored, no process and no file is left, and the exit code is right."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyte
import pytest

from sqlwatch.tui.link import QUESTION
from tests.conftest import GONE_WITHIN_S, workers_of

PATIENCE_S = 60
SIMULATE = [sys.executable, "-m", "sqlwatch", "simulate"]
SMALL = ["--writers", "3", "--readers", "1"]


TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal on stdin the controlling one, so that closing it hangs the program up, and becomes the program."""


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.01)


class Terminal:
    """The program on a pseudo-terminal, with a screen that understands what it draws."""

    answers = False
    """Whether it says where the cursor is, as real terminals do."""

    def __init__(self, arguments: list[str], columns: int = 80, rows: int = 24, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *arguments],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", **environment},
        )

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> None:
        while select.select([self.master], [], [], 0.01)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            self.raw += data
            if self.answers:
                os.write(self.master, b"\x1b[1;1R" * data.count(QUESTION))
            # pyte does not know every private sequence; what it does not know it must not print.
            with contextlib.suppress(TypeError):
                self.stream.feed(data)

    def written(self) -> bytes:
        self.read()
        return self.raw

    def text(self) -> str:
        self.read()
        return "\n".join(self.screen.display)

    def until(self, *words: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not all(word in (text := self.text()) for word in words):
            code = self.process.poll()
            assert code is None, f"ended with {code} showing:\n{text}"
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {words}, showing:\n{text}"
        return text

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        def ended() -> bool:
            self.read()
            return self.process.poll() is not None

        wait_until(ended, "the end")
        self.read()
        return self.process.returncode

    def is_restored(self) -> bool:
        """Return whether it is left as it was found, once the system has passed on what the program wrote."""
        deadline = time.monotonic() + GONE_WITHIN_S
        while not (restored := self._is_left()) and time.monotonic() < deadline:
            self.read()
        return restored

    def _is_left(self) -> bool:
        leaves_screen = self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h") >= 0
        shows_cursor = self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l")
        return leaves_screen and shows_cursor and termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        for descriptor in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def opened_terminals(short_tmp: Path) -> Iterator[Callable[..., Terminal]]:
    """Give what starts the program on a terminal of a kind, as often as wanted; at the end all are closed."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, kind: type[Terminal] = Terminal, **options: Any) -> Terminal:
        opened.append(kind([*SIMULATE, *SMALL, *arguments], TMPDIR=str(short_tmp), **options))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


@pytest.fixture
def terminal(short_tmp: Path) -> Iterator[Callable[..., Terminal]]:
    yield from opened_terminals(short_tmp)


def wait_until_gone(workers: list[psutil.Process]) -> None:
    wait_until(
        lambda: not [w for w in workers if w.is_running() and w.status() != psutil.STATUS_ZOMBIE], "workers to end"
    )


def test_start_see_switch_and_quit(terminal: Callable[..., Terminal], short_tmp: Path) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running", "writer")
    workers = workers_of(shown.process.pid)
    assert len(workers) == 5
    shown.press("m")
    shown.until("SINGLE-WRITER", "running", "queue")
    shown.press("q")
    assert shown.end() == 0
    assert shown.is_restored()
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())
    # The summary is printed on the restored terminal.
    summary = shown.raw[shown.raw.rfind(b"\x1b[?1049l") :].decode()
    assert "contended" in summary
    assert "single-writer" in summary
    assert "lost" in summary


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)], ids=["term", "hup", "int"]
)
def test_signals_restore_the_terminal(
    terminal: Callable[..., Terminal], short_tmp: Path, number: signal.Signals, code: int
) -> None:
    shown = terminal()
    shown.until("CONTENDED")
    workers = workers_of(shown.process.pid)
    if number is signal.SIGINT:
        shown.press("\x03")
    else:
        os.kill(shown.process.pid, number)
    assert shown.end() == code
    assert shown.is_restored()
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


def test_a_closed_terminal_ends_everything(terminal: Callable[..., Terminal], short_tmp: Path) -> None:
    shown = terminal()
    shown.until("CONTENDED")
    workers = workers_of(shown.process.pid)
    os.close(shown.slave)
    os.close(shown.master)
    assert shown.process.wait(PATIENCE_S) == 129
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


def test_a_lesson_from_question_to_comparison(short_tmp: Path) -> None:
    shown = Terminal([*SIMULATE, "starvation", "--step", "--warm-up", "50ms"], 100, 40, TMPDIR=str(short_tmp))
    try:
        shown.until("Lesson", "does everybody get a turn?", "NOW  contended", "one share near 100 %", "running")
        shown.press("n")
        shown.until("done contended", "NOW  single-writer", "running")
        shown.press("n")
        text = shown.until("Verdict", "What was compared", "Why", "When it would not happen")
        for words in ("starvation: One writer takes every turn", "in single-writer", "It is over"):
            assert words in text
        shown.press("\x1b[6~")  # page down
        shown.until("The phases side by side", "lock wait p99.9")
        shown.press("\x1b")
        shown.until("SINGLE-WRITER", "ENDED", "c compares")
        shown.press("q")
        assert shown.end() == 0
        assert shown.is_restored()
        assert not list(short_tmp.iterdir())
        summary = shown.raw[shown.raw.rfind(b"\x1b[?1049l") :].decode()
        assert summary.count("Verdict:") == 1
        assert "lock wait p99.9" in summary
    finally:
        shown.close()


def test_a_lesson_follows_a_simulation_and_only_the_last_is_summed_up(
    terminal: Callable[..., Terminal], short_tmp: Path
) -> None:
    summary_file = short_tmp.parent / f"{short_tmp.name}.txt"
    shown = terminal("--output", str(summary_file), columns=100, rows=40)
    shown.until("CONTENDED", "running", "writer")
    before = workers_of(shown.process.pid)
    shown.press("o")
    shown.until("Blog post", "Compares")
    shown.press("hot-loop")
    shown.until("Is a single writer faster")
    shown.press("\r")
    shown.until("NOW  contended", "running")
    wait_until_gone(before)
    assert len(list(short_tmp.iterdir())) == 1, "the files of the run before are gone"
    shown.press("n")
    shown.until("done contended", "NOW  single-writer", "running")
    workers = workers_of(shown.process.pid)
    shown.press("q")
    assert shown.end() == 0
    assert shown.is_restored()
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())
    summary = shown.raw[shown.raw.rfind(b"\x1b[?1049l") :].decode()
    assert summary.count("Verdict:") == 1
    assert "3 writers" not in summary, "nothing of the first run"
    assert "hot-loop" in summary_file.read_text()
    summary_file.unlink()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.4])
def test_a_signal_between_two_runs_leaves_nothing(
    terminal: Callable[..., Terminal], short_tmp: Path, number: signal.Signals, code: int, delay_s: float
) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running")
    shown.press("o")
    shown.until("Blog post")
    shown.press("starvation")
    shown.until("One writer takes every turn")
    workers = workers_of(shown.process.pid)
    shown.press("\r")
    deadline = time.monotonic() + delay_s  # the moment is arbitrary on purpose; the outcome must not depend on it
    while time.monotonic() < deadline:
        time.sleep(0.01)
    workers += [worker for worker in workers_of(shown.process.pid) if worker not in workers]
    os.kill(shown.process.pid, number)
    assert shown.end() == code
    assert shown.is_restored()
    assert b"Traceback" not in shown.raw
    wait_until_gone(workers)
    assert workers_of(shown.process.pid) == []
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize("told", [{}, {"COLUMNS": "70", "LINES": "20"}], ids=["", "other-size-in-the-environment"])
def test_a_resize_is_followed(terminal: Callable[..., Terminal], told: dict[str, str]) -> None:
    shown = terminal(columns=80, rows=24, **told)
    shown.until("CONTENDED")
    assert shown.screen.display[23].startswith("q"), "the footer is in the last line of the terminal"
    shown.screen.resize(12, 40)
    shown.resize(40, 12)
    os.kill(shown.process.pid, signal.SIGWINCH)
    shown.until("CONTENDED")
    shown.press("q")
    assert shown.end() == 0
    assert shown.is_restored()


def run_headless(short_tmp: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*SIMULATE, *SMALL, "--headless", "--format", "json", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(short_tmp)}, start_new_session=True,
    )  # fmt: skip


def wait_for_workers(process: subprocess.Popen[str], count: int = 5) -> list[psutil.Process]:
    wait_until(lambda: len(workers_of(process.pid)) == count, f"{count} workers")
    return workers_of(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_headless_run_prints_what_it_has(short_tmp: Path, number: signal.Signals) -> None:
    process = run_headless(short_tmp, "--duration", "1h")
    workers = wait_for_workers(process)
    assert process.stderr is not None
    while "contended ..." not in (line := process.stderr.readline()):
        assert line, "it ended before the first phase"
    os.killpg(process.pid, number)  # as the terminal would: every process of the group gets it
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number
    summary = json.loads(out)
    assert summary["phases"][0]["name"] == "contended"
    assert summary["accounting"]["lost"] == summary["accounting"]["in_doubt"] == 0
    assert "Traceback" not in err
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.3, 0.6])
def test_ctrl_c_while_starting_leaves_nothing(short_tmp: Path, delay_s: float) -> None:
    process = run_headless(short_tmp, "--duration", "1h")
    deadline = time.monotonic() + delay_s  # the moment is arbitrary on purpose; the outcome must not depend on it
    while time.monotonic() < deadline:
        time.sleep(0.01)
    workers = workers_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    # The earliest signal finds no more than an interpreter that is just starting, which ends in a way of its own.
    was_python_up = "Fatal Python error: init" not in err
    assert process.returncode in (130, -signal.SIGINT) or not was_python_up, err
    if process.returncode == 130:
        assert "Traceback" not in err
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


def test_after_a_kill_the_workers_end_and_the_next_start_sweeps(short_tmp: Path) -> None:
    process = run_headless(short_tmp, "--duration", "1h")
    workers = wait_for_workers(process)
    (short_tmp / "somebody-elses").mkdir()
    process.kill()
    process.communicate()
    wait_until_gone(workers)
    assert len(list(short_tmp.iterdir())) == 2
    again = run_headless(short_tmp, "--duration", "200ms")
    again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0
    assert [path.name for path in short_tmp.iterdir()] == ["somebody-elses"]
