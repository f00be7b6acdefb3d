"""Values over time, filled from 0, the newest at the right, with marks where something happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Final

from sqlwatch.charts import axis
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, inked, whole_parts

_LEAST_WINDOW_NS: Final = 60_000_000_000
"""A full chart shows at least a minute; it joins periods where it has fewer columns than that."""
_STRETCHES: Final = (4, 2, 1)
"""Columns that a period may have as long as all values find room so: a young chart is not an empty one."""


@dataclass(frozen=True)
class Happening:
    """Something that happened `ago_ns` before the end of the series, with a glyph and, where there is room, words."""

    ago_ns: float
    glyph: str
    ink: Ink
    words: str = ""
    brief: str = ""
    """Fewer words, where the others have no room right of the glyph."""


@dataclass(frozen=True)
class Series:
    """One value a period, oldest first; None is unknown and leaves a gap."""

    values: Sequence[float | None]
    period_ns: int
    inks: Sequence[Ink]
    """An ink for each value."""
    end_period: int = 0
    """Number of the period after the newest, counted from any fixed moment: keeps joined periods from shimmering."""
    peaks: bool = False
    """Join periods by their largest value instead of their mean."""
    now: float | None = None
    """The value now, before its period has ended: the axis reaches it, since it is written beside the chart."""


def time_chart(
    series: Series,
    width: int,
    height: int,
    glyphs: GlyphSet,
    *,
    write: Callable[[float], str],
    happenings: Sequence[Happening] = (),
    limit: Callable[[float], float] = axis.nice_limit,
    bare: bool = False,
) -> list[Row]:
    """Draw a series as `height` rows of exactly `width` cells; `write` gives a value its unit.

    From three rows on there is a line for the marks, from five on one for the time; neither if `bare`.  The most
    important of the `happenings` comes first.
    """
    if height <= 0 or width <= 0:
        return [()] * max(height, 0)
    plot = width - axis.GUTTER
    if plot < 4:
        return [fitted((), width)] * height
    below = 0 if height < 3 or bare else 1 if height < 5 else 2
    columns, inks, column_ns = _joined(series, plot * glyphs.columns)
    top = limit(_largest([*columns, series.now]))
    cells = _cell_inks(inks, glyphs.columns)
    bars = glyphs.fill([(value or 0) / top for value in columns], height - below)
    scale = axis.gutters(height - below, top, write, glyphs.upright)
    rows: list[Row] = [(*label, *inked(bar, cells)) for label, bar in zip(scale, bars, strict=True)]
    window_ns = len(columns) * column_ns
    if below:
        rows.append(_mark_line(happenings, window_ns, plot, glyphs))
    if below == 2:
        rows.append((Segment(" " * axis.GUTTER), Segment(axis.time_labels(plot, window_ns), Ink.MUTED)))
    return [fitted(row, width) for row in rows]


def time_row(series: Series, width: int, glyphs: GlyphSet, label: str = "", caption: Sequence[Row] = ()) -> Row:
    """Draw a series in a single row: label, columns, and what fits of the caption.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> series = Series([1.0, 2.0, 4.0], 10**9, [Ink.SERIES] * 3)
    >>> plain(time_row(series, 21, ASCII, "tx/s ", [(Segment("4/s"),)]))
    'tx/s ....::::#### 4/s'
    """
    room = width - len(label)
    words = whole_parts(caption, room // 2)
    used = sum(len(part.text) for part in words) + (1 if words else 0)
    plot = room - used
    if plot < 1:
        return fitted((Segment(label, Ink.MUTED), *words), width)
    columns, inks, _ = _joined(series, plot * glyphs.columns)
    top = _largest(columns) or 1.0
    (bars,) = glyphs.fill([(value or 0) / top for value in columns], 1)
    gap = (Segment(" "),) if words else ()
    return fitted((Segment(label, Ink.MUTED), *inked(bars, _cell_inks(inks, glyphs.columns)), *gap, *words), width)


def _joined(series: Series, columns: int) -> tuple[list[float | None], list[Ink], float]:
    """Return a value and an ink for each column, the newest last, and how long a column is in ns."""
    for stretch in _STRETCHES:
        if len(series.values) * stretch <= columns:
            return _stretched(series, columns, stretch)
    periods = max(ceil(_LEAST_WINDOW_NS / max(series.period_ns, 1) / columns), 1)
    newest = -(columns + 1) * periods
    values = [value if value is None or isfinite(value) else None for value in series.values[newest:]]
    inks = series.inks[newest:]
    surplus = series.end_period % periods
    joined: list[float | None] = []
    colours: list[Ink] = []
    end = len(values)
    while end > 0 and len(joined) < columns:
        start = max(end - (surplus or periods), 0)
        surplus = 0
        known = [value for value in values[start:end] if value is not None]
        whole = max(known, default=None) if series.peaks else (sum(known) / len(known) if known else None)
        joined.append(whole)
        colours.append(inks[end - 1])
        end = start
    blank = columns - len(joined)
    return [None] * blank + joined[::-1], [Ink.SERIES] * blank + colours[::-1], periods * series.period_ns


def _stretched(series: Series, columns: int, stretch: int) -> tuple[list[float | None], list[Ink], float]:
    """Return the same for a series of which each period has `stretch` columns."""
    values = [value if value is None or isfinite(value) else None for value in series.values for _ in range(stretch)]
    inks = [ink for ink in series.inks for _ in range(stretch)]
    blank = columns - len(values)
    return [None] * blank + values, [Ink.SERIES] * blank + inks, series.period_ns / stretch


def _largest(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0)


def _cell_inks(inks: Sequence[Ink], columns_per_cell: int) -> list[Ink]:
    """Return the ink of each cell: that of its last column."""
    return list(inks[columns_per_cell - 1 :: columns_per_cell])


def _mark_line(happenings: Sequence[Happening], window_ns: float, width: int, glyphs: GlyphSet) -> Row:
    """Return the axis line with a mark where something happened; words only where they touch no other mark.

    The most important happening comes first: its words choose their place first, and right of the mark if they can,
    since what lies left of it was before.
    """
    at: dict[int, Happening] = {}
    for happening in happenings:
        if 0 <= happening.ago_ns < window_ns:
            cell = min(int((1 - happening.ago_ns / window_ns) * width), width - 1)
            at[cell] = _merged(at.get(cell), happening, glyphs)
    used = {cell: range(cell, cell + 1) for cell in at}
    marks = []
    for cell, happening in at.items():
        others = [cells for other, cells in used.items() if other != cell] if happening.words else []
        for start, text in _texts(happening, cell):
            taken = range(start, start + len(text))
            if text == happening.glyph or _is_free(taken, others, width):
                used[cell] = taken
                marks.append((start, text, happening.ink))
                break
    text, inks = axis.overlay(glyphs.line * width, [Ink.MUTED] * width, marks)
    return (Segment(" " * (axis.GUTTER - 1) + glyphs.corner, Ink.MUTED), *inked(text, inks))


def _texts(happening: Happening, cell: int) -> Iterator[tuple[int, str]]:
    """Yield what may stand for a happening, with its first cell, the best first: words right of the glyph."""
    wordings = [words for words in (happening.words, happening.brief) if words]
    for words in wordings:
        yield cell, f"{happening.glyph} {words}"
    for words in wordings:
        yield cell - len(words) - 1, f"{words} {happening.glyph}"
    yield cell, happening.glyph


def _is_free(cells: range, others: Sequence[range], width: int) -> bool:
    """Tell whether cells lie on a line and leave at least one between them and each of the others."""
    if cells.start < 0 or cells.stop > width:
        return False
    return all(cells.stop < other.start or other.stop < cells.start for other in others)


def _merged(first: Happening | None, second: Happening, glyphs: GlyphSet) -> Happening:
    """Return what stands in a cell in which two things happened: words win, checkpoint and reset share a glyph."""
    if first is None:
        return second
    if first.words or second.words or first.glyph == second.glyph:
        return first if first.words or not second.words else second
    return Happening(second.ago_ns, glyphs.both, second.ink)
