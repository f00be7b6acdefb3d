"""A dashboard with two lists: a cursor goes from one into the other, and enter shows all that is known of an item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlwatch.tui.cursor_panel import CursorPanel
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.findings_panel import FindingsPanel
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.sorted_panel import SortedPanel
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events

    from sqlwatch.tui.detail_screen import DetailScreen, Page
    from sqlwatch.tui.help_screen import Guide, HelpScreen
    from sqlwatch.tui.log_screen import LogScreen

    MakePage = Callable[[View], Page]


class ListedApp(DashboardApp):
    """Knows in which of its two lists the cursor is, and the screen that is open above the panels."""

    following: DetailScreen | LogScreen | None = None
    """The screen that is open above the panels and follows the Snapshots."""
    _help: HelpScreen | None = None
    """The help, once it was wanted: it is kept, so that it comes at once the next time."""

    def guide(self) -> Guide:
        """Return what the help says of the panels."""
        raise NotImplementedError

    @property
    def lists(self) -> tuple[CursorPanel[Any], CursorPanel[Any]]:
        """The two lists, the upper one first."""
        raise NotImplementedError

    def page_of(self, inside: CursorPanel[Any], key: Any) -> MakePage | None:
        """Return a way to make the page of an item of a list; None if it is not there any more."""
        if not isinstance(inside, FindingsPanel):
            raise NotImplementedError
        from sqlwatch.tui.finding_page import finding_page_of  # only when it is wanted, as the help

        return finding_page_of(key, self._view)

    @property
    def active_list(self) -> CursorPanel[Any]:
        """The list in which the cursor is."""
        upper, lower = self.lists
        return upper if upper.has_cursor else lower

    def show(self) -> None:
        """Draw what changed, also on the screen that is open above the panels; lanes follow the table's cursor."""
        if self.table.chosen != self._live.cursor:
            self._live = replace(self._live, cursor=self.table.chosen)
        super().show()
        if self.following is not None:
            self.following.show(self._view)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Take the cursor along when the focus goes to one of the two lists."""
        for one in self.lists:
            if event.widget is one:
                self._put_cursor(one)

    def _put_cursor(self, inside: CursorPanel[Any]) -> None:
        for one in self.lists:
            one.has_cursor = one is inside
            one.rebuild()

    def choose(self, key: Any) -> bool:
        """Put the cursor on an item of the table; return False if that does not show it."""
        table = self.table
        self._put_cursor(table)
        table.select(key)
        return table.selected in (key, None)

    def move_cursor(self, steps: int) -> None:
        """Move the cursor, from the end of one list into the other and back."""
        inside = self.active_list
        if inside.move(steps):
            return
        upper, lower = self.lists
        other = lower if inside is upper else upper
        leaves = steps > 0 if inside is upper else steps < 0
        if leaves and other.display and other.selected is not None:
            self._put_cursor(other)
            other.go_to(last=steps < 0)
            if isinstance(self.focused, CursorPanel):
                self.set_focus(None)

    def action_cursor_up(self) -> None:
        """Select what is above."""
        self.move_cursor(-1)

    def action_cursor_down(self) -> None:
        """Select what is below."""
        self.move_cursor(1)

    def action_release(self) -> None:
        """Show all of a filtered table again; else take the focus from a panel."""
        if self.table.filter_text:
            self._filter("")
            self.say(f"all {self.table.THINGS} again")
        else:
            self.set_focus(None)

    @property
    def table(self) -> SortedPanel[Any, Any]:
        """The list that can be sorted and filtered."""
        return next(one for one in self.lists if isinstance(one, SortedPanel))

    def action_sort(self) -> None:
        """Sort the table in the next way."""
        if self._table_is_hidden():
            return
        self.say(f"{self.table.THINGS} by {self.table.next_sort()}")

    def action_filter(self) -> None:
        """Ask for a text that the shown items must have in them."""
        if self._table_is_hidden():
            return
        from sqlwatch.tui.filter_screen import FilterScreen  # only when it is wanted, as the help

        table = self.table
        hint = f"a part of what the {table.THINGS} show; enter keeps it, esc shows all"
        self.push_screen(FilterScreen(table.filter_text, hint, self._filter))

    def _table_is_hidden(self) -> bool:
        """Tell whether the table is out of sight, and say so."""
        if not self.table.display:
            self.say(f"the {self.table.THINGS} are not in sight; the command palette (ctrl+p) shows their panel")
        return not self.table.display

    def on_key(self, event: events.Key) -> None:
        """Hand on what was typed ahead of the line for the filter."""
        from sqlwatch.tui.filter_screen import FilterScreen

        if isinstance(self.screen, FilterScreen):
            self.screen.take(event)

    def action_export(self) -> None:
        """Write files of what is on screen."""
        from sqlwatch.tui.outgoing import export  # only when it is wanted, as the help

        if self.exporter is None:
            self.tell("nothing is exported from a browser unless SQLWATCH_EXPORT_DIR is set where sqlwatch runs")
        else:
            self.tell(export(self, self.exporter, self._view))

    def action_copy(self) -> None:
        """Send the text of the focused panel to the terminal's clipboard."""
        from sqlwatch.tui.outgoing import copied_text

        what, text = copied_text(self)
        self.copy_to_clipboard(text)
        lines = len(text.splitlines())
        self.tell(f"copied: {what}, {lines} line{'s' * (lines != 1)}, if the terminal takes it (OSC 52)")

    def tell(self, words: str) -> None:
        """Say a few words in the headline, and over the screen that hides it."""
        self.say(words)
        if self.page_text:
            self.notify(words, timeout=4, markup=False)

    @property
    def page_text(self) -> str:
        """The text of the page above the panels; empty where there is none."""
        pages = (screen for screen in reversed(self.screen_stack) if isinstance(screen, PageScreen))
        return next((page.text for page in pages if page.text), "")

    def _filter(self, text: str) -> None:
        self.table.use_filter(text)

    def action_detail(self) -> None:
        """Show all that is known of what is under the cursor."""
        inside = self.active_list
        inside.hold()
        page = self.page_of(inside, inside.selected) if inside.display and inside.selected is not None else None
        if page is None:
            self.say("nothing is selected; move the cursor with up and down")
            return

        def step(steps: int) -> MakePage | None:
            return self.page_of(inside, inside.selected) if inside.move(steps) else None

        self.open_page(page, step)

    def open_page(self, page: MakePage, step: Callable[[int], MakePage | None] | None = None) -> None:
        """Show a page of detail; `step` gives the pages of its neighbours."""
        from sqlwatch.tui.detail_screen import DetailScreen  # only when it is wanted, as the help

        self._open(DetailScreen(page, self._view, self._inks, step))

    def action_events(self) -> None:
        """Show the event log."""
        from sqlwatch.tui.log_screen import LogScreen  # only when it is wanted, as the help

        self._open(LogScreen(self._view, self._inks))

    def action_help(self) -> None:
        """Show the help."""
        from sqlwatch.tui.help_screen import HelpScreen  # only when it is wanted: the first picture comes sooner

        guide = self.guide()
        if self._help is None:
            self._help = HelpScreen(self._view.glyphs, guide, self.KEYS, self._inks)
            self.install_screen(self._help, "help")
        else:
            self._help.begin_again(guide, self._inks)
        self.push_screen(self._help)

    def _open(self, screen: DetailScreen | LogScreen) -> None:
        """Show a screen that follows the Snapshots until it is closed."""
        self.following = screen
        self.push_screen(screen, lambda _: self._forget())

    def _forget(self) -> None:
        self.following = None
