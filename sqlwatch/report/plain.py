"""Plain text of a known width: cleaning, wrapping, and rows of columns."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Final

from sqlwatch.charts.units import UNKNOWN

WIDTH: Final = 80

_WIDTHLESS: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})
"""Categories without a cell of their own: controls, formats, surrogates, private, unassigned, separators, marks."""


def clean(text: str) -> str:
    r"""Return a text from outside without what could move the cursor; line ends and tabs become blanks.

    >>> clean("exit 1:\n\x1b[31mred"), clean("数据.db")
    ('exit 1: [31mred', '数据.db')
    """
    if text.isascii() and text.isprintable():
        return text
    blank = "\n\r\t\x0b\x0c\x85\u2028\u2029"
    kept = (" " if char in blank else char for char in text if char in blank or not _is_widthless(char))
    return "".join(kept)


def wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    """Break a text from outside between words into lines of at most WIDTH cells; the second and later ones hang."""
    text = clean(text)
    width = WIDTH if not any(map(_is_wide, text)) else WIDTH // 2  # a wide character takes two cells
    hanging = indent if hanging is None else hanging
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)


def _is_widthless(char: str) -> bool:
    return unicodedata.category(char) in _WIDTHLESS


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


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
    text = "".join("?" if _is_wide(char) else char for char in clean(text))
    return text if len(text) <= width else text[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def number(value: float | None) -> str:
    """Write a whole number of things with separators; unknown is a dash.

    >>> number(2731), number(0), number(None) == UNKNOWN
    ('2,731', '0', True)
    """
    return UNKNOWN if value is None else f"{value:,.0f}"
