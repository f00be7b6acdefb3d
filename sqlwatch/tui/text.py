"""Texts from outside (names, paths, messages) are data: what could move the cursor or change a colour is taken out."""

from __future__ import annotations

import unicodedata
from typing import Final

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"})
"""Categories without a cell of their own: controls, formats, surrogates, private, unassigned, marks."""
_BLANK: Final = frozenset({"Zs", "Zl", "Zp"})


def clean(text: str) -> str:
    r"""Return a text of printable characters of one cell each; line ends and tabs become blanks.

    Wide characters become a question mark, so that the width of a text is its length.

    >>> clean("worker\x1b[31m 3\n[bold]killed[/]"), clean("数据.db")
    ('worker[31m 3 [bold]killed[/]', '??.db')
    """
    if text.isascii() and text.isprintable():
        return text
    result = []
    for char in text:
        category = unicodedata.category(char)
        if char in "\n\r\t" or category in _BLANK:
            result.append(" ")
        elif category in _DROPPED:
            continue
        else:
            result.append("?" if unicodedata.east_asian_width(char) in "WF" else char)
    return "".join(result)


def wrapped(text: str, width: int, height: int) -> list[str]:
    """Break a text between words into at most `height` lines; what does not fit is cut at a word, with an ellipsis.

    >>> wrapped("worker 3 takes every turn", 14, 2), wrapped("worker 3 takes every turn", 14, 1)
    (['worker 3 takes', 'every turn'], ['worker 3…'])
    >>> wrapped("", 14, 1), wrapped("unbreakable", 5, 1)
    ([], ['unbr…'])
    """
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < height and width > 0:
        last = len(lines) == height - 1
        line = ""
        while words and len(line) + len(words[0]) + bool(line) <= width:
            line += (" " if line else "") + words.pop(0)
        if not line:
            line, words[0] = words[0][: width - (1 if last else 0)], words[0][width - (1 if last else 0) :]
        if last and words:
            while len(line) > width - 1 and " " in line:
                line = line.rpartition(" ")[0]
            line = line[: width - 1] + "…"
        lines.append(line)
    return lines
