"""A page of detail that follows the Snapshots: sections of labels and texts, to scroll and to copy from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from sqlwatch.charts.segment import Ink, Row, Segment, folded, plain
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.text_page import TextPage, indented, labelled
from sqlwatch.tui.view import View

_MARGIN: Final = 8
"""Columns beside a chart: the padding of the page and of its sections, and the scroll bar."""
_WIDEST: Final = 120


class Line(NamedTuple):
    """A label and what belongs to it; without a label the text takes the whole width."""

    label: str
    text: Row


class Chart(NamedTuple):
    """What `draw` makes of its data and a width; two charts of the same data are the same."""

    draw: Callable[[Any, int], list[Row]]
    data: Any


class Section(NamedTuple):
    """Lines under a title, and a chart below them."""

    title: str
    ink: Ink
    lines: tuple[Line, ...]
    chart: Chart | None = None


Page = tuple[Section, ...]


class DetailScreen(PageScreen):
    """Shows what `page` makes of the View; `step` gives the page of the item so many steps further in its list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close the page"),
        Binding("left", "step(-1)", "the neighbour before"),
        Binding("right", "step(1)", "the next neighbour"),
        Binding("space", "app.freeze", "freeze the display"),
        Binding("e", "app.export", "export what is on screen"),
        Binding("y", "app.copy", "copy to the clipboard"),
        Binding("question_mark,f1", "app.help", "help"),
    ]

    def __init__(
        self, page: Callable[[View], Page], view: View, inks: Inks,
        step: Callable[[int], Callable[[View], Page] | None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._make = page
        self._step = step
        self._view = view
        self._page: Page = page(view)
        self._text = TextPage(self._laid_out, inks, most_columns=_WIDEST)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield self._text

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self._text.focus()

    def use(self, inks: Inks) -> None:
        """Draw with other inks."""
        self._text.use(inks)

    def show(self, view: View) -> None:
        """Follow to another View; nothing is drawn where nothing changed."""
        page = self._make(view)
        if (page, view.frozen) != (self._page, self._view.frozen) and self.is_mounted:
            self._page, self._view = page, view
            self._text.show(self._laid_out)

    def _laid_out(self, columns: int) -> list[Row]:
        return laid_out(self._page, columns, self._chart_width, self._hint)

    @property
    def _chart_width(self) -> int:
        return min(self.app.size.width, _WIDEST) - _MARGIN

    @property
    def text(self) -> str:
        """The whole page, without colours."""
        return plain_text(self._page, self._view, self._chart_width)

    @property
    def _hint(self) -> str:
        words = "esc goes back, up and down scroll"
        if self._step is not None:
            words += ", left and right show its neighbours"
        return words + ("; FROZEN, space goes on" if self._view.frozen else "")

    def action_step(self, steps: int) -> None:
        """Show another item of the list."""
        page = self._step(steps) if self._step is not None else None
        if page is not None:
            self._make = page
            self._page = page(self._view)
            self._text.show(self._laid_out)
            self._text.scroll_home(animate=False)

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def laid_out(page: Page, columns: int, chart_width: int, hint: str) -> list[Row]:
    """Return the rows of a page that is `columns` cells wide, its charts `chart_width`."""
    rows = folded((Segment(hint, Ink.MUTED),), columns)
    for section in page:
        rows += [(), *folded((Segment(section.title, section.ink),), columns)]
        label_width = max((len(line.label) for line in section.lines), default=0)
        for label, row in section.lines:
            if label_width:
                rows += labelled(Segment(label, Ink.MUTED), label_width, row, columns)
            else:
                rows += indented(row, columns)
        if section.chart is not None:
            for row in section.chart.draw(section.chart.data, max(chart_width, 1)):
                rows += indented(row, columns)
    return rows


def plain_text(page: Page, view: View, width: int) -> str:
    """Return a page as plain text, its charts `width` cells wide."""
    blocks = []
    for section in page:
        label_width = max((len(line.label) for line in section.lines), default=0)
        lines = [section.title]
        for label, row in section.lines:
            margin = f"{label:<{label_width}}  " if label_width else ""
            lines.append(f"  {margin}{plain(row)}".rstrip())
        if section.chart is not None:
            lines += [f"  {plain(row)}".rstrip() for row in section.chart.draw(section.chart.data, max(width, 1))]
        blocks.append("\n".join(lines))
    return view.glyphs.chrome("\n\n".join(blocks))


def line(label: str, text: str, ink: Ink = Ink.TEXT) -> Line:
    """Return a line of one text."""
    return Line(label, (Segment(text, ink),))
