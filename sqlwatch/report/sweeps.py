"""Sweeps as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.scenario import Scenario
from sqlwatch.charts.text import one_cell_each
from sqlwatch.diagnose.sweeps import SWEEP_HEADINGS, sweep_rows, sweep_words, sweeps
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import WIDTH, cut, wrapped


def sweep_lines(scenario: Scenario, phases: Sequence[Period]) -> list[str]:
    """Write the table of each sweep of a lesson, with what it comes to; nothing where it has none."""
    lines: list[str] = []
    for swept in sweeps(scenario, phases):
        lines += wrapped(f"{swept.name}: how much faster than {swept.steps[0].phase}")
        rows = [SWEEP_HEADINGS, *sweep_rows(swept)]
        others = [max(len(cells[column]) for cells in rows) + 2 for column in range(1, len(SWEEP_HEADINGS))]
        label = min(max(len(cells[0]) for cells in rows), WIDTH - 3 - sum(others))
        for name, *cells in rows:
            fitted = "".join(f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True))
            lines.append(f"  {cut(one_cell_each(name), label):<{label}}{fitted}")
        lines += [*wrapped(sweep_words(swept), "  "), ""]
    return lines[:-1]
