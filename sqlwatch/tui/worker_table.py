"""The workers: role, state, the wait that is growing now, commits, share, longest wait, busy errors, who starves."""

from __future__ import annotations

from simulators.events import Mode, Role
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.metrics.snapshot import Worker
from sqlwatch.tui.columns import Layout, columns_for, ink_of, note_of, share_bar, state_of
from sqlwatch.tui.panel import cut
from sqlwatch.tui.precedence import SERVES, precedence
from sqlwatch.tui.sorted_panel import Sort, SortedPanel
from sqlwatch.tui.view import View

_ROWS_FOR_TITLE = 10


class WorkerTable(SortedPanel[int, Worker]):
    """A table with a cursor that stays on its worker; it scrolls by itself to keep the cursor in view."""

    TITLE = "Workers"
    LEAST_TITLED = 3
    EXPLANATION = "waits: for the lock, now; share of commits; STARVED: waiting ten times its fair turn or more"

    SORTS = (
        Sort[Worker]("number"),
        Sort[Worker]("current wait", lambda worker: (-_living_wait(worker), worker.id)),
        Sort[Worker]("share", lambda worker: (-(worker.share or 0.0), worker.id)),
        Sort[Worker]("longest wait", lambda worker: (-worker.longest_wait_ns, worker.id)),
        Sort[Worker]("busy errors", lambda worker: (-worker.busy_errors, worker.id)),
    )
    THINGS = "workers"

    def text_of(self, item: Worker) -> str:
        """Return number, role, state, process and note of a worker."""
        return f"{item.id} {item.role.value} {state_of(item)} {item.pid} {note_of(item)}"

    def key_of(self, item: Worker) -> int:
        """Return the number of a worker."""
        return item.id

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the heading and the rows around the cursor."""
        titled = self.has_title(height, min(_ROWS_FOR_TITLE, _count_of(view) + 2))
        above = 2 if titled else 1
        visible = max(height - above, 1)
        workers = self._ordered(view, visible)
        serves = view.simulation is not None and view.simulation.mode is Mode.SINGLE_WRITER
        layout = columns_for(width, serves=serves)
        first = self.scrolled([worker.id for worker in workers], visible)
        shown = workers[first : first + visible]
        where = f"{first + 1}-{first + len(shown)}/{len(workers)}" if len(shown) < len(workers) else ""
        heading = self.heading(_names(layout), where, width)
        self._lines = ()
        if not workers:
            nobody = (Segment("  no worker yet", Ink.MUTED),)
            return [self._title_row(view, width), self.nothing_left() if self.filter_text else nobody][-height:]
        everybody = view.simulation.phase.workers if view.simulation is not None else ()
        writers = sum(worker.role is Role.WRITER and worker.exit is None for worker in everybody)
        rows = [self._title_row(view, width), heading] if titled else [heading]
        if self.has_focus and not titled:
            rows = [self._title_row(view, width)]
        self._lines = (*[None] * above, *(worker.id for worker in shown))
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
        facts: list[Row] = [*self.said_first(), (Segment(words, Ink.MUTED),)]
        if starved:
            facts.append((Segment(f"{starved} STARVED", Ink.WARNING),))
        return facts

    def _ordered(self, view: View, room: int) -> list[Worker]:
        """Return the workers as sorted; by number, where not all have room, those that matter most come first.

        Of equals those that were in sight stay there, so that rows change only where somebody has to be seen.
        """
        simulation = view.simulation
        if simulation is None:
            return []
        workers = self.filtered(sorted(simulation.phase.workers, key=lambda worker: worker.id))
        if self.sort.rank is not None:
            return self.with_cursor(self.sorted(workers), room)
        if len(workers) <= room:
            return workers
        ranks = precedence(simulation)
        ranked = sorted(workers, key=lambda worker: (ranks[worker.id], not self.was_near(worker), worker.id))
        near = {worker.id for worker in self.with_cursor(ranked, room)[:room]}
        return sorted(workers, key=lambda worker: (worker.id not in near, ranks[worker.id] != SERVES, worker.id))

    def _worker_row(self, view: View, worker: Worker, width: int, layout: Layout, writers: int) -> Row:
        selected = self.has_cursor and worker.id == self.selected
        ink = ink_of(worker)
        text = ""
        for column in layout.columns:
            value = column.write(worker)[: column.width]
            text += f" {value:<{column.width}}" if column.left else f" {value:>{column.width}}"
        note = note_of(worker)
        note = cut(note, layout.note) if worker.exit or worker.starved or len(note) <= layout.note else ""
        bar = f" {share_bar(worker, writers, layout.bar, view.glyphs)}" if layout.bar else ""
        if selected:
            text = view.glyphs.cursor + text[1:]
            ink = Ink.CURSOR_WARNING if ink is Ink.WARNING else Ink.CURSOR
            return fitted((Segment(text + f"{bar} {note}".ljust(width), ink),), width)
        return (Segment(text, ink), Segment(bar, Ink.SERIES), Segment(f" {note}", ink))


def _living_wait(worker: Worker) -> int:
    return worker.current_wait_ns if worker.exit is None else 0


def _names(layout: Layout) -> str:
    """Return the names of the columns."""
    cells = [f"{c.heading:<{c.width}}" if c.left else f"{c.heading:>{c.width}}" for c in layout.columns]
    return "".join(f" {cell}" for cell in cells)


def _count_of(view: View) -> int:
    return len(view.simulation.phase.workers) if view.simulation is not None else 0
