"""What one goes through on the frozen lanes of `watch`: holds and waits of processes, as far as the looks tell."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.metrics.lane_events import EventKey, LaneEvent
from sqlwatch.metrics.lock_spans import LockSpan, SpanKind
from sqlwatch.metrics.observed import Observed
from sqlwatch.tui.watch_words import holder_words, length_words


class ProcessTrack:
    """The lanes of an observed database; see `Track`."""

    without_events = "no hold or wait of this process is kept that looks could tell; up and down select another"

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    @property
    def newest_ns(self) -> int:
        """As in Track."""
        return self._observed.lane_end_ns

    @property
    def oldest_ns(self) -> int:
        """As in Track."""
        observed = self._observed
        cells = max((len(lane.held) for lane in observed.lanes), default=0)
        return observed.lane_end_ns - cells * observed.lane_period_ns

    def newest_event(self) -> LaneEvent | None:
        """As in Track."""
        newest = max(self._observed.spans, key=lambda span: span.until_ns, default=None)
        return _event(newest) if newest is not None else None

    def label(self, who: int) -> str | None:
        """As in Track."""
        if all(lane.pid != who for lane in self._observed.lanes):
            return None
        return holder_words(who, self._observed.process(who), brief=True)

    def events(self, who: int) -> list[LaneEvent]:
        """As in Track."""
        mine = [_event(span) for span in self._observed.spans if span.pid == who and span.since_ns < self.newest_ns]
        return sorted(mine, key=lambda one: one.from_ns)

    def event(self, key: EventKey) -> LaneEvent | None:
        """As in Track."""
        span = span_under(self._observed, key)
        return _event(span) if span is not None else None

    def words(self, event: LaneEvent) -> str:
        """As in Track."""
        who = self.label(event.key.worker) or str(event.key.worker)
        span = span_under(self._observed, event.key)
        waited = span is not None and span.kind is SpanKind.WAITED
        length = length_words(span, self._observed.sample_rate_hz) if span is not None else units.UNKNOWN
        what = f"seemed to wait for {length}" if waited else f"held the lock for {length}"
        return f"{who} {what}{' so far' if event.goes_on else ''}; enter tells all of it"


def span_under(observed: Observed, key: EventKey) -> LockSpan | None:
    """Return the hold or wait of a key; None if it is not kept (any more)."""
    return next((span for span in observed.spans if key_of(span) == key), None)


def key_of(span: LockSpan) -> EventKey:
    """Return what names a hold or a wait, as long as it goes on and after it."""
    return EventKey(span.pid, 0, span.since_ns)


def _event(span: LockSpan) -> LaneEvent:
    waited_ns, held_ns = (span.length_ns, 0) if span.kind is SpanKind.WAITED else (0, span.length_ns)
    return LaneEvent(key_of(span), span.since_ns, span.until_ns, waited_ns, held_ns, span.goes_on)
