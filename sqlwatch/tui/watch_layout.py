"""Where each panel of `sqlwatch watch` lies, for any size of the terminal; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlwatch.tui.layout import STACKED_COLUMNS, WIDE_COLUMNS, Arrangement

_LEAST_TALL: Final = 20
"""Rows from which on there is room for panels with titles."""
_SIDE_GAP: Final = 1


class Place(NamedTuple):
    """A rectangle of the screen, in cells from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


Places = dict[str, Place]
"""Name of a panel to its place; who is not in it is not shown."""

_Heights = dict[str, int]


def plan(width: int, height: int) -> tuple[Arrangement, Places]:
    """Divide a terminal of `width` x `height`; no two places overlap and none leaves the screen.

    >>> arrangement, places = plan(80, 24)
    >>> arrangement, places["findings"], places["processes"]
    (<Arrangement.STACKED: 'stacked'>, Place(x=0, y=4, width=80, height=4), Place(x=0, y=15, width=80, height=4))
    >>> sorted(plan(40, 10)[1], key=lambda name: plan(40, 10)[1][name].y)
    ['header', 'headline', 'findings', 'locks', 'wal', 'processes', 'footer']
    """
    width, height = max(width, 1), max(height, 1)
    if height >= _LEAST_TALL and width >= WIDE_COLUMNS:
        return Arrangement.WIDE, _wide(width, height)
    if height >= _LEAST_TALL and width >= STACKED_COLUMNS:
        return Arrangement.STACKED, _stacked(width, height)
    return Arrangement.NARROW, _narrow(width, height)


def _wide(width: int, height: int) -> Places:
    """Locks, timeline and commits left; findings and WAL right; the table and the logs below, over the whole width."""
    frame = _frame(height, header=2, headline=2 if height >= 28 else 1)
    body = height - sum(frame.values())
    below = _grown(body * 3 // 8, {"processes": 4, "busy": 1}, ["processes", "processes", "busy"], {"busy": 6})
    upper = body - sum(below.values())
    left = _grown(upper, {"locks": 4, "timeline": 3, "commits": 3}, ["locks", "timeline", "commits"], {"locks": 7})
    right = _grown(upper, {"findings": 4, "wal": 4}, ["findings", "wal"], {"wal": 16})
    side = min(max(width * 45 // 100, 54), 96)
    left_width = width - side - _SIDE_GAP
    top = frame["header"] + frame["headline"]
    places = _stack(["header", "headline"], frame, 0, width)
    places |= _stack(["locks", "timeline", "commits"], left, top, left_width)
    places |= _stack(["findings", "wal"], right, top, side, x=left_width + _SIDE_GAP)
    places |= _stack(["processes", "busy"], below, top + upper, width)
    return places | _stack(["footer"], frame, height - frame["footer"], width)


def _stacked(width: int, height: int) -> Places:
    """One below the other, WAL and commits side by side."""
    frame = _frame(height, header=2, headline=2)
    body = height - sum(frame.values())
    least = {"findings": 3, "locks": 3, "timeline": 3, "processes": 3, "series": 3}
    order = ["findings", "timeline", "processes", "series", "locks", "locks", "processes", "timeline"]
    most = {"findings": 9, "locks": 7, "series": 14, "busy": 5}
    heights = _grown(body, least, order, most) if body < 26 else _grown(
        body, {**least, "locks": 6, "busy": 1}, [*order, "busy"], most
    )  # fmt: skip
    top = frame["header"] + frame["headline"]
    places = _stack(["header", "headline"], frame, 0, width)
    places |= _stack(["findings", "locks", "timeline", "processes", "series", "busy"], heights, top, width)
    series = places.pop("series")
    half = (width - _SIDE_GAP) // 2
    places["wal"] = series._replace(width=width - half - _SIDE_GAP)
    places["commits"] = series._replace(x=width - half, width=half)
    return places | _stack(["footer"], frame, height - frame["footer"], width)


def _narrow(width: int, height: int) -> Places:
    """One below the other, charts of one row; what matters least goes first."""
    tall = height >= 12
    wraps = (height >= 10 and width < 62) or height >= 14
    frame = _frame(height, header=2 if tall else 1, headline=2 if wraps else 1)
    body = height - sum(frame.values())
    least: _Heights = {}
    for name, rows in (
        ("processes", 2), ("findings", 1), ("locks", 1), ("processes", 3), ("wal", 1), ("timeline", 1), ("commits", 1),
        ("locks", 3), ("timeline", 2), ("findings", 2), ("busy", 1),
    ):  # fmt: skip
        if sum(least.values()) - least.get(name, 0) + rows > body:
            break
        least[name] = rows
    order = ["processes", "timeline", "findings", "processes", "locks", "wal", "commits"]
    series = 1 if body < 32 else 6
    most = {"findings": 7, "locks": 6, "timeline": 10, "wal": series, "commits": series, "busy": 1}
    heights = _grown(body, least, [name for name in order if name in least], most)
    top = frame["header"] + frame["headline"]
    names = ["findings", "locks", "timeline", "wal", "commits", "processes", "busy"]
    places = _stack(["header", "headline"], frame, 0, width) | _stack(names, heights, top, width)
    return places | _stack(["footer"], frame, height - frame["footer"], width)


def _frame(height: int, *, header: int, headline: int) -> _Heights:
    """Return the rows of header, headline and footer, as far as there are any."""
    header = min(header, height)
    headline = min(headline, height - header)
    footer = 1 if height - header - headline >= 3 else 0
    return {"header": header, "headline": headline, "footer": footer}


def _grown(rows: int, least: _Heights, order: Sequence[str], most: Mapping[str, int]) -> _Heights:
    """Give each panel its least rows, then one more at a time in turn, none more than its most, until none is left.

    >>> _grown(9, {"a": 2, "b": 1}, ["a", "b", "b"], {"b": 3})
    {'a': 6, 'b': 3}
    """
    heights = dict(least)
    left = rows - sum(heights.values())
    while left > 0:
        growing = [name for name in order if heights.get(name, 0) < most.get(name, rows)]
        if not growing:
            break
        for name in growing[:left]:
            if heights.get(name, 0) < most.get(name, rows):
                heights[name] = heights.get(name, 0) + 1
                left -= 1
    return heights


def _stack(names: Sequence[str], heights: _Heights, y: int, width: int, x: int = 0) -> Places:
    """Put panels one below the other; those without a row are left out."""
    places: Places = {}
    for name in names:
        if rows := heights.get(name, 0):
            places[name] = Place(x, y, width, rows)
            y += rows
    return places
