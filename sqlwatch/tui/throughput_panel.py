"""Commits per second over time, in the colour of the mode, with marks where the mode changed."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.series import Series, time_chart, time_row
from sqlwatch.tui.panel import Panel
from sqlwatch.tui.phases import changes, inks_over_time
from sqlwatch.tui.view import View


class ThroughputPanel(Panel):
    """Throughput."""

    TITLE = "Throughput"
    EXPLANATION = "commits a second, all writers together; marks: the mode changed, or a worker ended"

    def facts(self, view: View) -> list[Row]:
        """Give the rate now."""
        rate = units.rate(view.snapshot.commits_per_s) if view.snapshot else units.UNKNOWN
        return [
            (Segment("commits, now ", Ink.MUTED), Segment(rate.rjust(units.RATE_WIDTH), Ink.STRONG)),
            (Segment(f"{view.glyphs.mode_change} mode changed", Ink.MUTED),),
        ]

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the chart, or its single row."""
        if view.snapshot is None:
            return []
        timeline = view.snapshot.timeline
        per_s = 1e9 / max(timeline.period_ns, 1)
        values = [commits * per_s for commits in timeline.commits]
        inks = inks_over_time(timeline, view.simulation, len(values))
        end = timeline.end_ns // max(timeline.period_ns, 1)
        series = Series(values, timeline.period_ns, inks, end)
        if height == 1:
            rate = (Segment(units.rate(view.snapshot.commits_per_s).rjust(units.RATE_WIDTH), Ink.STRONG),)
            return [time_row(series, width, view.glyphs, "tx    ", [rate])]
        marks = changes(timeline, view.simulation, view.glyphs)
        return time_chart(series, width, height, view.glyphs, write=units.rate, happenings=marks)
