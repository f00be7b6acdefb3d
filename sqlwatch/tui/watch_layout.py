"""Where each panel of `sqlwatch watch` lies, for any size of the terminal; pure."""

from __future__ import annotations

from typing import Final

from sqlwatch.tui.places import (
    GAP,
    SERIES,
    STACKED_COLUMNS,
    WIDE_COLUMNS,
    Arrangement,
    Heights,
    Place,
    Places,
    Wish,
    alone,
    frame,
    pair_of,
    shared,
    stack,
    unfold_series,
    with_series,
    within,
)

PANELS: Final = ("findings", "locks", "timeline", "wal", "commits", "processes", "busy")
"""All panels that a place can be found for."""

_SERIES: Final = ("wal", "commits")
_SHORT_SERIES: Final = ("wal", "commits", "busy")
"""Where rows are short two of these share a place; a number key brings the third one in."""

_LEAST_TALL: Final = 20
"""Rows from which on there is room for panels with titles."""


def arrangement_of(width: int, height: int) -> Arrangement:
    """Return how the panels lie in a terminal of this size."""
    if height < _LEAST_TALL or width < STACKED_COLUMNS:
        return Arrangement.NARROW
    return Arrangement.WIDE if width >= WIDE_COLUMNS else Arrangement.STACKED


def plan(width: int, height: int, wish: Wish) -> Places:
    """Divide a terminal of `width` x `height`; no two places overlap and none leaves the screen.

    >>> places = plan(80, 24, Wish(PANELS))
    >>> places["findings"], places["processes"]
    (Place(x=0, y=4, width=80, height=4), Place(x=0, y=15, width=80, height=4))
    >>> sorted(plan(40, 10, Wish(PANELS)), key=lambda name: plan(40, 10, Wish(PANELS))[name].y)
    ['header', 'headline', 'findings', 'locks', 'wal', 'processes', 'footer']
    """
    width, height = max(width, 1), max(height, 1)
    arrangement = arrangement_of(width, height)
    divide = {Arrangement.WIDE: _wide, Arrangement.STACKED: _stacked, Arrangement.NARROW: _narrow}[arrangement]
    bars = _frame(width, height, arrangement)
    places = within(width, height, bars, lambda body: divide(body, wish))
    return places if wish.alone is None else alone(places, wish.alone, width, height)


def _frame(width: int, height: int, arrangement: Arrangement) -> Heights:
    """Return the rows of header, headline and footer."""
    if arrangement is Arrangement.NARROW:
        wraps = (height >= 10 and width < 62) or height >= 14
        return frame(height, header=2 if height >= 12 else 1, headline=2 if wraps else 1)
    return frame(height, header=2, headline=2 if height >= 28 or arrangement is Arrangement.STACKED else 1)


def _wide(body: Place, wish: Wish) -> Places:
    """Locks, timeline and commits left; findings and WAL right; the table and the logs below, over the whole width."""
    steps = [("processes", 4), ("busy", 1)]
    below = shared(body.height * 3 // 8, steps, ["processes", "processes", "busy"], {"busy": 6}, wish)
    upper = body._replace(height=body.height - sum(below.values()))
    steps = [("locks", 4), ("timeline", 3), ("commits", 3)]
    left = shared(upper.height, steps, ["locks", "timeline", "commits"], {"locks": 7}, wish)
    right = shared(upper.height, [("findings", 4), ("wal", 4)], ["findings", "wal"], {"wal": 16}, wish)
    places = stack(("processes", "busy"), below, upper.y + upper.height, body.width)
    if not left or not right:
        return places | stack((*left, *right), {**left, **right}, body.y, body.width)
    side = min(max(body.width * 45 // 100, 54), 96)
    places |= stack(("locks", "timeline", "commits"), left, body.y, body.width - side - GAP)
    return places | stack(("findings", "wal"), right, body.y, side, x=body.width - side)


def _stacked(body: Place, wish: Wish) -> Places:
    """One below the other, WAL and commits side by side; the logs below them, or in place of one of them."""
    is_short = body.height < 26
    pair = pair_of(wish, _SHORT_SERIES if is_short else _SERIES)
    steps = [("findings", 3), ("locks", 3), ("timeline", 3), ("processes", 3), (SERIES, 3), ("locks", 6), ("busy", 1)]
    order = ["findings", "timeline", "processes", SERIES, "locks", "locks", "processes", "timeline", "busy"]
    most = {"findings": 9, "locks": 7, SERIES: 14, "busy": 5}
    heights = shared(body.height, steps[:5] if is_short else steps, order, most, with_series(wish, pair))
    places = stack(("findings", "locks", "timeline", "processes", SERIES, "busy"), heights, body.y, body.width)
    unfold_series(places, wish, pair)
    return places


def _narrow(body: Place, wish: Wish) -> Places:
    """One below the other, charts of one row; what matters least goes first."""
    steps = [
        ("processes", 2), ("findings", 1), ("locks", 1), ("processes", 3), ("wal", 1), ("timeline", 1), ("commits", 1),
        ("locks", 3), ("timeline", 2), ("findings", 2), ("busy", 1),
    ]  # fmt: skip
    order = ["processes", "timeline", "findings", "processes", "locks", "wal", "commits"]
    series = 1 if body.height < 32 else 6
    most = {"findings": 7, "locks": 6, "timeline": 10, "wal": series, "commits": series, "busy": 1}
    heights = shared(body.height, steps, order, most, wish)
    names = ("findings", "locks", "timeline", "wal", "commits", "processes", "busy")
    return stack(names, heights, body.y, body.width)
