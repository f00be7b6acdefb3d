"""The event log: what happened lately, the newest at the foot; it follows until somebody scrolls up."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from simulators.transactions import GRAVE_WAIT_NS
from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, whole_parts
from sqlwatch.metrics.event_log import Event, EventKind, events_of
from sqlwatch.metrics.recents import GRAVE, NEWEST
from sqlwatch.metrics.result_codes import message_of
from sqlwatch.tui.event_filter import HINT, event_filter
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.panel import Rows, clipped
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_INKS: Final = {
    EventKind.BUSY: Ink.WARNING, EventKind.ERROR: Ink.WARNING, EventKind.EXIT: Ink.WARNING, EventKind.PHASE: Ink.RUNG,
    EventKind.CHECKPOINT: Ink.MARK, EventKind.RESET: Ink.MARK, EventKind.WITHDRAWN: Ink.MUTED,
}  # fmt: skip
_KIND_WIDTH: Final = max(len(kind.value) for kind in EventKind)
_LINES_ABOVE: Final = 3


class EventRows(Rows):
    """Title, names of the columns, and as many events as there is room for."""

    def __init__(self, inks: Inks, view: View) -> None:
        super().__init__(inks, view, id="events")
        self.filter_text = ""
        self._known: list[Event] = []
        self._passing: list[Event] = []
        self._below = 0
        """Events below the last one in view; 0 follows what comes."""

    @property
    def follows(self) -> bool:
        """Whether the newest event is in view, and newer ones will be."""
        return self._below == 0

    def show(self, view: View) -> None:
        """Follow to another View, unless it is held by scrolling."""
        if self.follows and view.snapshot is not None:
            self._known = events_of(view.snapshot)
            self._pass()
        super().show(view)

    def use_filter(self, text: str) -> None:
        """Show only the events that fit."""
        self.filter_text, self._below = text.strip(), 0
        self._pass()
        self.rebuild()

    def _pass(self) -> None:
        fits = event_filter(self.filter_text)
        self._passing = [event for event in self._known if fits(event)] if self.filter_text else self._known

    def scroll_lines(self, lines: int) -> None:
        """Go some lines up (or down, if negative); at the foot it follows again."""
        most = max(len(self._passing) - max(self.size.height - _LINES_ABOVE, 1), 0)
        self._below = min(max(self._below + lines, 0), most)
        if self.follows:
            self.show(self._view)
        self.rebuild()

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return title, hint, names of the columns, and the events."""
        room = max(height - _LINES_ABOVE, 1)
        until = len(self._passing) - self._below
        shown = self._passing[max(until - room, 0) : until]
        started_ns = (view.snapshot.started_ns if view.snapshot is not None else None) or 0
        rows = [self._title(view, width), _hint(view, width, is_filtered=bool(self.filter_text)), _names(view, width)]
        if not shown:
            words = "no event fits the filter" if self._known else "nothing has happened yet"
            rows.append((Segment(f" {words}", Ink.MUTED),))
        return [fitted(row, width) for row in rows + [_event_row(event, started_ns, width) for event in shown]]

    def _title(self, view: View, width: int) -> Row:
        state = Segment(" FROZEN ", Ink.ALERT_BADGE) if view.frozen else Segment("follows", Ink.MUTED)
        if not self.follows:
            state = Segment(" HELD ", Ink.ALERT_BADGE)
        count = f"{len(self._passing):,} of " if self.filter_text else ""
        counted = f"{count}{len(self._known):,} event{'s' * (len(self._known) != 1)}"
        parts: list[Row] = [(Segment(f"{view.glyphs.line} Events", Ink.STRONG),), (state,)]
        if self.filter_text:
            parts.append((Segment(f"filter: {clean(self.filter_text)}", Ink.RUNG),))
        parts.append((Segment(counted, Ink.MUTED),))
        if view.simulation is not None:
            kept = f"kept: {NEWEST:,} newest, {GRAVE:,} errors and waits over {units.duration(GRAVE_WAIT_NS)}"
            parts.append((Segment(kept, Ink.MUTED),))
            parts.append((Segment(f"{units.count(view.simulation.forgotten)} older ones gone", Ink.MUTED),))
        return whole_parts(parts, width)


def _hint(view: View, width: int, *, is_filtered: bool) -> Row:
    first = "esc shows all" if is_filtered else "esc back"
    keys = (first, "/ filter", "arrows, page up/down scroll", "end follows", "space freezes")
    return whole_parts([(Segment(words, Ink.MUTED),) for words in keys], width)


def _names(view: View, width: int) -> Row:
    if view.observation is not None:
        return (Segment(f"{'time':>9} event", Ink.MUTED),)
    text = f"{'time':>9} {'event':<{_KIND_WIDTH}} {'#':>3} {'waited':>6} {'retries':>7} {'held':>6}  outcome"
    short = f"{'time':>9} {'event':<{_KIND_WIDTH}} {'#':>3} waited"
    return (Segment(text if width >= 60 else short, Ink.MUTED),)


def _event_row(event: Event, started_ns: int, width: int) -> Row:
    """Return time since the start, kind, worker, and either the figures of the transaction or the text."""
    ink = _INKS.get(event.kind, Ink.TEXT)
    worker = str(event.worker) if event.worker is not None else ""
    head = f"{moment(event.at_ns - started_ns):>9} "
    middle = f"{event.kind.value:<{_KIND_WIDTH}} {worker:>3} "
    one = event.transaction
    if one is None:
        words = clipped(clean(event.text), max(width - len(head) - len(middle), 0))
        return (Segment(head, Ink.MUTED), Segment(middle + words, ink))
    held = units.duration(one.released_ns - one.got_ns) if one.got_ns and one.released_ns else units.UNKNOWN
    figures = f"{units.duration(event.wait_ns):>6} {one.retries:>7} {held:>6}  {message_of(one.outcome)}"
    if width < 60:
        ended = message_of(one.outcome).partition(":")[0].removeprefix("SQLITE_")
        figures = f"{units.duration(event.wait_ns):>5} {ended}"
    return (Segment(head, Ink.MUTED), Segment(middle + figures, ink))


def moment(since_start_ns: int) -> str:
    """Write a moment as minutes, seconds and ms since the start.

    >>> moment(7_123_456_789), moment(65_000_000_000), moment(-2_000_000)
    ('0:07.123', '1:05.000', '0:00.000')
    """
    seconds, ms = divmod(max(since_start_ns, 0) // 1_000_000, 1000)
    return f"{seconds // 60}:{seconds % 60:02d}.{ms:03d}"


class LogScreen(PageScreen):
    """The log over the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back, or show all again"),
        Binding("q,v", "close", "close the page"),
        Binding("up", "scroll_lines(1)", "scroll up"),
        Binding("down", "scroll_lines(-1)", "scroll down"),
        Binding("pageup", "scroll_pages(1)", "scroll a page up"),
        Binding("pagedown", "scroll_pages(-1)", "scroll a page down"),
        Binding("home", "scroll_lines(1000000)", "go to the oldest event"),
        Binding("end", "scroll_lines(-1000000)", "follow the newest event"),
        Binding("slash", "filter", "filter the events"),
        Binding("space", "app.freeze", "freeze the display"),
        Binding("e", "app.export", "export what is on screen"),
        Binding("y", "app.copy", "copy to the clipboard"),
        Binding("question_mark,f1", "app.help", "help"),
    ]
    CSS = """
    LogScreen EventRows { width: 100%; height: 100%; }
    """

    def __init__(self, view: View, inks: Inks) -> None:
        super().__init__()
        self._view = view
        self._rows = EventRows(inks, view)

    def compose(self) -> ComposeResult:
        """Give the log the whole screen."""
        yield self._rows

    def on_mount(self) -> None:
        """Show what has happened so far."""
        self._rows.show(self._view)

    def show(self, view: View) -> None:
        """Follow to another View."""
        self._rows.show(view)

    def use(self, inks: Inks) -> None:
        """Draw with other inks."""
        self._rows.use(inks)

    @property
    def text(self) -> str:
        """What is on screen, without colours."""
        return self._rows.text

    def action_scroll_lines(self, lines: int) -> None:
        """Go up some lines, or down."""
        self._rows.scroll_lines(lines)

    def action_scroll_pages(self, pages: int) -> None:
        """Go up some screens, or down."""
        self._rows.scroll_lines(pages * max(self.size.height - _LINES_ABOVE - 1, 1))

    def on_mouse_scroll_up(self) -> None:
        """Go up."""
        self._rows.scroll_lines(3)

    def on_mouse_scroll_down(self) -> None:
        """Go down."""
        self._rows.scroll_lines(-3)

    def action_filter(self) -> None:
        """Ask for what the events must fit."""
        from sqlwatch.tui.filter_screen import FilterScreen  # only when it is wanted

        self.app.push_screen(FilterScreen(self._rows.filter_text, HINT, self._rows.use_filter))

    def action_back(self) -> None:
        """Show all events again, if a filter hides some; else go back to the dashboard."""
        if self._rows.filter_text:
            self._rows.use_filter("")
        else:
            self.dismiss()

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()
