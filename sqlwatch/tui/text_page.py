"""A long text to scroll: laid out once for a width, and only the lines in sight are drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class TextPage(ScrollView, can_focus=True):
    """Shows what Rich lays out, in lines of a length that can be read."""

    DEFAULT_CSS = "TextPage { padding: 0 2; scrollbar-gutter: stable; }"
    MOST_COLUMNS: ClassVar[int] = 100

    def __init__(self, page: Group) -> None:
        super().__init__()
        self._page = page
        self._lines: list[Strip] = []
        self._columns = 0

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out again if it is another width now."""
        columns = max(min(self.scrollable_content_region.width, self.MOST_COLUMNS), 1)
        if columns != self._columns:
            self._columns = columns
            options = self.app.console.options.update(width=columns, height=None)
            self._lines = [Strip(line) for line in self.app.console.render_lines(self._page, options, pad=False)]
            self.virtual_size = Size(columns, len(self._lines))

    def render_line(self, y: int) -> Strip:
        """Return a line of the window on the text."""
        number = y + self.scroll_offset.y
        strip = self._lines[number] if number < len(self._lines) else Strip.blank(0)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)
