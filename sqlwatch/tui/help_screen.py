"""Keys, and how to read each panel; the keys come from their definitions, so they are the ones that work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, folded
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.keys import GROUPS, Key
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.text_page import TextPage, indented, labelled

Guide = Sequence[tuple[str, str]]
"""A title and a paragraph for each panel; the signs of the glyph set stand in braces."""

_WIDEST: Final = 100
_KEY_WIDTH: Final = 9


class HelpScreen(PageScreen):
    """One page to scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,space,enter", "close", "close the page"),
    ]

    def __init__(self, glyphs: GlyphSet, guide: Guide, keys: Sequence[Key], inks: Inks) -> None:
        super().__init__()
        self._glyphs, self._guide, self._keys = glyphs, guide, keys
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

    def begin_again(self, guide: Guide, inks: Inks) -> None:
        """Show the page from its top, with what the guide says now."""
        self._guide = guide
        self._text.use(inks)
        self._text.scroll_home(animate=False)
        self._text.show(self._laid_out)

    def _laid_out(self, columns: int) -> list[Row]:
        return help_page(self._glyphs, self._guide, self._keys, columns)

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def help_page(glyphs: GlyphSet, guide: Guide, keys: Sequence[Key], columns: int) -> list[Row]:
    """Return the rows of the page: a paragraph for each panel, then the keys by group."""
    rows = folded((Segment("esc or q closes this page, up and down scroll", Ink.MUTED),), columns)
    for title, words in guide:
        rows += [(), *folded((Segment(title, Ink.STRONG),), columns)]
        rows += indented((Segment(words.format(**glyphs.signs)),), columns)
    for group in GROUPS:
        of_group = [key for key in keys if key.group == group]
        if of_group:
            rows += [(), (Segment(f"Keys: {group.lower()}", Ink.STRONG),)]
        for key in of_group:
            rows += labelled(Segment(key.shown, Ink.STRONG), _KEY_WIDTH, (Segment(key.tooltip),), columns)
    return rows
