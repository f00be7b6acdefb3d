"""Commits/s of instrumented writers against a bare loop: pairs in turn, median and spread of the ratio.

    python -m tests.benchmarks.worker_overhead [--writers 8] [--pairs 15]

Each writer has a database of its own, NORMAL, one row, no think time.  Limits: 0.95 for one writer, 0.93 for eight.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time

import click

from simulators.events import Role
from simulators.fleet import Fleet, FleetState
from simulators.place import create_place
from simulators.prepare import make_databases
from simulators.workload import Workload, from_mapping
from tests.benchmarks.bare import commit_in_a_loop

CONTEXT = multiprocessing.get_context("spawn")


def bare(workload: Workload, seconds: float) -> float:
    """Return commits/s of bare loops, one a database."""
    place = create_place(workload.databases, None)
    make_databases(CONTEXT, list(place.databases))
    results, barrier = CONTEXT.SimpleQueue(), CONTEXT.Barrier(workload.databases)
    arguments = [(str(path), workload, seconds, barrier, results) for path in place.databases]
    loops = [CONTEXT.Process(target=commit_in_a_loop, args=args) for args in arguments]
    for loop in loops:
        loop.start()
    total = sum(results.get() for _ in loops)
    for loop in loops:
        loop.join()
    place.remove()
    return total


def instrumented(workload: Workload, seconds: float) -> float:
    """Return commits/s of our writers, one a database, read from their own counters."""
    place = create_place(workload.databases, None)
    make_databases(CONTEXT, list(place.databases))
    fleet = Fleet(workload, place)
    fleet.begin_phase("measured")
    while fleet.state is not FleetState.RUNNING:
        fleet.step()
        time.sleep(0.001)

    def drive(duration_s: float) -> float:
        writers = fleet.living(Role.WRITER)
        before, started_ns = sum(writer.slot.done for writer in writers), time.monotonic_ns()
        while time.monotonic_ns() - started_ns < duration_s * 1e9:
            fleet.look()
            fleet.step()
            time.sleep(0.005)
        return (sum(writer.slot.done for writer in writers) - before) / (time.monotonic_ns() - started_ns) * 1e9

    drive(0.2)
    rate = drive(seconds)
    fleet.stop()
    while fleet.state is not FleetState.ENDED:
        fleet.step()
        time.sleep(0.002)
    fleet.close()
    place.remove()
    return rate


@click.command()
@click.option("--writers", default=1, show_default=True, help="Writers, each with a database of its own.")
@click.option("--pairs", default=15, show_default=True)
@click.option("--seconds", default=0.8, show_default=True, help="Length of one measurement.")
def main(writers: int, pairs: int, seconds: float) -> None:
    """Print the ratio of instrumented to bare commits/s."""
    workload = from_mapping({"writers": writers, "readers": 0, "databases": writers, "hold": 0, "think": 0})
    ratios = []
    for number in range(pairs):
        sides = [bare, instrumented] if number % 2 else [instrumented, bare]
        rates = {side: side(workload, seconds) for side in sides}
        ratios.append(rates[instrumented] / rates[bare])
        click.echo(
            f"pair {number + 1}: bare {rates[bare]:,.0f}/s, instrumented {rates[instrumented]:,.0f}/s, "
            f"ratio {ratios[-1]:.3f}"
        )
    low, _, high = statistics.quantiles(ratios, n=4)
    click.echo(
        f"{writers} writer(s): median ratio {statistics.median(ratios):.3f}, quartiles {low:.3f} to {high:.3f}, "
        f"range {min(ratios):.3f} to {max(ratios):.3f}, {pairs} pairs"
    )


if __name__ == "__main__":
    main()
