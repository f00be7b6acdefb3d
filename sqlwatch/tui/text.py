"""Texts for the screen: cleaned to one cell a character, and broken between words."""

from __future__ import annotations

import re
from typing import Final

from sqlwatch.charts.text import one_cell_each as clean

__all__ = ["begun", "clean", "wrapped"]

_SENTENCE: Final = re.compile(r"[.?!](?= [A-Z\"])")
_CLAUSE: Final = re.compile(r"[,;:](?= )")


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


def begun(text: str, width: int, height: int, spare: int = 0) -> list[str]:
    """Return the beginning of a text that is too long for `height` lines: whole sentences, else clauses, else words.

    The last line leaves `spare` cells free, and whole sentences or clauses are preferred as long as they fill half.

    >>> begun("They poll. Who sleeps misses the moment, again and again, and starves.", 20, 2)
    ['They poll. Who', 'sleeps misses the…']
    >>> begun("They poll, asleep. Who sleeps misses the moment.", 20, 1), begun("They sleep, and poll.", 16, 1)
    (['They poll, asleep.'], ['They sleep…'])
    """
    words = " ".join(text.split())
    if height <= 0 or width <= spare:
        return []
    for pattern, end in ((_SENTENCE, ""), (_CLAUSE, "…")):
        for found in reversed(list(pattern.finditer(words))):
            lines = wrapped(words[: found.end() - len(end)] + end, width, height + 1)
            fits = len(lines) < height or (len(lines) == height and len(lines[-1]) + spare <= width)
            if fits and sum(map(len, lines)) * 2 >= width * height - spare:
                return lines
    lines = wrapped(words, width, height)
    if len(lines) == height and len(lines[-1]) + spare > width:
        lines[-1:] = wrapped(f"{lines[-1].rstrip('…')} {words}", width - spare, 1)
    return lines
