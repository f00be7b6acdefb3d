"""The link to a terminal by itself: what waits, what is asked, what is dropped, and what is left at the end."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import time
import tty
from collections.abc import Iterator

import pytest

from sqlwatch.tui import link as module
from sqlwatch.tui.link import MOST_WAITING, QUESTION, Link, print_patiently

PICTURE = "x" * 4_000


class Ends:
    """Both ends of a pseudo-terminal, and what a link over it has called."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.calls: list[str] = []

    def link(self) -> Link:
        return Link(
            self.slave, asyncio.get_running_loop(), on_free=lambda: self.calls.append("free"),
            on_gone=lambda: self.calls.append("gone"),
        )  # fmt: skip

    def read(self) -> bytes:
        data = b""
        while select.select([self.master], [], [], 0.01)[0]:
            data += os.read(self.master, 1 << 16)
        return data


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    os.close(both.slave)
    os.close(both.master)


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_all_of_it_arrives_in_order_though_nobody_reads_for_a_while(ends: Ends) -> None:
    link = ends.link()
    text = "".join(f"{number:06}" for number in range(30_000))
    began = time.monotonic()
    link.write(text)
    assert time.monotonic() - began < 0.5
    assert link.is_busy
    arrived = b""

    def has_arrived() -> bool:
        nonlocal arrived
        arrived += ends.read()
        return len(arrived) >= len(text)

    await until(has_arrived)
    assert arrived.decode() == text
    await until(lambda: not link.is_busy)
    assert ends.calls == ["free"]
    link.close()


async def test_a_terminal_that_never_answers_is_never_waited_for(ends: Ends) -> None:
    link = ends.link()
    for _ in range(5):
        link.write("a picture")
        link.end_picture()
        assert not link.is_busy
    assert ends.read().count(QUESTION) == 1
    link.close()


async def test_the_next_picture_waits_for_the_answer(ends: Ends) -> None:
    link = ends.link()
    link.end_picture()
    link.hear()
    await until(lambda: ends.calls)
    link.write(PICTURE)
    link.end_picture()
    assert link.is_busy
    assert ends.read().count(QUESTION) == 2
    link.hear()
    await until(lambda: not link.is_busy)
    assert ends.calls == ["free", "free"]
    link.close()


async def test_without_an_answer_it_goes_on_all_the_same_but_ever_more_seldom(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    link = ends.link()
    link.end_picture()
    link.hear()
    await until(lambda: ends.calls)
    took = []
    for number in range(3):
        began = time.monotonic()
        link.end_picture()
        assert link.is_busy
        await until(lambda count=number + 2: len(ends.calls) == count)
        took.append(time.monotonic() - began)
    assert took[0] >= 0.1
    assert took[1] >= 0.2
    assert took[2] >= 0.4
    link.end_picture()
    link.hear()
    await until(lambda: not link.is_busy)
    began = time.monotonic()
    link.end_picture()
    await until(lambda: not link.is_busy)
    assert time.monotonic() - began < 0.4, "an answer has brought its patience back"
    link.close()


async def test_a_key_that_nothing_answers_brings_a_picture(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    link = ends.link()
    link.end_picture()
    link.hear()
    await until(lambda: ends.calls)
    link.end_picture()
    link.hear_key()
    await asyncio.sleep(0)
    assert link.is_busy, "the answer may still come"
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    link.hear_key()
    await until(lambda: not link.is_busy)
    link.close()


async def test_what_a_full_terminal_has_no_room_for_is_bounded(ends: Ends) -> None:
    link = ends.link()
    for _ in range(400):
        link.write(PICTURE)
    assert len(link._waiting) <= MOST_WAITING
    link.close()


async def test_leaving_drops_what_nobody_has_read_and_puts_the_end_in_its_place(ends: Ends) -> None:
    link = ends.link()
    link.write("old " * 100_000)
    assert link.is_busy
    began = time.monotonic()
    link.leave()
    link.write("END")
    link.end_picture()
    link.close()
    assert time.monotonic() - began < 1
    left = ends.read()
    assert left.endswith(b"\x18END")
    assert len(left) < 20_000
    assert QUESTION not in left


async def test_a_closed_terminal_is_told_once(ends: Ends) -> None:
    link = ends.link()
    os.close(ends.master)
    for _ in range(3):
        link.write(PICTURE)
    await until(lambda: ends.calls)
    await asyncio.sleep(0.02)
    assert ends.calls == ["gone"]
    link.leave()
    link.close()
    ends.master, _ = os.pipe()
    os.close(_)


def test_printing_gives_up_on_a_terminal_that_takes_nothing(ends: Ends) -> None:
    began = time.monotonic()
    assert not print_patiently(ends.slave, "x" * 1_000_000, 0.2)
    assert 0.2 <= time.monotonic() - began < 1
    ends.read()
    assert print_patiently(ends.slave, "the summary", 0.2)
    assert ends.read().endswith(b"the summary")
    assert os.get_blocking(ends.slave), "the file that others write is as it was"
