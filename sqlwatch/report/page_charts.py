"""The charts of a page: lock waits, commits and WAL over time, shares of the writers; each in two widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from simulators.events import Mode, Role
from sqlwatch.charts import axis, units
from sqlwatch.charts.histogram import Waits
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.svg import Svg
from sqlwatch.charts.svg_histogram import wait_svg
from sqlwatch.charts.svg_series import Stretch, series_svg
from sqlwatch.charts.svg_shares import WriterShare, share_svg
from sqlwatch.metrics.histogram import merged
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import MarkKind, Period, Timeline
from sqlwatch.report.plain import number

WIDE_PX: Final = 720
NARROW_PX: Final = 340

MODE_INK: Final = {Mode.CONTENDED: Ink.CONTENDED, Mode.MUTEX: Ink.MUTEX, Mode.SINGLE_WRITER: Ink.SINGLE_WRITER}


@dataclass(frozen=True)
class Chart:
    """A chart for screens and paper, the same for a phone, and what it shows in words."""

    wide: Svg
    narrow: Svg
    caption: str = ""


def ink_of(period: Period) -> Ink:
    """Return the ink of a phase's mode."""
    return MODE_INK[period.mode] if period.mode is not None else Ink.SERIES


def wait_chart(period: Period) -> Chart:
    """Draw the lock waits of a phase, those that ended without the lock below."""
    waits = Waits(period.name, period.lock_wait.counts, ink_of(period))
    without = merged([period.given_up_waits]).including(period.unfinished_waits_ns)
    caption = (
        f"{number(period.lock_wait.count)} waits ended with the lock: p50 {_percentile(period, 50)}, "
        f"p99 {_percentile(period, 99)}, longest {units.duration(period.lock_wait.max_ns or None)}. "
    )
    if without.count:
        longest = units.duration(without.max_ns)
        caption += f"{number(without.count)} did not (diamonds); the longest of them lasted {longest}."
    draw = partial(wait_svg, waits, without=without.counts, title=f"Lock waits, {period.name}", words=caption)
    more_px = 20 * bool(without.count)
    return Chart(draw(WIDE_PX, 150 + more_px), draw(NARROW_PX, 150 + more_px), caption)


def _percentile(period: Period, percent: float) -> str:
    return units.duration(period.lock_wait.percentile_ns(percent))


def commits_chart(result: Result) -> Chart | None:
    """Draw commits a second over the phases; None if no phase lasted long enough for a point in time."""
    stretches = [
        _stretch(period, timeline, [count * 1e9 / max(timeline.period_ns, 1) for count in timeline.commits])
        for period, timeline in zip(result.phases, result.timelines, strict=False)
    ]
    caption = "Commits a second, all writers together."
    if any(stretch.exits_ns for stretch in stretches):
        caption += " A cross marks a worker that ended."
    return _over_time(stretches, "Commits a second", units.rate, axis.nice_limit, caption)


def wal_chart(result: Result) -> Chart | None:
    """Draw the size of the WAL over the phases; None where there is none or none was seen."""
    stretches = [
        _stretch(period, timeline, timeline.wal_bytes)
        for period, timeline in zip(result.phases, result.timelines, strict=False)
    ]
    caption = "Size of the -wal file; a checkpoint empties the log, but does not make the file shorter."
    return _over_time(stretches, "Size of the WAL", units.size, axis.nice_binary_limit, caption)


def _over_time(
    stretches: Sequence[Stretch], title: str, write: Callable[[float], str], limit: Callable[[float], float],
    caption: str,
) -> Chart | None:  # fmt: skip
    if not any(value is not None for stretch in stretches for _, value in stretch.points):
        return None
    largest = [
        (stretch.name, max((value for _, value in stretch.points if value is not None), default=None))
        for stretch in stretches
    ]
    words = "; ".join(f"{name} at most {units.UNKNOWN if value is None else write(value)}" for name, value in largest)
    draw = partial(series_svg, stretches, write=write, limit=limit, title=title, words=f"{words}.")
    return Chart(draw(WIDE_PX, 190), draw(NARROW_PX, 170), caption)


def _stretch(period: Period, timeline: Timeline, values: Sequence[float | None]) -> Stretch:
    """Return the part of a series that lies in a phase; a cell that lies in it only partly says nothing of it."""
    end_ns = period.until_ns or min(period.started_ns + period.elapsed_ns, timeline.end_ns)
    first_ns = timeline.end_ns - len(values) * timeline.period_ns
    starts = [first_ns + index * timeline.period_ns - period.started_ns for index in range(len(values))]
    length_ns = max(end_ns - period.started_ns, 0)
    return Stretch(
        name=period.name, ink=ink_of(period), length_ns=length_ns, period_ns=timeline.period_ns,
        points=[
            (start_ns, value)
            for start_ns, value in zip(starts, values, strict=True)
            if start_ns >= 0 and start_ns + timeline.period_ns <= length_ns
        ],
        exits_ns=[
            mark.at_ns - period.started_ns
            for mark in timeline.marks
            if mark.kind is MarkKind.WORKER_EXIT and period.started_ns <= mark.at_ns <= end_ns
        ],
    )  # fmt: skip


def share_charts(phases: Sequence[Period]) -> list[Chart | None]:
    """Draw each phase's shares of the commits on one scale; None for a phase with fewer than two writers."""
    by_phase = [_writers(period) for period in phases]
    largest = max((writer.share or 0.0 for writers in by_phase if len(writers) > 1 for writer in writers), default=0.0)
    limit = min(axis.nice_limit(largest, 0.01), 1.0)
    return [
        _share_chart(period, writers, limit) if len(writers) > 1 else None
        for period, writers in zip(phases, by_phase, strict=True)
    ]


def _writers(period: Period) -> list[WriterShare]:
    writers = (worker for worker in period.workers if worker.role is Role.WRITER)
    return [WriterShare(worker.id, worker.share, worker.was_starved) for worker in writers]


def _share_chart(period: Period, writers: Sequence[WriterShare], limit: float) -> Chart:
    starved = [str(writer.number) for writer in writers if writer.starved]
    nothing = sum(not writer.share for writer in writers)
    top = max(writers, key=lambda writer: writer.share or 0.0)
    caption = f"Jain {units.index(period.fairness.jain)}; the most: writer {top.number} with {units.share(top.share)}."
    if nothing:
        caption += f" {nothing} of {len(writers)} committed nothing."
    if starved:
        caption += f" STARVED: {'all' if len(starved) == len(writers) else 'writer ' + ', '.join(starved)}."
    draw = partial(
        share_svg, writers, ink=ink_of(period), limit=limit, title=f"Shares of commits, {period.name}", words=caption
    )
    return Chart(draw(WIDE_PX, 130), draw(NARROW_PX, 120), caption)
