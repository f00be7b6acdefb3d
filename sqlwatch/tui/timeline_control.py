"""Zoom for the lanes of both dashboards, and for `simulate` the way through the frozen past."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from sqlwatch.charts import units
from sqlwatch.metrics.lanes import LATENESS_NS, Lanes, transactions_of
from sqlwatch.metrics.recents import wait_ns
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.view import EventKey, Past

if TYPE_CHECKING:
    from simulators.events import Transaction

_MS: Final = 1_000_000
WINDOWS_NS: Final = tuple(ms * _MS for ms in (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000))
WATCH_WINDOWS_NS: Final = tuple(ms * _MS for ms in (10_000, 30_000, 60_000))


class ZoomingApp(DashboardApp):
    """A dashboard whose lanes show one of several windows of time."""

    WINDOWS_NS: ClassVar[tuple[int, ...]] = ()

    def action_zoom_in(self) -> None:
        """Show less time, in more detail."""
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        """Show more time."""
        self._zoom(1)

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

    def action_freeze(self) -> None:
        """Hold the picture still, or let it go and come back from the past."""
        self._live = replace(self._live, past=Past())
        super().action_freeze()

    def action_earlier(self) -> None:
        """Go to the worker's event before this one; where it has none, back in time."""
        self._go(-1)

    def action_later(self) -> None:
        """Go to the worker's next event; where it has none, on in time."""
        self._go(1)

    def follow_cursor(self) -> None:
        """After the cursor has gone to another worker, go to its event that is nearest in time."""
        before = self._live.past.event
        lanes, worker = self._lanes(), self.chosen_worker()
        if lanes is None or before is None or worker is None or worker == before.worker:
            return
        old = next((one for one in _events_of(lanes, before.worker) if one.number == before.number), None)
        events = _events_of(lanes, worker)
        if old is None or not events:
            self.change(replace(self._live, past=self._live.past._replace(event=None)))
            return
        nearest = min(events, key=lambda one: abs(one.done_ns - old.done_ns))
        self._look_at(lanes, worker, nearest)

    def _zoom(self, steps: int) -> None:
        super()._zoom(steps)
        lanes, event = self._lanes(), self._live.past.event
        if lanes is None or event is None:
            self._live = replace(self._live, past=_bounded(self._live.past, lanes, self._live.window_ns))
            self.show()
            return
        for transaction in _events_of(lanes, event.worker):
            if transaction.number == event.number:
                self._look_at(lanes, event.worker, transaction)

    def _lanes(self) -> Lanes | None:
        simulation = self._view.simulation
        return simulation.lanes if simulation is not None else None

    def _go(self, steps: int) -> None:
        lanes, worker = self._lanes(), self.chosen_worker()
        if lanes is None:
            return
        if not self._live.frozen and self._live.status is not Status.ENDED:
            super().action_freeze()
        past = self._live.past
        events = _events_of(lanes, worker) if worker is not None else []
        end_ns = lanes.now_ns - LATENESS_NS - past.back_ns
        if not events or worker is None:
            back_ns = past.back_ns - steps * self._live.window_ns // 2
            past = _bounded(past._replace(back_ns=back_ns), lanes, self._live.window_ns)
            self._live = replace(self._live, past=past)
            self.say("this worker has no finished wait that is kept; up and down select another")
            return
        numbers = [one.number for one in events]
        if past.event is not None and past.event.worker == worker and past.event.number in numbers:
            position = numbers.index(past.event.number) + steps
        else:
            position = sum(one.done_ns <= end_ns for one in events) - (1 if steps < 0 else 0)
        if not 0 <= position < len(events):
            self.say("there is no event further on" if steps > 0 else "no earlier event is kept")
            return
        self._look_at(lanes, worker, events[position])

    def _look_at(self, lanes: Lanes, worker: int, transaction: Transaction) -> None:
        """Put the cursor on an event, and move the window so that it is in sight."""
        past, window_ns = self._live.past, self._live.window_ns
        end_ns = lanes.now_ns - LATENESS_NS - past.back_ns
        if transaction.done_ns > end_ns or transaction.asked_ns < end_ns - window_ns:
            middle_ns = max((transaction.asked_ns + transaction.done_ns) // 2, transaction.done_ns - window_ns // 2)
            past = past._replace(back_ns=lanes.now_ns - LATENESS_NS - middle_ns - window_ns // 2)
        past = _bounded(past, lanes, window_ns)._replace(event=EventKey(worker, transaction.number))
        lane = lanes.lane(worker)
        who = lane.label if lane is not None else str(worker)
        words = f"{who} waited {units.duration(wait_ns(transaction))}; enter tells all of it"
        self.change(replace(self._live, past=past), words)

    def event_under_cursor(self) -> EventKey | None:
        """Return the event that enter shows."""
        return self._live.past.event


def _events_of(lanes: Lanes, worker: int) -> list[Transaction]:
    """Return a worker's events that are kept and far enough back to be in sight, oldest first."""
    lane = lanes.lane(worker)
    if lane is None:
        return []
    until_ns = lanes.now_ns - LATENESS_NS
    return [one for one, _ in transactions_of(lane, 0, until_ns) if one.done_ns <= until_ns]


def _bounded(past: Past, lanes: Lanes | None, window_ns: int) -> Past:
    """Keep the window within what is known."""
    if lanes is None:
        return Past()
    oldest_ns = min((lane.chunks[0].since_ns for lane in lanes.lanes if lane.chunks), default=lanes.now_ns)
    most_ns = lanes.now_ns - LATENESS_NS - oldest_ns - window_ns
    return past._replace(back_ns=min(max(past.back_ns, 0), max(most_ns, 0)))
