"""The base of all panels: rows are built once per change of data or size, and only changed lines are drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from sqlwatch.charts.segment import Ink, Row, Segment, fitted, plain, whole_parts, width_of
from sqlwatch.tui.strips import strips_of
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events

    from sqlwatch.tui.inks import Inks


_ROW_LABEL: Final = 8
"""Cells for the name of a chart that has a single row, with a blank behind it: they stand below each other."""


class Rows(Widget):
    """A widget that shows rows of segments, which its subclasses `draw` from a View."""

    ALLOW_SELECT = False
    STAYS_LIVE: ClassVar[bool] = False
    """Whether the widget goes on while the display is frozen."""

    def __init__(self, inks: Inks, view: View, *, id: str) -> None:
        super().__init__(id=id)
        self._inks = inks
        self._view = view
        self._rows: list[Row] = []
        self._strips: list[Strip] = []

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return at most `height` rows for a View; each is cut or filled to `width`."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Show another View; a hidden widget keeps it for the time when it is shown again."""
        self._view = view
        if self.display:
            self.rebuild()

    def use(self, inks: Inks) -> None:
        """Draw with other inks."""
        self._inks = inks
        self._rows = []
        self.rebuild()

    def rebuild(self) -> None:
        """Build the rows for the present View and size, and mark the lines that changed."""
        width, height = self.size
        if not width or not height:
            return
        rows = [fitted(row, width) for row in self.draw(self._view, width, height)[:height]]
        rows += [fitted((), width)] * (height - len(rows))
        old = self._rows if len(self._rows) == height else [()] * height
        changed = [index for index in range(height) if rows[index] != old[index]]
        if not changed:
            return
        strips = self._strips if len(self._strips) == height else [Strip.blank(width)] * height
        for index, strip in zip(
            changed, strips_of([rows[index] for index in changed], width, self._inks, self), strict=True
        ):
            strips[index] = strip
        self._rows, self._strips = rows, strips
        if len(changed) * 2 > height:
            self.refresh()
        else:
            self.refresh(*[Region(0, index, width, 1) for index in changed])

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines as they were built: there is no border or padding that Textual would have to put around them."""
        lines = self._strips[crop.y : crop.bottom]
        lines += [Strip.blank(self.size.width, self._inks[Ink.TEXT])] * (crop.height - len(lines))
        first, end = crop.column_span
        return lines if crop.width == self.size.width else [line.crop(first, end) for line in lines]

    def on_resize(self, event: events.Resize) -> None:
        """Build the rows again for the new size."""
        self._rows, self._strips = [], []
        self.rebuild()

    @property
    def text(self) -> str:
        """What the widget shows, without colours."""
        chrome = self._view.glyphs.chrome
        return "\n".join(chrome(plain(row)).rstrip() for row in self._rows)


class Panel(Rows, can_focus=True):
    """Rows under a title line; while the panel has the focus its title line says what it shows."""

    TITLE: ClassVar[str] = ""
    EXPLANATION: ClassVar[str] = ""
    """What it shows; the signs of the glyph set stand in braces."""
    LEAST_TITLED: ClassVar[int] = 4
    """From this height on there is a title line."""

    @property
    def name_in_words(self) -> str:
        """The title as a part of a sentence."""
        return self.TITLE if self.TITLE.isupper() else self.TITLE.lower()

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title line and the body below it."""
        if height < self.LEAST_TITLED:
            return self.body(view, width, height)
        return [self._title_row(view, width), *self.body(view, width, height - 1)]

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the rows below the title."""
        raise NotImplementedError

    def facts(self, view: View) -> list[Row]:
        """Return figures for the title line, the most important first."""
        return []

    @property
    def explanation(self) -> str:
        """What the title line says while the panel has the focus, in clauses, the most important first."""
        return self.EXPLANATION

    def watch_has_focus(self, has_focus: bool) -> None:
        """Put the explanation into the title line, or take it out again."""
        super().watch_has_focus(has_focus)
        self.rebuild()

    def _title_row(self, view: View, width: int) -> Row:
        line = view.glyphs.line
        title = Segment(f"{line} {self.TITLE} ", Ink.STRONG)
        if self.has_focus:
            title = Segment(f"{view.glyphs.cursor} {self.TITLE} ", Ink.RUNG)
            explanation = self.explanation.format(**view.glyphs.signs)
            words: Row = (Segment(shortened(explanation, width - len(title.text) - 3)),)
        else:
            words = whole_parts(self.facts(view), width - len(title.text) - 3)
        rest = width - len(title.text) - width_of(words) - 1
        return (title, *words, Segment(" " if width_of(words) else line, Ink.FAINT), Segment(line * rest, Ink.FAINT))


def row_label(name: str) -> str:
    """Return the name of a chart that has a single row, as wide as all such names are.

    >>> row_label("WAL") + "|", row_label("commits") + "|"
    ('WAL     |', 'commits |')
    """
    return name.ljust(_ROW_LABEL)


def not_yet(name: str, height: int) -> list[Row]:
    """Say that nothing has been measured; with its name where the panel has a single row and so no title."""
    head = row_label(name) if height == 1 else " "
    return [(Segment(f"{head}nothing measured yet", Ink.MUTED),)]


def shortened(text: str, width: int) -> str:
    """Leave out clauses from the end of a text that is too long; cut the first one where even that is.

    >>> shortened("commits a second; marks: the mode changed", 20), shortened("commits a second; marks", 10)
    ('commits a second', 'commits a…')
    """
    while len(text) > width and "; " in text:
        text = text.rpartition("; ")[0]
    return cut(text, width)


def clipped(text: str, width: int) -> str:
    """Cut a text that is longer than `width`, wherever that falls.

    >>> clipped("python3 import.py", 10), clipped("app", 10), clipped("app", 0)
    ('python3 i…', 'app', '')
    """
    return text if len(text) <= width else text[: width - 1] + "…" if width > 0 else ""


def cut(text: str, width: int) -> str:
    """Cut a text after a whole word where it is longer than `width`.

    >>> cut("waiters sleep and look again", 16)
    'waiters sleep…'
    """
    if len(text) <= width:
        return text
    head = text[: max(width - 1, 0)]
    if " " in head and not text[len(head)].isspace():
        head = head.rpartition(" ")[0]
    return head.rstrip(" ,;:") + "…" if width > 0 else ""
