"""Rows of texts as lines: the first column to the left, the others to the right, each as wide as its widest cell."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Return a line for each row; all have the same number of cells, between which are at least `gap` blanks.

    >>> for line in aligned([("phase", "speed-up"), ("one", "1.00x"), ("two", "0.95x")]):
    ...     print(line)
    phase  speed-up
    one       1.00x
    two       0.95x
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        others = (f"{'':{gap}}{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f"{name:<{widths[0]}}{''.join(others)}".rstrip())
    return lines
