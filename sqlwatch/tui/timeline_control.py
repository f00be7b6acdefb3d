"""Zoom for the lanes of both dashboards, and the way through the frozen past."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from sqlwatch.charts import units
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.listed_app import ListedApp
from sqlwatch.tui.view import Past

if TYPE_CHECKING:
    from sqlwatch.metrics.lane_events import EventKey, LaneEvent
    from sqlwatch.tui.listed_app import MakePage
    from sqlwatch.tui.timeline_mouse import LaneClicked, Zoomed
    from sqlwatch.tui.track import Track

_MS: Final = 1_000_000
WINDOWS_NS: Final = tuple(ms * _MS for ms in (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000))
WATCH_WINDOWS_NS: Final = tuple(ms * _MS for ms in (10_000, 30_000, 60_000))

_NEAR_CELLS: Final = 2
"""So many cells beside an event a click still means it."""


class ZoomingApp(DashboardApp):
    """A dashboard whose lanes show one of several windows of time."""

    WINDOWS_NS: ClassVar[tuple[int, ...]] = ()

    def action_zoom_in(self) -> None:
        """Show less time, in more detail."""
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        """Show more time."""
        self._zoom(1)

    def on_zoomed(self, event: Zoomed) -> None:
        """Do what the keys do."""
        self._zoom(event.steps)

    def _zoom(self, steps: int) -> None:
        number = self.WINDOWS_NS.index(self._live.window_ns) + steps
        if not 0 <= number < len(self.WINDOWS_NS):
            self.say(f"the lanes show {units.duration(self._live.window_ns)}; there is no other window beyond")
            return
        self.change(replace(self._live, window_ns=self.WINDOWS_NS[number]))
        self.say(f"the lanes show {units.duration(self._live.window_ns)}")


class PastApp(ZoomingApp, ListedApp):
    """A dashboard in whose frozen past one goes from event to event of whoever is under the cursor."""

    def track(self) -> Track | None:
        """Return the lanes of the picture; None while there are none."""
        raise NotImplementedError

    def event_page(self, event: EventKey) -> MakePage:
        """Return a way to make the page of an event."""
        raise NotImplementedError

    def sight_ns(self) -> int | None:
        """Return when the picture of the lanes ends that is on screen; None where there is none."""
        raise NotImplementedError

    @property
    def chosen(self) -> int | None:
        """Whose events left and right go through.

        The table's cursor; whose event is selected, where he is not in the table; else who did something last.
        """
        event, selected = self._live.past.event, self.table.selected
        if event is not None and not self.table.lists(event.worker) and not self.table.filter_text:
            return event.worker
        if selected is not None or (track := self.track()) is None:
            return selected
        newest = track.newest_event()
        return newest.key.worker if newest is not None else None

    def move_cursor(self, steps: int) -> None:
        """Move the cursor; in the past to an event of whom it comes to."""
        super().move_cursor(steps)
        self.show()
        self.follow_cursor()

    def _filter(self, text: str) -> None:
        super()._filter(text)
        self.follow_cursor()

    def action_detail(self) -> None:
        """Show all that is known of the past event under the cursor, else of what is selected in the lists."""
        event = self._live.past.event
        if event is None or not self._is_of_chosen(event):
            super().action_detail()
        else:
            self.open_event(event)

    def open_event(self, event: EventKey) -> None:
        """Show all that is known of an event; left and right show its neighbours."""

        def step(steps: int) -> MakePage | None:
            self._go(steps)
            other = self._live.past.event
            return self.event_page(other) if other is not None else None

        self.open_page(self.event_page(event), step)

    def action_freeze(self) -> None:
        """Hold the picture still as it is, or let it go and come back from the past."""
        is_frozen = self._live.frozen
        self._live = replace(self._live, past=Past() if is_frozen else Past(self._back_ns(self.sight_ns())))
        super().action_freeze()

    def action_earlier(self) -> None:
        """Go to the event before this one; where there is none, back in time."""
        self._go(-1)

    def action_later(self) -> None:
        """Go to the next event; where there is none, on in time."""
        self._go(1)

    def on_lane_clicked(self, clicked: LaneClicked) -> None:
        """Put the cursor on whose lane it is; by freezing as left does, on its event; on the selected one open it."""
        track = self.track()
        label = track.label(clicked.who) if track is not None else None
        if track is None or label is None:
            return
        if not self.choose(clicked.who) and self.table.filter_text:
            self.say(f"{label} is not in the filtered table of {self.table.THINGS}; esc shows all")
            return
        at_ns = clicked.at_ns
        events = track.events(clicked.who) if at_ns is not None else []
        nearest = min(events, key=lambda one: _distance_ns(one, at_ns or 0), default=None)
        if at_ns is None:
            self.follow_cursor()
        elif nearest is None or _distance_ns(nearest, at_ns) > _NEAR_CELLS * clicked.cell_ns:
            words = f"{label}: no event there; left and right go from event to event"
            self.change(replace(self._live, past=self._live.past._replace(event=None)), words)
        elif self._live.past.event == nearest.key:
            self.open_event(nearest.key)
        else:
            if not self._is_still():
                self.action_freeze()
            past = Past(self._back_ns(clicked.until_ns), nearest.key)
            self.change(replace(self._live, past=past), track.words(nearest))

    def follow_cursor(self) -> None:
        """After the cursor has gone to somebody else, go to the event there that is nearest in time."""
        before = self._live.past.event
        track, who = self.track(), self.chosen
        if track is None or before is None or who is None or who == before.worker:
            return
        old, events = track.event(before), track.events(who)
        if old is None or not events:
            self.change(replace(self._live, past=self._live.past._replace(event=None)))
            return
        self._look_at(track, min(events, key=lambda one: abs(one.until_ns - old.until_ns)))

    def _zoom(self, steps: int) -> None:
        super()._zoom(steps)
        track, event = self.track(), self._live.past.event
        found = track.event(event) if track is not None and event is not None else None
        if track is None or found is None:
            self._live = replace(self._live, past=_bounded(self._live.past, track, self._live.window_ns))
            self.show()
            return
        self._look_at(track, found)

    def _is_still(self) -> bool:
        return self._live.frozen or self._live.status is Status.ENDED

    def _is_of_chosen(self, event: EventKey) -> bool:
        """Tell whether the cursor is still where the event is, and not in the other list."""
        return self.active_list is self.table and self.chosen == event.worker

    def _back_ns(self, until_ns: int | None) -> int:
        """Return how long before the newest moment a picture ends."""
        track = self.track()
        return max(track.newest_ns - until_ns, 0) if track is not None and until_ns is not None else 0

    def _go(self, steps: int) -> None:
        if self.track() is None:
            return
        if not self._is_still():
            self.action_freeze()
        track, past = self.track(), self._live.past
        who = self.chosen
        events = track.events(who) if track is not None and who is not None else []
        if track is None or not events:
            back_ns = past.back_ns - steps * self._live.window_ns // 2
            past = _bounded(past._replace(back_ns=back_ns), track, self._live.window_ns)
            self._live = replace(self._live, past=past)
            self.say(track.without_events if track is not None else "")
            return
        end_ns = track.newest_ns - past.back_ns
        keys = [one.key for one in events]
        if past.event in keys:
            position = keys.index(past.event) + steps
        else:
            position = sum(one.from_ns < end_ns for one in events) - (1 if steps < 0 else 0)
        if not 0 <= position < len(events):
            self.say("there is no event further on" if steps > 0 else "no earlier event is kept")
            return
        self.choose(events[position].key.worker)
        self._look_at(track, events[position])

    def _look_at(self, track: Track, event: LaneEvent) -> None:
        """Put the cursor on an event, and move the window so that it is in sight."""
        past, window_ns = self._live.past, self._live.window_ns
        end_ns = track.newest_ns - past.back_ns
        has_end = event.until_ns <= track.newest_ns
        if event.from_ns >= end_ns or (has_end and not end_ns - window_ns <= event.from_ns < event.until_ns <= end_ns):
            middle_ns = max((event.from_ns + event.until_ns) // 2, event.until_ns - window_ns // 2)
            past = past._replace(back_ns=track.newest_ns - middle_ns - window_ns // 2)
        past = _bounded(past, track, window_ns)._replace(event=event.key)
        self.change(replace(self._live, past=past), track.words(event))


def _distance_ns(event: LaneEvent, at_ns: int) -> int:
    """Return how far a moment is from an event; 0 within it."""
    return max(event.from_ns - at_ns, at_ns - event.until_ns, 0)


def _bounded(past: Past, track: Track | None, window_ns: int) -> Past:
    """Keep the window within what is known."""
    if track is None:
        return Past()
    most_ns = track.newest_ns - track.oldest_ns - window_ns
    return past._replace(back_ns=min(max(past.back_ns, 0), max(most_ns, 0)))
