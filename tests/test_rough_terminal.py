"""Rough treatment in a terminal: resizes by the hundred, garbage as keys, stopped and continued, workers killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sqlwatch.tui.link import QUESTION
from tests.conftest import workers_of
from tests.test_end_of_life import SIMULATE, SMALL, Terminal, opened_terminals, wait_until, wait_until_gone

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(short_tmp: Path) -> Iterator[Open]:
    yield from opened_terminals(short_tmp)


def quits(shown: Terminal) -> None:
    """See that the dashboard still answers, and leaves everything in order."""
    shown.press("q")
    assert shown.end() == 0
    assert b"Traceback" not in shown.raw
    assert shown.is_restored()


def test_two_hundred_resizes_down_to_a_single_cell(terminal: Open) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running")
    draw = random.Random(5)
    for number in range(200):
        shown.resize(*((1, 1) if number % 20 == 0 else (draw.randint(1, 250), draw.randint(1, 80))))
        os.kill(shown.process.pid, signal.SIGWINCH)
        shown.read()
    shown.resize(1, 1)
    shown.screen.resize(1, 1)
    os.kill(shown.process.pid, signal.SIGWINCH)
    shown.read()
    shown.screen.resize(24, 80)
    shown.screen.reset()
    shown.resize(80, 24)
    os.kill(shown.process.pid, signal.SIGWINCH)
    shown.until("CONTENDED", "running", "writer")
    quits(shown)


def test_a_terminal_that_shrinks_keeps_its_last_line(terminal: Open) -> None:
    shown = terminal(columns=120, rows=40)
    shown.answers = True
    shown.until("CONTENDED", "running")
    for columns, rows in ((120, 39), (80, 24), (79, 23), (60, 20), (120, 38), (120, 20)):
        shown.read()
        shown.screen.resize(rows, columns)
        shown.resize(columns, rows)
        os.kill(shown.process.pid, signal.SIGWINCH)
        wait_until(lambda: "Help" in shown.text().splitlines()[-1], f"the footer at {columns}x{rows}")
        asked = shown.raw.count(QUESTION)
        wait_until(lambda before=asked: shown.written().count(QUESTION) > before + 2, "three more pictures")  # type: ignore[misc]
        assert "Help" in shown.text().splitlines()[-1], "pictures of the old size do not wipe it off"
    quits(shown)


def test_what_others_write_on_the_screen_is_wiped_off(terminal: Open) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running", "writer")
    shown.screen.reset()
    shown.press("\x0c")
    shown.until("CONTENDED", "running", "writer", "Lock waits", "backoff rungs")
    quits(shown)


GARBAGE = [
    "\x1b[<0;999999;-5M", "\x1b[<35;1;1M" * 50, "\x1b[<64;5;5M\x1b[<65;5;5m", "\x1b[M   ", "\x1b[999;999R", "\x1b[1;",
    "\x1b]11;rgb:ffff/ffff/ffff\x07", "\x1bP1$r0m\x1b\\", "\x1b[?2026;2$y", "\x1b[?2048;0$y", "\x1b[48;0;0;0;0t",
    "\x1b[200~rm -rf /\nq\nq\x03\x1b[201~", "\x1b[200~" + "x" * 20_000 + "\x1b[201~", "\x00\x01\x02\x7f\x80",
    "\x1b" * 40, "\x1b[I\x1b[O" * 20, "ÄÖÜ漢字🙂", "\x1bOP\x1b[15~\x1b[3;5~", "\x1b[97;5u",
]  # fmt: skip


def test_garbage_as_input_does_nothing_but_what_keys_do(terminal: Open) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running")
    for garbage in GARBAGE:
        shown.press(garbage)
        shown.read()
        assert shown.process.poll() is None, f"{garbage!r} ended it"
    os.write(shown.master, b"\xff\xfe\xc3\x28")
    shown.press("\x1b")

    def has_ended() -> bool:
        shown.press("\x1b")  # whatever the garbage has opened
        time.sleep(0.2)  # so that it is a key by itself
        shown.press("q")
        shown.read()
        return shown.process.poll() is not None

    wait_until(has_ended, "the end")
    assert shown.end() == 0
    assert b"Traceback" not in shown.raw


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "unheard-of"}, {"TERM": "vt52"}, {"TERM": "screen", "COLORTERM": ""}, {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}, {"NO_COLOR": "1"},
    ],
    ids=lambda environment: "-".join(f"{name}={value}" for name, value in environment.items()),
)  # fmt: skip
def test_any_terminal_and_locale_gets_a_picture(terminal: Open, environment: dict[str, str]) -> None:
    shown = terminal(**environment)
    shown.until("CONTENDED", "running", "writer")
    quits(shown)


def test_a_dumb_terminal_gets_no_dashboard(terminal: Open) -> None:
    shown = terminal("--duration", "300ms", TERM="dumb")
    assert shown.end() == 0
    assert b"\x1b[?1049h" not in shown.raw
    assert b"lost" in shown.raw


def test_workers_killed_one_by_one(terminal: Open, short_tmp: Path) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running", "writer")
    workers = [one for one in workers_of(shown.process.pid) if "spawn_main" in " ".join(one.cmdline())]
    assert len(workers) >= 4
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
        shown.read()
    shown.until("Every worker has ended")
    shown.press("q")
    shown.end()
    assert b"Traceback" not in shown.raw
    assert shown.is_restored()
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize("how", ["SIGTSTP", "SIGSTOP", "ctrl+z"])
def test_stopped_and_continued(terminal: Open, short_tmp: Path, how: str) -> None:
    shown = terminal()
    shown.until("CONTENDED", "running", "writer")
    workers = workers_of(shown.process.pid)
    before = shown.raw.count(b"\x1b[?1049h")
    if how == "ctrl+z":
        shown.press("\x1a")
    else:
        os.kill(shown.process.pid, signal.Signals[how])
    process = psutil.Process(shown.process.pid)
    wait_until(lambda: shown.written() and process.status() == psutil.STATUS_STOPPED, "it to stop")
    shown.read()
    if how == "SIGSTOP":  # the shell takes the terminal as it was
        termios.tcsetattr(shown.slave, termios.TCSANOW, shown.before)
    else:
        assert shown.is_restored(), "the shell can be used"
    shown.screen.reset()
    os.kill(shown.process.pid, signal.SIGCONT)
    wait_until(lambda: shown.written().count(b"\x1b[?1049h") > before, "the screen to be taken again")
    shown.until("CONTENDED", "running", "writer")
    shown.press("?")
    shown.until("What you see")
    shown.press("\x1b")
    shown.until("CONTENDED", "running", "writer")
    quits(shown)
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


def test_an_export_where_nothing_can_be_written_says_so(terminal: Open, tmp_path: Path) -> None:
    shown = terminal(SQLWATCH_EXPORT_DIR=str(tmp_path / "missing"))
    shown.until("CONTENDED", "running", "writer")
    shown.press("e")
    shown.until("nothing was exported")
    quits(shown)


def test_a_closed_stdout_is_no_terminal(short_tmp: Path) -> None:
    script = 'exec 1>&-; exec "$@"'
    shown = Terminal(
        ["/bin/sh", "-c", script, "sh", *SIMULATE, *SMALL, "--duration", "300ms"], TMPDIR=str(short_tmp)
    )  # fmt: skip
    try:
        shown.end()
        assert b"Traceback" not in shown.raw
        assert b"\x1b[?1049h" not in shown.raw
        assert not list(short_tmp.iterdir())
    finally:
        shown.close()


def test_the_question_is_asked_only_once_of_a_terminal_that_does_not_answer(terminal: Open) -> None:
    shown = terminal("--fps", "10")
    shown.until("CONTENDED", "running", "writer")
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        shown.read()
    assert shown.raw.count(QUESTION) == 1
    quits(shown)
