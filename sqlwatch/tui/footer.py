"""The footer: keys and what they do, as many as fit whole; a click does the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlwatch.charts.segment import Ink, Row, Segment, width_of
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.keys import Key
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events

    from sqlwatch.tui.inks import Inks


class KeyFooter(Rows):
    """One line, made from the definitions of the keys."""

    def __init__(self, inks: Inks, view: View, keys: Sequence[Key], *, id: str) -> None:
        super().__init__(inks, view, id=id)
        self._keys = keys
        self._spans: tuple[tuple[int, int, str], ...] = ()
        self._made_for: tuple[int, bool] | None = None
        self._row: Row = ()

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the keys that fit, in order of importance; after the end those that still do something."""
        has_ended = view.status is Status.ENDED
        if self._made_for != (width, has_ended):
            self._made_for = width, has_ended
            self._make(width, has_ended=has_ended)
        return [self._row]

    def _make(self, width: int, *, has_ended: bool) -> None:
        row: list[Segment] = []
        spans = []
        used = 0
        for key in self._keys:
            if not key.footer or (key.needs_run and has_ended):
                continue
            part = _part(key)
            gap = 2 if row else 0
            if used + gap + width_of(part) > width:
                continue
            row += [Segment(" " * gap), *part]
            spans.append((used + gap, used + gap + width_of(part), key.action))
            used += gap + width_of(part)
        self._spans, self._row = tuple(spans), tuple(row)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        for start, end, action in self._spans:
            if start <= event.x < end:
                await self.app.run_action(action)
                return


def _part(key: Key) -> Row:
    return (Segment(key.shown.split(",")[0], Ink.KEY), Segment(f" {key.footer}", Ink.MUTED))
