"""One line of plain words that says what is happening."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.text import clean, wrapped
from sqlwatch.tui.view import View

_READ_NS: Final = 2_000_000_000
"""A headline that another rule has written waits so long for its turn: a starved writer may be served at once again."""


class Headline(Rows):
    """What is happening; while the session starts or after it ended, what it says of itself."""

    BEFORE: ClassVar[str] = "starting the workers"
    """Said until there is something to say."""
    _standing = ("", 0)
    """The words that stand, and since which moment words of their kind have."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the words, broken between words; a message of the session follows where there is a line left."""
        mark = f"{view.glyphs.cursor} "
        message = clean((view.snapshot.message or "") if view.snapshot else "")
        headline = self._settled(view)
        if view.notice:
            headline = clean(view.notice)
        elif message and view.status in (Status.STARTING, Status.STOPPING, Status.ENDED):
            headline, message = message, headline if view.status is not Status.STARTING else ""
        elif not headline:
            headline, message = message or self.BEFORE, ""
        if message == headline:
            message = ""
        lines = wrapped(headline, width - len(mark), height)
        rows: list[Row] = [
            (Segment(mark if index == 0 else "  ", Ink.RUNG), Segment(line, Ink.STRONG))
            for index, line in enumerate(lines)
        ]
        more = wrapped(message, width - len(mark), height - len(rows)) if height > len(rows) else []
        return rows + [(Segment("  "), Segment(line, Ink.MUTED)) for line in more]

    def _settled(self, view: View) -> str:
        """Return the headline; while a simulation runs, words of one kind stay until they can have been read."""
        words = clean(view.headline)
        if view.simulation is None or view.snapshot is None or view.status is not Status.RUNNING:
            self._standing = ("", 0)
            return words
        standing, since_ns = self._standing
        if _kind(words) == _kind(standing):
            self._standing = (words, since_ns)
        elif not standing or not 0 <= view.snapshot.at_ns - since_ns < _READ_NS:
            self._standing = (words, view.snapshot.at_ns)
        return self._standing[0]


def _kind(words: str) -> str:
    """Return words without their figures.

    >>> _kind("worker 3 has waited over 1 s") == _kind("worker 12 has waited over 2 s")
    True
    """
    return re.sub(r"\d[\d.,]*[a-z%/]*", "0", words)
