"""Zoom for the lanes of both dashboards, and for `simulate` the way through the frozen past."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from sqlwatch.charts import units
from sqlwatch.metrics.lane_events import EventKey, LaneEvent, event_of, events_of
from sqlwatch.metrics.lanes import LATENESS_NS, Lanes
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.view import Past

if TYPE_CHECKING:
    from sqlwatch.tui.timeline_mouse import LaneClicked, Zoomed

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


class PastApp(ZoomingApp):
    """A dashboard in whose frozen past one goes from event to event."""

    def chosen_worker(self) -> int | None:
        """Return the worker whose events left and right go through."""
        raise NotImplementedError

    def choose_worker(self, worker: int) -> bool:
        """Put the cursor on a worker; return whether that was possible."""
        raise NotImplementedError

    def sight_ns(self) -> int | None:
        """Return when the picture of the lanes ends that is on screen."""
        raise NotImplementedError

    def open_event(self, event: EventKey) -> None:
        """Show all that is known of an event."""
        raise NotImplementedError

    def action_freeze(self) -> None:
        """Hold the picture still as it is, or let it go and come back from the past."""
        is_frozen = self._live.frozen
        self._live = replace(self._live, past=Past() if is_frozen else Past(self._back_ns(self.sight_ns())))
        super().action_freeze()

    def action_earlier(self) -> None:
        """Go to the worker's event before this one; where it has none, back in time."""
        self._go(-1)

    def action_later(self) -> None:
        """Go to the worker's next event; where it has none, on in time."""
        self._go(1)

    def on_lane_clicked(self, clicked: LaneClicked) -> None:
        """Select a worker and, by freezing as left does, its event; a click on the selected event opens its page."""
        lanes = self._lanes()
        if lanes is None or (lane := lanes.lane(clicked.who)) is None:
            return
        if not self.choose_worker(clicked.who):
            self.say(f"{lane.label} is not in the filtered table of workers; esc shows all")
            return
        at_ns = clicked.at_ns
        events = events_of(lanes, clicked.who) if at_ns is not None else []
        nearest = min(events, key=lambda one: _distance_ns(one, at_ns or 0), default=None)
        if at_ns is None:
            self.follow_cursor()
        elif nearest is None or _distance_ns(nearest, at_ns) > _NEAR_CELLS * clicked.cell_ns:
            words = f"{lane.label}: no event there; left and right go from event to event"
            self.change(replace(self._live, past=self._live.past._replace(event=None)), words)
        elif self._live.past.event == nearest.key:
            self.open_event(nearest.key)
        else:
            if not self._is_still():
                self.action_freeze()
            past = Past(self._back_ns(clicked.until_ns), nearest.key)
            self.change(replace(self._live, past=past), _words(lanes, nearest))

    def follow_cursor(self) -> None:
        """After the cursor has gone to another worker, go to its event that is nearest in time."""
        before = self._live.past.event
        lanes, worker = self._lanes(), self.chosen_worker()
        if lanes is None or before is None or worker is None or worker == before.worker:
            return
        old = event_of(lanes, before)
        events = events_of(lanes, worker)
        if old is None or not events:
            self.change(replace(self._live, past=self._live.past._replace(event=None)))
            return
        self._look_at(lanes, min(events, key=lambda one: abs(one.until_ns - old.until_ns)))

    def _zoom(self, steps: int) -> None:
        super()._zoom(steps)
        lanes, event = self._lanes(), self._live.past.event
        found = event_of(lanes, event) if lanes is not None and event is not None else None
        if lanes is None or found is None:
            self._live = replace(self._live, past=_bounded(self._live.past, lanes, self._live.window_ns))
            self.show()
            return
        self._look_at(lanes, found)

    def _lanes(self) -> Lanes | None:
        simulation = self._view.simulation
        return simulation.lanes if simulation is not None else None

    def _is_still(self) -> bool:
        return self._live.frozen or self._live.status is Status.ENDED

    def _back_ns(self, until_ns: int | None) -> int:
        """Return how long before the newest moment a picture ends."""
        lanes = self._lanes()
        return max(lanes.now_ns - LATENESS_NS - until_ns, 0) if lanes is not None and until_ns is not None else 0

    def _go(self, steps: int) -> None:
        if self._lanes() is None:
            return
        if not self._is_still():
            self.action_freeze()
        lanes, past = self._lanes(), self._live.past
        worker = past.event.worker if past.event is not None else self.chosen_worker()
        events = events_of(lanes, worker) if lanes is not None and worker is not None else []
        if lanes is None or not events:
            back_ns = past.back_ns - steps * self._live.window_ns // 2
            past = _bounded(past._replace(back_ns=back_ns), lanes, self._live.window_ns)
            self._live = replace(self._live, past=past)
            self.say("this worker has no wait that is kept; up and down select another")
            return
        end_ns = lanes.now_ns - LATENESS_NS - past.back_ns
        keys = [one.key for one in events]
        if past.event in keys:
            position = keys.index(past.event) + steps
        else:
            position = sum(one.from_ns < end_ns for one in events) - (1 if steps < 0 else 0)
        if not 0 <= position < len(events):
            self.say("there is no event further on" if steps > 0 else "no earlier event is kept")
            return
        self.choose_worker(events[position].key.worker)
        self._look_at(lanes, events[position])

    def _look_at(self, lanes: Lanes, event: LaneEvent) -> None:
        """Put the cursor on an event, and move the window so that it is in sight."""
        past, window_ns = self._live.past, self._live.window_ns
        newest_ns = lanes.now_ns - LATENESS_NS
        end_ns = newest_ns - past.back_ns
        has_end = event.until_ns <= newest_ns
        if event.from_ns >= end_ns or (has_end and not end_ns - window_ns <= event.from_ns < event.until_ns <= end_ns):
            middle_ns = max((event.from_ns + event.until_ns) // 2, event.until_ns - window_ns // 2)
            past = past._replace(back_ns=newest_ns - middle_ns - window_ns // 2)
        past = _bounded(past, lanes, window_ns)._replace(event=event.key)
        self.change(replace(self._live, past=past), _words(lanes, event))

    def event_under_cursor(self) -> EventKey | None:
        """Return the event that enter shows."""
        return self._live.past.event


def _words(lanes: Lanes, event: LaneEvent) -> str:
    """Say in a few words what an event is."""
    lane = lanes.lane(event.key.worker)
    who = lane.label if lane is not None else str(event.key.worker)
    waited, held = units.duration(event.waited_ns), units.duration(event.held_ns)
    if event.goes_on:
        what = f"has held the lock for {held} so far" if event.held_ns else f"has waited {waited} so far"
    else:
        what = f"waited {waited}" + (f", then held the lock for {held}" if event.held_ns else "")
    return f"{who} {what}; enter tells all of it"


def _distance_ns(event: LaneEvent, at_ns: int) -> int:
    """Return how far a moment is from an event; 0 within it."""
    return max(event.from_ns - at_ns, at_ns - event.until_ns, 0)


def _bounded(past: Past, lanes: Lanes | None, window_ns: int) -> Past:
    """Keep the window within what is known."""
    if lanes is None:
        return Past()
    oldest_ns = min((lane.chunks[0].since_ns for lane in lanes.lanes if lane.chunks), default=lanes.now_ns)
    most_ns = lanes.now_ns - LATENESS_NS - oldest_ns - window_ns
    return past._replace(back_ns=min(max(past.back_ns, 0), max(most_ns, 0)))
