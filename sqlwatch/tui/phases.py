"""Which mode ran when: inks and marks for the charts over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.series import Happening
from sqlwatch.metrics.snapshot import MarkKind, Simulation, Timeline
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.text import clean


class Stretch(NamedTuple):
    """When a phase ran, for the charts over time."""

    name: str
    mode: Mode | None
    since_ns: int
    until_ns: int | None
    """None while it goes on."""


def stretches_of(simulation: Simulation | None) -> tuple[Stretch, ...]:
    """Return the phases that have run, the oldest first; the last one goes on."""
    if simulation is None:
        return ()
    ended = (
        Stretch(one.name, one.mode, one.started_ns, one.until_ns or None) for one in simulation.ended_phases
    )  # fmt: skip
    phase = simulation.phase
    return (*ended, Stretch(phase.name, phase.mode, phase.started_ns, None))


def inks_over_time(timeline: Timeline, stretches: Sequence[Stretch], length: int) -> list[Ink]:
    """Return an ink for each of the last `length` periods: that of the mode that ran; a warm-up is in no phase."""
    inks = [Ink.SERIES] * length
    for one in stretches:
        if one.mode is None:
            continue
        first, end = (
            min(max(length - (timeline.end_ns - at_ns) // max(timeline.period_ns, 1), 0), length)
            for at_ns in (one.since_ns, timeline.end_ns if one.until_ns is None else one.until_ns)
        )
        inks[first:end] = [MODE_INK[one.mode]] * (end - first)
    return inks


def changes(timeline: Timeline, stretches: Sequence[Stretch], glyphs: GlyphSet) -> list[Happening]:
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
    for before, after in pairwise(stretches):
        words = clean(after.name) if after.name != before.name else "reset"
        ink = MODE_INK[after.mode] if after.mode is not None else Ink.MARK
        changed.append(Happening(timeline.end_ns - after.since_ns, glyphs.mode_change, ink, words))
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
