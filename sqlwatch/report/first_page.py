"""The first page of a summary: what matters of each phase, what is wrong, and whether the figures can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.units import number
from sqlwatch.diagnose import Finding
from sqlwatch.diagnose.invariants import broken
from sqlwatch.diagnose.side_by_side import COMPARED, Figure, in_words, ratio, times_words
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.figures import CELL_WIDTH, LABEL_WIDTH
from sqlwatch.report.plain import row, wrapped

_MAIN: Final = (
    "commits a second", "reads a second", "commit latency p50", "commit latency p99", "lock wait max",
    "fairness (Jain's index)", "starved writers", "lock free, yet wanted", "busy errors", "WAL at its largest",
)  # fmt: skip
_NOTES: Final = (
    "Latency is from asking to the acknowledged commit. Jain's index: 1 is even, 1 / writers is one for all. "
    f"~ is sampled, {units.UNKNOWN} unknown."
)
_MOST_FINDINGS: Final = 4


def first_page(result: Result, shown: Sequence[Period], found: Sequence[Finding]) -> list[list[str]]:
    """Return paragraphs of lines; none where nothing was measured."""
    if not shown:
        return []
    compared = result.compared if result.compared is not None and tuple(shown) == result.compared else None
    return [
        wrapped(f"In short: {in_words(*compared)}.") if compared is not None else [],
        [*_figures(shown, compared), *wrapped(_NOTES)],
        _wrong(found),
        wrapped(_trust(result)),
    ]


def _figures(phases: Sequence[Period], compared: tuple[Period, Period] | None) -> list[str]:
    headings = [phase.name for phase in phases] + (["ratio"] if compared is not None else [])
    lines = [row("", headings, LABEL_WIDTH, CELL_WIDTH)]
    for label in _MAIN:
        figure = next(figure for figure in COMPARED if figure.label == label)
        if figure.optional and not any(figure.value(phase) for phase in phases):
            continue
        cells = [figure.cell(phase) for phase in phases]
        cells += [_ratio(figure, *compared)] if compared is not None else []
        lines.append(row(label, cells, LABEL_WIDTH, CELL_WIDTH))
    return lines


def _ratio(figure: Figure, contended: Period, single_writer: Period) -> str:
    value = ratio(figure.value(contended), figure.value(single_writer)) if figure.compares else None
    return times_words(value) if value else ""


def _wrong(found: Sequence[Finding]) -> list[str]:
    """Say in a line or two each what was found, the gravest first."""
    lines = [] if found else ["Findings: none"]
    for finding in found[:_MOST_FINDINGS]:
        lines += wrapped(f"{finding.severity.value.upper()} {finding.summary}", "", "  ")
    if len(found) > _MOST_FINDINGS:
        lines.append(f"and {len(found) - _MOST_FINDINGS} more")
    return lines


def _trust(result: Result) -> str:
    """Say whether all that must hold does; what was counted stands under the accounting."""
    a, faults = result.accounting, broken(result.accounting)
    if faults:
        return f"BROKEN, so that no figure can be trusted: {' '.join(faults)}"
    if a.rows_in_database is None:
        return "Nothing is known to be lost; the rows could not be counted."
    if a.in_doubt or a.workers_killed:
        return (
            "Every row that was reported as committed is there; the accounting has what killed workers left in doubt."
        )
    return f"Nothing was lost: all {number(a.rows_expected)} rows that were committed are there, and no others."
