"""Rectangles of the screen, and how rows are shared out among panels one below the other; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

WIDE_COLUMNS: Final = 120
STACKED_COLUMNS: Final = 80
GAP: Final = 1
"""Columns between two panels that lie beside each other."""


class Arrangement(StrEnum):
    """How the panels lie."""

    WIDE = "wide"
    """In two columns."""
    STACKED = "stacked"
    """One below the other, charts over time side by side."""
    NARROW = "narrow"
    """One below the other, charts of one row."""


class Place(NamedTuple):
    """A rectangle of the screen, in cells from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


Places = dict[str, Place]
"""Name of a panel to its place; who is not in it is not shown."""

Heights = dict[str, int]

Steps = Sequence[tuple[str, int]]
"""Panels with the rows they need, the most important first; one that comes again wants more rows than before."""

FRAME: Final = ("header", "headline", "footer")


class Wish(NamedTuple):
    """Which panels there are, which of them must be shown even where room is short, and which alone (if any)."""

    panels: Sequence[str]
    asked: Sequence[str] = ()
    alone: str | None = None


def frame(height: int, *, header: int, headline: int, footer_from: int = 3) -> Heights:
    """Return the rows of header, headline and footer, as far as there are any; the footer comes last."""
    header = min(header, height)
    headline = min(headline, height - header)
    return {"header": header, "headline": headline, "footer": int(height - header - headline >= footer_from)}


def shared(rows: int, steps: Steps, order: Sequence[str], most: Mapping[str, int], wish: Wish) -> Heights:
    """Share out rows: first to those asked for, then step by step until one does not fit, then in turn as `grown` does.

    >>> shared(9, [("a", 2), ("b", 3), ("a", 5), ("c", 4)], ["b"], {}, Wish("abc"))
    {'a': 5, 'b': 4}
    >>> shared(9, [("a", 2), ("b", 3), ("a", 5), ("c", 4)], ["b"], {}, Wish("ac", asked="c"))
    {'c': 4, 'a': 5}
    """
    least: Heights = {}
    wanted = [(name, needed) for name, needed in steps if name in wish.panels]
    firsts = dict(reversed(wanted))
    for name in wish.asked:
        if name in firsts and sum(least.values()) + firsts[name] <= rows:
            least[name] = firsts[name]
    for name, needed in wanted:
        if needed <= least.get(name, 0):
            continue
        if sum(least.values()) - least.get(name, 0) + needed > rows:
            break
        least[name] = needed
    return grown(rows, least, [name for name in order if name in least], most)


def grown(rows: int, least: Heights, order: Sequence[str], most: Mapping[str, int]) -> Heights:
    """Give each panel its least rows, then one more at a time in turn, none more than its most, until none is left.

    >>> grown(9, {"a": 2, "b": 1}, ["a", "b", "b"], {"b": 3})
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


def stack(names: Sequence[str], heights: Heights, y: int, width: int, x: int = 0) -> Places:
    """Put panels one below the other; those without a row are left out."""
    places: Places = {}
    for name in names:
        if rows := heights.get(name, 0):
            places[name] = Place(x, y, width, rows)
            y += rows
    return places


def within(width: int, height: int, bars: Heights, divide: Callable[[Place], Places]) -> Places:
    """Put header, headline and footer in their places, and between them what `divide` makes of the room there."""
    top = bars["header"] + bars["headline"]
    places = stack(("header", "headline"), bars, 0, width)
    places |= divide(Place(0, top, width, height - sum(bars.values())))
    return places | stack(("footer",), bars, height - bars["footer"], width)


SERIES: Final = "series"
"""Stands for two panels that share their rows."""


def pair_of(wish: Wish, names: Sequence[str]) -> tuple[str, ...]:
    """Return the two of several panels that get a place beside each other: those asked for last, then the first ones.

    >>> pair_of(Wish("abc"), "abc"), pair_of(Wish("abc", asked="c"), "abc"), pair_of(Wish("bc"), "abc")
    (('a', 'b'), ('a', 'c'), ('b', 'c'))
    """
    wished = [name for name in (*wish.asked, *names) if name in wish.panels and name in names]
    chosen = list(dict.fromkeys(wished))[:2]
    return tuple(name for name in names if name in chosen)


def with_series(wish: Wish, pair: Sequence[str]) -> Wish:
    """Return the wish with one more panel that stands for the two of the pair, if any of them is wished for."""
    panels = [*wish.panels, *[SERIES] * any(name in wish.panels for name in pair)]
    return wish._replace(panels=panels, asked=[SERIES if name in pair else name for name in wish.asked])


def unfold_series(places: Places, wish: Wish, pair: Sequence[str]) -> None:
    """Divide the place of the pair between its two panels, beside each other."""
    place = places.pop(SERIES, None)
    names = [name for name in pair if name in wish.panels]
    if place is None:
        return
    if len(names) == 1:
        places[names[0]] = place
        return
    half = (place.width - GAP) // 2
    places[names[0]] = place._replace(width=place.width - half - GAP)
    places[names[1]] = place._replace(x=place.x + place.width - half, width=half)


def alone(places: Places, name: str, width: int, height: int) -> Places:
    """Give one panel all the room between headline and footer; it alone has a place then.

    >>> alone({"header": Place(0, 0, 9, 2), "a": Place(0, 2, 9, 1), "b": Place(0, 3, 9, 1)}, "b", 9, 8)["b"]
    Place(x=0, y=2, width=9, height=6)
    """
    kept = {part: place for part, place in places.items() if part in FRAME}
    top = sum(place.height for part, place in kept.items() if part != "footer")
    bottom = kept["footer"].height if "footer" in kept else 0
    rows = height - top - bottom
    return {**kept, name: Place(0, top, width, rows)} if rows > 0 else kept
