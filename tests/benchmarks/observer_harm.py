"""What being watched costs: commits/s with and without a sampler, and the sampler's own share of a core.

    python -m tests.benchmarks.observer_harm [--writers 8] [--pairs 31]

The writers work on one database, NORMAL, one row a transaction, without think time.  Each pair is four short stretches
in the order without, with, with, without, or the other way round, so that slow drift cancels out.  Limits: the 95 %
interval of the mean ratio includes 1.00 or lies above 0.99, and the sampler takes less than 2 % of a core.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

import apsw
import click
import psutil

from sqlwatch.metrics.observations import Look
from sqlwatch.observe.sampler_process import SamplerProcess

CONTEXT = multiprocessing.get_context("spawn")
MOST_CPU = 0.02
LEAST_RATIO = 0.99
RESAMPLES = 10_000
WARM_UP_S = 0.1


def commit_for_ever(path: str, number: int, counts: Any, ready: Any) -> None:
    """Insert one row a transaction and count them in shared memory, until killed."""
    connection = apsw.Connection(path)
    connection.set_busy_timeout(60_000)
    execute = connection.cursor().execute
    execute("PRAGMA synchronous = NORMAL")
    ready.put(number)
    while True:
        execute("BEGIN IMMEDIATE")
        execute("INSERT INTO entry VALUES (1, 'some twenty bytes of it')")
        execute("COMMIT")
        counts[number] += 1


def make(path: str) -> None:
    """Create the database; in a process of its own, since whoever watches has no connection."""
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE entry(number, payload)")
    connection.close()


@contextlib.contextmanager
def writing(path: Path, writers: int) -> Iterator[Any]:
    """Let writers write; gives the array in which they count their commits."""
    maker = CONTEXT.Process(target=make, args=(str(path),))
    maker.start()
    maker.join()
    counts, ready = RawArray(ctypes.c_int64, writers), CONTEXT.SimpleQueue()
    loops = [CONTEXT.Process(target=commit_for_ever, args=(str(path), n, counts, ready)) for n in range(writers)]
    try:
        for loop in loops:
            loop.start()
        for _ in loops:
            ready.get()
        yield counts
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


class Meter:
    """Measures the rate of commits in stretches, with and without a sampler."""

    def __init__(self, path: Path, counts: Any, seconds: float) -> None:
        self._path = path
        self._counts = counts
        self._seconds = seconds
        self.cpu_s = self.watched_s = 0.0
        self.looks = 0

    def without(self) -> float:
        """Return commits/s of two stretches in which nobody watches."""
        return self._rate(self._seconds, None)

    def watched(self, stretches: int) -> float:
        """Return commits/s of so many stretches with a sampler, which starts before and ends after them."""
        with SamplerProcess([self._path]) as sampler:
            while not any(isinstance(message, Look) for message in sampler.receive(0.1)):
                pass
            self._rate(WARM_UP_S, sampler)
            before = psutil.Process(sampler.pid).cpu_times()
            rate = self._rate(self._seconds * stretches, sampler)
            after = psutil.Process(sampler.pid).cpu_times()
        self.cpu_s += after.user + after.system - before.user - before.system
        self.watched_s += self._seconds * stretches
        return rate

    def _rate(self, seconds: float, sampler: SamplerProcess | None) -> float:
        """Wait, hearing the sampler's messages as a dashboard does, ten times a second."""
        before, began_ns = int(sum(self._counts)), time.monotonic_ns()
        deadline_ns = began_ns + round(seconds * 1e9)
        while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            time.sleep(min(left_ns / 1e9, 0.1))
            if sampler is not None:
                sampler.receive()
        return (int(sum(self._counts)) - before) / (time.monotonic_ns() - began_ns) * 1e9


def ratio_of_a_pair(meter: Meter, *, is_watched_first: bool) -> float:
    """Return watched by unwatched rate of four stretches in a row."""
    if is_watched_first:
        first = meter.watched(1)
        without = (meter.without() + meter.without()) / 2
        return (first + meter.watched(1)) / 2 / without
    first = meter.without()
    watched = meter.watched(2)
    return watched / ((first + meter.without()) / 2)


def interval_of_mean(values: list[float], seed: int = 1) -> tuple[float, float]:
    """Return the 95 % interval of the mean by bootstrap."""
    chance = random.Random(seed)
    means = sorted(statistics.fmean(chance.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[math.floor(RESAMPLES * 0.025)], means[math.ceil(RESAMPLES * 0.975) - 1]


@click.command()
@click.option("--writers", default=1, show_default=True)
@click.option("--pairs", default=31, show_default=True)
@click.option("--seconds", default=0.4, show_default=True, help="Length of one stretch; a pair has four.")
def main(writers: int, pairs: int, seconds: float) -> None:
    """Print what watching costs; exit with 1 if that is beyond a limit."""
    with tempfile.TemporaryDirectory(prefix="observer-harm-") as directory:
        path = Path(directory) / "app.db"
        with writing(path, writers) as counts:
            meter = Meter(path, counts, seconds)
            time.sleep(1.0)
            ratios = [ratio_of_a_pair(meter, is_watched_first=bool(number % 2)) for number in range(pairs)]
    low, high = interval_of_mean(ratios)
    is_harmless = low <= 1.0 <= high or low > LEAST_RATIO
    cpu = meter.cpu_s / meter.watched_s
    click.echo(
        f"{writers} writer(s), {pairs} pairs: ratio of commits/s watched to unwatched: "
        f"mean {statistics.fmean(ratios):.4f}, median {statistics.median(ratios):.4f}, "
        f"95 % interval of the mean {low:.4f} to {high:.4f}: "
        f"{'as it must be' if is_harmless else 'NOT AS IT MUST BE'} (1.00 inside, or all above {LEAST_RATIO})"
    )
    click.echo(
        f"sampler at 200 Hz: {cpu:.2%} of a core over {meter.watched_s:.0f} s: "
        f"{'as it must be' if cpu < MOST_CPU else 'NOT AS IT MUST BE'} (under {MOST_CPU:.0%})"
    )
    sys.exit(0 if is_harmless and cpu < MOST_CPU else 1)


if __name__ == "__main__":
    main()
