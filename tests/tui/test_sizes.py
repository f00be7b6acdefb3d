"""Any size is drawn, nothing is cut mid-word where avoidable, and hostile texts stay texts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Mode
from sqlwatch.tui.layout import PANELS, plan
from sqlwatch.tui.places import FRAME, Wish
from sqlwatch.tui.text import clean, wrapped
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot, make_workers

HOSTILE = "a\x1b[31mb\x07\u202ec\n[bold]d[/bold] \U0001f600 数据 e\u0301 %s {x} " + "x" * 300


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
@pytest.mark.parametrize(
    "size",
    [(200, 50), (120, 40), (120, 10), (100, 60), (80, 24), (80, 12), (60, 40), (40, 12), (40, 10), (20, 6), (8, 3)],
)
async def test_every_size_is_drawn(opened: Open, size: tuple[int, int], glyphs: str) -> None:
    async with opened(*size, glyphs=glyphs) as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        lines = screen.lines()
        assert any(line.strip() for line in lines)
        if glyphs == "ascii":
            assert all(line.isascii() for line in lines)


async def test_small_screens_show_one_row_charts_and_the_table(opened: Open) -> None:
    async with opened(40, 12) as screen:
        await screen.send(make_snapshot(starving=1))
        for name, words in (("waits", "waits"), ("throughput", "275/s"), ("wal", "3.9MiB")):
            assert len(screen.text(name).splitlines()) == 1
            assert words in screen.text(name)
        assert "STARVED" in screen.text("workers")


async def test_resizing_keeps_everything_in_view(opened: Open) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot())
        for width, height in ((80, 24), (40, 12), (200, 50)):
            await screen.pilot.resize_terminal(width, height)
            await screen.pilot.pause()
            assert "q Quit" in screen.lines()[-1]
            assert "CONTENDED" in screen.lines()[0]
            expected = plan(width, height, 18, screen.app._wish)
            assert len(screen.text("waits").splitlines()) == expected["waits"].height


async def test_hostile_texts_cannot_break_the_screen(opened: Open) -> None:
    workers = tuple(
        msgspec.structs.replace(worker, exit=f"exit 1: {HOSTILE}") if worker.id == 3 else worker
        for worker in make_workers(20, Mode.CONTENDED, 16, 2)
    )
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot(workload=HOSTILE, message=HOSTILE, workers=workers))
        for line in screen.lines():
            assert line.isprintable()
        await screen.press("K", "escape", "question_mark", "escape")


async def test_many_workers_scroll(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot(writers=64, readers=64))
        await screen.press(*["down"] * 100)
        assert "▸101 reader" in screen.text("workers")


WISHES = st.builds(
    Wish,
    st.lists(st.sampled_from(PANELS), unique=True),
    st.lists(st.sampled_from(PANELS), unique=True),
    st.none() | st.sampled_from(PANELS),
)


@given(st.integers(1, 300), st.integers(1, 120), st.integers(0, 128), WISHES)
def test_no_two_panels_overlap_and_none_leaves_the_screen(width: int, height: int, workers: int, wish: Wish) -> None:
    places = plan(width, height, workers, wish)
    taken: set[tuple[int, int]] = set()
    for place in places.values():
        assert place.width >= 1
        assert place.height >= 1
        cells = {(x, y) for x in (place.x, place.x + place.width - 1) for y in range(place.y, place.y + place.height)}
        assert all(0 <= x < width and 0 <= y < height for x, y in cells)
        assert not cells & taken
        taken |= cells
    assert set(places) <= {*FRAME, *wish.panels, wish.alone}
    if height >= 10:
        assert set(places) >= set(FRAME)


@given(st.integers(1, 300), st.integers(10, 120), st.integers(0, 128))
def test_what_matters_has_a_place_from_ten_rows_on(width: int, height: int, workers: int) -> None:
    places = plan(width, height, workers, Wish(PANELS))
    assert {"waits", "throughput", "workers"} <= set(places)
    assert places["workers"].height >= 3


@given(st.integers(1, 300), st.integers(20, 120), st.sampled_from(PANELS))
def test_a_panel_that_is_asked_for_has_a_place(width: int, height: int, asked: str) -> None:
    assert asked in plan(width, height, 16, Wish(PANELS, [asked]))


@given(st.text())
def test_clean_texts_have_one_cell_a_character(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned


@given(st.text(st.sampled_from("ab \n"), max_size=80), st.integers(1, 30), st.integers(0, 4))
def test_wrapped_lines_fit(text: str, width: int, height: int) -> None:
    lines = wrapped(text, width, height)
    assert len(lines) <= height
    assert all(0 < len(line) <= width for line in lines)
    if lines and "…" not in lines[-1]:
        assert "".join("".join(lines).split()) == "".join(text.split())
