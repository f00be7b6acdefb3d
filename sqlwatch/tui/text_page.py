"""A long text to scroll: laid out once for a width, and only the lines in sight are made for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sqlwatch.charts.segment import Row, Segment, fitted, folded
from sqlwatch.tui.strips import strips_of

if TYPE_CHECKING:
    from textual import events

    from sqlwatch.tui.inks import Inks

LayOut = Callable[[int], list[Row]]
"""Makes a text for so many columns; none of its rows is wider."""

INDENT: Final = (Segment("  "),)
"""What stands below a title is set off by so much."""
_GAP: Final = 2
"""Cells between a label and what belongs to it."""


class TextPage(ScrollView, can_focus=True):
    """Shows rows of a length that can be read."""

    DEFAULT_CSS = """
    TextPage { background: $background; overflow-x: hidden; scrollbar-gutter: stable; }
    """

    def __init__(self, lay_out: LayOut, inks: Inks, *, most_columns: int) -> None:
        super().__init__()
        self._make, self._inks, self._most_columns = lay_out, inks, most_columns
        self._rows: list[Row] = []

    def show(self, lay_out: LayOut) -> None:
        """Show another text, or the same one with other figures, at the same place."""
        self._make = lay_out
        if self.size.width:
            self._lay_out()

    def use(self, inks: Inks) -> None:
        """Draw with other inks."""
        self._inks = inks
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out for the new width."""
        self._lay_out()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines of the window on the text: no border or padding is there that Textual would have to draw."""
        first = self.scroll_offset.y + crop.y
        rows = self._rows[first : first + crop.height]
        rows += [()] * (crop.height - len(rows))
        width = self.region.width
        lines = strips_of([fitted((*INDENT, *row), width) for row in rows], width, self._inks, self)
        since, until = crop.column_span
        return lines if crop.width == width else [line.crop(since, until) for line in lines]

    def _lay_out(self) -> None:
        room = self.scrollable_content_region.width - len(INDENT[0].text)
        columns = max(min(room, self._most_columns), 1)
        self._rows = self._make(columns)
        self.virtual_size = Size(columns, len(self._rows))
        self.refresh()


def indented(row: Row, width: int) -> list[Row]:
    """Return a text that is set off, in lines of at most `width` cells.

    >>> indented((Segment("all of them wait"),), 13)[1]
    (Segment(text='  ', ink=<Ink.TEXT: 'text'>), Segment(text='wait', ink=<Ink.TEXT: 'text'>))
    """
    return [(*INDENT, *line) for line in folded(row, width - len(INDENT[0].text))]


def labelled(label: Segment, label_width: int, row: Row, width: int) -> list[Row]:
    """Return a text beside its label, set off, in lines of at most `width` cells.

    >>> from sqlwatch.charts.segment import plain
    >>> [plain(line) for line in labelled(Segment("now"), 5, (Segment("idle, it sleeps"),), 15)]
    ['  now    idle,', '         it', '         sleeps']
    """
    head = (*INDENT, Segment(label.text.ljust(label_width + _GAP), label.ink))
    below = (Segment(" " * sum(len(text) for text, _ in head)),)
    lines = folded(row, max(width - len(below[0].text), 1))
    return [(*(below if number else head), *line) for number, line in enumerate(lines)]
