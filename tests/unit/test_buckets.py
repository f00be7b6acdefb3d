from hypothesis import given
from hypothesis import strategies as st

from simulators.buckets import BUCKET_COUNT, LINEAR_SHIFT, LOWER_EDGES_NS, bucket_of, lower_edge_ns, upper_edge_ns

DURATIONS = st.integers(min_value=0, max_value=2**40)


@given(DURATIONS)
def test_a_duration_lies_between_its_buckets_edges(duration_ns: int) -> None:
    bucket = bucket_of(duration_ns)
    assert lower_edge_ns(bucket) <= duration_ns
    assert duration_ns < upper_edge_ns(bucket) or bucket == BUCKET_COUNT - 1


@given(DURATIONS, DURATIONS)
def test_longer_durations_are_never_in_earlier_buckets(first: int, second: int) -> None:
    if first <= second:
        assert bucket_of(first) <= bucket_of(second)


def test_edges_ascend_and_are_multiples_of_the_linear_bin() -> None:
    assert list(LOWER_EDGES_NS) == sorted(set(LOWER_EDGES_NS))
    assert all(edge % (1 << LINEAR_SHIFT) == 0 for edge in LOWER_EDGES_NS)


def test_buckets_above_the_linear_part_are_at_most_an_eighth_wide() -> None:
    for index in range(8, BUCKET_COUNT):
        assert (upper_edge_ns(index) - lower_edge_ns(index)) * 8 <= lower_edge_ns(index)


def test_the_axis_reaches_from_a_microsecond_to_half_a_minute() -> None:
    assert LOWER_EDGES_NS[bucket_of(1_000)] <= 1_000
    assert bucket_of(30_000_000_000) < BUCKET_COUNT - 1


def test_negative_durations_count_as_nothing() -> None:
    assert bucket_of(-5) == 0
