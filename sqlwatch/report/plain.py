"""Plain text of a known width: cleaning, wrapping, and rows of columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from sqlwatch.charts.text import clean, is_wide, one_cell_each
from sqlwatch.charts.units import number as number

WIDTH: Final = 80


def wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break a text from outside between words into lines of at most WIDTH cells; the second and later ones hang."""
    text = clean(text)
    width = WIDTH if not any(map(is_wide, text)) else WIDTH // 2  # a wide character takes two cells
    hanging = indent if hanging is None else hanging
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)


def row(label: str, cells: Sequence[str], label_width: int, cell_width: int) -> str:
    """Write a label and cells that end at fixed columns; a label or cell that is too long is cut.

    >>> row("commits", ["2,731", "3,381"], 10, 7)
    'commits     2,731  3,381'
    """
    return (
        f"{label[:label_width]:<{label_width}}" + "".join(f"{cell[-cell_width:]:>{cell_width}}" for cell in cells)
    ).rstrip()


def cut(text: str, width: int) -> str:
    """Cut a text from outside to `width` cells, with an ellipsis where something is missing.

    >>> cut("exit 1: ModuleNotFoundError", 9)
    'exit 1: …'
    """
    text = one_cell_each(text)
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
