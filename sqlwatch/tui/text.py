"""Texts for the screen: cleaned to one cell a character, and broken between words."""

from __future__ import annotations

from sqlwatch.charts.text import one_cell_each as clean

__all__ = ["clean", "wrapped"]


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
