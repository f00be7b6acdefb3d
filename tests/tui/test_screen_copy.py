"""What is sent has the effect of what was to be drawn, on a terminal of its own, and is less."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sqlwatch.tui import screen_copy
from sqlwatch.tui.screen_copy import ScreenCopy

COLUMNS, ROWS = 30, 6
STYLES = ["", "1", "34", "2;33", "7", "38;5;24;48;5;233"]

segments = st.tuples(st.text("ab 1▂⠿é", max_size=12), st.sampled_from(STYLES))
pieces = st.tuples(st.integers(1, ROWS), st.integers(1, COLUMNS - 12), st.lists(segments, max_size=1))
lines = st.tuples(st.integers(1, ROWS), st.just(1), st.lists(segments, min_size=1, max_size=2))
pictures = st.lists(pieces | lines, min_size=1, max_size=6)


def drawn(picture: list[tuple[int, int, list[tuple[str, str]]]]) -> str:
    """A picture as Textual writes it: a move for each piece, every style taken back, the cursor put in its place."""
    parts = []
    for row, column, texts in picture:
        parts.append(f"\x1b[{row};{column}H")
        parts += [f"\x1b[{style}m{text}\x1b[0m" if style else text for text, style in texts]
        parts.append("\n" if row < ROWS else "")
    return "".join(parts) + "\x1b[1;1H"


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(COLUMNS, ROWS)
    return screen, pyte.Stream(screen)


def cells(screen: pyte.Screen) -> list[list[object]]:
    return [[screen.buffer[row][column] for column in range(COLUMNS)] for row in range(ROWS)]


@given(st.lists(pictures, min_size=1, max_size=6))
def test_both_terminals_show_the_same(sequence: list[list[tuple[int, int, list[tuple[str, str]]]]]) -> None:
    plain, as_it_is = terminal()
    copied, by_changes = terminal()
    copy = ScreenCopy()
    for picture in sequence:
        data = drawn(picture)
        as_it_is.feed(data)
        by_changes.feed(copy.changes(data))
        assert cells(copied) == cells(plain)
        assert (copied.cursor.x, copied.cursor.y) == (plain.cursor.x, plain.cursor.y)


@given(st.lists(pictures, min_size=1, max_size=4), st.integers(1, COLUMNS), st.integers(1, ROWS))
def test_pictures_of_a_larger_terminal_are_cut_to_this_one(
    sequence: list[list[tuple[int, int, list[tuple[str, str]]]]], columns: int, rows: int
) -> None:
    plain, as_it_is = terminal()
    small = pyte.Screen(columns, rows)
    by_changes = pyte.Stream(small)
    copy = ScreenCopy((columns, rows))
    for picture in sequence:
        data = drawn(picture)
        as_it_is.feed(data)
        by_changes.feed(copy.changes(data))
        shown = [[small.buffer[row][column] for column in range(columns)] for row in range(rows)]
        assert shown == [line[:columns] for line in cells(plain)[:rows]]


def test_a_wide_character_that_crosses_the_edge_is_left_out() -> None:
    assert ScreenCopy((4, 2)).changes("\x1b[1;1Hab数据c\x1b[2;9Hx\x1b[3;1Hy") == "\x1b[1;1Hab数"
    assert ScreenCopy((3, 2)).changes("\x1b[1;1Hab数据c") == "\x1b[1;1Hab "


def test_a_picture_drawn_again_sends_nothing() -> None:
    copy = ScreenCopy()
    data = drawn([(1, 1, [("commits ", ""), ("120", "1")]), (2, 1, [("reads", "34")])])
    assert copy.changes(data)
    assert copy.changes(data) == ""


def test_wide_characters_and_whatever_is_not_known_is_sent_as_it_is() -> None:
    copy = ScreenCopy()
    wide = drawn([(1, 1, [("漢字 app", "")])])
    assert "漢字 app" in copy.changes(wide)
    assert "漢字 app" in copy.changes(wide)
    cleared = drawn([(2, 1, [("text", "")])])
    copy.changes(cleared)
    assert copy.changes("\x1b[2J") == "\x1b[2J"
    assert "text" in copy.changes(cleared), "it was cleared"
    assert copy.changes("\x1b[?1049h\x1b[?25l") == "\x1b[?1049h\x1b[?25l"
    assert copy.changes("\x1b]52;c;YQ==\x07") == "\x1b]52;c;YQ==\x07"


def test_what_changes_no_cell_makes_nothing_forgotten() -> None:
    copy = ScreenCopy()
    data = drawn([(1, 1, [("text", "")])])
    copy.changes(data)
    assert copy.changes("\x1b[?2026h" + data + "\x1b[?2026l") == "\x1b[?2026h\x1b[?2026l"
    assert copy.changes("\x1b[6n") == "\x1b[6n"
    copy.forget()
    assert "text" in copy.changes(data)


def test_what_is_taken_for_characters_of_one_cell_is_so() -> None:
    single = [char for char in map(chr, range(0x4000)) if screen_copy._SINGLE.fullmatch(char)]
    assert len(single) > 400
    assert {cell_len(char) for char in single} == {1}
