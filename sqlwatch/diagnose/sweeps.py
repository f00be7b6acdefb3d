"""Sweeps: phases that differ in one thing, and how much faster each was than the first; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from simulators.scenario import Scenario
from sqlwatch.charts import units
from sqlwatch.diagnose.side_by_side import ratio
from sqlwatch.metrics.snapshot import Period

SWEEP_HEADINGS: Final = ("phase", "commits/s", "speed-up", "source", "Jain", "longest wait", "WAL peak")


class Step(msgspec.Struct, frozen=True):
    """One phase of a sweep; None where it did not run, or not to its end."""

    phase: str
    writers: int
    commits_per_s: float | None
    speed_up: float | None
    """Commits a second over those of the sweep's first phase."""
    published: float | None
    """The source's speed-up."""
    jain: float | None
    longest_wait_ms: float | None
    wal_peak_bytes: int | None


class Swept(msgspec.Struct, frozen=True):
    """A sweep as it was measured."""

    name: str
    steps: tuple[Step, ...]


def sweeps(scenario: Scenario, phases: Sequence[Period]) -> tuple[Swept, ...]:
    """Measure every sweep of a scenario by the phases that have run."""
    by_name = {phase.name: phase for phase in phases}
    swept = []
    for sweep in scenario.sweeps:
        first = _rate(by_name.get(sweep.phases[0]))
        published = sweep.published or (None,) * len(sweep.phases)
        writers = {phase.name: scenario.workload_of(phase).writers for phase in scenario.phases}
        steps = [
            _step(name, writers[name], by_name.get(name), first, said)
            for name, said in zip(sweep.phases, published, strict=True)
        ]
        swept.append(Swept(sweep.name, tuple(steps)))
    return tuple(swept)


def _step(name: str, writers: int, period: Period | None, first: float | None, said: float | None) -> Step:
    if period is None:
        return Step(name, writers, None, None, said, None, None, None)
    rate = _rate(period)
    return Step(
        name, writers, rate, ratio(first, rate), said, period.fairness.jain, period.fairness.longest_wait_ns / 1e6,
        period.wal.peak_bytes,
    )  # fmt: skip


def _rate(period: Period | None) -> float | None:
    return period.per_second(period.committed) if period is not None else None


def sweep_rows(swept: Swept) -> list[tuple[str, ...]]:
    """Return a row of cells under `SWEEP_HEADINGS` for each phase."""
    return [
        (
            step.phase, units.rate(step.commits_per_s), _times(step.speed_up), _times(step.published),
            units.index(step.jain), units.duration(_in_ns(step.longest_wait_ms)), units.size(step.wal_peak_bytes),
        )
        for step in swept.steps
    ]  # fmt: skip


def sweep_words(swept: Swept) -> str:
    """Say what the most writers came to, beside as many times one writer."""
    first, last = swept.steps[0], swept.steps[-1]
    known = [step for step in swept.steps if step.speed_up is not None]
    if last.speed_up is None or len(known) < len(swept.steps):
        return "Not all of its phases have run to their end."
    best = max(known, key=lambda step: step.speed_up or 0.0)
    words = (
        f"{last.phase} made {_times(last.speed_up)} the commits a second of {first.phase}, with "
        f"{last.writers / first.writers:.3g} times the writers"
        if first.writers
        else f"{last.phase} made {_times(last.speed_up)} the commits a second of {first.phase}"
    )
    return f"{words}; the most was {_times(best.speed_up)}, with {best.phase}."


def _times(value: float | None) -> str:
    """Write a speed-up as the source does.

    >>> _times(0.4567), _times(1.0), _times(None) == units.UNKNOWN
    ('0.46x', '1.00x', True)
    """
    return units.UNKNOWN if value is None else f"{value:.2f}x"


def _in_ns(time_ms: float | None) -> float | None:
    return None if time_ms is None else time_ms * 1e6
