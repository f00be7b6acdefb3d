"""The dashboard of `sqlwatch watch`: draws the newest Snapshot of an observed database and what was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from sqlwatch.tui.cursor_panel import CursorPanel
from sqlwatch.tui.findings_panel import FindingsPanel
from sqlwatch.tui.footer import KeyFooter
from sqlwatch.tui.headline import Headline
from sqlwatch.tui.keys import Key, bindings
from sqlwatch.tui.places import Places, Wish
from sqlwatch.tui.timeline_control import WATCH_WINDOWS_NS, PastApp
from sqlwatch.tui.watch_busy_panel import BusyPanel
from sqlwatch.tui.watch_commits_panel import CommitsPanel
from sqlwatch.tui.watch_header import WatchHeader
from sqlwatch.tui.watch_keys import WATCH_KEYS
from sqlwatch.tui.watch_layout import PANELS, plan
from sqlwatch.tui.watch_locks_panel import LocksPanel
from sqlwatch.tui.watch_processes import ProcessTable
from sqlwatch.tui.watch_timeline_panel import TimelinePanel
from sqlwatch.tui.watch_track import ProcessTrack
from sqlwatch.tui.watch_wal_panel import WatchWalPanel

if TYPE_CHECKING:
    from textual.geometry import Size

    from sqlwatch.metrics.lane_events import EventKey
    from sqlwatch.metrics.snapshot import Snapshot
    from sqlwatch.tui.help_screen import Guide
    from sqlwatch.tui.listed_app import MakePage
    from sqlwatch.tui.view import View


class Verdict(Headline):
    """One line of plain words that says how the database is."""

    BEFORE = "starting: nothing has been seen yet"


class WatchApp(PastApp):
    """Panels for what was seen, a list of what is wrong, and a cursor that goes over findings and processes."""

    KEYS: ClassVar[tuple[Key, ...]] = WATCH_KEYS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(WATCH_KEYS))
    ENDED_WORDS = "the observation has ended; q quits"
    WINDOWS_NS = WATCH_WINDOWS_NS
    FIRST_WINDOW_NS = 30_000_000_000
    PANELS: ClassVar[tuple[str, ...]] = PANELS

    _follows_log = False

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

    def guide(self) -> Guide:
        """Return what the help says of the panels, and what cannot be seen."""
        from sqlwatch.tui.watch_guide import guide_for  # only when it is wanted: the first picture comes sooner

        return guide_for(self._view)

    def track(self) -> ProcessTrack | None:
        """Return the lanes of the picture; None while there are none."""
        observed = self._view.observation
        return ProcessTrack(observed) if observed is not None and observed.lanes else None

    def event_page(self, event: EventKey) -> MakePage:
        """Return a way to make the page of a hold or a wait."""
        from sqlwatch.tui.watch_span_page import span_page  # only when it is wanted, as the help

        return span_page(event)

    def sight_ns(self) -> int | None:
        """Return when the picture of the lanes ends that is on screen."""
        track = self.track()
        return track.newest_ns if track is not None else None

    def received(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with a Snapshot; make room for the logs' errors as soon as there is a log to follow."""
        if not self._follows_log and snapshot.observation is not None and snapshot.observation.busy is not None:
            self._follows_log = True
            self._wish = self._wish._replace(asked=["busy", *self._wish.asked])
            self.arrange(self.size)
        return super().received(view, snapshot)

    @property
    def lists(self) -> tuple[FindingsPanel, ProcessTable]:
        """Findings above, processes below."""
        screen = self.screen_stack[0]
        return screen.query_one(FindingsPanel), screen.query_one(ProcessTable)

    def page_of(self, inside: CursorPanel[Any], key: Any) -> MakePage | None:
        """Return a way to make the page of a process; of a finding as in every dashboard."""
        if isinstance(inside, FindingsPanel):
            return super().page_of(inside, key)
        from sqlwatch.tui.watch_process_page import process_page  # only when it is wanted, as the help

        return process_page(key)
