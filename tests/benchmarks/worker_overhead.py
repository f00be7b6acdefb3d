"""Commits/s, and CPU time a commit, of instrumented writers against a bare loop: pairs in turn, median and spread.

    python -m tests.benchmarks.worker_overhead [--writers 8] [--pairs 15]

Each writer has a database of its own, NORMAL, one row, no think time.  Limits: 0.95 for one writer, 0.93 for eight.
Both ratios say the same on a quiet machine; other programs disturb that of the CPU time less.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import click
import psutil

from simulators.events import Role
from simulators.fleet import Fleet, FleetState
from simulators.handle import Handle
from simulators.place import create_place
from simulators.prepare import make_databases
from simulators.stopwatch import CompiledStopwatch
from simulators.workload import Workload, from_mapping
from tests.benchmarks.bare import commit_in_a_loop

CONTEXT = multiprocessing.get_context("spawn")


class Speed(NamedTuple):
    """How fast all writers together were, and what a commit cost."""

    commits_per_s: float
    cpu_s: float
    """CPU time of a writer for one commit."""


def bare(workload: Workload, seconds: float) -> Speed:
    """Measure bare loops, one a database."""
    place = create_place(workload.databases, None)
    make_databases(CONTEXT, list(place.databases))
    results, barrier = CONTEXT.SimpleQueue(), CONTEXT.Barrier(workload.databases)
    arguments = [(str(path), workload, seconds, barrier, results) for path in place.databases]
    loops = [CONTEXT.Process(target=commit_in_a_loop, args=args) for args in arguments]
    for loop in loops:
        loop.start()
    speeds = [Speed(*results.get()) for _ in loops]
    for loop in loops:
        loop.join()
    place.remove()
    return Speed(sum(speed.commits_per_s for speed in speeds), statistics.mean(speed.cpu_s for speed in speeds))


def instrumented(workload: Workload, seconds: float) -> Speed:
    """Measure our writers, one a database, by their own counters."""
    place = create_place(workload.databases, None)
    make_databases(CONTEXT, list(place.databases))
    fleet = Fleet(workload, place)
    fleet.begin_phase("measured")
    while fleet.state is not FleetState.RUNNING:
        fleet.step()
        time.sleep(0.001)

    def drive(duration_s: float) -> Speed:
        writers = fleet.living(Role.WRITER)
        cpu_before_s = cpu_time_s(writers)
        before, started_ns = sum(writer.slot.done for writer in writers), time.monotonic_ns()
        while time.monotonic_ns() - started_ns < duration_s * 1e9:
            fleet.step()
            fleet.look_until(time.monotonic_ns() + 25_000_000, period_ns=5_000_000)
        commits = sum(writer.slot.done for writer in writers) - before
        elapsed_s = (time.monotonic_ns() - started_ns) / 1e9
        return Speed(commits / elapsed_s, (cpu_time_s(writers) - cpu_before_s) / commits)

    drive(0.2)
    speed = drive(seconds)
    fleet.stop()
    while fleet.state is not FleetState.ENDED:
        fleet.step()
        time.sleep(0.002)
    fleet.close()
    place.remove()
    return speed


def cpu_time_s(writers: Sequence[Handle]) -> float:
    """Return the CPU time that the processes have used; the kernel tells it in steps of 10 ms."""
    times = [psutil.Process(writer.pid).cpu_times() for writer in writers]
    return float(sum(used.user + used.system for used in times))


def describe(name: str, ratios: Sequence[float]) -> str:
    """Return a line with the median and the spread of the ratios."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return (
        f"{name}: median ratio {middle:.3f}, quartiles {low:.3f} to {high:.3f}, "
        f"range {min(ratios):.3f} to {max(ratios):.3f}, {len(ratios)} pairs"
    )


@click.command()
@click.option("--writers", default=1, show_default=True, help="Writers, each with a database of its own.")
@click.option("--pairs", default=15, show_default=True)
@click.option("--seconds", default=0.8, show_default=True, help="Length of one measurement.")
def main(writers: int, pairs: int, seconds: float) -> None:
    """Print the ratios of instrumented to bare commits/s, and of bare to instrumented CPU time a commit."""
    workload = from_mapping({"writers": writers, "readers": 0, "databases": writers, "hold": 0, "think": 0})
    click.echo(f"stopwatch: {'compiled' if CompiledStopwatch else 'in Python, for there was no compiler'}")
    by_rate, by_cpu = [], []
    for number in range(pairs):
        sides = [bare, instrumented] if number % 2 else [instrumented, bare]
        speeds = {side: side(workload, seconds) for side in sides}
        loop, ours = speeds[bare], speeds[instrumented]
        by_rate.append(ours.commits_per_s / loop.commits_per_s)
        by_cpu.append(loop.cpu_s / ours.cpu_s)
        click.echo(
            f"pair {number + 1}: bare {loop.commits_per_s:,.0f}/s, {loop.cpu_s * 1e6:.2f} us; "
            f"instrumented {ours.commits_per_s:,.0f}/s, {ours.cpu_s * 1e6:.2f} us; "
            f"ratio {by_rate[-1]:.3f}, of CPU time {by_cpu[-1]:.3f}"
        )
    click.echo(describe(f"{writers} writer(s), commits/s", by_rate))
    click.echo(describe(f"{writers} writer(s), CPU time a commit", by_cpu))


if __name__ == "__main__":
    main()
