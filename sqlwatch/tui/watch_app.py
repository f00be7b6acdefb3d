"""The dashboard of `sqlwatch watch`: draws the newest Snapshot of an observed database and what was found in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.footer import KeyFooter
from sqlwatch.tui.headline import Headline
from sqlwatch.tui.keys import Key, bindings
from sqlwatch.tui.places import Places, Wish
from sqlwatch.tui.protocol import WatchSessionProtocol
from sqlwatch.tui.timeline_control import WATCH_WINDOWS_NS, ZoomingApp
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_busy_panel import BusyPanel
from sqlwatch.tui.watch_commits_panel import CommitsPanel
from sqlwatch.tui.watch_findings import FindingsPanel, keyed
from sqlwatch.tui.watch_header import WatchHeader
from sqlwatch.tui.watch_keys import WATCH_KEYS
from sqlwatch.tui.watch_layout import PANELS, plan
from sqlwatch.tui.watch_locks_panel import LocksPanel
from sqlwatch.tui.watch_processes import ProcessTable
from sqlwatch.tui.watch_timeline_panel import TimelinePanel
from sqlwatch.tui.watch_wal_panel import WatchWalPanel

if TYPE_CHECKING:
    from textual import events
    from textual.driver import Driver
    from textual.geometry import Size

    from sqlwatch.tui.detail_screen import DetailScreen, Page
    from sqlwatch.tui.help_screen import Guide


class Verdict(Headline):
    """One line of plain words that says how the database is."""

    BEFORE = "starting: nothing has been seen yet"


class WatchApp(ZoomingApp):
    """Panels for what was seen, a list of what is wrong, and a cursor that goes over findings and processes."""

    KEYS: ClassVar[tuple[Key, ...]] = WATCH_KEYS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(WATCH_KEYS))
    ENDED_WORDS = "the observation has ended; q quits"
    WINDOWS_NS = WATCH_WINDOWS_NS
    FIRST_WINDOW_NS = 30_000_000_000
    PANELS: ClassVar[tuple[str, ...]] = PANELS

    def __init__(
        self,
        session: WatchSessionProtocol,
        *,
        headline: Callable[[Snapshot], str],
        findings: Callable[[Snapshot], tuple[Finding, ...]],
        fps: int = 4,
        glyphs: str = "braille",
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Prepare for a session that has not been started; raise ValueError for a wrong fps or glyph set."""
        super().__init__(session, headline=headline, fps=fps, glyphs=glyphs, driver_class=driver_class)
        self._findings = findings
        self._detail: DetailScreen | None = None

    def compose(self) -> ComposeResult:
        """Make the panels in the order of tab; `arrange` gives them their places."""
        inks, view = self._inks, self._view
        yield WatchHeader(inks, view, id="header")
        yield Verdict(inks, view, id="headline")
        yield FindingsPanel(inks, view, id="findings")
        yield LocksPanel(inks, view, id="locks")
        yield TimelinePanel(inks, view, id="timeline")
        yield CommitsPanel(inks, view, id="commits")
        yield WatchWalPanel(inks, view, id="wal")
        yield ProcessTable(inks, view, id="processes")
        yield BusyPanel(inks, view, id="busy")
        yield KeyFooter(inks, view, WATCH_KEYS, id="footer")

    def places(self, size: Size, wish: Wish) -> Places:
        """Divide the screen among the panels."""
        return plan(size.width, size.height, wish)

    def judged(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with the verdict and the findings, worked out once per Snapshot."""
        return replace(super().judged(view, snapshot), findings=self._findings(snapshot))

    def show(self) -> None:
        """Draw what changed, also on a page of detail."""
        super().show()
        if self._detail is not None:
            self._detail.show(self._view)

    def guide(self) -> Guide:
        """Return what the help says of the panels, and what cannot be seen."""
        from sqlwatch.tui.watch_guide import guide_for  # only when it is wanted: the first picture comes sooner

        return guide_for(self._view)

    @property
    def _lists(self) -> tuple[FindingsPanel, ProcessTable]:
        screen = self.screen_stack[0]
        return screen.query_one(FindingsPanel), screen.query_one(ProcessTable)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Take the cursor along when the focus goes to one of the two lists."""
        if event.widget in self._lists:
            self._put_cursor(in_findings=isinstance(event.widget, FindingsPanel))

    def _put_cursor(self, *, in_findings: bool) -> None:
        findings, processes = self._lists
        findings.has_cursor, processes.has_cursor = in_findings, not in_findings
        findings.rebuild()
        processes.rebuild()

    def _move(self, steps: int) -> None:
        """Move the cursor, from the last finding down into the processes and back."""
        findings, processes = self._lists
        inside, other = (findings, processes) if findings.has_cursor else (processes, findings)
        if inside.move(steps):
            return
        leaves = steps > 0 if inside is findings else steps < 0
        if leaves and other.display and other.selected is not None:
            self._put_cursor(in_findings=other is findings)
            other.go_to(last=steps < 0)
            if isinstance(self.focused, FindingsPanel | ProcessTable):
                self.set_focus(None)

    def action_cursor_up(self) -> None:
        """Select what is above."""
        self._move(-1)

    def action_cursor_down(self) -> None:
        """Select what is below."""
        self._move(1)

    def action_release(self) -> None:
        """Take the focus from a panel."""
        self.set_focus(None)

    def action_detail(self) -> None:
        """Show all that is known of what is under the cursor."""
        findings, processes = self._lists
        if findings.has_cursor and (key := findings.selected) is not None:
            from sqlwatch.tui.watch_finding_page import finding_page  # only when it is wanted, as the help

            self._open(finding_page(key, keyed(self._view.findings)[key]))
        elif (pid := processes.selected) is not None and not findings.has_cursor:
            from sqlwatch.tui.watch_process_page import process_page

            self._open(process_page(pid))
        else:
            self.say("nothing is selected; move the cursor with up and down")

    def _open(self, page: Callable[[View], Page]) -> None:
        from sqlwatch.tui.detail_screen import DetailScreen

        self._detail = DetailScreen(page, self._view, self._inks)
        self.push_screen(self._detail, lambda _: self._forget_detail())

    def _forget_detail(self) -> None:
        self._detail = None
