import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Counts
from sqlwatch.metrics.histogram import EMPTY, Histogram, HistogramBuilder, merged

VALUES = st.lists(st.integers(min_value=0, max_value=10**11), min_size=1, max_size=200)


def build(values: list[int]) -> Histogram:
    builder = HistogramBuilder()
    for value in values:
        builder.add(value)
    return builder.freeze()


@given(VALUES, st.floats(min_value=0, max_value=100))
def test_a_percentile_is_within_a_bucket_of_the_true_one(values: list[int], percent: float) -> None:
    got = build(values).percentile_ns(percent)
    rank = max(-(-len(values) * percent // 100), 1)
    true = sorted(values)[int(rank) - 1]
    assert got is not None
    assert got <= max(values)
    assert true - max(true / 8, 128) <= got <= true + max(true / 8, 128)


@given(VALUES)
def test_percentiles_never_fall_as_the_percentage_rises(values: list[int]) -> None:
    histogram = build(values)
    found = [histogram.percentile_ns(percent) or 0 for percent in (0, 10, 50, 90, 99, 99.9, 100)]
    assert found == sorted(found)
    assert found[-1] == max(values)


@given(VALUES, VALUES)
def test_merging_is_counting_both(first: list[int], second: list[int]) -> None:
    assert merged([build(first), build(second)]) == build(first + second)


@given(VALUES)
def test_including_adds_values_without_touching_the_original(values: list[int]) -> None:
    histogram = build(values)
    assert histogram.including([7]) == build([*values, 7])
    assert histogram == build(values)


def test_nothing_has_no_percentile_and_no_mean() -> None:
    assert EMPTY.percentile_ns(99) is None
    assert EMPTY.mean_ns is None
    assert EMPTY.nonempty() == []


def test_a_workers_counts_are_added_with_sum_and_maximum() -> None:
    builder = HistogramBuilder()
    builder.add_counts(Counts((3, 40), (2, 1), 70_000, 60_000))
    histogram = builder.freeze()
    assert (histogram.count, histogram.sum_ns, histogram.max_ns) == (3, 70_000, 60_000)
    assert histogram.mean_ns == pytest.approx(70_000 / 3)
