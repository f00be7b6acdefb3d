"""What the lock timeline costs: its ring, freezing it into a Snapshot, and drawing it.

    python -m tests.benchmarks.timeline_cost [--rate 10000] [--workers 16]

Every transaction is an event here.  Limit: under 1 % of a core at every window, drawn twice a second.
"""

from __future__ import annotations

import statistics
import time
from collections import deque

import click

from simulators.events import Batch, Mode, Role, SlotSample, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
from simulators.transactions import EventSums, Transaction, Transactions
from sqlwatch.charts.glyphs import BRAILLE
from sqlwatch.metrics.ladder import delays_of
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.snapshot import Period, Simulation, Snapshot, Status, Worker
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.timeline_control import WINDOWS_NS
from sqlwatch.tui.timeline_lanes_panel import LanesPanel
from sqlwatch.tui.view import View

MS = 1_000_000
SECOND = 1_000 * MS
BATCH_NS = 80 * MS
STARTED_NS = 100 * SECOND
DRAWN_PER_S = 2
FILLED_S = 34
MEASURED_S = 10


def batches(rate: int, workers: int, seconds: int) -> list[Batch]:
    """Writers that wait half of their time on two rungs, and hold the lock in turn."""
    gap_ns = SECOND * workers // rate
    made = []
    for since_ns in range(0, seconds * SECOND, BATCH_NS):
        first, end = since_ns // gap_ns, (since_ns + BATCH_NS) // gap_ns
        for worker in range(1, workers + 1):
            found = []
            for number in range(first, end):
                asked_ns = STARTED_NS + number * gap_ns
                got_ns = asked_ns + gap_ns // 2
                released_ns = got_ns + gap_ns // 2 // workers
                found.append(Transaction(number + 1, asked_ns, asked_ns, got_ns, released_ns, released_ns, 2, 0))
            begin_ns = STARTED_NS + since_ns
            until_ns = begin_ns + BATCH_NS
            made.append(
                Batch(
                    worker,
                    Role.WRITER,
                    0,
                    1,
                    begin_ns,
                    until_ns,
                    len(found),
                    len(found),
                    transactions=Transactions.of(found),
                    sums=EventSums.of(found),
                )
            )
    return made


def snapshot(ring: LaneRing, now_ns: int, workers: int) -> Snapshot:
    """A Snapshot with nothing but the lanes."""
    members = tuple(Worker(number + 1, 1, Role.WRITER, 0, WorkerState.IDLE, 0, 0) for number in range(workers))
    period = Period(name="", mode=Mode.CONTENDED, number=1, started_ns=0, elapsed_ns=1, workers=members)
    lanes = ring.freeze(now_ns, Mode.CONTENDED)
    simulation = Simulation("", Mode.CONTENDED, 1, period, period, period, lanes=lanes)
    return Snapshot(now_ns, Status.RUNNING, 0, simulation=simulation)


@click.command()
@click.option("--rate", default=10_000, show_default=True, help="Events a second, of all workers together.")
@click.option("--workers", default=16, show_default=True)
def main(rate: int, workers: int) -> None:
    """Print what the timeline costs."""
    ring = LaneRing(1, delays_of(BusyPolicy()), 5 * SECOND)
    for worker in range(1, workers + 1):
        ring.start(worker, Role.WRITER, 0)
    told = deque(batches(rate, workers, FILLED_S + MEASURED_S))
    states = tuple(WorkerSample(worker, WorkerState.IDLE, 0) for worker in range(1, workers + 1))
    panels = {window_ns: LanesPanel(Inks(ansi=False), View(BRAILLE), id="timeline") for window_ns in WINDOWS_NS}
    first: dict[int, float] = {}
    spent: dict[int, list[float]] = {window_ns: [] for window_ns in WINDOWS_NS}
    in_ring_s, frozen_s = 0.0, 0.0
    for now_ns in range(STARTED_NS, STARTED_NS + (FILLED_S + MEASURED_S) * SECOND, SECOND // DRAWN_PER_S):
        arrived = []
        while told and told[0].until_ns <= now_ns:
            arrived.append(told.popleft())
        started = time.process_time()
        for batch in arrived:
            ring.add_batch(batch, Mode.CONTENDED)
        for at_ns in range(now_ns - SECOND // DRAWN_PER_S, now_ns, 50 * MS):
            ring.add_sample(SlotSample(at_ns, 1, 10, (6,), (3,), states))
        in_ring_s += time.process_time() - started
        if now_ns < STARTED_NS + FILLED_S * SECOND:
            continue
        started = time.process_time()
        newest = snapshot(ring, now_ns, workers)
        frozen_s += time.process_time() - started
        for window_ns, panel in panels.items():
            started = time.process_time()
            panel.body(View(BRAILLE, newest, window_ns=window_ns), 112, workers + 5)
            passed_s = time.process_time() - started
            if first.setdefault(window_ns, passed_s) != passed_s:
                spent[window_ns].append(passed_s)
    click.echo(f"ring: {in_ring_s / (FILLED_S + MEASURED_S):.2%} of a core at {rate} events/s")
    click.echo(f"a Snapshot's share: {frozen_s / MEASURED_S / DRAWN_PER_S * 1000:.2f} ms")
    for window_ns in WINDOWS_NS:
        mean_s = statistics.mean(spent[window_ns])
        click.echo(
            f"window {window_ns // MS} ms: {mean_s * 1000:.1f} ms, {mean_s * DRAWN_PER_S:.2%} of a core; "
            f"the first picture {first[window_ns] * 1000:.1f} ms"
        )


if __name__ == "__main__":
    main()
