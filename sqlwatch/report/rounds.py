"""The positions of rounds as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.diagnose.rounds import round_headings, round_rows, round_words
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import wrapped

_LABEL: Final = 10
_CELL: Final = 5
_WIDE: Final = ("ask 1st", "ask last", "max wait")


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
            lines += [_row(headings, headings), *(_row(row, headings) for row in round_rows(positions))]
        lines += [line for sentence in round_words(positions) for line in wrapped(sentence, "  ")]
        lines.append("")
    return lines[:-1]


def _row(cells: Sequence[str], headings: Sequence[str]) -> str:
    label, *others = cells
    widths = [_CELL if heading not in _WIDE else len(heading) + 1 for heading in headings[1:]]
    fitted = (f"{cell:>{width}}" for cell, width in zip(others, widths, strict=True))
    return f"  {label:<{_LABEL}}{''.join(fitted)}".rstrip()
