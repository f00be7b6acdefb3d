"""A page of detail that follows the Snapshots: sections of labels and texts, to scroll and to copy from."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.view import View


class Line(NamedTuple):
    """A label and what belongs to it; without a label the text takes the whole width."""

    label: str
    text: Row


class Section(NamedTuple):
    """Lines under a title."""

    title: str
    ink: Ink
    lines: tuple[Line, ...]


Page = tuple[Section, ...]


class DetailScreen(ModalScreen[None]):
    """Shows what `page` makes of the View."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close"),
        Binding("space", "app.freeze", "freeze"),
        Binding("question_mark,f1", "app.help", "help"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    CSS = """
    DetailScreen { background: $background; }
    DetailScreen VerticalScroll { padding: 0 2; background: $background; }
    DetailScreen Static { max-width: 120; }
    """

    def __init__(self, page: Callable[[View], Page], view: View, inks: Inks) -> None:
        super().__init__()
        self._make = page
        self._view = view
        self._inks = inks
        self._page: Page = page(view)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with VerticalScroll():
            yield Static(rendered(self._page, self._inks, self._view), id="detail")

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(VerticalScroll).focus()

    def show(self, view: View) -> None:
        """Follow to another View; nothing is drawn where nothing changed."""
        page = self._make(view)
        if (page, view.frozen) != (self._page, self._view.frozen) and self.is_mounted:
            self._page, self._view = page, view
            self.query_one("#detail", Static).update(rendered(page, self._inks, view))

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def rendered(page: Page, inks: Inks, view: View) -> Group:
    """Return a page as Rich draws it."""
    chrome = view.glyphs.chrome
    hint = "esc goes back, up and down scroll" + ("; FROZEN, space goes on" if view.frozen else "")
    parts: list[Text | Table | Padding] = [Text(hint, style="dim")]
    for section in page:
        parts.append(Text(chrome(f"\n{section.title}"), style=inks[section.ink]))
        table = Table.grid(padding=(0, 2, 0, 0))
        labels = [line.label for line in section.lines]
        table.add_column(width=max(map(len, labels), default=0) or None, no_wrap=True)
        table.add_column()
        for label, row in section.lines:
            text = Text.assemble(*((chrome(part), inks[ink]) for part, ink in row))
            if any(labels):
                table.add_row(Text(chrome(label), style=inks[Ink.MUTED]), text)
            else:
                parts.append(Padding(text, (0, 0, 0, 2)))
        if any(labels):
            parts.append(Padding(table, (0, 0, 0, 2)))
    return Group(*parts)


def line(label: str, text: str, ink: Ink = Ink.TEXT) -> Line:
    """Return a line of one text."""
    return Line(label, (Segment(text, ink),))
