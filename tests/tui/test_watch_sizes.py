"""Any size is drawn whatever the state, and hostile texts stay texts."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.tui.places import Wish
from sqlwatch.tui.watch_columns import cells_for
from sqlwatch.tui.watch_layout import PANELS, plan
from sqlwatch.tui.watch_words import short_path
from tests.tui import observed as states
from tests.tui.conftest import Open, Screen

SIZES = [
    (width, height) for width in (30, 47, 60, 79, 80, 100, 119, 120, 160, 200) for height in (10, 14, 20, 24, 40, 60)
]


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
@pytest.mark.parametrize("state", states.STATES)
async def test_every_state_is_drawn_at_every_size(watched: Open, state: str, glyphs: str) -> None:
    sizes = random.Random(f"{state} {glyphs}").sample(SIZES, 7)
    async with watched(glyphs=glyphs) as screen:
        await screen.send(states.STATES[state]())
        for width, height in [*sizes, (200, 60), (30, 10), (8, 3), (1, 1)]:
            await screen.pilot.resize_terminal(width, height)
            await screen.pilot.pause()
            lines = screen.lines()
            assert width == 1 or any(line.strip() for line in lines), (width, height)
            assert all(line.isprintable() for line in lines), (width, height)
            if glyphs == "ascii" and state != "hostile":
                assert all(line.isascii() for line in lines), (width, height)


@pytest.mark.parametrize("size", [(30, 10), (80, 24), (120, 40)])
async def test_hostile_texts_cannot_break_a_page_of_detail(watched: Open, size: tuple[int, int]) -> None:
    async with watched(*size) as screen:
        await screen.send(states.hostile())
        for keys in (["enter"], ["down", "enter"], ["up", "up", "enter"], ["question_mark"]):
            await screen.press(*keys)
            assert all(line.isprintable() for line in screen.lines())
            await screen.press("pagedown", "end")
            assert all(line.isprintable() for line in screen.lines())
            await screen.press("escape")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16), (40, 12), (40, 10), (30, 10)])
async def test_what_matters_stays_in_view(watched: Open, size: tuple[int, int]) -> None:
    async with watched(*size) as screen:
        await screen.send(states.idle_writer())
        assert "CRITICAL" in screen.text("findings")
        assert ("end process 48211" if size[0] > 30 else "Now: end") in screen.text("findings")
        assert "48211" in screen.text("locks")
        assert "18s" in screen.text("locks")
        assert "48211" in screen.text("processes")
        assert "python3" in screen.text("headline")
        assert "q Quit" in screen.lines()[-1]


async def test_errors_of_a_log_have_a_place_where_rows_are_few(watched: Open) -> None:
    def shown(screen: Screen) -> list[str]:
        return [name for name in ("wal", "commits", "busy") if screen.app.query_one(f"#{name}").display]

    logged = states.idle_writer()
    assert logged.observation is not None
    without = msgspec.structs.replace(logged.observation, busy=None)
    async with watched(80, 24) as screen:
        await screen.send(msgspec.structs.replace(logged, observation=without))
        assert "no --log" in screen.text("header")
        assert shown(screen) == ["wal", "commits"]
        await screen.send(logged)
        assert shown(screen) == ["wal", "busy"]
        assert "so far" in screen.text("busy")
        assert "database is locked" in screen.text("busy")
        await screen.press("5")
        assert shown(screen) == ["commits", "busy"]
        await screen.press("5", "7")
        assert shown(screen) == ["wal"]


async def test_resizing_keeps_everything_in_view(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        for width, height in ((80, 24), (40, 12), (200, 50)):
            await screen.pilot.resize_terminal(width, height)
            await screen.pilot.pause()
            assert "q Quit" in screen.lines()[-1]
            assert "sqlwatch watch" in screen.lines()[0]


async def test_a_panel_that_finds_room_again_shows_what_the_others_show(watched: Open) -> None:
    async with watched(40, 10) as screen:
        await screen.send(states.healthy())
        await screen.press("space")
        await screen.pilot.resize_terminal(120, 40)
        await screen.pilot.pause()
        assert "180/s" in screen.text("commits")
        assert "none so far" in screen.text("busy")


async def test_many_processes_scroll(watched: Open) -> None:
    async with watched(80, 24) as screen:
        await screen.send(states.healthy(60))
        assert "1-3/62" in screen.text("processes")
        await screen.press(*["down"] * 70)
        assert "60-62/62" in screen.text("processes")
        assert "+" in screen.text("timeline")
        assert "more" in screen.text("timeline")


@given(st.integers(1, 300), st.integers(1, 120))
def test_no_two_panels_overlap_and_none_leaves_the_screen(width: int, height: int) -> None:
    places = plan(width, height, Wish(PANELS))
    taken: set[tuple[int, int]] = set()
    for place in places.values():
        assert place.width >= 1
        assert place.height >= 1
        cells = {(x, y) for x in (place.x, place.x + place.width - 1) for y in range(place.y, place.y + place.height)}
        assert all(0 <= x < width and 0 <= y < height for x, y in cells)
        assert not cells & taken
        taken |= cells
    if height >= 10:
        assert {"header", "headline", "findings", "locks", "wal", "processes", "footer"} <= set(places)
    if height >= 12:
        assert "timeline" in places


@given(st.integers(1, 300), st.integers(20, 120))
def test_from_twenty_rows_on_every_row_is_used(width: int, height: int) -> None:
    places = plan(width, height, Wish(PANELS))
    used = {y for place in places.values() for y in range(place.y, place.y + place.height)}
    assert used == set(range(height))


@given(st.integers(1, 300))
def test_columns_fit_and_are_never_narrower_than_they_need(width: int) -> None:
    cells = cells_for(width)
    assert [cell.column.heading for cell in cells][:2] == ["pid", "command"]
    assert all(cell.width >= cell.column.width for cell in cells)
    if width >= 24:
        assert sum(cell.width + 1 for cell in cells) == width


@given(st.text(), st.integers(0, 80))
def test_a_short_path_fits(path: str, width: int) -> None:
    assert len(short_path(path, width)) <= width
    assert short_path(path, width).isprintable()
