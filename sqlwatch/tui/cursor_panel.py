"""A panel with a cursor: it stays on its item, whatever comes and goes around it, and the panel scrolls to keep it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlwatch.tui.panel import Panel

if TYPE_CHECKING:
    from textual import events

Key = TypeVar("Key", bound=Hashable)


class CursorPanel(Panel, Generic[Key]):
    """Items known by their keys; a subclass tells their order with `scrolled` each time it draws."""

    has_cursor = True
    """Whether the cursor shows: where there are several lists it is in one of them."""
    _chosen: Key | None = None
    """The item the cursor was put on; until then it stays on the first one, whatever that is."""
    _order: tuple[Key, ...] = ()
    _first = 0
    _lines: tuple[Key | None, ...] = ()
    """Whose item each line of the panel belongs to."""

    def scrolled(self, keys: Sequence[Key], visible: int) -> int:
        """Note the items in their order; return the first to show where there is room for some of them only."""
        self._order = tuple(keys)
        if self._chosen not in self._order:
            self._chosen = None
        cursor = self.position
        self._first = min(max(self._first, cursor - visible + 1, 0), cursor, max(len(keys) - visible, 0))
        return self._first

    def move(self, steps: int) -> bool:
        """Move the cursor by some items, as far as there are any; return False if it is at the end already."""
        if not self._order:
            return False
        before = self.position
        after = min(max(before + steps, 0), len(self._order) - 1)
        self.select(self._order[after])
        return after != before

    @property
    def selected(self) -> Key | None:
        """Key of the item under the cursor; None where there is none."""
        return self._order[self.position] if self._order else None

    @property
    def chosen(self) -> Key | None:
        """Key of the item that the cursor was put on; None while it stays on the first one by itself."""
        return self._chosen

    @property
    def position(self) -> int:
        """Number of the item under the cursor, counted over all."""
        return self._order.index(self._chosen) if self._chosen in self._order else 0

    def select(self, key: Key) -> None:
        """Put the cursor on an item."""
        self._chosen = key
        self.rebuild()

    def lists(self, key: Key) -> bool:
        """Tell whether an item is in the list."""
        return key in self._order

    def hold(self) -> None:
        """Keep the cursor on the item that it is on: something is asked or told of that one."""
        if (key := self.selected) is not None:
            self.select(key)

    def go_to(self, *, last: bool) -> None:
        """Put the cursor on the first item, or on the last one."""
        if self._order:
            self.select(self._order[-1 if last else 0])

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the item under the mouse."""
        if event.y < len(self._lines) and (key := self._lines[event.y]) is not None:
            self.select(key)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the cursor down."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the cursor up."""
        event.stop()
        self.move(-1)
