"""Figures of phases side by side: what each row shows, with its unit, its quality and its ratio; pure.

The text report, the pages and the dashboard take their rows from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from simulators.scenario import Scenario
from sqlwatch.charts import units
from sqlwatch.charts.units import number
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.result_codes import name_of
from sqlwatch.metrics.snapshot import Period, Quality

_MARKS: Final = {Quality.SAMPLED: "~", Quality.INFERRED: "?"}

Value = float | int | None


@dataclass(frozen=True)
class Figure:
    """One row: `quality` is the field whose quality counts, `compares` whether a ratio says something."""

    label: str
    value: Callable[[Period], Value]
    write: Callable[[Value], str]
    quality: str = ""
    compares: bool = False
    optional: bool = False
    """Left out where it is 0 or unknown in every phase."""

    def cell(self, period: Period) -> str:
        """Write the figure of one phase; `~` stands before a sampled value."""
        mark = _MARKS.get(period.quality.get(self.quality, Quality.EXACT), "")
        return units.marked(self.write(self.value(period)), mark, period.looks)


def _span(value: Value) -> str:
    return units.duration(value)


FIGURES: Final = (
    Figure("ran for", lambda p: p.elapsed_ns, _span),
    Figure("commits", lambda p: p.committed, number),
    Figure("commits a second", lambda p: p.per_second(p.committed), units.rate, compares=True),
    Figure("rows a second", lambda p: p.per_second(p.rows), units.rate, compares=True),
    Figure("reads a second", lambda p: p.per_second(p.reads), units.rate, compares=True, optional=True),
    Figure("busy errors", lambda p: p.busy_errors, number),
    Figure("busy retries", lambda p: p.busy_retries, number),
    Figure("other errors", lambda p: p.other_errors, number, optional=True),
    Figure("withdrawn at the end, no error", lambda p: p.withdrawn, number, optional=True),
    Figure("fairness (Jain; 1 is even)", lambda p: p.fairness.jain, units.index, compares=True),
    Figure("  one takes everything would be", lambda p: p.fairness.floor, units.index),
    Figure("longest streak of one writer", lambda p: p.fairness.longest_streak, number, "longest_streak"),
    Figure("longest wait, ended or not", lambda p: p.fairness.longest_wait_ns, _span, compares=True),
    Figure("  that is so many median waits", lambda p: p.fairness.max_over_median_wait, number),
    Figure("starved writers", lambda p: p.fairness.starved_workers, number, "starved_workers"),
    Figure("lock held, share of time", lambda p: p.lock_utilisation, units.share, "lock_utilisation", compares=True),
    Figure("lock free, yet wanted", lambda p: p.wasted_lock_time, units.share, "wasted_lock_time"),
    Figure("WAL at its largest", lambda p: p.wal.peak_bytes, units.size, "wal"),
    Figure("WAL at the end", lambda p: p.wal.final_bytes, units.size, "wal"),
    Figure("WAL resets", lambda p: p.wal.resets, number),
    Figure("WAL pinned by a reader for", lambda p: p.wal.pinned_ns, _span, "wal", optional=True),
    Figure("checkpoints", lambda p: p.wal.checkpoints, number),
    Figure("  of them ended busy", lambda p: p.wal.checkpoints_busy, number, optional=True),
    Figure("  of them left frames behind", lambda p: p.wal.checkpoints_incomplete, number, optional=True),
    Figure("page cache hits", lambda p: p.cache_hit_ratio, units.share),
    Figure("commits by the single writer", lambda p: p.groups, number, optional=True),
    Figure("its longest queue", lambda p: p.queue_depth_max, number, optional=True),
)


def ratio(first: float | None, second: float | None) -> float | None:
    """Return second / first; None where that says nothing."""
    return second / first if first and second is not None else None


def times_words(value: float | None) -> str:
    """Write a ratio in at most 7 characters.

    >>> times_words(1.236), times_words(0.0353), times_words(37.4), times_words(None) == units.UNKNOWN
    ('1.24x', '0.035x', '37x', True)
    """
    if value is None:
        return units.UNKNOWN
    if value >= 10:
        return f"{units.count(value)}x"
    return f"{value:.2f}x" if value >= 0.1 else "<0.001x" if 0 < value < 0.001 else f"{value:.3f}x"


def _latency(histogram_of: Callable[[Period], Histogram], percent: float) -> Callable[[Period], Value]:
    return lambda period: histogram_of(period).percentile_ns(percent)


def _longest(histogram_of: Callable[[Period], Histogram]) -> Callable[[Period], Value]:
    def longest(period: Period) -> Value:
        histogram = histogram_of(period)
        return histogram.max_ns if histogram.count else None

    return longest


def _times(name: str, histogram_of: Callable[[Period], Histogram], *, optional: bool = False) -> tuple[Figure, ...]:
    columns = [(f"p{percent:g}", _latency(histogram_of, percent)) for percent in (50, 99, 99.9)]
    columns.append(("max", _longest(histogram_of)))
    return tuple(
        Figure(f"{name} {column}", value, units.duration, compares=True, optional=optional) for column, value in columns
    )


def _rows_if_several(period: Period) -> Value:
    """Return the rows a second; None where every transaction writes one, and the row would say it twice."""
    return period.per_second(period.rows) if period.rows != period.committed else None


COMPARED: Final = (
    Figure("ran for", lambda p: p.elapsed_ns, _span, compares=True),
    Figure("commits a second", lambda p: p.per_second(p.committed), units.rate, compares=True),
    Figure("rows a second", _rows_if_several, units.rate, compares=True, optional=True),
    Figure("reads a second", lambda p: p.per_second(p.reads), units.rate, compares=True, optional=True),
    *_times("lock wait", lambda p: p.all_waits),
    *_times("commit latency", lambda p: p.commit_latency),
    *_times("  blind latency", lambda p: p.service_latency, optional=True),
    *_times("read latency", lambda p: p.read_latency, optional=True),
    Figure("fairness (Jain's index)", lambda p: p.fairness.jain, units.index, compares=True),
    Figure("starved writers", lambda p: p.fairness.starved_workers, number, "starved_workers"),
    Figure("lock free, yet wanted", lambda p: p.wasted_lock_time, units.share, "wasted_lock_time", compares=True),
    Figure("WAL at its largest", lambda p: p.wal.peak_bytes, units.size, "wal", compares=True),
    Figure("checkpoints", lambda p: p.wal.checkpoints, number, compares=True),
    Figure("busy errors", lambda p: p.busy_errors, number, compares=True),
)
"""The rows of a comparison; lock waits count those without an end at their length so far."""


_TOLD: Final = {figure.label for figure in COMPARED}
REMAINING: Final = (
    *(
        one
        for one in FIGURES
        if one.label not in _TOLD and not one.label.startswith(("fairness", "  one takes", "lock free"))
    ),
    *_times("lock hold", lambda p: p.lock_hold),
    *_times("checkpoint", lambda p: p.checkpoint, optional=True),
)
"""What a comparison leaves out."""


class SideRow(NamedTuple):
    """One figure in every phase: its texts, and how many times the base's it is (empty where that says nothing)."""

    label: str
    cells: tuple[str, ...]
    ratios: tuple[str, ...]


def side_by_side(phases: Sequence[Period], base: Period | None = None) -> tuple[SideRow, ...]:
    """Return the rows of the comparison of phases; ratios are to `base`, which is one of them."""
    codes = sorted({code for phase in phases for code in phase.errors})
    return rows_of((*COMPARED, *map(_errors, codes)), phases, base)


def rows_of(figures: Sequence[Figure], phases: Sequence[Period], base: Period | None = None) -> tuple[SideRow, ...]:
    """Return figures of phases; optional ones only where there is one."""
    return tuple(
        _side_row(figure, phases, base)
        for figure in figures
        if not figure.optional or any(figure.value(phase) for phase in phases)
    )


def _side_row(figure: Figure, phases: Sequence[Period], base: Period | None) -> SideRow:
    ratios = [""] * len(phases)
    if base is not None and figure.compares:
        of_base = figure.value(base)
        values = [None if phase is base else ratio(of_base, figure.value(phase)) for phase in phases]
        ratios = [times_words(value) if value else "" for value in values]
    return SideRow(figure.label, tuple(figure.cell(phase) for phase in phases), tuple(ratios))


def _errors(code: int) -> Figure:
    return Figure(f"  {name_of(code)}", lambda phase: phase.errors.get(code, 0), number)


def side_notes(phases: Sequence[Period], base: Period | None) -> str:
    """Explain the rows of `side_by_side`: what the ratios are to, and what the marks mean."""
    notes = ["Lock waits count those without an end at their length so far."]
    if base is not None and len(phases) > 1:
        notes.insert(0, f"Ratios, as 1.22x: so many times the figure of {base.name}.")
    if any(phase.service_latency.count for phase in phases):
        notes.append("Blind latency is measured from the actual start, blind to how late that was.")
    if any(quality is Quality.SAMPLED for phase in phases for quality in phase.quality.values()):
        notes.append("~ is sampled.")
    return " ".join([*notes, f"{units.UNKNOWN} is unknown."])


def in_words(base: Period, other: Period) -> str:
    """Say in a sentence how a phase compares to another one."""
    parts = []
    for label, words in _TELLING.items():
        figure = next(figure for figure in COMPARED if figure.label == label)
        times = ratio(figure.value(base), figure.value(other))
        if times is not None:
            cell = words.format(figure.cell(other))
            parts.append(f"{cell} instead of {figure.cell(base)} ({times_words(times)})")
    said = ", ".join(parts) or "nothing to compare yet"
    return f"{other.name} against {base.name}: {said}"


_TELLING: Final = {
    "commits a second": "{} commits",
    "commit latency p99": "a commit latency of {} at p99",
    "lock wait max": "a longest lock wait of {}",
}
"""Rows of a comparison that go into its sentence, and how they are said."""


def newest_phases(scenario: Scenario, repeats: Sequence[Sequence[Period]]) -> tuple[Period, ...]:
    """Return the newest period of each phase that has run, in the scenario's order; others follow."""
    newest = {period.name: period for periods in repeats for period in periods}
    order = {phase.name: number for number, phase in enumerate(scenario.phases)}
    return tuple(sorted(newest.values(), key=lambda period: order.get(period.name, len(order))))


def base_of(scenario: Scenario, phases: Sequence[Period]) -> Period | None:
    """Return the phase that most effects are measured against; the first one if none is."""
    names = Counter(effect.against for effect in scenario.effects if effect.against is not None)
    by_name = {period.name: period for period in phases}
    found = next((by_name[name] for name, _ in names.most_common() if name in by_name), None)
    return found if found is not None or not phases else phases[0]
