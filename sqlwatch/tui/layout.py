"""Where each panel of `sqlwatch simulate` lies, for any size of the terminal; pure."""

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
    shared,
    stack,
    unfold_series,
    with_series,
    within,
)

PANELS: Final = ("waits", "timeline", "throughput", "wal", "workers", "modes", "findings", "lesson")
"""All panels that a place can be found for."""

MODES_ROWS: Final = 9
"""Rows of the table that puts the modes side by side."""

_TIMELINE_ROWS_AROUND: Final = 3
"""Rows of the lock timeline above and below the lanes of the workers."""

_LEFT: Final = ("waits", "timeline", "throughput", "wal")
_RIGHT: Final = ("lesson", "modes", "workers", "findings")
_SERIES: Final = ("throughput", "wal")


def arrangement_of(width: int, height: int) -> Arrangement:
    """Return how the panels lie in a terminal of this size."""
    if width >= WIDE_COLUMNS:
        return Arrangement.WIDE
    return Arrangement.STACKED if width >= STACKED_COLUMNS and height >= 18 else Arrangement.NARROW


def plan(width: int, height: int, workers: int, wish: Wish) -> Places:
    """Divide a terminal of `width` x `height` for a fleet of `workers`; no two places overlap, none leaves the screen.

    >>> wish = Wish(("waits", "throughput", "wal", "workers", "modes"))
    >>> places = plan(80, 24, 18, wish)
    >>> places["waits"], places["workers"]
    (Place(x=0, y=4, width=80, height=9), Place(x=0, y=17, width=80, height=6))
    >>> [(name, place.height) for name, place in plan(40, 12, 18, wish).items()][2:-1]
    [('waits', 1), ('throughput', 1), ('wal', 1), ('workers', 4)]
    """
    width, height = max(width, 1), max(height, 1)
    arrangement = arrangement_of(width, height)
    divide = {Arrangement.WIDE: _wide, Arrangement.STACKED: _stacked, Arrangement.NARROW: _narrow}[arrangement]
    bars = _frame(width, height, arrangement)
    places = within(width, height, bars, lambda body: divide(body, workers, wish))
    return places if wish.alone is None else alone(places, wish.alone, width, height)


def _frame(width: int, height: int, arrangement: Arrangement) -> Heights:
    """Return the rows of header, headline and footer."""
    if arrangement is Arrangement.NARROW:
        wraps = height >= (12 if width < STACKED_COLUMNS else 14) or (height >= 10 and width < 62)
        return frame(height, header=2 if height >= 12 else 1, headline=2 if wraps else 1, footer_from=4)
    from_rows = 30 if arrangement is Arrangement.WIDE else 24
    headline = 2 if height >= from_rows else 1
    return frame(height, header=2 if height >= 16 else 1, headline=headline, footer_from=4)


def _wide(body: Place, workers: int, wish: Wish) -> Places:
    """Charts left; the lesson and the tables right."""
    left = shared(
        body.height,
        [
            ("waits", 1), ("throughput", 1), ("wal", 1), ("waits", 5), ("throughput", 4), ("wal", 4), ("timeline", 5),
            ("waits", 8), ("throughput", 6), ("wal", 6), ("timeline", 8),
        ],
        [*["waits", "timeline"] * 3, "throughput", "wal"],
        {"timeline": workers + _TIMELINE_ROWS_AROUND},
        wish,
    )  # fmt: skip
    right = shared(
        body.height,
        [
            ("workers", 4), ("lesson", 5), ("modes", MODES_ROWS), ("workers", 8), ("findings", 4), ("lesson", 10),
            ("workers", min(workers + 2, 20)), ("lesson", 14),
        ],
        [*["workers"] * 3, "findings", "lesson"],
        {"workers": workers + 2} if "findings" in wish.panels or "lesson" in wish.panels else {},
        wish,
    )  # fmt: skip
    if not left or not right:
        return stack((*_LEFT, *_RIGHT), {**left, **right}, body.y, body.width)
    side = min(max(body.width * 45 // 100, 63), 84)
    places = stack(_LEFT, left, body.y, body.width - side - GAP)
    return places | stack(_RIGHT, right, body.y, side, x=body.width - side)


def _stacked(body: Place, workers: int, wish: Wish) -> Places:
    """One below the other, throughput and WAL side by side."""
    heights = shared(
        body.height,
        [
            ("waits", 4), ("workers", 4), (SERIES, 1), ("lesson", 4), (SERIES, 4), ("waits", 6), ("workers", 6),
            ("waits", 9), ("timeline", 6), (SERIES, 6), ("modes", MODES_ROWS), ("findings", 4), ("lesson", 8),
            (SERIES, 8),
        ],
        ["waits", "timeline", "workers"] if body.height >= 22 else _growing(wish),
        {"waits": 20, "timeline": workers + _TIMELINE_ROWS_AROUND},
        with_series(wish, _SERIES),
    )  # fmt: skip
    names = ("lesson", "waits", "timeline", SERIES, "modes", "workers", "findings")
    places = stack(names, heights, body.y, body.width)
    unfold_series(places, wish, _SERIES)
    return places


def _growing(wish: Wish) -> list[str]:
    """Return the panel that takes the rows that are left where there are few: the first in sight."""
    return next(([name] for name in ("waits", "workers", SERIES, "findings") if name in wish.panels), [])


def _narrow(body: Place, workers: int, wish: Wish) -> Places:
    """One below the other, charts of one row unless there are many rows."""
    heights = shared(
        body.height,
        [
            ("workers", 3), ("waits", 1), ("throughput", 1), ("wal", 1), ("lesson", 2), ("workers", 6), ("waits", 8),
            ("throughput", 4), ("wal", 4), ("lesson", 4), ("timeline", 6), ("findings", 4),
            ("modes", MODES_ROWS),
        ],
        ["workers", "workers", "workers", "waits"],
        {"waits": 4 if body.height < 22 else 12, "workers": max(workers + 2, 3)},
        wish,
    )  # fmt: skip
    names = ("lesson", "waits", "timeline", "throughput", "wal", "modes", "workers", "findings")
    return stack(names, heights, body.y, body.width)
