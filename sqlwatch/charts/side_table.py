"""A table of figures with a column for each of several things, and behind each figure its ratio to another column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts.segment import Ink, Row, Segment, fitted

CELL: Final = 8
RATIO: Final = 8
"""Columns of a figure and of the ratio behind it, with the blanks between them."""

SideCells = tuple[str, Sequence[str], Sequence[str]]
"""Label, a text for each column, and a ratio for each column (empty where there is none)."""


def side_table(headings: Sequence[str], rows: Sequence[SideCells], width: int) -> list[Row]:
    """Return the table in `width` cells; columns that do not fit beside each other follow below.

    >>> from sqlwatch.charts.segment import plain
    >>> table = side_table(["free", "pinned"], [("WAL", ["4.0MiB", "46MiB"], ["", "11x"])], 44)
    >>> for row in table:
    ...     print(plain(row).rstrip())
           free          pinned
    WAL  4.0MiB           46MiB  11x
    """
    label = max((len(name) for name, _, _ in rows), default=0)
    column = max([CELL + RATIO, *(len(heading) + 2 for heading in headings)])
    if label + CELL + RATIO > width:
        return _narrow(headings, rows, label, width)
    column = min(column, width - label)
    fitting = max((width - label) // column, 1)
    lines: list[Row] = []
    for first in range(0, len(headings), fitting):
        chosen = slice(first, first + fitting)
        if lines:
            lines.append(())
        heads = "".join(_cut(heading, column - 2).rjust(CELL).ljust(column) for heading in headings[chosen])
        lines.append(fitted((Segment(" " * label + heads, Ink.STRONG),), width))
        for name, cells, ratios in rows:
            row = [Segment(name.ljust(label), Ink.MUTED)]
            for cell, ratio in zip(cells[chosen], ratios[chosen], strict=True):
                row += [Segment(cell.rjust(CELL), Ink.STRONG), Segment(f"  {ratio}".ljust(column - CELL), Ink.MUTED)]
            lines.append(fitted(row, width))
    return lines


def _narrow(headings: Sequence[str], rows: Sequence[SideCells], label: int, width: int) -> list[Row]:
    """Return the columns below each other, without the ratios, for which there is no room."""
    label = min(label, max(width - CELL, 0))
    lines: list[Row] = []
    for column, heading in enumerate(headings):
        lines += [()] if lines else []
        lines.append(fitted((Segment(_cut(heading, width).rjust(label + CELL), Ink.STRONG),), width))
        for name, cells, _ in rows:
            cell = Segment(cells[column].rjust(CELL), Ink.STRONG)
            lines.append(fitted((Segment(name[:label].ljust(label), Ink.MUTED), cell), width))
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
