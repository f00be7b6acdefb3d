"""A list that can be sorted in several ways and filtered by a text; both are said in its heading."""

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
    """Knows its sort and its filter; a subclass asks `arranged` for what to draw."""

    SORTS: ClassVar[tuple[Sort[Any], ...]]
    """The first one is that at the start."""
    THINGS: ClassVar[str]
    """What it lists, in the plural."""

    _sort = 0
    filter_text = ""
    """Only items whose text has this in it are shown; empty: all."""

    @property
    def sort(self) -> Sort[Item]:
        """The present way to sort."""
        return self.SORTS[self._sort]

    def next_sort(self) -> str:
        """Sort in the next way; return what it is called."""
        self._sort = (self._sort + 1) % len(self.SORTS)
        self.rebuild()
        return self.sort.words

    def use_filter(self, text: str) -> None:
        """Show only the items whose text has this in it, in any case of letters."""
        self.filter_text = text.strip()
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

    def heading(self, columns: str, where: str, width: int, *, says_arrangement: bool = True) -> Row:
        """Return the names of the columns, and at the right end the sort, the filter and which part is in view."""
        words = self.arrangement if says_arrangement else []
        text = "  ".join(word for word in (*words, where) if word)[:width]
        if not text:
            return fitted((Segment(columns, Ink.MUTED),), width)
        left = max(width - len(text) - 2, 0)
        if columns[left:].strip() and not columns[left].isspace():
            columns = columns[:left].rpartition(" ")[0]  # no half names
        said = text.removesuffix(where)
        names = Segment(columns[:left].ljust(left + 2), Ink.MUTED)
        return fitted((names, Segment(said, Ink.RUNG), Segment(text[len(said) :], Ink.MUTED)), width)

    def nothing_left(self) -> Row:
        """Say that the filter leaves nothing."""
        return (Segment(f" none of the {self.THINGS} has {clean(self.filter_text)!r} in it; esc shows all", Ink.MUTED),)
