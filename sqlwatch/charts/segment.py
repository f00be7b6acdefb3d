"""Styled text: a row of a chart is a tuple of segments, and a segment is text with the key of its style."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import compress, islice
from typing import NamedTuple


class Ink(StrEnum):
    """What a piece of text means; whoever draws it decides how that looks."""

    TEXT = "text"
    MUTED = "muted"
    """Labels, axes and explanations."""
    FAINT = "faint"
    """Guides behind the data."""
    STRONG = "strong"
    """Titles and figures that matter."""
    CONTENDED = "contended"
    MUTEX = "mutex"
    SINGLE_WRITER = "single-writer"
    SERIES = "series"
    """Data that belongs to no mode."""
    HOLDS = "holds"
    """Has the write lock."""
    WAITS = "waits"
    """Waits for the write lock."""
    RUNG = "rung"
    """SQLite's backoff rungs."""
    MARK = "mark"
    """Something happened at this moment."""
    WARNING = "warning"
    CONTENDED_BADGE = "contended-badge"
    MUTEX_BADGE = "mutex-badge"
    SINGLE_WRITER_BADGE = "single-writer-badge"
    ALERT_BADGE = "alert-badge"
    CURSOR = "cursor"
    """The selected row."""
    CURSOR_WARNING = "cursor-warning"
    """The selected row, where it is one that starves or has failed."""
    KEY = "key"
    """A key to press."""


class Segment(NamedTuple):
    """A piece of a row."""

    text: str
    ink: Ink = Ink.TEXT


Row = tuple[Segment, ...]


def plain(row: Row) -> str:
    """Return the text of a row without its inks.

    >>> plain((Segment("p99 "), Segment("131ms", Ink.STRONG)))
    'p99 131ms'
    """
    return "".join(segment.text for segment in row)


def width_of(row: Row) -> int:
    """Return the width of a row in cells; charts use characters of one cell only."""
    return sum([len(text) for text, _ in row])


def inked(text: str, inks: Sequence[Ink]) -> Row:
    """Give each character its ink and join neighbours of the same ink; there is an ink for each character.

    >>> inked("ab|", [Ink.SERIES, Ink.SERIES, Ink.MUTED])
    (Segment(text='ab', ink=<Ink.SERIES: 'series'>), Segment(text='|', ink=<Ink.MUTED: 'muted'>))
    """
    if not inks:
        return ()
    changes = map(operator.is_not, islice(inks, 1, None), inks)
    starts = [0, *compress(range(1, len(inks)), changes)]
    ends = [*starts[1:], len(text)]
    return tuple(Segment(text[start:end], inks[start]) for start, end in zip(starts, ends, strict=True))


def fitted(row: Iterable[Segment], width: int) -> Row:
    """Cut a row, or fill it with blanks, to exactly `width` cells.

    >>> plain(fitted([Segment("throughput")], 7)), plain(fitted([Segment("wal")], 5))
    ('through', 'wal  ')
    """
    if isinstance(row, tuple):
        lengths = [len(text) for text, _ in row]
        missing = width - sum(lengths)
        if missing >= 0 and 0 not in lengths:  # so it is with most
            return (*row, Segment(" " * missing)) if missing else row
    left = max(width, 0)
    result: list[Segment] = []
    for text, ink in row:
        if left <= 0:
            break
        if text:
            result.append(Segment(text[:left], ink))
            left -= len(text)
    if left > 0:
        result.append(Segment(" " * left))
    return tuple(result)


def folded(row: Row, width: int) -> list[Row]:
    """Break a row between words into rows of at most `width` cells; a word that is longer is cut.

    >>> [plain(line) for line in folded((Segment("it waits "), Segment("unbearably", Ink.STRONG)), 8)]
    ['it waits', 'unbearab', 'ly']
    """
    text, start = plain(row), 0
    lines: list[Row] = []
    while len(text) - start > max(width, 1):
        end = text.rfind(" ", start, start + width + 1)
        if end <= start:
            end = start + max(width, 1)
        lines.append(_cut_out(row, start, start + len(text[start:end].rstrip())))
        start = len(text) - len(text[end:].lstrip())
    return [*lines, _cut_out(row, start, len(text)) if lines else row]


def _cut_out(row: Row, start: int, end: int) -> Row:
    """Return what is between two cells of a row."""
    parts: list[Segment] = []
    at = 0
    for text, ink in row:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            parts.append(Segment(part, ink))
        at += len(text)
    return tuple(parts)


def whole_parts(parts: Sequence[Row], width: int, gap: str = "  ") -> Row:
    """Join as many parts as fit whole, in order; a part that does not fit ends the row.

    >>> plain(whole_parts([(Segment("p50 33ms"),), (Segment("p99 131ms"),)], 12))
    'p50 33ms'
    """
    row: list[Segment] = []
    used = 0
    for part in parts:
        needed = width_of(part) + (len(gap) if row else 0)
        if used + needed > width:
            break
        if row:
            row.append(Segment(gap))
        row.extend(part)
        used += needed
    return tuple(row)
