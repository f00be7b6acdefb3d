"""Who held a lock when: a lane for each, the newest at the right.

A bar is as high as the share of its time in which the lock was held.  Sleeping, looking, queueing, an error and doing
nothing have glyphs of their own; where nothing is known there is a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from sqlwatch.charts import axis
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, inked
from sqlwatch.metrics.lane_columns import UNKNOWN, Column

_TELLING = 0.25
"""States other than holding are shown where they fill this share of a cell; by a lighter sign up to half of it."""

_MOSTLY = 0.5
"""The same where only shares are known, and holding has a share as well."""


@dataclass(frozen=True)
class Lane:
    """One lane: its columns, oldest first, as many to a cell as the glyphs have."""

    label: str
    columns: Sequence[Column]
    caption: str = ""
    """A figure, written right of the lane."""
    is_strong: bool = False
    """Whether the label stands out."""
    ink: Ink = Ink.HOLDS
    """Of the bars."""
    selected: range | None = None
    """Cells under the cursor."""


@dataclass(frozen=True)
class Axis:
    """The time under the lanes: its length, and how long ago its right end is."""

    window_ns: int
    end_ago_ns: int = 0


def lane_rows(
    lanes: Sequence[Lane], time: Axis, width: int, height: int, glyphs: GlyphSet, hidden: int = 0
) -> list[Row]:
    """Draw lanes of one row each as `height` rows of exactly `width` cells, and the time below where there is room.

    `hidden` lanes that are left out are counted left of the time.

    >>> from sqlwatch.charts.glyphs import ASCII
    >>> from sqlwatch.charts.segment import plain
    >>> sleeps, looks, holds = Column(asleep=1.0), Column(asleep=0.9, looked=True), Column(held=1.0)
    >>> first = Lane("w1", [sleeps, looks, sleeps, sleeps, holds, Column(), Column(failed=True)], "14%")
    >>> counted, waits = Column(held=0.3, is_exact=False), Column(queued=1.0)
    >>> second = Lane("w2", [holds, Column(), UNKNOWN, waits, counted, Column(queued=0.4)], "24%")
    >>> for row in lane_rows([first, second], Axis(1_000_000_000), 24, 3, ASCII):
    ...     print(plain(row) + "|")
    w1     ~^~~#.!       14%|
    w2     #. -%'        24%|
           -1s -0.5s now    |
    """
    if height <= 0 or width <= 0:
        return [()] * max(height, 0)
    shown = lanes[: height if height <= 2 else height - 1]
    label_width, plot, caption_width = margins([lane.label for lane in shown], [one.caption for one in shown], width)
    if plot < 4:
        return [fitted((Segment(lane.label),), width) for lane in shown] + [fitted((), width)] * (height - len(shown))
    rows: list[Row] = []
    for lane in shown:
        name = lane.label if len(lane.label) < label_width else lane.label[: label_width - 2] + "…"
        label = Segment(name.ljust(label_width), Ink.STRONG if lane.is_strong else Ink.TEXT)
        caption = Segment(lane.caption.rjust(caption_width), Ink.STRONG if lane.is_strong else Ink.MUTED)
        rows.append((label, *fitted(lane_cells(lane, glyphs), plot), caption))
    if height > len(rows):
        marked = next((lane.selected for lane in shown if lane.selected), None)
        left_out = (
            f" +{hidden} more" if hidden and label_width > len(f" +{hidden} more") else f" +{hidden}" if hidden else ""
        )
        rows.append((Segment(left_out.ljust(label_width), Ink.MUTED), *_axis_row(time, plot, marked, glyphs)))
    return [fitted(row, width) for row in rows] + [fitted((), width)] * (height - len(rows))


def margins(labels: Sequence[str], captions: Sequence[str], width: int) -> tuple[int, int, int]:
    """Return the cells for the labels (up to a third), for the lanes, and for the captions.

    >>> margins(["w1", "w2"], ["100%"], 60), margins(["w1"], ["100%"], 18)
    ((7, 48, 5), (7, 11, 0))
    """
    longest = max(map(len, labels), default=0)
    label = max(min(longest, width // 3), min(axis.GUTTER - 1, width // 3)) + 1
    caption = max(map(len, captions), default=0)
    caption = caption + 1 if caption and width - label - caption > 12 else 0
    return label, max(width - label - caption, 0), caption


def lane_cells(lane: Lane, glyphs: GlyphSet) -> Row:
    """Draw the columns of one lane, `glyphs.columns` to a cell of the screen."""
    each = glyphs.columns
    columns = [*lane.columns, *[UNKNOWN] * (-len(lane.columns) % each)]
    text, inks = [], []
    first = last = None
    char, ink = "", Ink.TEXT
    for part in zip(*[iter(columns)] * each, strict=True):
        if part[0] is not first or part[-1] is not last:  # most cells are stretches of one and the same column
            first, last = part[0], part[-1]
            char, ink = _cell(part, lane.ink, glyphs)
        text.append(char)
        inks.append(ink)
    if lane.selected is not None:
        for cell in range(max(lane.selected.start, 0), min(lane.selected.stop, len(inks))):
            inks[cell] = Ink.CURSOR
    return inked("".join(text), inks)


def _cell(columns: Sequence[Column], ink: Ink, glyphs: GlyphSet) -> tuple[str, Ink]:
    """Return what one cell shows: an error, else a hold however short, else what it is mostly.

    Where only shares are known there are holds nearly everywhere, so there a cell that mostly waits shows that.  A cell
    that is idle for most of its time looks neither idle nor full of the rest.
    """
    held = asleep = queued = reading = checkpointing = 0.0
    known = 0
    looked = False
    exact = True
    holds: list[float] = []
    for holding, sleeps, waits, reads, checkpoints, is_known, is_exact, _, has_looked, failed in columns:
        if failed:
            return glyphs.error, Ink.WARNING
        holds.append(holding)
        held += holding
        asleep += sleeps
        queued += waits
        reading += reads
        checkpointing += checkpoints
        known += is_known
        looked = looked or has_looked
        exact = exact and (is_exact or not holding)
    if held > 0:
        if exact:
            return glyphs.cell(holds), ink
        if asleep + queued >= _MOSTLY * len(columns):
            return (glyphs.waiting if asleep >= queued else glyphs.queued), Ink.WAITS
        level = int(held / len(columns) * len(glyphs.shades))
        return glyphs.shades[min(level, len(glyphs.shades) - 1)], ink
    if looked:
        return glyphs.rung, Ink.RUNG
    busy = asleep + queued + reading + checkpointing
    if busy < _TELLING * len(columns):
        return (glyphs.idle if known else " "), Ink.FAINT
    most = max(asleep, queued, reading, checkpointing)
    if most == checkpointing:
        return glyphs.checkpoint, Ink.MARK
    is_partly = 2 * busy < known
    if most == asleep:
        return (glyphs.partly_asleep if is_partly else glyphs.waiting), Ink.WAITS
    if most == queued:
        return (glyphs.partly_queued if is_partly else glyphs.queued), Ink.WAITS
    return (glyphs.partly_reading if is_partly else glyphs.reading), Ink.SERIES


def _axis_row(time: Axis, width: int, marked: range | None, glyphs: GlyphSet) -> Row:
    """Return the labels of the time, and where the cursor's event lies in it."""
    labels = axis.time_labels(width, time.window_ns, time.end_ago_ns)
    if marked is None:
        return (Segment(labels, Ink.MUTED),)
    first, last = max(marked.start, 0), min(marked.stop, width) - 1
    mark = glyphs.rung if last <= first else glyphs.corner + glyphs.line * (last - first - 1) + glyphs.tick
    before, after = labels[:first], labels[first + len(mark) :]
    if labels[first : first + 1].strip():  # no half of a label beside the mark
        before = before.rpartition(" ")[0].ljust(first)
    if labels[first + len(mark) - 1 : first + len(mark)].strip():
        after = after.partition(" ")[2].rjust(len(after))
    return (Segment(before, Ink.MUTED), Segment(mark, Ink.STRONG), Segment(after, Ink.MUTED))


@dataclass(frozen=True)
class Cells:
    """Cells of looks: their length, and the number of the one after the newest counted from any fixed moment."""

    period_ns: int
    end: int

    def scale(self, columns: int, window_ns: int) -> tuple[int, int]:
        """Return (cells that one column joins, columns that one cell fills) to show about `window_ns`.

        >>> Cells(200_000_000, 0).scale(100, 60_000_000_000), Cells(200_000_000, 0).scale(100, 10_000_000_000)
        ((3, 1), (1, 2))
        """
        cells = max(window_ns / max(self.period_ns, 1), 1)
        return max(ceil(cells / max(columns, 1)), 1), max(int(columns / cells), 1)

    def shown_ns(self, columns: int, window_ns: int) -> int:
        """Return how much time `columns` show, where about `window_ns` is wanted."""
        per_column, per_cell = self.scale(columns, window_ns)
        return columns * per_column * self.period_ns // per_cell

    def column_of(self, at_ns: int, columns: int, window_ns: int) -> int:
        """Return the number of the column, of `columns` that show about `window_ns`, in which a moment lies.

        It may lie left of the first or right of the last one.

        >>> cells = Cells(200_000_000, 50)
        >>> cells.column_of(9_900_000_000, 100, 10_000_000_000), cells.column_of(9_900_000_000, 10, 10_000_000_000)
        (99, 9)
        >>> cells.column_of(100_000_000, 100, 10_000_000_000), cells.column_of(10_000_000_000, 10, 10_000_000_000)
        (1, 10)
        """
        per_column, per_cell = self.scale(columns, window_ns)
        if per_column > 1:
            newest = (self.end - 1) // per_column
            return columns - 1 - (newest - at_ns // self.period_ns // per_column)
        return columns + at_ns * per_cell // self.period_ns - self.end * per_cell

    def moment_of(self, column: int, columns: int, window_ns: int) -> int:
        """Return a moment in the middle of a column, the other way round.

        >>> cells = Cells(200_000_000, 50)
        >>> [cells.column_of(cells.moment_of(number, 9, 10_000_000_000), 9, 10_000_000_000) for number in range(9)]
        [0, 1, 2, 3, 4, 5, 6, 7, 8]
        """
        per_column, per_cell = self.scale(columns, window_ns)
        if per_column > 1:
            newest = (self.end - 1) // per_column
            first = (newest - (columns - 1 - column)) * per_column
            return (2 * first + per_column) * self.period_ns // 2
        return (2 * (column - columns + self.end * per_cell) + 1) * self.period_ns // (2 * per_cell)

    def before(self, back_ns: int) -> Cells:
        """Return the cells that end so much earlier, at a whole cell.

        >>> Cells(200_000_000, 50).before(500_000_000)
        Cells(period_ns=200000000, end=48)
        """
        return Cells(self.period_ns, self.end - back_ns // max(self.period_ns, 1))


def columns_of(
    held: Sequence[float | None], waiting: Sequence[bool], cells: Cells, columns: int, window_ns: int
) -> list[Column]:
    """Return columns of the cells' shares, the newest last; a partly filled one keeps joins from shimmering."""
    per_column, per_cell = cells.scale(columns, window_ns)
    surplus = cells.end % per_column
    result: list[Column] = []
    end = len(held)
    while end > 0 and len(result) < columns:
        start = max(end - (surplus or per_column), 0)
        surplus = 0
        known = [value for value in held[start:end] if value is not None]
        is_waiting = any(waiting[start:end])
        share = sum(known) / len(known) if known else 0.0
        column = Column(held=share, asleep=float(is_waiting), is_known=bool(known))
        result += [column] * min(per_cell, columns - len(result))
        end = start
    return [UNKNOWN] * (columns - len(result)) + result[::-1]
