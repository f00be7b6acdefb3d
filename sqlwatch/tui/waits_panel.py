"""The lock-wait histogram: each mode that has run, on one fixed axis with SQLite's backoff rungs."""

from __future__ import annotations

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.charts.histogram import Waits, rung_legend, wait_histogram, wait_row
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.snapshot import Period
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.panel import Panel, not_yet, row_label
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_ROWS_FOR_ALL_MODES = 15
_ROOM_FOR_MARKS = 24
"""Cells of the title line for what the marks are."""
_USUAL_DURATION = 5
"""Characters of any duration below a hundred hours; more would cost a figure where room is short."""
_TELLING = 2
"""Unfinished waits are worth a word when they make the 99th percentile that many times longer."""


class WaitsPanel(Panel):
    """How long writers waited for the write lock."""

    TITLE = "Lock waits"
    EXPLANATION = "how many of the waits took how long; marks: only then a waiter looks again"

    def facts(self, view: View) -> list[Row]:
        """Say what is upright, and what the marks are: there may be no room for a legend below them."""
        scale = "log" if view.logarithmic else "linear"
        return [(Segment(f"share, {scale}", Ink.MUTED),), rung_legend(_ROOM_FOR_MARKS, view.glyphs)]

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return one plot for each mode that has run; the present one and its rival where rows are few."""
        simulation = view.simulation
        if simulation is None:
            empty = Waits("no waits yet", (), Ink.MUTED)
            if height < self.LEAST_TITLED:
                return not_yet("waits", 1)
            return wait_histogram([empty], width, height, view.glyphs, logarithmic=view.logarithmic)
        series = [_waits(mode, period) for mode, period in _chosen(view, simulation.mode, height)]
        if height < self.LEAST_TITLED and not (len(series) == 1 and self.size.height >= self.LEAST_TITLED):
            labels = [row_label("waits" if index == 0 else "") for index in range(len(series))]
            return [
                wait_row(waits, width, view.glyphs, label, logarithmic=view.logarithmic)
                for waits, label in zip(series, labels, strict=True)
            ]
        return wait_histogram(
            series,
            width,
            height,
            view.glyphs,
            logarithmic=view.logarithmic,
            unfinished_ns=simulation.phase.unfinished_waits_ns,
            starved_after_ns=simulation.starved_after_ns,
        )


def _chosen(view: View, mode: Mode, height: int) -> list[tuple[Mode, Period]]:
    """Return the phases to draw, in drawing order; the present mode's last if there is one row for each."""
    phases = view.phases()
    if height < _ROWS_FOR_ALL_MODES and len(phases) > 2:
        rivals = sorted((item for item in phases if item[0] is not mode), key=lambda item: item[1].started_ns)
        phases = [item for item in phases if item[0] is mode or item == rivals[-1]]
    if height < WaitsPanel.LEAST_TITLED:
        phases = sorted(phases, key=lambda item: item[0] is mode)[-height:]
    return phases


def _waits(mode: Mode, period: Period) -> Waits:
    """Return the waits of one mode with their figures; p99 also with unfinished waits where somebody starves."""
    waits = period.lock_wait
    if not waits.count:
        return Waits(clean(period.name), (), MODE_INK[mode], ((Segment("no lock wait ended yet", Ink.MUTED),),))
    p99_ns = waits.percentile_ns(99) or 0.0
    caption = [_figure("p99 wait", _span(p99_ns))]
    if period.fairness.starved_workers and period.unfinished_waits_ns:
        true_ns = waits.including(period.unfinished_waits_ns).percentile_ns(99) or 0.0
        if true_ns > _TELLING * p99_ns:
            words = Segment("with unfinished ", Ink.MUTED)
            caption.append((words, Segment(_span(true_ns), Ink.WARNING)))
    rate = units.rate(period.per_second(period.committed))
    caption += [
        _figure("longest", _span(period.fairness.longest_wait_ns)),
        _figure("commits", rate.rjust(units.RATE_WIDTH)),
        _figure("p50", _span(waits.percentile_ns(50))),
        _figure(units.count(waits.count).rjust(units.COUNT_WIDTH), "waits", swapped=True),
    ]
    return Waits(clean(period.name), waits.counts, MODE_INK[mode], tuple(caption))


def _span(ns: float | None) -> str:
    """Write a duration in a place of its own, so that nothing behind it moves when it gets shorter."""
    return units.duration(ns).rjust(_USUAL_DURATION)


def _figure(name: str, value: str, *, swapped: bool = False) -> Row:
    if swapped:
        return (Segment(f"{name} ", Ink.STRONG), Segment(value, Ink.MUTED))
    return (Segment(f"{name} ", Ink.MUTED), Segment(value, Ink.STRONG))
