"""Lanes: what was seen is drawn, what was not seen is blank, and holding is told from waiting without colour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.charts.glyphs import ASCII, BLOCK, BRAILLE, GLYPH_SETS
from sqlwatch.charts.lanes import LEAST_WINDOW_NS, Cells, Lane, lane_cells, lane_rows
from sqlwatch.charts.segment import plain, width_of

CELL_NS = 200_000_000
shares = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def lanes(draw: st.DrawFn) -> Lane:
    held = draw(st.lists(shares, max_size=320))
    waiting = draw(st.lists(st.booleans(), min_size=len(held), max_size=len(held)))
    return Lane(draw(st.text("ab \u2502", max_size=40)), held, waiting, draw(st.sampled_from(["", "100%", " 9.9%"])))


@given(st.lists(lanes(), max_size=8), st.integers(0, 200), st.integers(0, 12), st.sampled_from(list(GLYPH_SETS)))
def test_rows_have_exactly_the_size_asked_for(chosen: list[Lane], width: int, height: int, name: str) -> None:
    rows = lane_rows(chosen, Cells(CELL_NS, 12_345), width, height, GLYPH_SETS[name])
    assert len(rows) == height
    assert all(width_of(row) == width for row in rows)


def text(held: list[float | None], waiting: list[bool], width: int = 4, *, end: int = 0) -> str:
    cells = Cells(LEAST_WINDOW_NS, end)
    return plain(lane_cells(Lane("", held, waiting), cells, width, ASCII))


def test_holding_waiting_nothing_and_not_seen_are_four_different_things() -> None:
    assert text([None, 0.0, 0.0, 1.0], [False, False, True, False]) == " _~#"


def test_a_share_is_never_invisible_and_holding_wins_over_waiting() -> None:
    assert text([0.001, 0.5, 1.0], [True, True, True], 3) == ".:#"


def test_columns_join_the_same_cells_while_time_goes_on() -> None:
    cells = Cells(LEAST_WINDOW_NS // 8, 0)
    held: list[float | None] = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    for number in range(8):
        moved = Cells(cells.period_ns, number + 8)
        drawn = plain(lane_cells(Lane("", held, [False] * 8), moved, 4, BLOCK))
        held.append(0.0)
        if number % 2 == 0:
            assert drawn.replace("·", " ").strip() != "", drawn
    assert plain(lane_cells(Lane("", held[:8], [False] * 8), Cells(cells.period_ns, 8), 4, BLOCK)) == "▄▄·█"
    assert plain(lane_cells(Lane("", held[:9], [False] * 9), Cells(cells.period_ns, 9), 4, BLOCK)) == "▄·█·"


def test_braille_shows_two_columns_a_cell() -> None:
    drawn = plain(lane_cells(Lane("", [0.0, 1.0, 1.0, 0.0], [True] * 4), Cells(LEAST_WINDOW_NS, 4), 2, BRAILLE))
    assert drawn == "⢸⡇"
