"""Keys, and how to read each panel; the keys come from their definitions, so they are the ones that work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.tui.keys import GROUPS, Key
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.text_page import TextPage

Guide = Sequence[tuple[str, str]]
"""A title and a paragraph for each panel; the signs of the glyph set stand in braces."""

_WIDEST: Final = 100


class HelpScreen(PageScreen):
    """One page to scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,space,enter", "close", "close the page"),
    ]
    CSS = """
    HelpScreen { background: $background; }
    """

    def __init__(self, glyphs: GlyphSet, guide: Guide, keys: Sequence[Key]) -> None:
        super().__init__()
        self._page = help_page(glyphs, guide, keys)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield TextPage(self._page, most_columns=_WIDEST)

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(TextPage).focus()

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def help_page(glyphs: GlyphSet, guide: Guide, keys: Sequence[Key]) -> Group:
    """Return the page: a paragraph for each panel, then the keys by group."""
    parts: list[Text | Table | Padding] = [Text("esc or q closes this page, up and down scroll", style="dim")]
    for title, words in guide:
        parts += [Text(f"\n{title}", style="bold"), Padding(Text(words.format(**glyphs.signs)), (0, 0, 0, 2))]
    for group in GROUPS:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=9, no_wrap=True)
        for key in (key for key in keys if key.group == group):
            table.add_row(Text(key.shown, style="bold"), Text(key.tooltip))
        if not table.row_count:
            continue
        parts += [Text(f"\nKeys: {group.lower()}", style="bold"), Padding(table, (0, 0, 0, 2))]
    return Group(*parts)
