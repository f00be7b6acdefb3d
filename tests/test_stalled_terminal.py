"""A terminal that stops reading, or reads slowly: the dashboard goes on, can be ended, and is never far behind."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlwatch.tui.link import QUESTION
from tests.conftest import workers_of
from tests.test_end_of_life import SIMULATE, SMALL, Terminal, opened_terminals, wait_until, wait_until_gone

ENDS_WITHIN_S = 8.0
"""Far more than it takes where nothing else runs (0.5 to 1.2 s), and far less than for ever."""
LARGE = {"columns": 200, "rows": 50}


class AnsweringTerminal(Terminal):
    """One that says where the cursor is when it is asked, after it has drawn what came before."""

    answers = True


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(short_tmp: Path) -> Iterator[Open]:
    yield from opened_terminals(short_tmp)


def wait_until_full(shown: Terminal) -> None:
    """Read nothing until the terminal takes nothing any more."""
    wait_until(lambda: not select.select([], [shown.slave], [], 0)[1], "the terminal to be full")


def wait_s(seconds: float) -> None:
    """Let time pass: here it is the time itself that matters."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (b"\x03", 0)], ids=["term", "hup", "ctrl+c"]
)
def test_a_full_terminal_does_not_keep_the_program(
    terminal: Open, short_tmp: Path, how: signal.Signals | bytes, code: int
) -> None:
    shown = terminal("--fps", "10", **LARGE)
    shown.until("CONTENDED", "running")
    workers = workers_of(shown.process.pid)
    wait_until_full(shown)
    began = time.monotonic()
    if isinstance(how, bytes):
        os.write(shown.master, how)
    else:
        os.kill(shown.process.pid, how)
    assert shown.process.wait(20) == code
    assert time.monotonic() - began < ENDS_WITHIN_S
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())
    shown.read()
    assert shown.is_restored(), "what was not read made room for the end"


def test_a_full_terminal_does_not_keep_watch(short_tmp: Path) -> None:
    database = short_tmp / "app.db"
    command = [*SIMULATE, *SMALL, "--db", str(database), "--headless", "--duration", "1h"]
    workload = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    shown = None
    try:
        wait_until((short_tmp / "app.db-wal").exists, "the workload")
        shown = Terminal([sys.executable, "-m", "sqlwatch", "watch", str(database), "--fps", "10"], 200, 50)
        shown.until("Locks now", "commits")
        samplers = workers_of(shown.process.pid)
        wait_until_full(shown)
        began = time.monotonic()
        shown.process.terminate()
        assert shown.process.wait(20) == 143
        assert time.monotonic() - began < ENDS_WITHIN_S
        wait_until_gone(samplers)
        shown.read()
        assert shown.is_restored()
    finally:
        if shown is not None:
            shown.close()
        workload.terminate()
        workload.wait(20)


def test_a_reader_that_stops_does_not_keep_lines_of_json(short_tmp: Path) -> None:
    database = short_tmp / "app.db"
    database.touch()
    command = [sys.executable, "-m", "sqlwatch", "watch", str(database), "--headless", "--format", "jsonl"]
    watching = subprocess.Popen(
        [*command, "--interval", "100ms"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        assert watching.stdout is not None
        pipe = watching.stdout.fileno()
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        assert watching.stdout.readline().startswith(b"{")
        wait_until(lambda: any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))), "lines that nobody reads")
        wait_s(1)
        began = time.monotonic()
        watching.terminate()
        assert watching.wait(20) == 143
        assert time.monotonic() - began < ENDS_WITHIN_S
    finally:
        watching.kill()
        watching.communicate()


def test_progress_on_a_full_terminal_does_not_keep_the_program(terminal: Open, short_tmp: Path) -> None:
    shown = terminal("--headless", "--duration", "1h")
    shown.until("contended")
    workers = workers_of(shown.process.pid)
    wait_until_full(shown)
    began = time.monotonic()
    os.kill(shown.process.pid, signal.SIGTERM)
    assert shown.process.wait(20) == 143
    assert time.monotonic() - began < ENDS_WITHIN_S
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


def shown_s(shown: Terminal) -> int | None:
    """How long the run has taken, as the header says."""
    found = re.search(r"(\d+):(\d\d)\b", shown.text().splitlines()[0])
    return int(found[1]) * 60 + int(found[2]) if found else None


def test_a_terminal_that_reads_again_sees_the_present(terminal: Open) -> None:
    shown = terminal("--fps", "10", **LARGE)
    shown.until("CONTENDED", "running")
    wait_until(lambda: shown_s(shown), "the clock of the run")
    began_s = time.monotonic() - (shown_s(shown) or 0)
    wait_until_full(shown)
    wait_s(3)
    before = len(shown.raw)
    wait_until(lambda: abs(time.monotonic() - began_s - (shown_s(shown) or 0)) < 2, "the present picture")
    assert len(shown.raw) - before < 300_000, "what a pseudo-terminal holds, and pictures since"
    shown.press("?")
    shown.until("What you see")
    shown.press("\x1b")
    shown.until("CONTENDED")
    shown.press("q")
    assert shown.end() == 0
    assert shown.is_restored()


def test_no_more_than_a_picture_is_on_its_way(terminal: Open) -> None:
    shown = terminal("--fps", "10", kind=AnsweringTerminal, **LARGE)
    shown.until("CONTENDED", "running")
    wait_until(lambda: shown.written().count(QUESTION) > 5, "pictures that are asked about")
    before = len(shown.raw)
    wait_s(4)
    shown.read()
    on_its_way, asked = shown.raw[before:], shown.raw[before:].count(QUESTION)
    assert len(on_its_way) < 60_000
    assert asked <= 3, "pictures that went out unread, and the first since"
    shown.until("running")
    shown.press("q")
    assert shown.end() == 0
    assert shown.is_restored()
    assert shown.raw.endswith(b"\n"), "no answer of the terminal was typed into the shell"
