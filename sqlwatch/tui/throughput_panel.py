"""Commits per second over time, in the colour of the mode, with marks where the mode changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sqlwatch.charts import axis, units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.series import Series, time_chart, time_row
from sqlwatch.metrics.snapshot import Timeline
from sqlwatch.tui.kept import Kept
from sqlwatch.tui.panel import Panel, not_yet, row_label
from sqlwatch.tui.phases import Stretch, changes, inks_over_time, stretches_of
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from sqlwatch.tui.inks import Inks


class ThroughputPanel(Panel):
    """Throughput."""

    TITLE = "Throughput"
    EXPLANATION = (
        "commits a second, all writers together; grey: the warm-up; marks: the mode changed, or a worker ended"
    )
    NAME_IN_ROW: ClassVar[str] = "commits"
    """What stands before the chart where it has a single row."""

    def facts(self, view: View) -> list[Row]:
        """Give the rate now."""
        rate = units.rate(view.commits_per_s)
        return [
            (Segment("commits, now ", Ink.MUTED), Segment(rate.rjust(units.RATE_WIDTH), Ink.STRONG)),
            (Segment(f"{view.glyphs.mode_change} mode changed", Ink.MUTED),),
        ]

    def __init__(self, inks: Inks, view: View, *, id: str) -> None:
        super().__init__(inks, view, id=id)
        self._chart: Kept[list[Row]] = Kept()

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the chart, or its single row."""
        if view.snapshot is None:
            return not_yet(self.NAME_IN_ROW, height)
        timeline, glyphs, now = view.snapshot.timeline, view.glyphs, view.commits_per_s
        stretches = stretches_of(view.simulation)
        if height == 1:
            rate = (Segment(units.rate(now).rjust(units.RATE_WIDTH), Ink.STRONG),)
            return [time_row(_series(timeline, stretches, now), width, glyphs, row_label(self.NAME_IN_ROW), [rate])]

        def drawn() -> list[Row]:
            series, marks = _series(timeline, stretches, now), changes(timeline, stretches, glyphs)
            return time_chart(series, width, height, glyphs, write=units.rate, happenings=marks)

        reach = axis.nice_limit(now) if now is not None else None
        return self._chart.made_of((timeline, stretches, reach, width, height, glyphs), drawn)


def _series(timeline: Timeline, stretches: Sequence[Stretch], now: float | None) -> Series:
    per_s = 1e9 / max(timeline.period_ns, 1)
    values = [commits * per_s for commits in timeline.commits]
    inks = inks_over_time(timeline, stretches, len(values))
    end = timeline.end_ns // max(timeline.period_ns, 1)
    return Series(values, timeline.period_ns, inks, end, now=now)
