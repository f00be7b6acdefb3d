"""Who held a lock when: a lane for each, the newest at the right.

A column is as high as the share of the looks that found it holding.  Waiting is a glyph of its own, and so is doing
neither; where nobody looked there is a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from sqlwatch.charts import axis
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, inked

LEAST_WINDOW_NS: Final = 30_000_000_000
"""Lanes show at least this much; cells are joined where there are fewer columns than that."""


@dataclass(frozen=True)
class Lane:
    """One lane: a value for each cell, oldest first."""

    label: str
    held: Sequence[float | None]
    """Share of the cell's looks that found it holding, 0..1; None where nobody looked."""
    waiting: Sequence[bool]
    caption: str = ""
    """A figure, written right of the lane."""
    is_strong: bool = False
    """Whether the label stands out: this one holds the lock now."""


@dataclass(frozen=True)
class Cells:
    """The cells of lanes: their length, and the number of the one after the newest counted from any fixed moment."""

    period_ns: int
    end: int


def lane_rows(lanes: Sequence[Lane], cells: Cells, width: int, height: int, glyphs: GlyphSet) -> list[Row]:
    """Draw lanes of one row each as `height` rows of exactly `width` cells, and the time below where there is room.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> lanes = [Lane("7 app", [0.0, 0.4, 1.0, None], [False] * 4, "41%"), Lane("8 cron", [0.0] * 4, [True] * 4, "0%")]
    >>> for row in lane_rows(lanes, Cells(10_000_000_000, 4), 24, 3, ASCII):
    ...     print(plain(row) + "|")
    7 app           _.#  41%|
    8 cron          ~~~~  0%|
           -2m       now    |
    """
    if height <= 0 or width <= 0:
        return [()] * max(height, 0)
    shown = lanes[: height if height <= 2 else height - 1]
    label_width, caption_width = _margins(shown, width)
    plot = width - label_width - caption_width
    if plot < 4:
        return [fitted((Segment(lane.label),), width) for lane in shown] + [fitted((), width)] * (height - len(shown))
    per_column = _per_column(cells, plot, glyphs)
    rows = []
    for lane in shown:
        name = lane.label if len(lane.label) < label_width else lane.label[: label_width - 2] + "…"
        label = Segment(name.ljust(label_width), Ink.STRONG if lane.is_strong else Ink.TEXT)
        caption = Segment(lane.caption.rjust(caption_width), Ink.STRONG if lane.is_strong else Ink.MUTED)
        rows.append((label, *lane_cells(lane, cells, plot, glyphs), caption))
    if height > len(rows):
        window_ns = plot * glyphs.columns * per_column * cells.period_ns
        labels = axis.time_labels(plot, window_ns)
        rows.append((Segment(" " * label_width), Segment(labels, Ink.MUTED)))
    return [fitted(row, width) for row in rows] + [fitted((), width)] * (height - len(rows))


def lane_cells(lane: Lane, cells: Cells, width: int, glyphs: GlyphSet) -> Row:
    """Draw the cells of one lane in exactly `width` columns of the screen."""
    held, waiting = _joined(lane, cells, width, glyphs)
    (bars,) = glyphs.fill([value or 0.0 for value in held], 1)
    text, inks = [], []
    for index, bar in enumerate(bars):
        part = slice(index * glyphs.columns, (index + 1) * glyphs.columns)
        if bar != glyphs.fills[0]:
            char, ink = bar, Ink.CONTENDED
        elif any(waiting[part]):
            char, ink = glyphs.waiting, Ink.SINGLE_WRITER
        elif all(value is None for value in held[part]):
            char, ink = " ", Ink.FAINT
        else:
            char, ink = glyphs.idle, Ink.FAINT
        text.append(char)
        inks.append(ink)
    return inked("".join(text), inks)


def _margins(lanes: Sequence[Lane], width: int) -> tuple[int, int]:
    """Return the cells left and right of the lanes: for the labels up to a third, and for the captions."""
    longest = max((len(lane.label) for lane in lanes), default=0)
    label = max(min(longest, width // 3), min(axis.GUTTER - 1, width // 3)) + 1
    caption = max((len(lane.caption) for lane in lanes), default=0)
    return label, caption + 1 if caption and width - label - caption > 12 else 0


def _per_column(cells: Cells, width: int, glyphs: GlyphSet) -> int:
    """Return how many cells one column joins."""
    return max(ceil(LEAST_WINDOW_NS / max(cells.period_ns, 1) / (width * glyphs.columns)), 1)


def _joined(lane: Lane, cells: Cells, width: int, glyphs: GlyphSet) -> tuple[list[float | None], list[bool]]:
    """Return share and waiting for each column, the newest last; a partly filled column keeps joins from shimmering."""
    columns = width * glyphs.columns
    per_column = _per_column(cells, width, glyphs)
    surplus = cells.end % per_column
    held: list[float | None] = []
    waiting: list[bool] = []
    end = len(lane.held)
    while end > 0 and len(held) < columns:
        start = max(end - (surplus or per_column), 0)
        surplus = 0
        known = [value for value in lane.held[start:end] if value is not None]
        held.append(sum(known) / len(known) if known else None)
        waiting.append(any(lane.waiting[start:end]))
        end = start
    blank = columns - len(held)
    return [None] * blank + held[::-1], [False] * blank + waiting[::-1]
