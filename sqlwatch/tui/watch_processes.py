"""The processes at the database: their share of the write lock, longest hold, waits, pins, and what they do."""

from __future__ import annotations

from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.tui.sorted_panel import Sort, SortedPanel
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_columns import Cell, ProcessRow, cells_for, process_rows
from sqlwatch.tui.watch_words import command_of, is_unseen, state_words

_ROWS_FOR_TITLE = 5


class ProcessTable(SortedPanel[int, ProcessRow]):
    """A table with a cursor that stays on its process; the cursor shows only while this is the list it is in."""

    TITLE = "Processes"
    LEAST_TITLED = 2
    EXPLANATION = "lock: share of the write lock in 10s; ~ inferred; pins: frames held back; enter: all that is known"

    SORTS = (
        Sort[ProcessRow]("share"),
        Sort[ProcessRow]("pid", lambda row: row.one.pid),
        Sort[ProcessRow]("waiting", lambda row: (-(row.one.waiting_for_ns or 0), row.one.pid)),
    )
    THINGS = "processes"

    def text_of(self, item: ProcessRow) -> str:
        """Return pid, command, user, state and locks of a process."""
        process = item.one.process
        user = clean(process.user or "") if process is not None else ""
        return f"{item.one.pid} {command_of(process)} {user} {state_words(process)} {item.holds}"

    def key_of(self, item: ProcessRow) -> int:
        """Return the pid of a process."""
        return item.one.pid

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the heading and the rows around the cursor."""
        titled = self.has_title(height, _ROWS_FOR_TITLE)
        above = 2 if titled else 1 if height > 1 else 0
        rows_seen = process_rows(view.observation) if view.observation is not None else []
        visible = max(height - above, 1)
        processes = self.with_cursor(self.sorted(self.filtered(rows_seen)), visible)
        first = self.scrolled([row.one.pid for row in processes], visible)
        shown = processes[first : first + visible]
        self._lines = (*[None] * above, *(row.one.pid for row in shown))
        cells = cells_for(width)
        where = f"{first + 1}-{first + len(shown)}/{len(processes)}" if len(shown) < len(processes) else ""
        names = "".join(f" {cell.heading}" for cell in cells)
        rows = [self.heading(names, where, width)] if above else []
        if titled:
            rows = [self._title_row(view, width), *rows]
        elif self.has_focus and above:
            rows = [self._title_row(view, width)]
        if not processes and rows_seen:
            return [*rows, self.nothing_left()]
        if not processes:
            return [*rows, (Segment(_nobody(view), Ink.MUTED),)]
        return rows + [self._process_row(view, row, cells, width) for row in shown]

    def facts(self, view: View) -> list[Row]:
        """Count those that wait and those that are not what they seem."""
        observed = view.observation
        if observed is None:
            return []
        waiting = sum(one.waiting_for_ns is not None for one in observed.participants)
        count = len(observed.participants)
        facts: list[Row] = [*self.said_first(), (Segment(f"{count} process{'es' * (count != 1)}", Ink.MUTED),)]
        if waiting:
            words = f"{waiting} seem{'s' * (waiting == 1)} to wait"
            facts.append((Segment(words, Ink.WAITS),))
        if observed.utilisation_floor is not None:
            facts.append((Segment("lock: share of the write lock, last 10s", Ink.MUTED),))
        facts.append((Segment("~ inferred", Ink.MUTED),))
        return facts

    def _process_row(self, view: View, row: ProcessRow, cells: list[Cell], width: int) -> Row:
        text = "".join(f" {cell.text(row)}" for cell in cells)
        if self.has_cursor and row.one.pid == self.selected:
            return fitted((Segment(view.glyphs.cursor + text[1:].ljust(width), Ink.CURSOR),), width)
        return (Segment(text, _ink(row)),)


def _ink(row: ProcessRow) -> Ink:
    """Return the ink of a row; the columns say the same in words."""
    if row.is_gone:
        return Ink.MUTED
    if row.one.process is not None and row.one.process.state in ("T", "t", "Z"):
        return Ink.WARNING
    if row.one.waiting_for_ns is not None:
        return Ink.WAITS
    return Ink.STRONG if row.holds else Ink.TEXT


def _nobody(view: View) -> str:
    if is_unseen(view.observation):
        return " nothing has been seen yet"
    if view.observation is not None and view.observation.absent is not None:
        return " there is no database"
    return " no process has the database open" + (", as far as can be seen" if _is_limited(view) else "")


def _is_limited(view: View) -> bool:
    observed = view.observation
    return observed is not None and observed.look is not None and bool(observed.look.hidden)
