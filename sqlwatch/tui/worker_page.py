"""All that is known of one worker of a simulation, as a page of detail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from simulators.events import Mode, Role
from simulators.transactions import Transaction, Transactions, wait_ns
from sqlwatch.charts import units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.histogram import Waits, wait_histogram
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.result_codes import message_of
from sqlwatch.metrics.snapshot import Period, Simulation, Worker
from sqlwatch.tui.columns import state_of
from sqlwatch.tui.detail_screen import Chart, Line, Page, Section, line
from sqlwatch.tui.inks import MODE_INK
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_CHART_ROWS: Final = 10
_BAR_CELLS: Final = 30


class _WaitsNow(NamedTuple):
    """What the histogram shows; the same data make the same chart."""

    waits: Waits
    unfinished_ns: tuple[int, ...]
    starved_after_ns: int
    logarithmic: bool
    glyphs: GlyphSet


def worker_page(worker_id: int) -> Callable[[View], Page]:
    """Return a way to make the page of a worker from a View."""
    return partial(_page, worker_id)


def _page(worker_id: int, view: View) -> Page:
    simulation = view.simulation
    worker = _find(simulation.phase, worker_id) if simulation is not None else None
    if simulation is None or worker is None:
        gone = line("", "It has no part in this phase: it ended before, or has not begun.")
        return (Section(f"Worker {worker_id}", Ink.STRONG, (gone,)),)
    sections = [
        Section(f"Worker {worker.id}, a {worker.role.value}", Ink.STRONG, _identity(worker, simulation)),
        Section(f"Its part in the phase {clean(simulation.phase.name)}", Ink.STRONG, _part(worker, simulation)),
    ]
    if worker.role is Role.WRITER:
        sections.append(_waits(worker, simulation, view))
    sections.append(Section(_lately_title(simulation), Ink.STRONG, _lately(worker, simulation, view)))
    if worker.errors:
        sections.append(Section("Its errors in this phase", Ink.WARNING, _errors(worker)))
    if worker.role is Role.WRITER:
        now_ns = view.snapshot.at_ns if view.snapshot is not None else 0
        sections.append(Section(*_newest(simulation.newest_of.get(worker_id, Transactions()), now_ns)))
    return tuple(sections)


def _find(period: Period, worker_id: int) -> Worker | None:
    return next((worker for worker in period.workers if worker.id == worker_id), None)


def _identity(worker: Worker, simulation: Simulation) -> tuple[Line, ...]:
    state = state_of(worker, serves=simulation.mode is Mode.SINGLE_WRITER)
    if worker.state_for_ns is not None and worker.exit is None:
        state += f", for {units.duration(worker.state_for_ns)}"
    lines = [line("process", str(worker.pid))]
    if simulation.databases > 1:
        lines.append(line("database", f"{worker.database + 1} of {simulation.databases}"))
    lines.append(line("now", state, Ink.STRONG))
    if worker.starved:
        limit = units.duration(simulation.starved_after_ns)
        lines.append(line("STARVED", f"waits longer than {limit}, ten times its fair turn", Ink.WARNING))
    if worker.exit is not None and worker.exit != "ok":
        lines.append(line("ended", clean(worker.exit), Ink.WARNING))
    return tuple(lines)


def _part(worker: Worker, simulation: Simulation) -> tuple[Line, ...]:
    if worker.role is Role.READER:
        return (line("reads", f"{worker.reads:,}"),)
    if worker.role is Role.PINNED_READER:
        return (line("snapshots", f"{worker.snapshots:,} kept and let go"),)
    if worker.role is Role.CHECKPOINTER:
        return (line("checkpoints", f"{worker.checkpoints:,}"),)
    if worker.role is Role.SINGLE_WRITER:
        return (line("queue", f"{worker.queue_depth:,} requests wait now"),)
    writers = sum(other.role is Role.WRITER and other.exit is None for other in simulation.phase.workers)
    share = units.share(worker.share)
    fair = f"; a fair share would be {units.share(1 / writers)} (1 of {writers})" if writers else ""
    streak = units.UNKNOWN if worker.longest_streak is None else _commits_in_a_row(worker.longest_streak)
    return (
        line("commits", f"{worker.committed:,}, {share} of all writers' commits{fair}"),
        line("longest streak", streak),
        line("busy errors", f"{worker.busy_errors:,}", Ink.WARNING if worker.busy_errors else Ink.TEXT),
        line("busy retries", f"{worker.busy_retries:,} times it found the lock taken"),
        line("other errors", f"{worker.other_errors:,}", Ink.WARNING if worker.other_errors else Ink.TEXT),
    )


def _commits_in_a_row(count: int) -> str:
    return f"{count:,} commit{'s' * (count != 1)} in a row"


def _waits(worker: Worker, simulation: Simulation, view: View) -> Section:
    waits = worker.lock_wait
    asks = "answer of the single writer" if simulation.mode is Mode.SINGLE_WRITER else "write lock"
    now = f"for {units.duration(worker.current_wait_ns)}" if worker.current_wait_ns > 0 else "no"
    ended = f"{units.count(waits.count)} ended with it" if waits is not None else "none has ended with it yet"
    facts = [
        line("waits now", now, Ink.STRONG if worker.current_wait_ns else Ink.TEXT),
        line("longest", f"{units.duration(worker.longest_wait_ns)}, ended or not"),
    ]
    if waits is not None:
        p50, p99 = units.duration(waits.percentile_ns(50)), units.duration(waits.percentile_ns(99))
        ended += f": p50 {p50}, p99 {p99}"
    facts.append(line("waits", ended))
    mode = simulation.mode
    shown = Waits(f"worker {worker.id}", waits.counts if waits is not None else (), MODE_INK[mode], ())
    unfinished = (worker.current_wait_ns,) if worker.current_wait_ns > 0 else ()
    data = _WaitsNow(shown, unfinished, simulation.starved_after_ns, view.logarithmic, view.glyphs)
    return Section(f"Its waits for the {asks}", Ink.STRONG, tuple(facts), Chart(_chart, data))


def _chart(data: _WaitsNow, width: int) -> list[Row]:
    return wait_histogram(
        [data.waits],
        width,
        _CHART_ROWS,
        data.glyphs,
        logarithmic=data.logarithmic,
        unfinished_ns=data.unfinished_ns,
        starved_after_ns=data.starved_after_ns,
    )


def _lately_title(simulation: Simulation) -> str:
    return f"What it did in the last {units.duration(simulation.window.elapsed_ns)} (sampled)"


def _lately(worker: Worker, simulation: Simulation, view: View) -> tuple[Line, ...]:
    """Return the share of the samples in which it was in each state, the most frequent first."""
    lately = _find(simulation.window, worker.id)
    samples = sum(lately.states.values()) if lately is not None else 0
    if lately is None or not samples:
        return (line("", "It has not been seen lately."),)
    lines = []
    for state, count in sorted(lately.states.items(), key=lambda item: (-item[1], item[0].value)):
        share = count / samples
        bar = view.glyphs.bar(share, _BAR_CELLS)
        number = units.share(share).rjust(units.SHARE_WIDTH)
        lines.append(Line(state.value, (Segment(f"{number} ", Ink.STRONG), Segment(bar, Ink.SERIES))))
    return tuple(lines)


def _errors(worker: Worker) -> tuple[Line, ...]:
    return tuple(
        line(f"{count:,}", message_of(code), Ink.WARNING)
        for code, count in sorted(worker.errors.items(), key=lambda item: -item[1])
    )


def _newest(transactions: Transactions, now_ns: int) -> tuple[str, Ink, tuple[Line, ...]]:
    """Return the newest transactions that were events, the newest first."""
    title = f"Its newest {len(transactions)} transactions that waited, failed or held long"
    if not transactions:
        return "Its newest transactions", Ink.STRONG, (line("", "None has waited, failed or held long yet."),)
    heading = line("ago", f"{'waited':>7} {'retries':>8} {'held':>7}  outcome", Ink.MUTED)
    rows = [
        Line(
            units.duration(max(now_ns - one.done_ns, 0)),
            (
                Segment(f"{units.duration(wait_ns(one)):>7} ", Ink.STRONG),
                Segment(f"{one.retries:>8} {_held(one):>7}  "),
                Segment(message_of(one.outcome), Ink.WARNING if one.outcome > 0 else Ink.TEXT),
            ),
        )
        for one in reversed(transactions)
    ]
    return title, Ink.STRONG, (heading, *rows)


def _held(transaction: Transaction) -> str:
    """Return how long it held the lock; a dash if it never had it."""
    if not transaction.got_ns or not transaction.released_ns:
        return units.UNKNOWN
    return units.duration(transaction.released_ns - transaction.got_ns)
