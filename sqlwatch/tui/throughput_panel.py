"""Commits per second over time, in the colour of the mode, with marks where the mode changed."""

from __future__ import annotations

from typing import ClassVar

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.series import Series, time_chart, time_row
from sqlwatch.tui.panel import Panel, not_yet, row_label
from sqlwatch.tui.phases import changes, inks_over_time
from sqlwatch.tui.view import View


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

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the chart, or its single row."""
        if view.snapshot is None:
            return not_yet(self.NAME_IN_ROW, height)
        timeline = view.snapshot.timeline
        per_s = 1e9 / max(timeline.period_ns, 1)
        values = [commits * per_s for commits in timeline.commits]
        inks = inks_over_time(timeline, view.simulation, len(values))
        end = timeline.end_ns // max(timeline.period_ns, 1)
        series = Series(values, timeline.period_ns, inks, end, now=view.commits_per_s)
        if height == 1:
            rate = (Segment(units.rate(view.commits_per_s).rjust(units.RATE_WIDTH), Ink.STRONG),)
            return [time_row(series, width, view.glyphs, row_label(self.NAME_IN_ROW), [rate])]
        marks = changes(timeline, view.simulation, view.glyphs)
        return time_chart(series, width, height, view.glyphs, write=units.rate, happenings=marks)
