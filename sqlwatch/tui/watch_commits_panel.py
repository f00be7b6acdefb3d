"""Commits of an observed database over time, with marks where it appeared or went away."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.tui.throughput_panel import ThroughputPanel
from sqlwatch.tui.view import View


class CommitsPanel(ThroughputPanel):
    """Commits a second."""

    TITLE = "Commits"
    EXPLANATION = "commits that wrote something, a second, of all processes together"

    def facts(self, view: View) -> list[Row]:
        """Give the rate now, all commits so far, and the pages a commit writes."""
        observed = view.observation
        is_there = view.snapshot is not None and (observed is None or observed.absent is None)
        rate = view.snapshot.commits_per_s if view.snapshot is not None and is_there else None
        facts: list[Row] = [
            (Segment("now ", Ink.MUTED), Segment(units.rate(rate).rjust(units.RATE_WIDTH), Ink.STRONG)),
        ]
        if observed is None:
            return facts
        total = ("" if observed.commits_are_exact else ">") + units.count(observed.commits)
        facts.append((Segment(total.rjust(units.COUNT_WIDTH), Ink.STRONG), Segment(" in all", Ink.MUTED)))
        if observed.frames_per_commit is not None:
            pages = units.count(observed.frames_per_commit) if observed.frames_per_commit >= 10 else (
                f"{observed.frames_per_commit:.1f}"
            )  # fmt: skip
            facts.append((Segment(pages.rjust(units.COUNT_WIDTH), Ink.STRONG), Segment(" pages each", Ink.MUTED)))
        return facts
