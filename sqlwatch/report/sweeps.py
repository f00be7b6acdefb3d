"""Sweeps as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulators.scenario import Scenario
from sqlwatch.charts.aligned import aligned
from sqlwatch.diagnose.sweeps import SWEEP_HEADINGS, sweep_rows, sweep_words, sweeps
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import cut, wrapped

_LABEL: Final = 20
"""Cells of a phase's name, beside which all other columns fit."""


def sweep_lines(scenario: Scenario, phases: Sequence[Period]) -> list[str]:
    """Write the table of each sweep of a lesson, with what it comes to; nothing where it has none."""
    lines: list[str] = []
    for swept in sweeps(scenario, phases):
        lines += wrapped(f"{swept.name}: how much faster than {swept.steps[0].phase}")
        rows = [SWEEP_HEADINGS, *((cut(name, _LABEL), *cells) for name, *cells in sweep_rows(swept))]
        lines += [f"  {line}" for line in aligned(rows)]
        lines += [*wrapped(sweep_words(swept), "  "), ""]
    return lines[:-1]
