"""Stretches of time: joined, cut out of each other, and added up in columns of equal length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Stretch(NamedTuple):
    """A stretch of time in `columns` columns of `column_ns`."""

    from_ns: int
    column_ns: int
    columns: int

    @property
    def until_ns(self) -> int:
        """Its end."""
        return self.from_ns + self.column_ns * self.columns

    def without_first(self, columns: int) -> Stretch:
        """Return what is left of it without its first columns."""
        return Stretch(self.from_ns + columns * self.column_ns, self.column_ns, self.columns - columns)

    def columns_before(self, at_ns: int) -> int:
        """Return how many of its columns have ended by a moment.

        >>> Stretch(100, 10, 5).columns_before(129), Stretch(100, 10, 5).columns_before(90)
        (2, 0)
        """
        return min(max((at_ns - self.from_ns) // self.column_ns, 0), self.columns)

    def columns_after(self, other: Stretch) -> int | None:
        """Return how many columns after another one it begins; None where their columns are not the same.

        >>> before = Stretch(100, 10, 5)
        >>> Stretch(120, 10, 5).columns_after(before), Stretch(125, 10, 5).columns_after(before)
        (2, None)
        """
        columns, rest = divmod(self.from_ns - other.from_ns, self.column_ns)
        return columns if not rest and columns >= 0 and self.column_ns == other.column_ns else None


def union(sorted_stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches that overlap or touch.

    >>> union([(0, 4), (2, 3), (4, 6), (8, 9)])
    [(0, 6), (8, 9)]
    """
    result: list[tuple[int, int]] = []
    for begin, end in sorted_stretches:
        if result and begin <= result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], end)
        else:
            result.append((begin, end))
    return result


def without(stretches: Iterable[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut holes out of stretches; both are in order and without overlaps.

    >>> without([(0, 6), (8, 9)], [(1, 2), (5, 8)])
    [(0, 1), (2, 5), (8, 9)]
    """
    result = []
    position = 0
    for begin, end in stretches:
        while position < len(holes) and holes[position][1] <= begin:
            position += 1
        index, cursor = position, begin
        while index < len(holes) and holes[index][0] < end:
            if cursor < holes[index][0]:
                result.append((cursor, holes[index][0]))
            cursor = max(cursor, holes[index][1])
            index += 1
        if cursor < end:
            result.append((cursor, end))
    return result


class Paint:
    """Time added up in the columns of a stretch."""

    def __init__(self, stretch: Stretch) -> None:
        self._from_ns, self._column_ns, self._count = stretch
        self._ns = [0.0] * stretch.columns

    def add(self, begin_ns: int, end_ns: int, share: float = 1.0) -> None:
        """Add a stretch of time, or a share of it; what lies outside is cut."""
        begin = max(begin_ns - self._from_ns, 0)
        end = min(end_ns - self._from_ns, self._column_ns * self._count)
        if begin >= end:
            return
        column_ns, ns = self._column_ns, self._ns
        first, last = begin // column_ns, (end - 1) // column_ns
        if first == last:
            ns[first] += (end - begin) * share
            return
        ns[first] += ((first + 1) * column_ns - begin) * share
        ns[last] += (end - last * column_ns) * share
        whole = column_ns * share
        for column in range(first + 1, last):
            ns[column] += whole

    def shares(self) -> tuple[float, ...]:
        """Return each column's share of its length."""
        column_ns = self._column_ns
        return tuple([min(ns / column_ns, 1.0) for ns in self._ns])
