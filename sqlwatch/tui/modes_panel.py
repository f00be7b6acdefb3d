"""The modes side by side: the same figures for each mode that has run."""

from __future__ import annotations

from collections.abc import Callable

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.metrics.snapshot import Period, Quality
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.panel import Panel
from sqlwatch.tui.view import View

_COLUMN = 15


def _wait(percent: float) -> Callable[[Period], str]:
    return lambda period: units.duration(period.lock_wait.percentile_ns(percent))


def _latency(percent: float) -> Callable[[Period], str]:
    return lambda period: units.duration(period.commit_latency.percentile_ns(percent))


def _longest(period: Period) -> str:
    known = period.lock_wait.count or period.unfinished_waits_ns
    return units.duration(period.fairness.longest_wait_ns if known else None)


FIGURES: tuple[tuple[str, str, Callable[[Period], str]], ...] = (
    ("commits", "committed", lambda period: units.rate(period.per_second(period.committed))),
    ("commit latency p99", "commit_latency", _latency(99)),
    ("longest lock wait", "", _longest),
    ("starved writers", "", lambda period: units.count(period.fairness.starved_workers)),
    ("fairness (Jain, 1 = even)", "", lambda period: units.index(period.fairness.jain)),
    ("wasted (free, yet wanted)", "wasted_lock_time", lambda period: units.share(period.wasted_lock_time)),
    ("lock held", "lock_utilisation", lambda period: units.share(period.lock_utilisation)),
    ("lock wait p50", "lock_wait", _wait(50)),
)
"""Label, field whose quality counts, and the text of the figure; the first ones stay where rows are few."""


class ModesPanel(Panel):
    """What changed after m."""

    TITLE = "Modes compared"
    EXPLANATION = "newest phase of each mode; ~ means sampled, not exact"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title with the names of the modes above their columns, and a row for each figure."""
        phases = view.phases()
        columns = self._columns(view, phases)
        label_width = max(width - len(columns) * _COLUMN, 0)
        title = self._title_row(view, label_width)
        if self.has_focus:
            rows = [self._title_row(view, width)]
        else:
            heads = [Segment(name.rjust(_COLUMN - 1) + " ", ink) for name, ink, _ in columns]
            rows = [(*title, *heads)]
        for label, field, write in FIGURES[: height - 1]:
            cells = [_cell(period, field, write) for _, _, period in columns]
            rows.append(fitted((*fitted((Segment(f"  {label}", Ink.MUTED),), label_width), *cells), width))
        return rows

    def _columns(self, view: View, phases: list[tuple[Mode, Period]]) -> list[tuple[str, Ink, Period | None]]:
        columns: list[tuple[str, Ink, Period | None]] = []
        columns += [(mode.value, MODE_INK[mode], period) for mode, period in phases]
        if len(columns) == 1:
            columns.append(("press m", Ink.MUTED, None))
        return columns[-3:]


def _cell(period: Period | None, field: str, write: Callable[[Period], str]) -> Segment:
    if period is None:
        return Segment(" " * _COLUMN)
    text = write(period)
    sampled = period.quality.get(field) in (Quality.SAMPLED, Quality.INFERRED) and text != units.UNKNOWN
    return Segment((f"~{text}" if sampled else text).rjust(_COLUMN - 1) + " ", Ink.STRONG)
