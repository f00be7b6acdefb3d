"""Rows of segments as the lines that Textual shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.segment import Segment as RichSegment
from textual.filter import ANSIToTruecolor
from textual.strip import Strip

from sqlwatch.charts.segment import Row

if TYPE_CHECKING:
    from textual.widget import Widget

    from sqlwatch.tui.inks import Inks


def strips_of(rows: Iterable[Row], width: int, inks: Inks, widget: Widget) -> list[Strip]:
    """Return rows of exactly `width` cells as lines of a widget, through the filters of its app."""
    # Inks have either the terminal's own colours or true ones: there are none to translate.
    filters = [one for one in widget.get_line_filters() if not isinstance(one, ANSIToTruecolor)]
    background = widget.background_colors[1] if filters else None
    strips = []
    for row in rows:
        strip = Strip([RichSegment(text, inks[ink]) for text, ink in row], width)
        if background is not None:
            for one in filters:
                strip = strip.apply_filter(one, background)
        strips.append(strip)
    return strips
