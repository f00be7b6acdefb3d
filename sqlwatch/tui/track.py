"""What one goes through on frozen lanes: the events of whoever has a lane, for the keys and the mouse."""

from __future__ import annotations

from typing import Protocol

from sqlwatch.charts import units
from sqlwatch.metrics.lane_events import EventKey, LaneEvent, event_of, events_of
from sqlwatch.metrics.lanes import Lanes


class Track(Protocol):
    """The lanes of one Snapshot; `who` is a worker or a process."""

    @property
    def newest_ns(self) -> int:
        """When the lanes end that show the newest moment."""

    @property
    def oldest_ns(self) -> int:
        """When they begin that show the oldest one."""

    @property
    def without_events(self) -> str:
        """What to say of somebody whose lane has no event."""

    def newest_event(self) -> LaneEvent | None:
        """Return what ended last of all lanes."""

    def label(self, who: int) -> str | None:
        """Return how somebody is called; None if he has no lane."""

    def events(self, who: int) -> list[LaneEvent]:
        """Return somebody's events that are kept, oldest first."""

    def event(self, key: EventKey) -> LaneEvent | None:
        """Return an event by its key; None if it is not kept (any more)."""

    def words(self, event: LaneEvent) -> str:
        """Say in a few words what an event is."""


class WorkerTrack:
    """The lanes of a simulation."""

    without_events = "this worker has no wait that is kept; up and down select another"

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    @property
    def newest_ns(self) -> int:
        """As in Track."""
        return self._lanes.newest_ns

    @property
    def oldest_ns(self) -> int:
        """As in Track."""
        lanes = self._lanes
        return min((lane.chunks[0].since_ns for lane in lanes.lanes if lane.chunks), default=lanes.now_ns)

    def newest_event(self) -> LaneEvent | None:
        """As in Track."""
        events = [one for lane in self._lanes.lanes for one in events_of(self._lanes, lane.worker)[-1:]]
        return max(events, key=lambda one: one.until_ns, default=None)

    def label(self, who: int) -> str | None:
        """As in Track."""
        lane = self._lanes.lane(who)
        return lane.label if lane is not None else None

    def events(self, who: int) -> list[LaneEvent]:
        """As in Track."""
        return events_of(self._lanes, who)

    def event(self, key: EventKey) -> LaneEvent | None:
        """As in Track."""
        return event_of(self._lanes, key)

    def words(self, event: LaneEvent) -> str:
        """As in Track."""
        who = self.label(event.key.worker) or str(event.key.worker)
        waited, held = units.duration(event.waited_ns), units.duration(event.held_ns)
        if event.goes_on:
            what = f"has held the lock for {held} so far" if event.held_ns else f"has waited {waited} so far"
        else:
            what = f"waited {waited}" + (f", then held the lock for {held}" if event.held_ns else "")
        return f"{who} {what}; enter tells all of it"
