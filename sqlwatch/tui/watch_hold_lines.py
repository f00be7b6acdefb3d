"""What a process did at the write lock so far: how long its holds were, and its newest holds and waits."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Segment
from sqlwatch.metrics.lock_spans import LENGTH_EDGES_NS, LockSpan, SpanKind
from sqlwatch.metrics.observed import Observed, Participant
from sqlwatch.tui.detail_screen import Line, line
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import length_words

_BAR_CELLS: Final = 30
_MOST: Final = 20


def length_lines(one: Participant, observed: Observed, view: View) -> tuple[Line, ...]:
    """Return a bar for each class of length that has holds, the shortest first."""
    total = sum(one.hold_lengths)
    if not total:
        return (line("", "No hold that has ended was seen yet."),)
    look_ns = 1e9 / observed.sample_rate_hz
    lines = []
    for words, count in zip(_classes(), one.hold_lengths, strict=True):
        if count:
            bar = view.glyphs.bar(count / total, _BAR_CELLS)
            number = f"{count:,}".rjust(len(f"{total:,}"))
            lines.append(Line(words, (Segment(f"{number} ", Ink.STRONG), Segment(bar, Ink.HOLDS))))
    look = units.duration(look_ns)
    floor = f"a hold shorter than the {look} between two looks is found by chance; all were a little longer"
    return (*lines, line("", floor, Ink.MUTED))


def _classes() -> list[str]:
    """Return the classes of length in words.

    >>> _classes()[:3], _classes()[-1]
    (['one look', '<10ms', '10ms..30ms'], '>3.0s')
    """
    edges = [units.duration(edge_ns) for edge_ns in LENGTH_EDGES_NS]
    between = [f"{low}..{high}" for low, high in pairwise(edges)]
    return ["one look", f"<{edges[0]}", *between, f">{edges[-1]}"]


def newest_lines(pid: int, observed: Observed, view: View) -> tuple[Line, ...]:
    """Return the newest holds and waits of a process, the newest first."""
    mine = sorted((span for span in observed.spans if span.pid == pid), key=lambda span: span.until_ns, reverse=True)
    if not mine:
        return (line("", "None in the last minute that two looks or more could tell."),)
    now_ns = view.snapshot.at_ns if view.snapshot is not None else 0
    heading = line("ago", "what      for", Ink.MUTED)
    return (heading, *(_newest(span, now_ns, observed.sample_rate_hz) for span in mine[:_MOST]))


def _newest(span: LockSpan, now_ns: int, rate_hz: float) -> Line:
    ago = "now" if span.goes_on else units.duration(max(now_ns - span.until_ns, 0))
    words, ink = ("held", Ink.HOLDS) if span.kind is SpanKind.HELD else ("~waited", Ink.WAITS)
    return Line(ago, (Segment(f"{words:<9} ", ink), Segment(length_words(span, rate_hz), Ink.STRONG)))
