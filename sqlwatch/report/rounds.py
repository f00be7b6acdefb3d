"""The positions of rounds as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlwatch.charts.aligned import aligned
from sqlwatch.diagnose.rounds import round_headings, round_rows, round_words
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import wrapped


def round_lines(phases: Sequence[Period]) -> list[str]:
    """Write the position table of each phase that ran in rounds, with what it shows; nothing where none did."""
    lines: list[str] = []
    for phase in phases:
        positions = phase.positions
        if positions is None:
            continue
        headings = round_headings(positions)
        lines += wrapped(f"{phase.name}: how often each writer got the lock as the first, the second, ...")
        if positions.rounds:
            lines += [f"  {line}" for line in aligned([headings, *round_rows(positions)], gap=1)]
        lines += [line for sentence in round_words(positions) for line in wrapped(sentence, "  ")]
        lines.append("")
    return lines[:-1]
