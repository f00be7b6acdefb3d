"""A long text to scroll: laid out once for a width, and only the lines in sight are drawn."""

from __future__ import annotations

from rich.console import Group
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class TextPage(ScrollView, can_focus=True):
    """Shows what Rich lays out, in lines of a length that can be read."""

    DEFAULT_CSS = """
    TextPage { padding: 0 0 0 2; background: $background; overflow-x: hidden; scrollbar-gutter: stable; }
    """

    def __init__(self, page: Group, *, most_columns: int) -> None:
        super().__init__()
        self._page, self._most_columns = page, most_columns
        self._lines: list[Strip] = []
        self._columns = 0

    def show(self, page: Group) -> None:
        """Show another text, or the same one with other figures, at the same place."""
        self._page = page
        if self.size.width:
            self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out again if it is another width now."""
        if self._room != self._columns:
            self._lay_out()

    def render_line(self, y: int) -> Strip:
        """Return a line of the window on the text."""
        number = y + self.scroll_offset.y
        strip = self._lines[number] if number < len(self._lines) else Strip.blank(0)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    @property
    def _room(self) -> int:
        return max(min(self.scrollable_content_region.width, self._most_columns), 1)

    def _lay_out(self) -> None:
        self._columns = self._room
        options = self.app.console.options.update(width=self._columns, height=None)
        self._lines = [Strip(line) for line in self.app.console.render_lines(self._page, options, pad=False)]
        self.virtual_size = Size(self._columns, len(self._lines))
        self.refresh()
