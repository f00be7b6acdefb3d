"""How many rows and columns each panel gets, for any size of the terminal; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WIDE_COLUMNS: Final = 120
STACKED_COLUMNS: Final = 80
MODES_ROWS: Final = 9
"""Rows of the table that puts the modes side by side."""


class Arrangement(StrEnum):
    """How the panels lie."""

    WIDE = "wide"
    """Charts left, tables right."""
    STACKED = "stacked"
    """One below the other, throughput and WAL side by side."""
    NARROW = "narrow"
    """One below the other, charts of one row."""


@dataclass(frozen=True)
class Plan:
    """Rows of each part (0: not shown) and, if wide, the columns of the right side."""

    arrangement: Arrangement
    header: int
    headline: int
    waits: int
    throughput: int
    wal: int
    modes: int
    workers: int
    footer: int
    side_columns: int = 0

    @property
    def series_beside(self) -> bool:
        """Whether throughput and WAL share their rows."""
        return self.arrangement is Arrangement.STACKED and self.throughput > 1

    @property
    def charts(self) -> int:
        """Rows of all charts together."""
        series = max(self.throughput, self.wal) if self.series_beside else self.throughput + self.wal
        return self.waits + series

    @property
    def rows(self) -> int:
        """Rows of everything together."""
        body = self.charts + self.modes + self.workers
        if self.arrangement is Arrangement.WIDE:
            body = max(self.charts, self.modes + self.workers)
        return self.header + self.headline + body + self.footer


def plan(width: int, height: int, workers: int) -> Plan:
    """Divide a terminal of `width` x `height` for a fleet of `workers`; the parts never need more rows than there are.

    >>> plan(80, 24, 18)
    Plan(arrangement=<Arrangement.STACKED: 'stacked'>, header=2, headline=2, waits=9, throughput=4, wal=4, modes=0, \
workers=6, footer=1, side_columns=0)
    >>> small = plan(40, 12, 18)
    >>> small.waits, small.throughput, small.wal, small.workers
    (1, 1, 1, 4)
    """
    if width >= WIDE_COLUMNS:
        return _wide(width, height)
    if width >= STACKED_COLUMNS and height >= 18:
        return _stacked(height, workers)
    return _narrow(width, height, workers)


def _wide(width: int, height: int) -> Plan:
    header, headline, footer, body = _frame(height, two_line_header=16, two_line_headline=30)
    modes = MODES_ROWS if body >= MODES_ROWS + 12 else 0
    if body >= 18:
        throughput = wal = max(6, body // 4)
    elif body >= 13:
        throughput = wal = 4
    else:
        throughput, wal = min(1, max(body - 1, 0)), min(1, max(body - 2, 0))
    waits = body - throughput - wal
    side = min(max(width * 45 // 100, 62), 84)
    return Plan(
        Arrangement.WIDE, header, headline, waits, throughput, wal, modes, body - modes, footer, side_columns=side
    )


def _stacked(height: int, workers: int) -> Plan:
    header, headline, footer, body = _frame(height, two_line_header=16, two_line_headline=24)
    series = 4 if body < 26 else 6 if body < 34 else 8
    table = min(max(6, body // 3), max(workers + 1, 6))
    modes = MODES_ROWS if body >= 38 else 0
    waits = body - series - table - modes
    if waits > 20:
        waits, table = 20, body - series - modes - 20
    return Plan(Arrangement.STACKED, header, headline, waits, series, series, modes, table, footer)


def _narrow(width: int, height: int, workers: int) -> Plan:
    wordy = 12 if width < STACKED_COLUMNS else 20
    header, headline, footer, body = _frame(height, two_line_header=12, two_line_headline=min(wordy, 14))
    if height < 12 and height >= 10 and width < 62:
        headline, body = headline + 1, body - 1
    if body >= 22:
        waits, throughput, wal = 8, 4, 4
    elif body >= 7:
        waits, throughput, wal = 1, 1, 1
    elif body >= 6:
        waits, throughput, wal = 1, 1, 0
    else:
        waits, throughput, wal = (1, 0, 0) if body >= 4 else (0, 0, 0)
    table = max(body - waits - throughput - wal, 0)
    spare = table - (workers + 1)
    if spare > 0 and waits == 1 and table >= 6:
        more = min(spare, 3)
        waits, table = waits + more, table - more
    return Plan(Arrangement.NARROW, header, headline, waits, throughput, wal, 0, table, footer)


def _frame(height: int, *, two_line_header: int, two_line_headline: int) -> tuple[int, int, int, int]:
    """Return the rows of header, headline and footer, and what is left for the body."""
    header = 2 if height >= two_line_header else min(1, height)
    headline = 2 if height >= two_line_headline else min(1, max(height - header, 0))
    footer = 1 if height >= 6 else 0
    return header, headline, footer, max(height - header - headline - footer, 0)
