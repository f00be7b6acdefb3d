"""What the lock timeline costs: its ring, freezing it into a Snapshot, and drawing it.

    python -m tests.benchmarks.timeline_cost [--rate 10000] [--workers 16]

Every transaction is an event here.  Limit: under 2 % of a core at the first window, drawn twice a second.
"""

from __future__ import annotations

import time

import click

from simulators.events import Batch, Mode, Role, SlotSample, Transaction, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
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
            made.append(Batch(worker, Role.WRITER, 0, 1, begin_ns, until_ns, len(found), transactions=tuple(found)))
    return made


@click.command()
@click.option("--rate", default=10_000, show_default=True, help="Events a second, of all workers together.")
@click.option("--workers", default=16, show_default=True)
def main(rate: int, workers: int) -> None:
    """Print what the timeline costs."""
    seconds = 34
    ring = LaneRing(1, delays_of(BusyPolicy()), 5 * SECOND)
    for worker in range(1, workers + 1):
        ring.start(worker, Role.WRITER, 0)
    told = batches(rate, workers, seconds)
    started = time.process_time()
    for batch in told:
        ring.add_batch(batch, Mode.CONTENDED)
    click.echo(f"ring: {(time.process_time() - started) / seconds:.2%} of a core at {rate} events/s")
    now_ns = STARTED_NS + seconds * SECOND
    states = tuple(WorkerSample(worker, WorkerState.IDLE, 0) for worker in range(1, workers + 1))
    for at_ns in range(STARTED_NS, now_ns, 50 * MS):
        ring.add_sample(SlotSample(at_ns, 1, 10, (6,), (3,), states))
    started = time.process_time()
    for _ in range(100):
        lanes = ring.freeze(now_ns, Mode.CONTENDED)
    click.echo(f"a Snapshot's share: {(time.process_time() - started) * 10:.2f} ms")
    members = tuple(Worker(number + 1, 1, Role.WRITER, 0, WorkerState.IDLE, 0, 0) for number in range(workers))
    period = Period(name="", mode=Mode.CONTENDED, number=1, started_ns=0, elapsed_ns=1, workers=members)
    simulation = Simulation("", Mode.CONTENDED, 1, period, period, period, lanes=lanes)
    for window_ns in WINDOWS_NS:
        view = View(BRAILLE, Snapshot(now_ns, Status.RUNNING, 0, simulation=simulation), window_ns=window_ns)
        spent = []
        for _ in range(20):
            panel = LanesPanel(Inks(ansi=False), view, id="timeline")
            started = time.process_time()
            panel.body(view, 112, workers + 5)
            spent.append(time.process_time() - started)
        median_s = sorted(spent)[len(spent) // 2]
        click.echo(f"window {window_ns // MS} ms: {median_s * 1000:.1f} ms, {median_s * DRAWN_PER_S:.2%} of a core")


if __name__ == "__main__":
    main()
