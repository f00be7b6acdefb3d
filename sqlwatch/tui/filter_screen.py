"""One line at the foot of the screen to type a filter into; what is above it follows every letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from sqlwatch.tui.places import STACKED_COLUMNS

if TYPE_CHECKING:
    from textual import events


class FilterScreen(ModalScreen[None]):
    """Calls `use` with the text whenever it changes; enter keeps the filter, escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "no filter"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    CSS = """
    FilterScreen { background: transparent; align: left bottom; }
    FilterScreen Horizontal { height: 1; background: $panel; }
    FilterScreen Static { width: auto; text-style: bold; padding: 0 1; background: $panel; }
    FilterScreen Input { width: 1fr; background: $panel; }
    FilterScreen #keys { text-style: none; color: $text-muted; }
    FilterScreen.-narrow #keys { display: none; }
    """

    def __init__(self, text: str, hint: str, use: Callable[[str], None]) -> None:
        super().__init__()
        self._text = text
        self._hint = hint
        self._use = use

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Horizontal():
            yield Static("filter:")
            yield Input(self._text, placeholder=self._hint, compact=True, select_on_focus=False)
            yield Static("enter keeps it, esc shows all", id="keys")

    def on_resize(self, event: events.Resize) -> None:
        """Leave the line to the text where there is no room for more."""
        self.set_class(event.size.width < STACKED_COLUMNS, "-narrow")

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def take(self, event: events.Key) -> None:
        """Take a letter that was typed before this screen had the keys; the line keeps those after that to itself."""
        if event.character is None or not event.is_printable:
            return
        event.stop()
        lines = self.query(Input)
        if lines:
            lines.first().insert_text_at_cursor(event.character)
        else:
            self._text += event.character

    def on_input_changed(self, event: Input.Changed) -> None:
        """Use what has been typed so far."""
        self._use(event.value)

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self.dismiss()

    def action_clear(self) -> None:
        """Take the filter away."""
        self._use("")
        self.dismiss()
