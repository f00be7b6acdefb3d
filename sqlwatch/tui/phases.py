"""Which mode ran when: inks and marks for the charts over time."""

from __future__ import annotations

from itertools import pairwise

from sqlwatch.charts import units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.series import Happening
from sqlwatch.metrics.snapshot import MarkKind, Simulation, Timeline
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.text import clean


def inks_over_time(timeline: Timeline, simulation: Simulation | None, length: int) -> list[Ink]:
    """Return an ink for each of the last `length` periods: that of the mode that ran; a warm-up is in no phase."""
    inks = [Ink.SERIES] * length
    if simulation is None:
        return inks
    for period in (*simulation.ended_phases, simulation.phase):
        if period.mode is None:
            continue
        goes_on = period is simulation.phase or not period.until_ns
        until_ns = timeline.end_ns if goes_on else period.until_ns
        first, end = (
            min(max(length - (timeline.end_ns - at_ns) // max(timeline.period_ns, 1), 0), length)
            for at_ns in (period.started_ns, until_ns)
        )
        inks[first:end] = [MODE_INK[period.mode]] * (end - first)
    return inks


def changes(timeline: Timeline, simulation: Simulation | None, glyphs: GlyphSet) -> list[Happening]:
    """Return marks: mode or statistics changed, a worker ended, a pause began, or the database came or went.

    The most important ones come first: a pause that goes on, and of each kind the newest.
    """
    signs = {MarkKind.WORKER_EXIT: glyphs.ended, MarkKind.DATABASE: glyphs.mode_change}
    marks = [
        Happening(timeline.end_ns - mark.at_ns, signs[mark.kind], Ink.WARNING, clean(mark.text))
        for mark in reversed(timeline.marks)
        if mark.kind in signs
    ]
    changed = []
    phases = [*simulation.ended_phases, simulation.phase] if simulation is not None else []
    for before, after in pairwise(phases):
        words = clean(after.name) if after.name != before.name else "reset"
        ink = MODE_INK[after.mode] if after.mode is not None else Ink.MARK
        changed.append(Happening(timeline.end_ns - after.started_ns, glyphs.mode_change, ink, words))
    paused = pauses(timeline, glyphs)
    going_on = sum(one.until_ns is None for one in timeline.pauses)
    return [*paused[:going_on], *reversed(changed), *marks, *paused[going_on:]]


def pauses(timeline: Timeline, glyphs: GlyphSet) -> list[Happening]:
    """Return a mark where the workload was paused, with how long: there nothing happened.

    The pause that goes on comes first, then the longest.
    """
    ordered = sorted(timeline.pauses, key=lambda one: one.since_ns - (one.until_ns or timeline.end_ns))
    ordered.sort(key=lambda one: one.until_ns is not None)
    return [
        Happening(
            timeline.end_ns - one.since_ns, glyphs.upright, Ink.STRONG,
            "paused" if one.until_ns is None else f"paused {units.duration(one.until_ns - one.since_ns)}", "paused",
        )
        for one in ordered
        if one.until_ns is None or one.until_ns - one.since_ns >= timeline.period_ns
    ]  # fmt: skip


def wal_marks(timeline: Timeline, glyphs: GlyphSet) -> list[Happening]:
    """Return a mark for each checkpoint and each reset of the WAL, and for each pause."""
    signs = {MarkKind.CHECKPOINT: glyphs.checkpoint, MarkKind.WAL_RESET: glyphs.reset}
    marks = [
        Happening(timeline.end_ns - mark.at_ns, signs[mark.kind], Ink.MARK)
        for mark in timeline.marks
        if mark.kind in signs
    ]
    return pauses(timeline, glyphs) + marks
