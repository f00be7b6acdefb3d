"""The mouse on lanes, which is optional: the wheel zooms, a click selects whose lane it is and what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from sqlwatch.tui.panel import Panel

if TYPE_CHECKING:
    from textual import events


class Zoomed(Message):
    """The wheel was turned: so many windows longer, or shorter if less than 0."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps


class LaneClicked(Message):
    """A lane was clicked on: whose, when (None beside its bars), and where the picture ends in which that was."""

    def __init__(self, who: int, at_ns: int | None = None, cell_ns: int = 0, until_ns: int = 0) -> None:
        super().__init__()
        self.who, self.at_ns, self.cell_ns, self.until_ns = who, at_ns, cell_ns, until_ns


class LaneRowsPanel(Panel):
    """A panel of lanes that tells of clicks and of the wheel; a subclass notes whose lane each row is."""

    _owners: tuple[int | None, ...] = ()
    """Worker or process of each row of the body."""

    def clicked(self, who: int, x: int) -> LaneClicked:
        """Return what a click on somebody's lane means."""
        return LaneClicked(who)

    def on_click(self, event: events.Click) -> None:
        """Tell whose lane was clicked on."""
        row = event.y - (self.size.height >= self.LEAST_TITLED)
        if 0 <= row < len(self._owners) and (who := self._owners[row]) is not None:
            self.post_message(self.clicked(who, event.x))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in."""
        event.stop()
        self.post_message(Zoomed(-1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        event.stop()
        self.post_message(Zoomed(1))
