"""Pearson's chi-square test against an even spread; pure.

The p-value is the upper regularised incomplete gamma function Q(df/2, x/2), by its power series where that converges
fast and by its continued fraction elsewhere (Abramowitz and Stegun, 6.5.29 and 6.5.31).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_PRECISION: Final = 1e-14
_TINY: Final = 1e-300


def chi_square(counts: Sequence[int]) -> float | None:
    """Return the sum of (observed - expected)^2 / expected where all counts are expected to be equal.

    None where nothing was counted.

    >>> chi_square([10, 14, 12, 13, 14, 14, 10, 13])
    1.6
    >>> chi_square([0, 0]) is None
    True
    """
    total = sum(counts)
    if not total:
        return None
    expected = total / len(counts)
    return sum((count - expected) ** 2 for count in counts) / expected


def p_value(statistic: float, degrees: int) -> float:
    """Return how likely a statistic at least as large is if only chance is at work; `degrees` of freedom, at least 1.

    >>> round(p_value(3.841, 1), 4), round(p_value(1.6, 7), 4), p_value(0.0, 3)
    (0.05, 0.9786, 1.0)
    """
    shape, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        return max(1.0 - scale * _series(shape, x), 0.0)
    return min(scale * _fraction(shape, x), 1.0)


def _series(shape: float, x: float) -> float:
    """Return the series of the lower incomplete gamma function, without its leading factor."""
    term = total = 1 / shape
    while term > total * _PRECISION:
        shape += 1
        term *= x / shape
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    """Return the continued fraction of the upper incomplete gamma function, by Lentz's method, without its factor."""
    b = x + 1 - shape
    c, d = 1 / _TINY, 1 / b
    result = d
    step = 0
    change = 0.0
    while abs(change - 1) > _PRECISION:
        step += 1
        a = -step * (step - shape)
        b += 2
        d = 1 / _away_from_zero(a * d + b)
        c = _away_from_zero(b + a / c)
        change = c * d
        result *= change
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
