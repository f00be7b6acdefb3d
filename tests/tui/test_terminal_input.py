"""The thread that reads the terminal: what it hands on, and that it ends when it is told to."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.message import Message

from sqlwatch.tui.terminal_input import RingingEvent, read_messages

PATIENCE_S = 30


class Reading:
    """A terminal that is read in a thread."""

    def __init__(self, descriptor: int) -> None:
        self.over = RingingEvent()
        self.taken: list[Message] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(descriptor,))
        self.thread.start()

    def _run(self, descriptor: int) -> None:
        try:
            read_messages(descriptor, self.over, self.taken.append)
        except (OSError, ValueError) as error:
            self.error = error

    def keys(self) -> list[str]:
        return [message.key for message in self.taken if isinstance(message, events.Key)]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def end(self) -> None:
        self.over.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, theirs
    os.close(theirs)
    os.close(ours)


def test_keys_are_handed_on_and_an_escape_that_nothing_follows_is_a_key(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    reading = Reading(theirs)
    os.write(ours, b"a\x1b[A")
    reading.until(lambda: reading.keys() == ["a", "up"])
    os.write(ours, b"\x1b")
    reading.until(lambda: reading.keys() == ["a", "up", "escape"])
    reading.end()
    assert reading.error is None


def test_a_character_that_comes_in_two_halves_is_one_key() -> None:
    theirs, ours = os.pipe()
    reading = Reading(theirs)
    for half in ("é".encode()[:1], "é".encode()[1:]):
        os.write(ours, half)
        reading.until(lambda: not select.select([theirs], [], [], 0)[0])
    reading.until(lambda: [key.character for key in reading.taken if isinstance(key, events.Key)] == ["é"])
    reading.end()
    assert reading.error is None
    os.close(theirs)
    os.close(ours)


def test_it_sleeps_while_the_terminal_says_nothing(terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    wait = select.select

    def counted(readers: Any, writers: Any, others: Any, timeout_s: float | None) -> object:
        waits.append(timeout_s)
        return wait(readers, writers, others, timeout_s)

    monkeypatch.setattr("sqlwatch.tui.terminal_input.select.select", counted)
    ours, theirs = terminal
    reading = Reading(theirs)
    os.write(ours, b"x")
    reading.until(lambda: len(waits) == 3)
    reading.end()
    assert [wait is None for wait in waits] == [True, False, True]


def test_bytes_of_no_encoding_are_an_error_after_which_it_can_go_on(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    reading = Reading(theirs)
    os.write(ours, b"\xff")
    reading.thread.join(PATIENCE_S)
    assert isinstance(reading.error, ValueError)
    again = Reading(theirs)
    os.write(ours, b"b")
    again.until(lambda: again.keys() == ["b"])
    again.end()


def test_a_terminal_that_goes_away_is_an_error() -> None:
    ours, theirs = pty.openpty()
    reading = Reading(theirs)
    os.close(ours)
    reading.thread.join(PATIENCE_S)
    assert isinstance(reading.error, OSError)
    os.close(theirs)


def test_the_end_of_a_file_is_waited_out() -> None:
    with Path(os.devnull).open("rb") as nothing:
        reading = Reading(nothing.fileno())
        reading.end()
    assert reading.error is None
    assert reading.taken == []


def test_an_event_rings_until_it_is_cleared() -> None:
    event = RingingEvent()
    for _ in range(2):
        event.set()
        event.set()
        assert os.read(event.fileno(), 1) == b"!"
        event.clear()
        assert not event.is_set()
        with pytest.raises(BlockingIOError):
            os.read(event.fileno(), 1)
