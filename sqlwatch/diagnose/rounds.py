"""Rounds in words and rows: who got the lock as which, whether that is more than chance, and what the order follows."""

from __future__ import annotations

from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.units import number
from sqlwatch.metrics.positions import Positions

_MOST_COLUMNS: Final = 8
_MOST_DIGITS: Final = 3
"""With more positions, or longer counts, only the first, the middle and the last are columns."""
_UNLIKELY: Final = 0.01
"""Chance is not believed below this p-value."""
_MORE_THAN_CHANCE: Final = 2.0
_MOSTLY: Final = 0.75


def round_headings(positions: Positions) -> tuple[str, ...]:
    """Return the headings of the table: the writer, its positions, when it asked, its longest wait."""
    return (
        "writer", *(_ordinal(column + 1) for column in _columns(positions)), "ask 1st", "ask last", "max wait"
    )  # fmt: skip


def round_rows(positions: Positions) -> list[tuple[str, ...]]:
    """Return a row for each writer, then those of the test against an even spread."""
    columns = _columns(positions)
    rows = [
        (
            str(worker), *(number(positions.table[row][column]) for column in columns),
            number(positions.arrivals[row][0]), number(positions.arrivals[row][-1]),
            units.duration(positions.longest_waits_ns[row]),
        )
        for row, worker in enumerate(positions.workers)
    ]  # fmt: skip
    squares = (_written(positions.chi_square_of(column)) for column in columns)
    chances = (_chance(positions.p_value_of(column)) for column in columns)
    return [*rows, ("chi sq", *squares, "", "", ""), ("p", *chances, "", "", "")]


def round_words(positions: Positions) -> tuple[str, ...]:
    """Say what the table shows: how often the lock was taken, whether it is even, what one round says of the next."""
    count = len(positions.workers)
    if not positions.rounds or count < 2:
        return ("No round was complete, so there is nothing to tell.",)
    sentences = [_rounds_words(positions, count), _order_words(positions, count), _evenness_words(positions, count)]
    if positions.pairs:
        sentences.append(_shift_words(positions, count))
    return tuple(sentences)


def _rounds_words(positions: Positions, count: int) -> str:
    left_out = f" ({number(positions.left_out)} more not complete)" if positions.left_out else ""
    words = f"{number(positions.rounds)} rounds of {count} writers{left_out}"
    share = positions.contended_share
    if share is None:
        return f"{words}; the queue serves them, nobody finds the lock taken."
    return f"{words}; {units.share(share).strip()} of the acquisitions found the lock taken, the others found it free."


def _order_words(positions: Positions, count: int) -> str:
    """Say whether the lock was got in the order in which it was asked for."""
    share = positions.kept_place_share or 0.0
    if share >= _MOSTLY:
        verdict = "the lock went round in the order of asking"
    elif share >= _MORE_THAN_CHANCE / count:
        verdict = "the order of asking counted, but not alone"
    else:
        verdict = "the order of asking said little about the order of getting"
    return (
        f"{units.share(share).strip()} of the acquisitions came in the place in which they were asked for (chance "
        f"would be {units.share(1 / count).strip()}): {verdict}."
    )


def _evenness_words(positions: Positions, count: int) -> str:
    statistic, chance = positions.chi_square, positions.p_value
    even = positions.rounds / count
    if statistic is None or chance is None:
        return ""
    verdict = "more uneven than chance makes it" if chance < _UNLIKELY else "as even as chance makes it"
    return (
        f"Each cell would be {_written(even)} if all were alike. The whole table has chi-square {_written(statistic)} "
        f"on {positions.degrees} degrees of freedom, p {_chance(chance)}: {verdict}.{_dependence_words(positions)}"
    )


def _dependence_words(positions: Positions) -> str:
    """Say where the p-values are no more than a hint: they take rounds as independent of each other."""
    is_chained = _is_unlikely(positions.last_then_first_p_value)
    return " (p takes each round as a new draw; here a round depends on the one before it.)" if is_chained else ""


def _shift_words(positions: Positions, count: int) -> str:
    first, asked = positions.last_then_first_share or 0.0, positions.last_then_asked_first_share or 0.0
    words = (
        f"Who got the lock last was the first to get it in the next round {_times(first, positions)}, and the first to "
        f"ask {_times(asked, positions)}; chance would be {units.share(1 / count).strip()}."
    )
    if not _is_unlikely(positions.last_then_first_p_value):
        return f"{words} No further from chance than chance makes it: one round says nothing of the next."
    if first < 1 / count:
        return f"{words} Rarer than chance makes it, so the order of a round depends on the one before."
    if not _is_unlikely(positions.last_then_asked_first_p_value) or asked < 1 / count:
        return f"{words} So the order of a round depends on the one before."
    much = (
        "what looks like an order of the lock is the order at the barrier, and the columns first and last are nearly "
        "the same, one round apart."
        if first >= _MOSTLY
        else "part of what looks like an order of the lock is the order at the barrier."
    )
    return f"{words} The last one to finish opens the barrier and is awake while the others still wake up: {much}"


def _is_unlikely(chance: float | None) -> bool:
    return chance is not None and chance < _UNLIKELY


def _times(share: float, positions: Positions) -> str:
    return f"{number(round(share * positions.pairs))} times of {number(positions.pairs)} ({units.share(share).strip()})"


def _columns(positions: Positions) -> list[int]:
    count = len(positions.workers)
    if count < 3 or (count <= _MOST_COLUMNS and positions.rounds < 10**_MOST_DIGITS):
        return list(range(count))
    return [0, (count - 1) // 2, count - 1]


def _ordinal(position: int) -> str:
    """Write a position in a few characters.

    >>> [_ordinal(position) for position in (1, 2, 3, 4, 11, 12, 21)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '21st']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th") if position % 100 not in (11, 12, 13) else "th"
    return f"{position}{ending}"


def _written(value: float | None) -> str:
    """Write a statistic with three digits, or as a whole number.

    >>> _written(97.123), _written(12_345.6), _written(None) == units.UNKNOWN
    ('97.1', '12,346', True)
    """
    return units.UNKNOWN if value is None else f"{value:.3g}" if value < 100 else number(round(value))


def _chance(value: float | None) -> str:
    """Write a p-value in four characters.

    >>> _chance(0.312), _chance(3e-21), _chance(None) == units.UNKNOWN
    ('0.31', '<.01', True)
    """
    return units.UNKNOWN if value is None else "<.01" if value < 0.01 else f"{value:.2f}"
