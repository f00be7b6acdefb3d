"""A page of detail that follows the Snapshots: sections of labels and texts, to scroll and to copy from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from sqlwatch.charts.segment import Ink, Row, Segment, plain
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.text_page import TextPage
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events

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
    CSS = "DetailScreen { background: $background; }"

    def __init__(
        self, page: Callable[[View], Page], view: View, inks: Inks,
        step: Callable[[int], Callable[[View], Page] | None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._make = page
        self._step = step
        self._view = view
        self._inks = inks
        self._page: Page = page(view)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield TextPage(self._rendered(), most_columns=_WIDEST)

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(TextPage).focus()

    def show(self, view: View) -> None:
        """Follow to another View; nothing is drawn where nothing changed."""
        page = self._make(view)
        if (page, view.frozen) != (self._page, self._view.frozen) and self.is_mounted:
            self._page, self._view = page, view
            self._update()

    def on_resize(self, event: events.Resize) -> None:
        """Draw the charts for the new width."""
        self._update()

    def _update(self) -> None:
        self.query_one(TextPage).show(self._rendered())

    def _rendered(self) -> Group:
        return rendered(self._page, self._inks, self._chart_width, self._hint)

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
            self._update()
            self.query_one(TextPage).scroll_home(animate=False)

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def rendered(page: Page, inks: Inks, width: int, hint: str) -> Group:
    """Return a page as Rich draws it, its charts `width` cells wide."""
    parts: list[Text | Table | Padding] = [Text(hint, style="dim")]
    for section in page:
        parts.append(Text(f"\n{section.title}", style=inks[section.ink]))
        table = Table.grid(padding=(0, 2, 0, 0))
        labels = [line.label for line in section.lines]
        table.add_column(width=max(map(len, labels), default=0) or None, no_wrap=True)
        table.add_column()
        for label, row in section.lines:
            text = Text.assemble(*((part, inks[ink]) for part, ink in row))
            if any(labels):
                table.add_row(Text(label, style=inks[Ink.MUTED]), text)
            else:
                parts.append(Padding(text, (0, 0, 0, 2)))
        if any(labels):
            parts.append(Padding(table, (0, 0, 0, 2)))
        if section.chart is not None:
            for row in section.chart.draw(section.chart.data, max(width, 1)):
                text = Text.assemble(*((part, inks[ink]) for part, ink in row))
                parts.append(Padding(text, (0, 0, 0, 2)))
    return Group(*parts)


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
