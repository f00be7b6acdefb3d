"""The base of the pages above the panels: help, details, the comparison, the event log."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from sqlwatch.tui.inks import Inks


class PageScreen(ModalScreen[None]):
    """A page over the whole screen, opaque by the CSS of the app; the palette offers its own actions first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "app.command_palette", "command palette"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]

    def use(self, inks: Inks) -> None:
        """Draw with other inks."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """What the page says, without colours, for an export or a copy; empty where there is nothing to take along."""
        return ""

    @classmethod
    def own_bindings(cls) -> list[Binding]:
        """Return what this kind of page binds, and the kinds it is made from, each action once."""
        kinds = [kind for kind in cls.__mro__ if issubclass(kind, PageScreen)]
        found = [one for kind in kinds for one in kind.__dict__.get("BINDINGS", ()) if isinstance(one, Binding)]
        return list({one.action: one for one in found}.values())
