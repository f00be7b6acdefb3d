"""Values over time as an image: the phases of a run one after the other on one scale, a mark where each begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlwatch.charts import axis
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.svg import Svg, cut_to, element, label, picture, px, rectangles, rule, spaced
from sqlwatch.charts.svg_histogram import LEFT, RIGHT

_TOP: Final = 34
_BELOW: Final = 20
_STEPS_S: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_LEAST_LABEL_PX: Final = 46


@dataclass(frozen=True)
class Stretch:
    """One phase: its values with the moment in ns since its start at which each begins; None is unknown."""

    name: str
    ink: Ink
    length_ns: int
    period_ns: int
    points: Sequence[tuple[int, float | None]]
    exits_ns: Sequence[int] = ()
    """When a worker ended that should not have."""


def series_svg(
    stretches: Sequence[Stretch], width: int, height: int, *, write: Callable[[float], str], title: str, words: str,
    limit: Callable[[float], float] = axis.nice_limit,
) -> Svg:  # fmt: skip
    """Draw stretches one after the other, each as wide as it is long; `write` gives a value its unit.

    >>> from sqlwatch.charts import units
    >>> stretch = Stretch("contended", Ink.CONTENDED, 2 * 10**9, 10**9, [(0, 5.0), (10**9, 10.0)])
    >>> svg = series_svg([stretch] * 2, 320, 120, write=units.rate, title="Commits", words="two phases")
    >>> svg.count(">1. contended<"), svg.count(">2. contended<"), svg.count(">10/s<"), svg.count('d="M')
    (1, 1, 1, 2)
    """
    plot, foot = width - LEFT - RIGHT, height - _BELOW
    whole_ns = sum(stretch.length_ns for stretch in stretches) or 1
    top = limit(max((value for one in stretches for _, value in one.points if value is not None), default=0.0))
    step_s = _step_s(whole_ns / 1e9, plot)
    parts: list[Svg] = []
    start = float(LEFT)
    for number, stretch in enumerate(stretches, start=1):
        wide = stretch.length_ns / whole_ns * plot
        parts += _stretch(stretch, number, start, wide, foot, top)
        parts += _times(stretch.length_ns / 1e9, step_s, start, wide, foot)
        start += wide
    parts += [rule(LEFT, foot, LEFT + plot, foot, Ink.MUTED), rule(LEFT, _TOP, LEFT, foot, Ink.MUTED)]
    tall = foot - _TOP
    for value, y in ((top, _TOP), (top / 2, _TOP + tall / 2), (0.0, foot)):
        parts.append(label(write(value), LEFT - 5, y + 4, anchor="end"))
    return picture(width, height, title, words, parts)


def _stretch(stretch: Stretch, number: int, start: float, wide: float, foot: float, top: float) -> list[Svg]:
    per_ns = wide / (stretch.length_ns or 1)
    tall = foot - _TOP
    boxes = [
        (start + at_ns * per_ns, foot - value / top * tall, stretch.period_ns * per_ns, value / top * tall)
        for at_ns, value in stretch.points
        if value
    ]
    name = cut_to(f"{number}. {stretch.name}", wide - 6) or cut_to(str(number), max(wide, 24))
    parts = [
        rectangles(boxes, f"ink-{stretch.ink.value}"),
        rule(start, _TOP - 20, start, foot, stretch.ink),
        label(name, start + 4, _TOP - 12, stretch.ink),
    ]
    for exit_ns in stretch.exits_ns:
        x = start + exit_ns * per_ns
        parts.append(element("path", d=f"M{px(x - 4)} {px(foot - 4)}l8 8m0 -8l-8 8", class_="rule-warning"))
    return parts


def _step_s(whole_s: float, plot: float) -> float:
    """Return the smallest step between labels of the time axis at which they do not touch."""
    return next((step for step in _STEPS_S if step / whole_s * plot >= _LEAST_LABEL_PX), _STEPS_S[-1])


def _times(length_s: float, step_s: float, start: float, wide: float, foot: float) -> list[Svg]:
    """Label the time since the start of a stretch."""
    if length_s <= 0:
        return []
    at = [(start + number * step_s / length_s * wide, number * step_s) for number in range(int(length_s / step_s) + 1)]
    parts = [rule(x, foot, x, foot + 4, Ink.MUTED) for x, _ in at]
    named = spaced([(x, f"{seconds:g}s") for x, seconds in at if seconds], start, start + wide + RIGHT)
    return parts + [label(words, x, foot + 16, anchor="middle") for x, words in named]
