"""Horizontal bars."""

from __future__ import annotations

from collections.abc import Sequence

from sqlwatch.charts import units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, fitted


def bar_rows(
    values: Sequence[tuple[str, float | None, Ink]], width: int, height: int, glyphs: GlyphSet, *, limit: float = 1.0
) -> list[Row]:
    """Draw one bar a row for (label, value, ink), from 0 to `limit`; `height` rows of exactly `width` cells.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> for row in bar_rows([("held", 0.5, Ink.SERIES), ("idle", None, Ink.SERIES)], 16, 2, ASCII):
    ...     print(plain(row) + "|")
    held ===     50%|
    idle           -|
    """
    name_width = min(max((len(label) for label, _, _ in values), default=0), width)
    room = width - name_width - units.SHARE_WIDTH - 1
    rows = []
    for label, value, ink in values[:height]:
        bar = glyphs.bar((value or 0) / limit if limit > 0 else 0, room) if room > 0 else ""
        figure = glyphs.chrome(units.share(value)).rjust(units.SHARE_WIDTH)
        rows.append(fitted((Segment(f"{label:<{name_width}} ", Ink.MUTED), Segment(bar, ink), Segment(figure)), width))
    return rows + [fitted((), width)] * (max(height, 0) - len(rows))
