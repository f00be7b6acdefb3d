"""Modes, or the phases of a lesson, side by side: the same figures of each, and how many times one is the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.diagnose.side_by_side import Value, ratio, times_words
from sqlwatch.diagnose.thresholds import DEFAULT
from sqlwatch.metrics.snapshot import Period, Quality, Status
from sqlwatch.tui.compared_phases import side_phases
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.panel import Panel, cut
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_COLUMN: Final = 14
_RATIO: Final = 8
_LABEL: Final = 27
"""Cells that every label fits into; the ratio comes after that."""
_MOST_COLUMNS: Final = 3


class Figure(NamedTuple):
    """One row: `field` is the one whose quality counts, `compares` whether a ratio says something."""

    label: str
    field: str
    value: Callable[[Period], Value]
    write: Callable[[Value], str]
    compares: bool = True


class _Head(NamedTuple):
    """What stands above a column, and the period below it; None where there is nothing yet."""

    name: str
    ink: Ink
    period: Period | None = None


def _longest(period: Period) -> Value:
    known = period.lock_wait.count or period.unfinished_waits_ns
    return period.fairness.longest_wait_ns if known else None


FIGURES: Final = (
    Figure("commits", "committed", lambda p: p.per_second(p.committed), units.rate),
    Figure("commit latency p99", "commit_latency", lambda p: p.commit_latency.percentile_ns(99), units.duration),
    Figure("longest lock wait", "", _longest, units.duration),
    Figure("starved writers", "", lambda p: p.fairness.starved_workers, units.count, compares=False),
    Figure("fairness (Jain, 1 = even)", "", lambda p: p.fairness.jain, units.index, compares=False),
    Figure("wasted (free, yet wanted)", "wasted_lock_time", lambda p: p.wasted_lock_time, units.share),
    Figure("lock held", "lock_utilisation", lambda p: p.lock_utilisation, units.share),
    Figure("lock wait p50", "lock_wait", lambda p: p.lock_wait.percentile_ns(50), units.duration),
)
"""The first ones stay where rows are few."""


class ModesPanel(Panel):
    """What changed after m, or from one phase of the lesson to another."""

    TITLE = "Modes compared"
    EXPLANATION = "newest phases; ratio: times the first; ~: sampled"

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title with the names of the phases above their columns, and a row for each figure.

        The names have a row of their own where the explanation takes the title.
        """
        heads = _heads(view, _most_columns(width))
        periods = [head.period for head in heads if head.period is not None]
        has_ratio = len(periods) > 1 and width - len(heads) * _COLUMN - _RATIO >= _LABEL
        label_width = max(width - len(heads) * _COLUMN - has_ratio * _RATIO, 0)
        names = [Segment(cut(head.name, _COLUMN - 1).rjust(_COLUMN - 1) + " ", head.ink) for head in heads]
        names.append(Segment("ratio" if has_ratio else "", Ink.MUTED))
        if self.has_focus:
            rows = [self._title_row(view, width), fitted((Segment(" " * label_width), *names), width)]
        else:
            rows = [(*self._title_row(view, label_width - 1), Segment(" "), *names)]
        for figure in FIGURES[: max(height - len(rows), 0)]:
            cells = [_cell(head.period, figure) for head in heads]
            if has_ratio and figure.compares:
                cells.append(Segment(_ratio(figure, periods), Ink.STRONG))
            rows.append(fitted((*fitted((Segment(f"  {figure.label}", Ink.MUTED),), label_width), *cells), width))
        return rows


def _most_columns(width: int) -> int:
    """Return for how many phases there is room beside the labels and the ratio; for two at least.

    >>> _most_columns(62), _most_columns(70), _most_columns(80)
    (2, 2, 3)
    """
    return min(max((width - _LABEL - _RATIO) // _COLUMN, 2), _MOST_COLUMNS)


def _heads(view: View, most: int) -> list[_Head]:
    phases = side_phases(view, most)
    heads = [_Head(clean(one.name), MODE_INK[one.mode] if one.mode else Ink.TEXT, one) for one in phases]
    if not heads:
        return [_Head("not yet", Ink.MUTED)]
    if len(heads) == 1:
        heads.append(_Head("to come" if view.lesson is not None or _follows(view) else "press m", Ink.MUTED))
    return heads


def _follows(view: View) -> bool:
    """Tell whether another mode follows by itself, with nobody pressing m."""
    is_live = view.status not in (Status.STOPPING, Status.ENDED)
    return is_live and view.simulation is not None and view.simulation.next_mode is not None


def _cell(period: Period | None, figure: Figure) -> Segment:
    if period is None:
        return Segment(" " * _COLUMN)
    text = figure.write(figure.value(period))
    sampled = period.quality.get(figure.field) in (Quality.SAMPLED, Quality.INFERRED)
    return Segment((units.marked(text, looks=period.looks) if sampled else text).rjust(_COLUMN - 1) + " ", Ink.STRONG)


def _ratio(figure: Figure, periods: list[Period]) -> str:
    """Return how many times the first phase's figure the last one's is; nothing before both have run for a while."""
    if min(period.elapsed_ns for period in periods) < DEFAULT.comparable_ns:
        return ""
    times = ratio(figure.value(periods[0]), figure.value(periods[-1]))
    return times_words(times) if times else ""
