"""Lock waits as an image: the axis and the rungs of `sqlwatch.charts.histogram`, a bar for each bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulators.buckets import LOWER_EDGES_NS
from sqlwatch.charts import axis, units
from sqlwatch.charts.histogram import Waits, share_heights
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.svg import Svg, element, label, picture, px, rectangles, rule, spaced, text
from sqlwatch.metrics.ladder import RUNGS_MS

LEFT: Final = 54
"""Room for the values left of a plot, in every chart, so that plots align."""
RIGHT: Final = 8
_TOP: Final = 18
_BELOW: Final = 34
_WITHOUT_BELOW: Final = 20
_LEAST_RUNG_PX: Final = 4.0


def wait_svg(waits: Waits, width: int, height: int, *, without: Sequence[int] = (), title: str, words: str) -> Svg:
    """Draw the lock waits of one phase on the fixed axis from 1 us to 30 s, over SQLite's backoff rungs.

    Upright: the share of the waits that fell into a bucket, on a logarithmic scale from 0.01 % to 100 %, so that the
    long ones, which are few, are seen.  `without` counts, by bucket, waits that ended without the lock or not at all.

    >>> svg = wait_svg(Waits("contended", [0] * 88 + [5], Ink.CONTENDED), 320, 120, title="Waits", words="5 waits")
    >>> svg.count("<path"), "<title>Waits</title><desc>5 waits</desc>" in svg, "30s" in svg
    (2, True, True)
    """
    plot = width - LEFT - RIGHT
    below = _BELOW + (_WITHOUT_BELOW if without else 0)
    foot = height - below
    parts = [*_rungs(plot, foot), *_scale(foot)]
    counts = waits.counts
    total = sum(counts)
    heights, _ = share_heights([count / total for count in counts] if total else [], logarithmic=True)
    boxes = []
    for index, part in enumerate(heights):
        if part > 0:
            x, wide = _bucket(index, plot)
            tall = part * (foot - _TOP)
            boxes.append((LEFT + x, foot - tall, wide, tall))
    parts.append(rectangles(boxes, f"ink-{waits.ink.value}"))
    parts += _axis(plot, foot)
    if without:
        parts += _without(without, plot, foot)
    return picture(width, height, title, words, parts)


def _bucket(index: int, plot: int) -> tuple[float, float]:
    """Return where a bucket's bar begins and how wide it is."""
    low = axis.log_position(LOWER_EDGES_NS[index], plot)
    high = axis.log_position(LOWER_EDGES_NS[index + 1], plot)
    wide = max(high - low, 1.5)
    return min(low, plot - wide), wide


def shown_rungs(plot: int) -> list[tuple[int, float]]:
    """Return the rungs (ms, x) that lie far enough apart to be told from their neighbours.

    >>> [rung_ms for rung_ms, _ in shown_rungs(640)][:12]
    [1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, 328]
    """
    shown: list[tuple[int, float]] = []
    for rung_ms in RUNGS_MS:
        x = axis.log_position(rung_ms * 1e6, plot)
        if not shown or x - shown[-1][1] >= _LEAST_RUNG_PX:
            shown.append((rung_ms, x))
        elif rung_ms > 600:
            break
    return shown


def _rungs(plot: int, foot: float) -> list[Svg]:
    rungs = shown_rungs(plot)
    lines = [rule(LEFT + x, _TOP, LEFT + x, foot, Ink.FAINT) for _, x in rungs]
    named = spaced([(LEFT + x, str(rung_ms)) for rung_ms, x in rungs if rung_ms <= 228], LEFT, LEFT + plot)
    labels = [label(words, x, _TOP - 5, Ink.RUNG, "middle") for x, words in named]
    marks = "".join(f"M{px(LEFT + x)} {px(foot + 1)}l-2.5 5h5z" for _, x in rungs)
    return [*lines, *labels, element("path", d=marks, class_="ink-rung")]


def _scale(foot: float) -> list[Svg]:
    tall = foot - _TOP
    parts = [rule(LEFT, _TOP, LEFT, foot, Ink.MUTED)]
    for share, up in ((1.0, 1.0), (0.01, 0.5), (0.0001, 0.0)):
        parts.append(label(f"{share:.0%}" if share >= 0.01 else "0.01%", LEFT - 5, foot - tall * up + 4, anchor="end"))
    return parts


def _axis(plot: int, foot: float) -> list[Svg]:
    parts = [rule(LEFT, foot, LEFT + plot, foot, Ink.MUTED)]
    at = [(LEFT + axis.log_position(ns, plot), words) for ns, words in axis.TICKS_NS]
    parts += [rule(x, foot, x, foot + 9, Ink.MUTED) for x, _ in at]
    ordered = [*at[::3], at[-1], *at]
    shown = spaced(dict.fromkeys(ordered), LEFT - 8, LEFT + plot + RIGHT)
    return parts + [label(words, x, foot + 22, anchor="middle") for x, words in shown]


def _without(counts: Sequence[int], plot: int, foot: float) -> list[Svg]:
    """Draw a hollow diamond where waits ended without the lock, as large as tells one from many."""
    y = foot + 34
    parts = [label("no lock", LEFT - 5, y + 4, Ink.WARNING, "end")]
    for index, count in enumerate(counts):
        if count:
            x, wide = _bucket(index, plot)
            centre, half = LEFT + x + wide / 2, min(4.0 + count / 4, 8.0)
            outline = (
                f"M{px(centre)} {px(y - half)}l{px(half)} {px(half)}l{px(-half)} {px(half)}l{px(-half)} {px(-half)}z"
            )
            length = units.duration(LOWER_EDGES_NS[index + 1])
            tip = element("title", text(f"{count} of up to {length} without the lock"))
            parts.append(element("path", tip, d=outline, class_="mark-warning"))
    return parts
