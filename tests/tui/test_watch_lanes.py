"""Lanes: what was seen is drawn, what was not seen is blank, and holding is told from waiting without colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.charts.glyphs import ASCII, BLOCK, BRAILLE, GLYPH_SETS, GlyphSet
from sqlwatch.charts.lanes import Axis, Cells, Lane, columns_of, lane_cells, lane_rows
from sqlwatch.charts.segment import plain, width_of
from sqlwatch.metrics.lane_columns import UNKNOWN, Column

SECOND = 1_000_000_000
WINDOW_NS = 30 * SECOND
shares = st.floats(0, 1)
columns = st.builds(
    Column, held=shares, asleep=shares, queued=shares, reading=shares, is_known=st.booleans(), is_exact=st.booleans(),
    looked=st.booleans(), failed=st.booleans(),
)  # fmt: skip
lanes = st.builds(
    Lane, st.text("ab \u2502", max_size=40), st.lists(columns, max_size=320), st.sampled_from(["", "100%", " 9.9%"]),
    selected=st.one_of(st.none(), st.builds(range, st.integers(-5, 300), st.integers(0, 300))),
)  # fmt: skip


@given(
    st.lists(lanes, max_size=8), st.integers(0, 200), st.integers(0, 12), st.sampled_from(list(GLYPH_SETS)),
    st.integers(0, 40 * SECOND), st.integers(0, 20),
)  # fmt: skip
def test_rows_have_exactly_the_size_asked_for(
    chosen: list[Lane], width: int, height: int, name: str, ago_ns: int, hidden: int
) -> None:
    rows = lane_rows(chosen, Axis(SECOND, ago_ns), width, height, GLYPH_SETS[name], hidden)
    assert len(rows) == height
    assert all(width_of(row) == width for row in rows)


def text(
    held: list[float | None], waiting: list[bool], width: int = 4, glyphs: GlyphSet = ASCII, cells: Cells | None = None
) -> str:
    cells = cells or Cells(WINDOW_NS // width // glyphs.columns, len(held))
    return plain(lane_cells(Lane("", columns_of(held, waiting, cells, width * glyphs.columns, WINDOW_NS)), glyphs))


def test_holding_waiting_nothing_and_not_seen_are_four_different_things() -> None:
    assert text([None, 0.0, 0.0, 1.0], [False, False, True, False]) == " .~#"


def test_a_share_is_never_invisible_and_holding_wins_over_waiting() -> None:
    assert text([0.001, 0.5, 1.0], [True, True, True], 3) == ":=#"


def test_each_state_has_a_glyph_of_its_own_in_every_set() -> None:
    states = [
        Column(), Column(held=1.0), Column(held=1.0, is_exact=False), Column(asleep=1.0), Column(queued=1.0),
        Column(asleep=1.0, looked=True), Column(failed=True), Column(reading=1.0), Column(checkpointing=1.0),
        Column(queued=0.3), Column(held=0.01), Column(held=0.5), Column(is_known=False),
    ]  # fmt: skip
    for glyphs in GLYPH_SETS.values():
        drawn = [plain(lane_cells(Lane("", [state] * glyphs.columns), glyphs)) for state in states]
        assert len(set(drawn)) == len(states), drawn


@pytest.mark.parametrize("glyphs", GLYPH_SETS.values(), ids=GLYPH_SETS)
@pytest.mark.parametrize("state", ["asleep", "queued", "reading"])
def test_a_cell_that_is_idle_for_most_of_its_time_does_not_look_full_of_the_rest(glyphs: GlyphSet, state: str) -> None:
    full = {"asleep": glyphs.waiting, "queued": glyphs.queued, "reading": glyphs.reading}[state]
    part: str = getattr(glyphs, f"partly_{state}")
    for share, drawn in ((0.1, glyphs.idle), (0.28, part), (0.45, part), (0.55, full), (1.0, full)):
        column = Column(**{state: share})
        assert plain(lane_cells(Lane("", [column] * glyphs.columns), glyphs)) == drawn, share
    whole = Column(**{state: 1.0})
    assert plain(lane_cells(Lane("", [whole, *[UNKNOWN] * (glyphs.columns - 1)]), glyphs)) == full, "as far as known"


def test_in_ascii_a_lighter_sign_still_says_which_wait_it_is() -> None:
    states = [Column(**{state: share}) for state in ("asleep", "queued", "reading") for share in (0.3, 1.0)]
    assert plain(lane_cells(Lane("", states), ASCII)) == ",~'-\"o"


def test_an_error_or_a_hold_however_short_shows_in_a_cell_that_is_mostly_idle() -> None:
    assert plain(lane_cells(Lane("", [Column(queued=0.3, failed=True)]), BLOCK)) == BLOCK.error
    assert plain(lane_cells(Lane("", [Column(held=0.02, queued=0.3)]), BLOCK)) == "▁"


def test_in_ascii_any_hold_is_heavier_than_idle() -> None:
    assert ASCII.idle == "."
    assert text([0.001, 0.5, 1.0], [False] * 3, 3) == ASCII.hold_signs == ":=#"


def test_columns_join_the_same_cells_while_time_goes_on() -> None:
    period_ns = WINDOW_NS // 8
    held: list[float | None] = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    nothing = [False] * 9
    assert text(held, nothing, 4, BLOCK, Cells(period_ns, 8)) == "▄▄·█"
    assert text([*held, 0.0], nothing, 4, BLOCK, Cells(period_ns, 9)) == "▄·█·"


def test_a_short_window_gives_a_cell_more_than_one_column() -> None:
    assert text([1.0, 0.0], [False, False], 4, BLOCK, Cells(WINDOW_NS // 2, 2)) == "██··"


def test_braille_shows_two_columns_a_cell() -> None:
    assert text([0.0, 1.0, 1.0, 0.0], [True] * 4, 2, BRAILLE) == "⢸⡇"


def test_the_event_under_the_cursor_is_marked_on_the_axis() -> None:
    lane = Lane("w1", [Column(asleep=1.0)] * 40, selected=range(10, 15))
    rows = [plain(row) for row in lane_rows([lane], Axis(SECOND), 47, 2, ASCII)]
    assert rows[1][7 + 10 : 7 + 15] == "+---+"
