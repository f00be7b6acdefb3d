"""The screen of the comparison: a page of detail whose table has as many columns as the terminal has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from sqlwatch.tui.comparison_page import comparison_page
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from typing import ClassVar

    from textual import events


class ComparisonScreen(DetailScreen):
    """Follows the Snapshots and the size of the terminal; esc goes back to the charts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "close", "close the page"),
        Binding("n", "app.next_phase", "next phase of the lesson"),
        Binding("o", "open_lesson", "open a lesson"),
    ]

    def __init__(self, view: View, inks: Inks, columns: int) -> None:
        self._columns = columns
        super().__init__(comparison_page(lambda: self._columns), view, inks)

    def on_resize(self, event: events.Resize) -> None:
        """Make the table as wide as the terminal is now."""
        self._columns = event.size.width
        self.show(self._view)

    @property
    def _hint(self) -> str:
        below = "; below: why, when it would not happen, all figures" if self._view.lesson is not None else ""
        return f"{super()._hint}{below}"

    async def action_open_lesson(self) -> None:
        """Go to the lessons instead."""
        self.dismiss()
        await self.app.run_action("open_lesson")
