"""What was made of the same things before is not made again: charts over time change less often than their figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Keeps what was made last, and of what.

    >>> kept: Kept[list[int]] = Kept()
    >>> kept.made_of((1, 2), lambda: [3]), kept.made_of((1, 2), lambda: [4]), kept.made_of((2, 2), lambda: [4])
    ([3], [3], [4])
    """

    def __init__(self) -> None:
        self._parts: tuple[object, ...] | None = None
        self._made: T | None = None

    def made_of(self, parts: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what `make` makes of these parts, which must be all that it depends on and must not change."""
        if self._made is None or parts != self._parts:
            self._parts, self._made = parts, make()
        return self._made
