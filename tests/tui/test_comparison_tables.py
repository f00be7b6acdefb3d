"""The comparison's tables of rounds and sweeps, on the page as the screen shows it."""

from __future__ import annotations

import msgspec
import pytest

from simulators.scenario import Sweep
from simulators.transactions import Transaction
from sqlwatch.charts.glyphs import BRAILLE
from sqlwatch.charts.segment import plain
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.metrics.positions import Positions, RoundStory
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.comparison_page import comparison_page
from sqlwatch.tui.detail_screen import Page
from sqlwatch.tui.view import View
from tests.tui.lessons import LESSON, last_snapshot


def rounds() -> Positions:
    told = RoundStory()
    for number in range(1, 31):
        for place in range(8):
            got_ns = number * 1_000_000 + 10 * place + 5
            told.add((place + number) % 8, [Transaction(1, number * 1_000_000, got_ns - 5, got_ns, 0, 0, 0, 0)])
    return told.freeze(range(8), is_over=True)


def with_rounds(snapshot: Snapshot) -> Snapshot:
    run = snapshot.lesson
    assert run is not None
    ended = tuple(tuple(msgspec.structs.replace(one, positions=rounds()) for one in phases) for phases in run.ended)
    return msgspec.structs.replace(snapshot, lesson=msgspec.structs.replace(run, ended=ended))


def lines_of(page: Page) -> dict[str, list[str]]:
    return {section.title: [plain(line.text) for line in section.lines] for section in page}


@pytest.mark.parametrize("columns", [80, 120])
def test_rounds_and_sweeps_stand_on_the_page(columns: int) -> None:
    swept = Sweep("modes", ("contended", "single-writer"), (1.0, 2.0))
    lesson = Lesson(msgspec.structs.replace(LESSON, sweeps=(swept,)), ())
    view = View(BRAILLE, with_rounds(last_snapshot()), lesson=lesson)
    sections = lines_of(comparison_page(lambda: columns)(view))
    table = sections["contended: how often each writer got the lock as the first, the second, ..."]
    assert table[0].split()[:3] == ["writer", "1st", "2nd"]
    assert [line.split()[0] for line in table[1:9]] == [str(worker) for worker in range(8)]
    assert len({len(line.rstrip()) for line in table[:9]}) == 1, "the columns stand below each other"
    assert max(map(len, table[:11])) <= columns - 8
    assert any("30 rounds of 8 writers" in line for line in table)
    modes = sections["modes: how much faster than contended"]
    assert modes[0].split()[:3] == ["phase", "commits/s", "speed-up"]
    assert "2.00x" in modes[2]
