"""Axes: human limits and ticks for values that begin at 0, the fixed logarithmic time axis, and labels that fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from sqlwatch.charts.segment import Ink, Row, Segment

GUTTER: Final = 7
"""Cells left of a plot: six for the value and one for the line; the same everywhere, so that plots align."""

LOWEST_NS: Final = 1_000
HIGHEST_NS: Final = 30_000_000_000
_ROWS_APART: Final = 5
"""Rows from one value label to the next at least, where there are more than the limit, its half, and 0."""
_DECADES: Final = math.log10(HIGHEST_NS / LOWEST_NS)
_NICE: Final = (1, 2, 4, 6, 8, 10)
TICKS_NS: Final = (
    (1_000, "1us"), (10_000, "10us"), (100_000, "100us"), (1_000_000, "1ms"), (10_000_000, "10ms"),
    (100_000_000, "100ms"), (1_000_000_000, "1s"), (10_000_000_000, "10s"), (30_000_000_000, "30s"),
)  # fmt: skip


def nice_limit(largest: float, least: float = 1.0) -> float:
    """Return the smallest of 1, 2, 4, 6, 8 times a power of ten that is not below `largest` or `least`.

    >>> nice_limit(275), nice_limit(338), nice_limit(0), nice_limit(0.013, 0.001)
    (400.0, 400.0, 1.0, 0.02)
    """
    wanted = max(largest, least) if math.isfinite(largest) else least
    power = 10.0 ** math.floor(math.log10(wanted))
    for step in _NICE:
        if wanted <= step * power * (1 + 1e-12):
            return float(f"{step * power:.6g}")
    return float(f"{10 * power:.6g}")


def nice_binary_limit(largest: float, least: float = 1024.0) -> float:
    """Return a limit for bytes: 1, 2, 4, 6, 8, 10, 20, 40 .. 800 of a binary unit.

    >>> nice_binary_limit(4_120_000) / 2**20, nice_binary_limit(0)
    (4.0, 1024.0)
    """
    wanted = max(largest, least) if math.isfinite(largest) else least
    unit = 1024.0 ** math.floor(math.log(wanted, 1024))
    limit = nice_limit(wanted / unit)
    return 1024 * unit if limit > 1000 else limit * unit


def log_position(ns: float, columns: int) -> float:
    """Return where a time in ns lies on the fixed axis of 1 us to 30 s, 0..columns; beyond the ends it is clipped.

    >>> log_position(1_000, 100), log_position(30e9, 100), log_position(5, 100)
    (0.0, 100.0, 0.0)
    """
    if ns <= LOWEST_NS:
        return 0.0
    return min(math.log10(ns / LOWEST_NS) / _DECADES, 1.0) * columns


def log_cell(ns: float, width: int) -> int:
    """Return the cell, 0..width-1, in which a time in ns lies on the fixed axis."""
    return min(int(log_position(ns, width)), width - 1)


def placed_labels(labels: Iterable[tuple[int, str]], width: int) -> str:
    """Write labels centred at their cells, in order of importance; one that would touch another is left out.

    >>> placed_labels([(0, "1us"), (19, "30s"), (10, "1ms"), (12, "10ms")], 20)
    '1us      1ms     30s'
    """
    text = [" "] * max(width, 0)
    for cell, label in labels:
        if len(label) > width:
            continue
        start = min(max(cell - len(label) // 2, 0), width - len(label))
        around = text[max(start - 1, 0) : start + len(label) + 1]
        if all(char == " " for char in around):
            text[start : start + len(label)] = label
    return "".join(text)


@lru_cache(maxsize=16)
def log_labels(width: int) -> str:
    """Write the labels of the fixed time axis under a plot of `width` cells.

    >>> log_labels(60)
    '1us   10us    100us    1ms    10ms    100ms    1s      10s  '
    """
    coarse = [tick for index, tick in enumerate(TICKS_NS[:-1]) if index % 3 == 0]
    ordered = [TICKS_NS[0], *coarse[1:], *(tick for tick in TICKS_NS if tick not in coarse)]
    return placed_labels([(log_cell(ns, width), label) for ns, label in ordered], width)


@lru_cache(maxsize=64)
def time_labels(width: int, window_ns: float, end_ago_ns: float = 0) -> str:
    """Write the labels of a time axis that is `window_ns` long and ends `end_ago_ns` ago at its right.

    >>> time_labels(40, 60e9)
    '-60s -50s  -40s   -30s   -20s  -10s  now'
    >>> time_labels(40, 0.5e9, 1.2e9)
    '      -1.6s           -1.4s        -1.2s'
    """
    labels = [(width - 1, "now")] if not end_ago_ns else []
    if width > 0 and window_ns > 0:
        least = 9 if end_ago_ns else 6.5
        step_ns = next((step for step in _TIME_STEPS_NS if step / window_ns * width >= least), _TIME_STEPS_NS[-1])
        back_ns = max(-(-round(end_ago_ns) // step_ns), 0 if end_ago_ns else 1) * step_ns
        while back_ns <= window_ns + end_ago_ns:
            labels.append((round(width * (1 - (back_ns - end_ago_ns) / window_ns)), _ago(back_ns)))
            back_ns += step_ns
    return placed_labels(labels, width)


_TIME_STEPS_NS: Final = tuple(
    round(seconds * 1e9)
    for seconds in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
)


def _ago(ns: int) -> str:
    seconds, rest_ns = divmod(ns, 1_000_000_000)
    if rest_ns:
        return f"-{f'{ns / 1e9:.2f}'.rstrip('0')}s"
    return f"-{seconds // 60}m" if seconds >= 120 and seconds % 60 == 0 else f"-{seconds}s"


def gutters(height: int, limit: float, write: Callable[[float], str], upright: str) -> list[Row]:
    """Return the value labels left of a plot: the limit at the top, 0 at the bottom, more where there is room.

    >>> [row[0].text for row in gutters(3, 400, lambda value: f"{value:.0f}/s", "|")]
    [' 400/s|', ' 200/s|', '   0/s|']
    >>> [row[0].text.strip(" |") for row in gutters(16, 6, str, "|") if row[0].text.strip(" |")]
    ['6', '4.0', '2.0', '0']
    """
    labels = {0: write(limit)}
    parts = _parts(height, limit)
    for part in range(1, parts):
        labels[round((height - 1) * (parts - part) / parts)] = write(limit * part / parts)
    if height > 1:
        labels[height - 1] = write(0)
    return labelled(height, labels, upright)


def _parts(height: int, limit: float) -> int:
    """Return into how many parts labels divide an axis: halves, or more at human values, some rows each.

    >>> [_parts(height, 400) for height in (2, 3, 4, 11, 12, 21, 41)], _parts(31, 1024), _parts(31, 100)
    ([1, 2, 1, 2, 2, 4, 8], 2, 5)
    """
    most = (height - 1) // _ROWS_APART
    halves = 2 if height % 2 == 1 and height >= 3 else 1
    return max((parts for parts in range(2, most + 1) if parts == 2 or _is_human(limit, parts)), default=halves)


def _is_human(limit: float, parts: int) -> bool:
    """Tell whether a part of an axis is 1, 2 or 5 times a power of ten, also of KiB, MiB and so on, or a quarter.

    >>> [_is_human(1000, 5), _is_human(1000, 4), _is_human(2, 4), _is_human(10 * 2**20, 5), _is_human(2**20, 4)]
    [True, False, True, True, True]
    """
    step = limit / parts
    if parts == 4 and step >= 1024 and math.log2(step).is_integer():
        return True
    unit = 1024.0 ** max(math.floor(math.log(step, 1024)), 0)
    return any(f"{value:.6e}".startswith(("1.000000", "2.000000", "5.000000")) for value in (step, step / unit))


def labelled(height: int, labels: dict[int, str], upright: str) -> list[Row]:
    """Return a gutter of `height` rows with the given labels at their rows."""
    texts = [labels.get(row, "")[: GUTTER - 1].rjust(GUTTER - 1) for row in range(height)]
    return [(Segment(text + upright, Ink.MUTED),) for text in texts]


def overlay(base: str, inks: Sequence[Ink], marks: Iterable[tuple[int, str, Ink]]) -> tuple[str, list[Ink]]:
    """Write marks over a line of text, later ones winning; what lies outside is cut.

    >>> overlay("-----", [Ink.MUTED] * 5, [(3, "^", Ink.RUNG), (9, "^", Ink.RUNG)])[0]
    '---^-'
    """
    text, colours = list(base), list(inks)
    for cell, mark, ink in marks:
        for offset, char in enumerate(mark):
            if 0 <= cell + offset < len(text):
                text[cell + offset], colours[cell + offset] = char, ink
    return "".join(text), colours
