"""Texts from outside (names, paths, messages) are data: what could move the cursor or change a colour is taken out."""

from __future__ import annotations

import unicodedata
from typing import Final

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
"""Categories without a cell of their own: controls, formats, surrogates, private, unassigned, marks."""
_BLANK: Final = frozenset({"Zs", "Zl", "Zp"})
_LINE_ENDS: Final = "\n\r\t\x0b\x0c\x85"


def clean(text: str) -> str:
    r"""Return a text of printable characters; line ends and tabs become blanks.

    >>> clean("worker\x1b[31m 3\n[bold]killed[/]"), clean("数据.db")
    ('worker[31m 3 [bold]killed[/]', '数据.db')
    """
    if text.isascii() and text.isprintable():
        return text
    result = []
    for char in text:
        category = unicodedata.category(char)
        if char in _LINE_ENDS or category in _BLANK:
            result.append(" ")
        elif category not in _DROPPED:
            result.append(char)
    return "".join(result)


def one_cell_each(text: str) -> str:
    """Clean a text and put a question mark for each wide character, so that its width is its length.

    >>> one_cell_each("数据.db")
    '??.db'
    """
    cleaned = clean(text)
    return cleaned if cleaned.isascii() else "".join("?" if is_wide(char) else char for char in cleaned)


def is_wide(char: str) -> bool:
    """Tell whether a character takes two cells (https://www.unicode.org/reports/tr11/)."""
    return unicodedata.east_asian_width(char) in "WF"
