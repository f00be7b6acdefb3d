"""The figures of phases side by side: what each row of the summary shows, with its unit and its quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose.side_by_side import FIGURES, ratio, times_words
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.snapshot import Period, Quality
from sqlwatch.report.plain import number, row

LABEL_WIDTH: Final = 32
CELL_WIDTH: Final = 16
COLUMNS: Final = 3
"""Phases, or phases and their ratio, that fit side by side into 80 columns."""


def figure_lines(phases: Sequence[Period], compared: tuple[Period, Period] | None) -> list[str]:
    """Write the figures of at most COLUMNS phases; with a ratio where exactly the compared ones are shown."""
    with_ratio = compared is not None and tuple(phases) == compared
    headings = [phase.name for phase in phases] + (["ratio"] if with_ratio else [])
    lines = [row("", headings, LABEL_WIDTH, CELL_WIDTH)]
    for figure in FIGURES:
        if figure.optional and not any(figure.value(phase) for phase in phases):
            continue
        cells = [figure.cell(phase) for phase in phases]
        if with_ratio and figure.compares:
            cells.append(times_words(ratio(figure.value(phases[0]), figure.value(phases[1]))))
        elif with_ratio:
            cells.append("")
        lines.append(row(figure.label, cells, LABEL_WIDTH, CELL_WIDTH))
    return lines


_PERCENTS: Final = (50.0, 90.0, 99.0, 99.9)
_TIMES_LABEL: Final = 24
_TIMES_CELL: Final = 8

_ALL_WAITS: Final = "lock wait, all: unfinished ones at their length so far"

TIMES: Final[tuple[tuple[str, Callable[[Period], Histogram]], ...]] = (
    ("lock wait, ended with the lock", lambda p: p.lock_wait),
    (_ALL_WAITS, lambda p: p.all_waits),
    ("lock hold", lambda p: p.lock_hold),
    ("commit latency", lambda p: p.commit_latency),
    ("commit latency from the actual start: blind to how late that was", lambda p: p.service_latency),
    ("read latency", lambda p: p.read_latency),
    ("checkpoint", lambda p: p.checkpoint),
)


def time_lines(phases: Sequence[Period], compared: tuple[Period, Period] | None) -> list[str]:
    """Write the percentiles of every kind of time, the phases below each other, and below them their ratios."""
    with_ratio = compared is not None and tuple(phases) == compared
    headings = ["p50", "p90", "p99", "p99.9", "max"]
    lines = [row("", headings, _TIMES_LABEL, _TIMES_CELL) + "count".rjust(16)]
    for label, histogram_of in TIMES:
        histograms = [histogram_of(phase) for phase in phases]
        if not any(histogram.count for histogram in histograms):
            continue
        if label == _ALL_WAITS and all(
            phase.lock_wait == everything for phase, everything in zip(phases, histograms, strict=True)
        ):
            lines.append("  every wait ended with the lock: there are no unfinished ones to add")
            continue
        lines.append(label)
        for phase, histogram in zip(phases, histograms, strict=True):
            cells = [units.duration(value) for value in _percentiles(histogram)]
            count = number(histogram.count).rjust(16)
            lines.append(row(f"  {phase.name}", cells, _TIMES_LABEL, _TIMES_CELL).ljust(64) + count)
        if with_ratio:
            pairs = zip(*map(_percentiles, histograms), strict=True)
            ratios = [times_words(ratio(first, second)) for first, second in pairs]
            lines.append(row("  ratio", ratios, _TIMES_LABEL, _TIMES_CELL))
    return lines


def _percentiles(histogram: Histogram) -> list[float | None]:
    largest = histogram.max_ns if histogram.count else None
    return [*(histogram.percentile_ns(percent) for percent in _PERCENTS), largest]


def quality_lines(phases: Sequence[Period]) -> list[str]:
    """Explain the marks that these phases' figures carry."""
    qualities = {quality for phase in phases for quality in phase.quality.values()}
    lines = ["Percentiles are read off buckets that are an eighth wide; counts and maxima are exact."]
    if Quality.SAMPLED in qualities:
        looks = ", ".join(number(phase.looks) for phase in phases)
        lines.append(f"~ is sampled, not counted (looks at the lock: {looks}).")
    if Quality.INFERRED in qualities:
        lines.append("? is inferred from other figures.")
    lines.append(f"{units.UNKNOWN} is unknown, or there is nothing to tell.")
    return lines
