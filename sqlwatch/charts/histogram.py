"""Lock waits on a fixed logarithmic axis from 1 us to 30 s, with SQLite's backoff rungs marked.

The edges never move, so the modes can be laid one above the other and compared by eye.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from simulators.buckets import BUCKET_COUNT, LOWER_EDGES_NS
from sqlwatch.charts import axis, units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, inked, whole_parts
from sqlwatch.metrics.ladder import RUNGS_MS

_LOG_FLOOR: Final = 1e-4
"""Lowest share on the logarithmic axis of counts."""
_COMPACT_HEIGHT: Final = 3


@dataclass(frozen=True)
class Waits:
    """The completed lock waits of one mode: a count per bucket of `simulators.buckets`."""

    name: str
    counts: Sequence[int]
    ink: Ink
    caption: tuple[Row, ...] = ()
    """Figures in words, written above the bars as far as they fit."""


def wait_histogram(
    series: Sequence[Waits],
    width: int,
    height: int,
    glyphs: GlyphSet,
    *,
    logarithmic: bool = False,
    unfinished_ns: Sequence[int] = (),
    starved_after_ns: int = 0,
) -> list[Row]:
    """Draw lock waits as `height` rows of exactly `width` cells, one mode above the other on one axis of time.

    Upright: the share of the mode's waits that fell into the column, on its own scale from 0.  The row `waiting` counts
    the writers that wait at this moment, at the length of their wait so far.
    """
    if height <= 0 or width <= 0:
        return [()] * max(height, 0)
    if height < _COMPACT_HEIGHT or not series:
        return _compact(series, width, height, glyphs)
    plot = max(width - axis.GUTTER, 1)
    below = [*_axis_rows(plot, glyphs)]
    left = height - len(below)
    if left > len(series) * 3:
        below = [_now_row(unfinished_ns, starved_after_ns, plot), *below]
        left -= 1
    if left > len(series) * 4:
        below.append((Segment(" " * axis.GUTTER), *rung_legend(plot, glyphs)))
        left -= 1
    rows: list[Row] = []
    for index, waits in enumerate(series[-left:]):
        share = left // min(len(series), left) + (1 if index < left % min(len(series), left) else 0)
        rows += _plot(waits, plot, share, glyphs, logarithmic)
    return [fitted(row, width) for row in (*rows, *below)]


def wait_row(waits: Waits, width: int, glyphs: GlyphSet, label: str = "", *, logarithmic: bool = False) -> Row:
    """Draw the waits of one mode in a single row: label, columns from 1 us to 30 s, and what fits of the caption.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> counts = [0] * 88 + [5] + [0] * 135
    >>> plain(wait_row(Waits("contended", counts, Ink.CONTENDED), 34, ASCII, "waits "))
    'waits 1us        #.            30s'
    """
    room = width - len(label)
    caption = whole_parts(waits.caption[:1], room // 2)
    ends = room - sum(len(part.text) for part in caption) >= 24
    before, after = (TICK_FIRST, TICK_LAST) if ends else ("", "")
    gap = " " if caption else ""
    plot = room - sum(len(part.text) for part in caption) - len(gap) - len(before) - len(after)
    if plot < 1:
        return fitted((Segment(label, Ink.MUTED), *caption), width)
    (bars,) = glyphs.fill(_heights(waits.counts, plot * glyphs.columns, logarithmic)[0], 1)
    parts = (Segment(label, Ink.MUTED), Segment(before, Ink.FAINT), Segment(bars, waits.ink))
    return fitted((*parts, Segment(after + gap, Ink.FAINT), *caption), width)


TICK_FIRST: Final = axis.TICKS_NS[0][1]
TICK_LAST: Final = axis.TICKS_NS[-1][1]


def rung_legend(width: int, glyphs: GlyphSet) -> Row:
    """Say what the marks on the axis are, in as many words as fit.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> plain(rung_legend(40, ASCII))
    '^ waiters look only here'
    """
    texts = (
        " backoff rungs: a waiter sleeps, and looks again only at 1 3 8 18 33 53 78 103 128 178 228ms, +100ms",
        " backoff rungs: a waiter sleeps, and looks again only at these times",
        " backoff rung: only here a waiter looks again",
        " waiters look only here",
        " backoff rung",
    )
    text = next((text for text in texts if len(text) + 1 <= width), "")
    return (Segment(glyphs.rung, Ink.RUNG), Segment(text, Ink.MUTED)) if text else (Segment(""),)


@lru_cache(maxsize=16)
def rung_cells(width: int) -> tuple[int, ...]:
    """Return the cells of the axis that hold a rung, ascending, as long as the next one is at least two cells on.

    >>> rung_cells(75)
    (30, 34, 39, 42, 45, 47, 49, 51, 53, 55, 57)
    """
    cells: list[int] = []
    for rung_ms in RUNGS_MS:
        cell = axis.log_cell(rung_ms * 1e6, width)
        if cells and cell - cells[-1] < 2:
            if rung_ms > RUNGS_MS[0] + 600:
                break
            continue
        cells.append(cell)
    return tuple(cells)


def _compact(series: Sequence[Waits], width: int, height: int, glyphs: GlyphSet) -> list[Row]:
    if not series:
        return [fitted((), width)] * height
    rows = [wait_row(waits, width, glyphs) for waits in series[-height:]]
    if len(rows) < height:
        plot, gutter = max(width - axis.GUTTER, 1), Segment(" " * axis.GUTTER)
        fractions, _ = _heights(series[-1].counts, plot * glyphs.columns, logarithmic=False)
        bars, labels = _bars(fractions, series[-1].ink, plot, 1, glyphs)[0], _axis_rows(plot, glyphs)[1]
        rows = [fitted((gutter, *bars), width), fitted(labels, width)]
    return rows


def _plot(waits: Waits, width: int, height: int, glyphs: GlyphSet, logarithmic: bool) -> list[Row]:
    """Draw one mode: a caption where there is room, and the bars with their scale."""
    rows: list[Row] = []
    if height >= 2:
        name = Segment(waits.name, waits.ink)
        rows.append((Segment(" " * axis.GUTTER), *whole_parts([(name,), *waits.caption], width)))
        height -= 1
    fractions, limit = _heights(waits.counts, width * glyphs.columns, logarithmic)
    if logarithmic:
        labels = {0: "100%", **({height - 1: "0.01%"} if height > 1 else {})}
        labels |= {height // 2: "1%"} if height >= 5 else {}
        scale = axis.labelled(height, labels, glyphs.upright)
    else:
        scale = axis.gutters(height, limit, units.share, glyphs.upright)
    bars = _bars(fractions, waits.ink, width, height, glyphs)
    return rows + [(*label, *bar) for label, bar in zip(scale, bars, strict=True)]


def _bars(fractions: Sequence[float], ink: Ink, width: int, height: int, glyphs: GlyphSet) -> list[Row]:
    """Draw the bars over faint guides at the rungs, where there is no bar."""
    guide = Segment(glyphs.guide, Ink.FAINT)
    rows: list[Row] = []
    for text in glyphs.fill(fractions, height):
        parts: list[Segment] = []
        start = 0
        for cell in rung_cells(width):
            if text[cell] == " ":
                parts += (Segment(text[start:cell], ink), guide)
                start = cell + 1
        rows.append((*parts, Segment(text[start:], ink)))
    return rows


def _heights(counts: Sequence[int], columns: int, logarithmic: bool) -> tuple[list[float], float]:
    """Return the height of each column, 0..1, and the share that the full height stands for."""
    total = sum(counts)
    if not total:
        return [0.0] * columns, 1.0
    return share_heights([value / total for value in spread(counts, columns)], logarithmic)


def share_heights(shares: Sequence[float], logarithmic: bool) -> tuple[list[float], float]:
    """Return the height 0..1 of each share, and the share that the full height stands for.

    >>> share_heights([0.05, 0.2], False), share_heights([0.01, 1.0], True)
    (([0.25, 1.0], 0.2), ([0.5, 1.0], 1.0))
    """
    if logarithmic:
        span = -math.log10(_LOG_FLOOR)
        return [max((math.log10(part) + span) / span, 1e-9) if part > 0 else 0.0 for part in shares], 1.0
    limit = min(axis.nice_limit(max(shares, default=0), 0.01), 1.0)
    return [part / limit for part in shares], limit


def spread(counts: Sequence[int], columns: int) -> list[float]:
    """Spread the counts of the fixed buckets over the columns of the axis; the sum stays the same.

    A bucket wider than a column is shared out evenly on the logarithmic scale.
    """
    result = [0.0] * columns
    for value, parts in zip(counts, _weights(columns), strict=False):
        if value:
            for column, weight in parts:
                result[column] += value * weight
    return result


@lru_cache(maxsize=16)
def _weights(columns: int) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Return for each bucket the columns it falls into and its share in each."""
    weights: list[tuple[tuple[int, float], ...]] = []
    for index in range(BUCKET_COUNT):
        low = axis.log_position(LOWER_EDGES_NS[index], columns)
        high = axis.log_position(LOWER_EDGES_NS[index + 1], columns)
        first, last = min(int(low), columns - 1), min(int(high), columns - 1)
        if first == last or high <= low:
            weights.append(((first, 1.0),))
            continue
        parts = [(cell, (min(high, cell + 1) - max(low, cell)) / (high - low)) for cell in range(first, last + 1)]
        weights.append(tuple(part for part in parts if part[1] > 0))
    return tuple(weights)


def _now_row(unfinished_ns: Sequence[int], starved_after_ns: int, width: int) -> Row:
    """Count the waits that have not ended, each at its length so far; more than nine are a plus sign."""
    counts: dict[int, int] = {}
    starved: set[int] = set()
    for wait_ns in unfinished_ns:
        cell = axis.log_cell(wait_ns, width)
        counts[cell] = counts.get(cell, 0) + 1
        if starved_after_ns and wait_ns >= starved_after_ns:
            starved.add(cell)
    row, end = [Segment("waiting"[: axis.GUTTER], Ink.MUTED)], 0
    for cell, count in sorted(counts.items()):
        sign = str(count) if count < 10 else "+"
        row += (Segment(" " * (cell - end)), Segment(sign, Ink.WARNING if cell in starved else Ink.STRONG))
        end = cell + 1
    return (*row, Segment(" " * (width - end)))


@lru_cache(maxsize=16)
def _axis_rows(width: int, glyphs: GlyphSet) -> tuple[Row, Row]:
    """Return the axis line with its rungs, and the labels below it."""
    ticks = [(axis.log_cell(ns, width), glyphs.tick, Ink.MUTED) for ns, _ in axis.TICKS_NS]
    rungs = [(cell, glyphs.rung, Ink.RUNG) for cell in rung_cells(width)]
    text, inks = axis.overlay(glyphs.line * width, [Ink.MUTED] * width, [*ticks, *rungs])
    corner = " " * (axis.GUTTER - 1) + glyphs.corner
    return (
        (Segment(corner, Ink.MUTED), *inked(text, inks)),
        (Segment(" " * axis.GUTTER), Segment(axis.log_labels(width), Ink.MUTED)),
    )
