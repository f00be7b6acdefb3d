"""The tables of a simulation's page: phases side by side, effects, accounting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose.lesson import Shown, plain
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.snapshot import Accounting, Period
from sqlwatch.report.figures import FIGURES, TIMES, Figure, times_words
from sqlwatch.report.json import ratio
from sqlwatch.report.plain import number
from sqlwatch.report.result_codes import name_of

PHASES_A_TABLE: Final = 5
"""Phases that stand beside each other; where there are more, the first one stands in every table."""

_KEY_LABELS: Final = (
    "ran for", "commits a second", "rows a second", "reads a second", "busy errors", "busy retries",
    "fairness (Jain; 1 is even)", "starved writers", "longest wait, ended or not", "lock free, yet waited for",
    "WAL at its largest",
)  # fmt: skip
KEY_FIGURES: Final = tuple(figure for figure in FIGURES if figure.label in _KEY_LABELS)
KEY_TIMES: Final = tuple(time for time in TIMES if "lock wait" in time[0] or time[0].startswith("commit latency"))
_PERCENTS: Final = (("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9))


_Times = tuple[str, Callable[[Period], Histogram]]


@dataclass(frozen=True)
class Cell:
    """A figure of one phase, and its ratio to that of the first phase where that says something."""

    words: str
    ratio: str = ""


@dataclass(frozen=True)
class Row:
    """A figure of all phases."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Rows that belong together; the first group has no title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """Some phases side by side, by their numbers."""

    phases: tuple[int, ...]
    groups: tuple[Group, ...]


def phase_tables(phases: Sequence[Period], *, everything: bool) -> list[Table]:
    """Return the figures of all phases, at most PHASES_A_TABLE beside each other; the first is what others go by."""
    figures = FIGURES if everything else KEY_FIGURES
    times = TIMES if everything else KEY_TIMES
    return [
        Table(numbers, tuple(_groups([phases[one] for one in numbers], figures, times)))
        for numbers in _chunks(len(phases))
    ]


def _chunks(count: int) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of the phases of each table.

    >>> list(_chunks(2)), list(_chunks(7))
    ([(0, 1)], [(0, 1, 2, 3, 4), (0, 5, 6)])
    """
    if count:
        yield tuple(range(min(count, PHASES_A_TABLE)))
    for first in range(PHASES_A_TABLE, count, PHASES_A_TABLE - 1):
        yield (0, *range(first, min(first + PHASES_A_TABLE - 1, count)))


def _groups(phases: Sequence[Period], figures: Sequence[Figure], times: Sequence[_Times]) -> Iterator[Group]:
    yield Group("", tuple(_figure_row(figure, phases) for figure in figures if _is_told(figure, phases)))
    codes = sorted({code for phase in phases for code in phase.errors})
    if codes:
        yield Group(
            "errors by code",
            tuple(
                Row(name_of(code), tuple(Cell(number(phase.errors.get(code, 0))) for phase in phases))
                for code in codes
            ),
        )
    for title, histogram_of in times:
        histograms = [histogram_of(phase) for phase in phases]
        if any(histogram.count for histogram in histograms):
            yield Group(title, tuple(_time_rows(histograms)))


def _is_told(figure: Figure, phases: Sequence[Period]) -> bool:
    return not figure.optional or any(figure.value(phase) for phase in phases)


def _figure_row(figure: Figure, phases: Sequence[Period]) -> Row:
    first = figure.value(phases[0])
    cells = [
        Cell(figure.cell(phase), _ratio(first, figure.value(phase)) if place and figure.compares else "")
        for place, phase in enumerate(phases)
    ]
    return Row(figure.label.strip(), tuple(cells))


def _time_rows(histograms: Sequence[Histogram]) -> Iterator[Row]:
    columns = [[*(one.percentile_ns(percent) for _, percent in _PERCENTS), _largest(one)] for one in histograms]
    for row, label in enumerate([*(label for label, _ in _PERCENTS), "max"]):
        first = columns[0][row]
        cells = [
            Cell(units.duration(column[row]), _ratio(first, column[row]) if place else "")
            for place, column in enumerate(columns)
        ]
        yield Row(label, tuple(cells))
    yield Row("count", tuple(Cell(number(histogram.count)) for histogram in histograms))


def _largest(histogram: Histogram) -> float | None:
    return histogram.max_ns if histogram.count else None


def _ratio(first: float | None, other: float | None) -> str:
    found = ratio(first, other)
    return "" if found is None else times_words(found)


@dataclass(frozen=True)
class EffectRow:
    """An effect that a lesson expects, in words."""

    says: str
    where: str
    measured: str
    spread: str
    expected: str
    published: str
    verdict: str
    """`shown`, `not shown` or `unknown`."""


def effect_rows(shown: Sequence[Shown]) -> list[EffectRow]:
    """Return each effect of a lesson as it was measured, expected and published."""
    return [_effect(one) for one in shown]


def _effect(one: Shown) -> EffectRow:
    unit = "x" if one.against is not None else ""
    spread = ""
    if one.low is not None and one.high is not None and one.low != one.high:
        spread = f"{plain(one.low)}{unit} to {plain(one.high)}{unit}"
    return EffectRow(
        says=one.says,
        where=one.of if one.against is None else f"{one.of} / {one.against}",
        measured=units.UNKNOWN if one.measured is None else f"{plain(one.measured)}{unit}",
        spread=spread,
        expected=one.expected,
        published="" if one.published is None else f"{plain(one.published)}{unit}",
        verdict={True: "shown", False: "not shown", None: "unknown"}[one.shown],
    )


@dataclass(frozen=True)
class Check:
    """Something that must hold in every run: what was counted, what was found, and whether they agree."""

    what: str
    expected: str
    found: str
    words: str
    holds: bool | None


def checks(accounting: Accounting) -> list[Check]:
    """Return what must hold in every run, and whether it does."""
    a = accounting
    rows_differ = None if a.rows_in_database is None else a.rows_in_database - a.rows_expected
    return [
        Check(
            "transactions: attempted by the workers' own count, and received", number(a.transactions_attempted),
            number(a.transactions_received), "none is lost" if not a.lost else f"{number(a.lost)} lost", not a.lost,
        ),
        Check(
            "rows: expected by the commits, and in the databases", number(a.rows_expected), number(a.rows_in_database),
            "could not be counted" if rows_differ is None
            else "all are there" if not rows_differ else f"difference {rows_differ:+,}",
            None if rows_differ is None else not rows_differ,
        ),
    ]  # fmt: skip
