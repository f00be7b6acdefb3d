"""The workers: role, state, the wait that is growing now, commits, share, longest wait, busy errors, who starves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.events import Role
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.metrics.snapshot import Worker
from sqlwatch.tui.columns import Layout, columns_for, ink_of, is_working, note_of, share_bar
from sqlwatch.tui.panel import Panel, cut
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events

_ROWS_FOR_TITLE = 10


class WorkerTable(Panel):
    """A table with a cursor that stays on its worker; it scrolls by itself to keep the cursor in view."""

    TITLE = "Workers"
    LEAST_TITLED = 3
    EXPLANATION = "waits: for the lock, now; share of commits; STARVED: waiting ten times its fair turn or more"

    _chosen: int | None = None
    """The worker the cursor was put on; until then it stays in the first row, whoever is there."""
    _first = 0
    _above = 1
    _order: tuple[int, ...] = ()

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the heading and the rows around the cursor."""
        titled = height >= _ROWS_FOR_TITLE
        above = 2 if titled else 1
        workers = self._ordered(view, height - above)
        self._order = tuple(worker.id for worker in workers)
        layout = columns_for(width)
        if not workers:
            return [self._title_row(view, width), (Segment("  no worker yet", Ink.MUTED),)]
        if self._chosen not in self._order:
            self._chosen = None
        visible = max(height - above, 1)
        cursor = self._position()
        self._first = min(max(self._first, cursor - visible + 1, 0), cursor, max(len(workers) - visible, 0))
        shown = workers[self._first : self._first + visible]
        where = f"{self._first + 1}-{self._first + len(shown)}/{len(workers)}" if len(shown) < len(workers) else ""
        writers = sum(worker.role is Role.WRITER and worker.exit is None for worker in workers)
        heading = _heading(layout, where)
        rows = [self._title_row(view, width), heading] if titled else [heading]
        if self.has_focus and not titled:
            rows = [self._title_row(view, width)]
        self._above = above
        rows += [self._worker_row(view, worker, width, layout, writers) for worker in shown]
        return rows

    def facts(self, view: View) -> list[Row]:
        """Count the workers."""
        simulation = view.simulation
        if simulation is None:
            return []
        alive = [worker for worker in simulation.phase.workers if worker.exit is None]
        starved = sum(worker.starved for worker in alive)
        counts = [(role, sum(worker.role is role for worker in alive)) for role in (Role.WRITER, Role.READER)]
        words = ", ".join(f"{count} {role.value}{'s' * (count != 1)}" for role, count in counts if count)
        facts: list[Row] = [(Segment(words, Ink.MUTED),)]
        if starved:
            facts.append((Segment(f"{starved} STARVED", Ink.WARNING),))
        return facts

    def _ordered(self, view: View, room: int) -> list[Worker]:
        """Return the workers by number; where not all have room, those that starve come first and the dead last."""
        simulation = view.simulation
        if simulation is None:
            return []
        workers = sorted(simulation.phase.workers, key=lambda worker: worker.id)
        if len(workers) <= room:
            return workers
        return sorted(workers, key=lambda worker: (_rank(worker), worker.id))

    def _worker_row(self, view: View, worker: Worker, width: int, layout: Layout, writers: int) -> Row:
        selected = worker.id == self.selected
        ink = ink_of(worker)
        text = ""
        for column in layout.columns:
            value = column.write(worker)[: column.width]
            text += f" {value:<{column.width}}" if column.left else f" {value:>{column.width}}"
        note = note_of(worker)
        note = cut(note, layout.note) if worker.exit or worker.starved or len(note) <= layout.note else ""
        bar = f" {share_bar(worker, writers, layout.bar, view.glyphs)}" if layout.bar else ""
        if selected:
            text, ink = view.glyphs.cursor + text[1:], Ink.CURSOR
            return fitted((Segment(text, ink), Segment(bar, Ink.SERIES), Segment(f" {note}".ljust(width), ink)), width)
        return (Segment(text, ink), Segment(bar, Ink.SERIES), Segment(f" {note}", ink))

    def move(self, steps: int) -> None:
        """Move the cursor by some rows, as far as there are any."""
        if not self._order:
            return
        self.select(self._order[min(max(self._position() + steps, 0), len(self._order) - 1)])

    @property
    def selected(self) -> int | None:
        """Id of the worker under the cursor; None where there is no worker."""
        return self._order[self._position()] if self._order else None

    def _position(self) -> int:
        """Return the row of the cursor, counted over all workers."""
        return self._order.index(self._chosen) if self._chosen in self._order else 0

    def select(self, worker: int) -> None:
        """Put the cursor on a worker."""
        self._chosen = worker
        self.rebuild()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row under the mouse."""
        row = self._first + event.y - self._above
        if event.y >= self._above and row < len(self._order):
            self.select(self._order[row])

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the cursor down."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the cursor up."""
        event.stop()
        self.move(-1)


def _heading(layout: Layout, where: str) -> Row:
    """Return the names of the columns; `where` says which part of a long table is in view."""
    cells = [f"{c.heading:<{c.width}}" if c.left else f"{c.heading:>{c.width}}" for c in layout.columns]
    bar = " " * (layout.bar + 1) if layout.bar else ""
    return (Segment("".join(f" {cell}" for cell in cells) + bar + f" {where}", Ink.MUTED),)


def _rank(worker: Worker) -> int:
    """Put those that starve first, then the single writer, the writers, the readers, and the dead."""
    if worker.exit is not None:
        return 4
    if worker.role is Role.SINGLE_WRITER and not is_working(worker):
        return 3
    return 0 if worker.starved else {Role.SINGLE_WRITER: 1, Role.WRITER: 2}.get(worker.role, 3)
