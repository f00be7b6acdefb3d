"""The writers' shares of the commits as an image: a bar for each writer, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink
from sqlwatch.charts.svg import Svg, element, label, picture, px, rectangles, rule, spaced
from sqlwatch.charts.svg_histogram import LEFT, RIGHT

_TOP: Final = 18
_BELOW: Final = 34
_WIDEST_BAR_PX: Final = 40.0


@dataclass(frozen=True)
class WriterShare:
    """One writer: its number, its share of the commits 0..1 (None where there was no commit), whether it starved."""

    number: int
    share: float | None
    starved: bool


def share_svg(
    writers: Sequence[WriterShare], width: int, height: int, *, ink: Ink, limit: float, title: str, words: str
) -> Svg:
    """Draw a bar for each writer, the largest share first, up to `limit`; a dashed line is an even share.

    Under a bar stands the writer's number, where there is room; a cross over it marks one that starved.

    >>> writers = [WriterShare(1, 0.0, True), WriterShare(2, 1.0, False)]
    >>> svg = share_svg(writers, 320, 120, ink=Ink.CONTENDED, limit=1.0, title="Shares", words="one took all")
    >>> svg.count(">2<"), svg.count(">1<"), svg.count("rule-warning"), ">dashed: even, 50%<" in svg
    (1, 1, 1, True)
    """
    plot, foot = width - LEFT - RIGHT, height - _BELOW
    tall = foot - _TOP
    ordered = sorted(writers, key=lambda writer: (-(writer.share or 0.0), writer.number))
    each = plot / max(len(ordered), 1)
    parts: list[Svg] = [rule(LEFT, foot, LEFT + plot, foot, Ink.MUTED), rule(LEFT, _TOP, LEFT, foot, Ink.MUTED)]
    parts += [
        label(units.share(limit), LEFT - 5, _TOP + 8, anchor="end"),
        label("0%", LEFT - 5, foot + 4, anchor="end"),
    ]
    boxes, numbers, crosses = [], [], ""
    for place, writer in enumerate(ordered):
        x = LEFT + place * each
        up = min((writer.share or 0.0) / limit, 1.0) * tall
        wide = min(each * 0.76, _WIDEST_BAR_PX)
        boxes.append((x + (each - wide) / 2, foot - up, wide, up))
        numbers.append((x + each / 2, str(writer.number)))
        if writer.starved:
            middle, top, half = x + each / 2, foot - up - 8, min(each / 3, 4.0)
            crosses += f"M{px(middle - half)} {px(top - half)}l{px(half * 2)} {px(half * 2)}m0 {px(-half * 2)}"
            crosses += f"l{px(-half * 2)} {px(half * 2)}"
    parts.append(rectangles(boxes, f"ink-{ink.value}"))
    if crosses:
        parts.append(element("path", d=crosses, class_="rule-warning"))
    if ordered:
        even = 1 / len(ordered)
        y = foot - even / limit * tall
        parts.append(element("line", x1=LEFT, y1=y, x2=LEFT + plot, y2=y, class_="rule-mark dashed"))
        parts.append(label(f"dashed: even, {units.share(even)}", LEFT + plot, _TOP - 6, Ink.MARK, "end"))
    parts += [label(words, x, foot + 15, anchor="middle") for x, words in spaced(numbers, LEFT, LEFT + plot)]
    parts.append(label("writer", LEFT - 5, foot + 18, anchor="end"))
    return picture(width, height, title, words, parts)
