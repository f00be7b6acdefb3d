"""The statistics, held against scipy, numpy and cases worked out by hand."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any
from unittest import mock

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulators import pace
from simulators.buckets import bucket_of
from simulators.events import Batch, Counts, Mode, Outcome, Role
from simulators.orders import Order
from simulators.slots import Board, Slot
from simulators.stopwatch import PlainStopwatch
from simulators.telemetry import Recorder
from simulators.transactions import Transaction
from simulators.workload import from_mapping
from sqlwatch.metrics.chi_square import chi_square, p_value
from sqlwatch.metrics.fairness import jain_index
from sqlwatch.metrics.histogram import HistogramBuilder
from sqlwatch.metrics.positions import Positions, RoundStory

MS = 1_000_000

COUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=40).filter(any)


@given(COUNTS)
def test_chi_square_and_its_p_value_are_those_of_scipy(counts: list[int]) -> None:
    expected = stats.chisquare(counts)
    statistic = chi_square(counts)
    assert statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert statistic is not None
    assert p_value(statistic, len(counts) - 1) == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


@given(st.floats(0, 5_000), st.integers(1, 4_000))
def test_the_p_value_is_that_of_scipy_at_every_size(statistic: float, degrees: int) -> None:
    assert p_value(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-8, abs=1e-11)


@pytest.mark.parametrize(
    ("column", "statistic"),
    [
        ([10, 14, 12, 13, 14, 14, 10, 13], 1.6),
        ([12, 10, 13, 10, 8, 16, 15, 16], 5.12),
        ([11, 14, 12, 13, 14, 13, 10, 13], 1.12),
    ],
)
def test_the_published_positions_are_as_even_as_chance(column: list[int], statistic: float) -> None:
    assert chi_square(column) == pytest.approx(statistic)
    assert p_value(statistic, 7) > 0.6


@given(COUNTS)
def test_jain_lies_between_one_for_all_and_an_even_share(counts: list[int]) -> None:
    index = jain_index(counts)
    assert index is not None
    variation = np.std(counts) / np.mean(counts)
    assert index == pytest.approx(1 / (1 + variation**2))  # the same index, by the coefficient of variation
    assert 1 / len(counts) - 1e-9 <= index <= 1 + 1e-9


@given(
    st.sampled_from(["lognormal", "exponential", "uniform"]), st.integers(0, 2**32 - 1),
    st.sampled_from([50, 90, 95, 99, 99.9]),
)  # fmt: skip
def test_percentiles_from_buckets_are_within_an_eighth(shape: str, seed: int, percent: float) -> None:
    generator = np.random.default_rng(seed)
    draw = {"lognormal": (14, 2), "exponential": (5e6,), "uniform": (2e3, 3e9)}[shape]
    durations = [int(value) for value in getattr(generator, shape)(*draw, size=2_000)]
    builder = HistogramBuilder()
    for duration_ns in durations:
        builder.add(duration_ns)
    found = builder.freeze().percentile_ns(percent)
    rank = math.ceil(round(len(durations) * percent / 100, 6))  # numpy's inverted_cdf takes 1998.0000000000002 for 1999
    true = float(np.sort(durations)[rank - 1])
    assert found == pytest.approx(true, rel=1 / 8, abs=128)


class Clock:
    """Time that passes only where the workload says so."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def monotonic_ns(self) -> int:
        return self.now_ns


class Workbench:
    """What `Pace` needs of a worker, with the intervals of an open loop given instead of drawn."""

    def __init__(self, clock: Clock, intervals_ns: list[int]) -> None:
        self.workload = from_mapping({"writers": 1, "arrival": "rate:100"})
        self.slot = Slot()
        self.random = self
        self._clock = clock
        self._intervals_ns = iter([0, *intervals_ns])  # the first due time is one interval back and one forth

    def uniform(self, low: float, high: float) -> float:
        return low

    def expovariate(self, rate: float) -> float:
        return next(self._intervals_ns)

    def think(self, duration_ns: int) -> None:
        self._clock.now_ns += duration_ns


class Sink:
    """Keeps the batches of a recorder."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def put(self, message: bytes) -> None:
        self.batches.append(msgspec.msgpack.decode(message, type=Batch))


def run_open_loop(intervals_ns: list[int], services_ns: list[int]) -> Batch:
    """Run an open loop through the worker's own pace and recorder, and return what they report."""
    clock, sink = Clock(), Sink()
    bench: Any = Workbench(clock, intervals_ns)
    queue: Any = sink
    watch = PlainStopwatch(memoryview(bytearray(16)).cast("q"), counts=False)
    recorder = Recorder(1, Role.WRITER, 0, 1, bench.slot, Board(), watch, queue)
    recorder.next_batch_ns = 2**62
    with mock.patch.object(pace, "time", clock):
        loop = pace.Pace(bench, Order(epoch=1, run=True, mode=Mode.CONTENDED, phase=0))
        due_ns, asked_ns = loop.start()
        for number, service_ns in enumerate(services_ns, 1):
            clock.now_ns += service_ns
            done_ns = clock.now_ns
            bench.slot.done = number
            taken = Transaction(number, due_ns, asked_ns, asked_ns, done_ns, done_ns, 0, Outcome.COMMITTED)
            recorder.add(taken, started_ns=loop.started_ns)
            if number < len(services_ns):
                due_ns, asked_ns = loop.next(due_ns)
    recorder.send()
    (batch,) = sink.batches
    return batch


def percentile(counts: Counts, percent: float) -> float | None:
    builder = HistogramBuilder()
    builder.add_counts(counts)
    return builder.freeze().percentile_ns(percent)


def test_an_open_loop_counts_from_when_a_transaction_was_due() -> None:
    """Ten due every 10 ms, each served in 1 ms, but the first takes 100 ms: those behind it were due long before."""
    batch = run_open_loop([10 * MS] * 10, [100 * MS, *[MS] * 9])
    from_due = [100, 91, 82, 73, 64, 55, 46, 37, 28, 19]
    assert batch.commit_latency.sum_ns == sum(from_due) * MS
    assert batch.commit_latency.max_ns == 100 * MS
    assert percentile(batch.commit_latency, 50) == pytest.approx(64 * MS, rel=1 / 8)
    assert batch.service_latency.sum_ns == (100 + 9) * MS, "blind to how late they started"
    assert percentile(batch.service_latency, 50) == pytest.approx(MS, rel=1 / 8)
    assert batch.lock_wait.max_ns == 0, "being late is no wait for the lock"


def test_an_open_loop_that_keeps_up_sees_no_difference() -> None:
    batch = run_open_loop([10 * MS] * 5, [MS, 2 * MS, 9 * MS, MS, MS])
    assert batch.commit_latency == batch.service_latency
    assert batch.commit_latency.sum_ns == 14 * MS


@given(st.lists(st.tuples(st.integers(0, 50 * MS), st.integers(1, 200 * MS)), min_size=1, max_size=60))
def test_an_open_loop_is_a_queue_with_one_server(load: list[tuple[int, int]]) -> None:
    """Against a direct computation: each starts when it is due or when the one before has ended."""
    due_ns = end_ns = 0
    latencies, services = [], []
    for interval_ns, service_ns in load:
        due_ns += interval_ns
        end_ns = max(due_ns, end_ns) + service_ns
        latencies.append(end_ns - due_ns)
        services.append(service_ns)
    batch = run_open_loop([interval_ns for interval_ns, _ in load], services)
    assert (batch.commit_latency.sum_ns, batch.commit_latency.max_ns) == (sum(latencies), max(latencies))
    assert (batch.service_latency.sum_ns, batch.service_latency.max_ns) == (sum(services), max(services))
    for counts, expected in ((batch.commit_latency, latencies), (batch.service_latency, services)):
        buckets = Counter(map(bucket_of, expected))
        assert dict(zip(counts.buckets, counts.counts, strict=True)) == buckets


def random_rounds(generator: np.random.Generator, workers: int, rounds: int) -> Positions:
    """Rounds in which every order is as likely as any other."""
    told = RoundStory()
    for number in range(1, rounds + 1):
        for position, worker in enumerate(generator.permutation(workers)):
            got_ns = number * MS + position + 1
            told.add(int(worker), [Transaction(number, number * MS, number * MS, got_ns, got_ns, got_ns, 0, 0)])
    return told.freeze(range(workers), is_over=True)


def test_fair_rounds_have_p_values_like_those_of_chance() -> None:
    """Under the hypothesis that it tests a p-value is uniform; tables of rounds are not tables of free draws."""
    generator = np.random.default_rng(1)
    found = [random_rounds(generator, 6, 60) for _ in range(400)]
    for values in ([one.p_value for one in found], [one.p_value_of(2) for one in found]):
        assert stats.kstest(values, "uniform").pvalue > 0.01
        assert np.mean([value < 0.05 for value in values if value is not None]) < 0.08


@given(st.integers(2, 8), st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_position_tables_are_tested_as_scipy_does(workers: int, rounds: int, seed: int) -> None:
    positions = random_rounds(np.random.default_rng(seed), workers, rounds)
    whole = stats.chisquare(np.array(positions.table).ravel()).statistic
    assert positions.chi_square == pytest.approx(whole, abs=1e-9)
    expected = stats.chi2.sf(whole * (workers - 1) / workers, (workers - 1) ** 2)
    assert positions.p_value == pytest.approx(expected, rel=1e-8, abs=1e-11)
    for position in range(workers):
        column = stats.chisquare([row[position] for row in positions.table])
        assert positions.p_value_of(position) == pytest.approx(column.pvalue, rel=1e-8, abs=1e-11)
