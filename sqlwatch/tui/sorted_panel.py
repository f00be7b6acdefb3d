"""A list that can be sorted in several ways and filtered by a text; both are said in its title line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.tui.cursor_panel import CursorPanel
from sqlwatch.tui.text import clean

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Sort(Generic[Item]):
    """A way to sort: what it is called after "by", and what is compared; without `rank` the list has its own order."""

    words: str
    rank: Callable[[Item], Any] | None = None


class SortedPanel(CursorPanel[Key], Generic[Key, Item]):
    """Knows its sort and its filter; in its own order the cursor keeps to one item, also before somebody moves it."""

    SORTS: ClassVar[tuple[Sort[Any], ...]]
    """The first one is that at the start."""
    THINGS: ClassVar[str]
    """What it lists, in the plural."""

    _sort = 0
    filter_text = ""
    """Only items whose text has this in it are shown; empty: all."""
    _rest: Key | None = None
    """The item that the cursor was on when the list was last drawn."""
    _near: frozenset[Key] = frozenset()
    """The items that came first then, as many as have room."""
    _where = ""
    """Which part of the list is in view, where the heading has no room to say it."""

    def key_of(self, item: Item) -> Key:
        """Return what an item is known by."""
        raise NotImplementedError

    def scrolled(self, keys: Sequence[Key], visible: int) -> int:
        """As in every list; remember where the cursor is, and which items come first."""
        first = super().scrolled(keys, visible)
        self._rest, self._near = self.selected, frozenset(keys[:visible])
        return first

    @property
    def position(self) -> int:
        """Number of the item under the cursor: until that is moved the one that it came to first; if sorted the top."""
        if self._chosen is None and not self._sort and self._rest in self._order:
            return self._order.index(self._rest)
        return super().position

    def was_near(self, item: Item) -> bool:
        """Tell whether an item was among the first when the list was last drawn."""
        return self.key_of(item) in self._near

    def with_cursor(self, items: Sequence[Item], visible: int) -> list[Item]:
        """Return the items with that of the cursor still among the first `visible`, if it was: nothing scrolls then.

        A sorted list stays as it is sorted.
        """
        if self._sort:
            return list(items)
        result, cursor = list(items), self.selected
        at = next((index for index, item in enumerate(result) if self.key_of(item) == cursor), 0)
        if cursor in self._near and at >= visible:
            result.insert(visible - 1, result.pop(at))
        return result

    @property
    def sort(self) -> Sort[Item]:
        """The present way to sort."""
        return self.SORTS[self._sort]

    def next_sort(self) -> str:
        """Sort in the next way, with the cursor on top; return what it is called."""
        self._sort = (self._sort + 1) % len(self.SORTS)
        self._chosen, self._rest, self._near, self._first = None, None, frozenset(), 0
        self.rebuild()
        return self.sort.words

    def use_filter(self, text: str) -> None:
        """Show only the items whose text has this in it, in any case of letters."""
        self.filter_text = text.strip()
        self._rest, self._near = None, frozenset()
        self.rebuild()

    def text_of(self, item: Item) -> str:
        """Return the text of an item that the filter looks at."""
        raise NotImplementedError

    def filtered(self, items: Sequence[Item]) -> list[Item]:
        """Return the items that pass the filter."""
        wanted = self.filter_text.casefold()
        return [item for item in items if wanted in self.text_of(item).casefold()] if wanted else list(items)

    def sorted(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in the present order; where that is the list's own, as they are."""
        return sorted(items, key=self.sort.rank) if self.sort.rank is not None else list(items)

    @property
    def is_arranged(self) -> bool:
        """Whether it is not as at the start."""
        return bool(self._sort or self.filter_text)

    @property
    def arrangement(self) -> list[str]:
        """The filter and the sort in words; empty as at the start."""
        words = [f"filter: {clean(self.filter_text)}"] if self.filter_text else []
        return [*words, f"by {self.sort.words}"] if self._sort else words

    def has_title(self, height: int, rows_for_title: int) -> bool:
        """Tell whether there is a title line: where there is room, and, to say so, where the list is arranged."""
        return height >= (3 if self.is_arranged else rows_for_title)

    @property
    def explanation(self) -> str:
        """How the list is arranged, then what it shows."""
        return "; ".join((*self.arrangement, super().explanation))

    def said_first(self) -> list[Row]:
        """Return what the title line says first: how the list is arranged, and what the heading has no room for."""
        said: list[Row] = [(Segment(words, Ink.RUNG),) for words in self.arrangement]
        return [*said, (Segment(self._where, Ink.MUTED),)] if self._where else said

    def heading(self, columns: str, where: str, width: int) -> Row:
        """Return the names of the columns, and which part is in view, at the right end or else in a gap between names.

        Where no gap is wide enough the title line says it: no name is covered.
        """
        names = columns.ljust(width)
        end = len(names.rstrip()) + 2
        gap = names.find(" " * (len(where) + 4), len(names) - len(names.lstrip())) + 2
        at = width - len(where) if end + len(where) <= width else gap
        self._where = where if at < 2 else ""
        if not where or self._where:
            return fitted((Segment(columns, Ink.MUTED),), width)
        return fitted(
            (Segment(names[:at], Ink.MUTED), Segment(where, Ink.MUTED), Segment(names[at + len(where) :], Ink.MUTED)),
            width,
        )

    def nothing_left(self) -> Row:
        """Say that the filter leaves nothing."""
        return (Segment(f" none of the {self.THINGS} has {clean(self.filter_text)!r} in it; esc shows all", Ink.MUTED),)
