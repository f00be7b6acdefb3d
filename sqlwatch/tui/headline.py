"""One line of plain words that says what is happening."""

from __future__ import annotations

from typing import ClassVar

from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.text import clean, wrapped
from sqlwatch.tui.view import View


class Headline(Rows):
    """What is happening; while the session starts or after it ended, what it says of itself."""

    BEFORE: ClassVar[str] = "starting the workers"
    """Said until there is something to say."""

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the words, broken between words; a message of the session follows where there is a line left."""
        mark = f"{view.glyphs.cursor} "
        message = clean((view.snapshot.message or "") if view.snapshot else "")
        headline = clean(view.headline)
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
