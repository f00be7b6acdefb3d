"""The statistics, held against scipy, numpy and cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sqlwatch.metrics.chi_square import chi_square, p_value
from sqlwatch.metrics.fairness import jain_index
from sqlwatch.metrics.histogram import HistogramBuilder

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
    assert found == pytest.approx(true, rel=1 / 8 + 0.01, abs=129)


def test_an_open_loop_counts_from_when_a_transaction_was_due() -> None:
    """Ten due every 10 ms, each served in 1 ms, but the first takes 100 ms: those behind it were due long before."""
    due = [10 * number for number in range(10)]
    served = [100, *[1] * 9]
    starts: list[int] = []
    free = 0
    for due_ms, takes_ms in zip(due, served, strict=True):
        starts.append(max(due_ms, free))
        free = starts[-1] + takes_ms
    latency, blind = HistogramBuilder(), HistogramBuilder()
    for due_ms, start_ms, takes_ms in zip(due, starts, served, strict=True):
        latency.add((start_ms + takes_ms - due_ms) * 1_000_000)
        blind.add(takes_ms * 1_000_000)
    by_hand = [100, 91, 82, 73, 64, 55, 46, 37, 28, 19]
    assert latency.freeze().sum_ns == sum(by_hand) * 1_000_000
    assert latency.freeze().percentile_ns(50) == pytest.approx(55e6, rel=1 / 8)
    assert blind.freeze().percentile_ns(50) == pytest.approx(1e6, rel=1 / 8)
