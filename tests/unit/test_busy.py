import random

from hypothesis import given
from hypothesis import strategies as st

from simulators.busy import LADDER_MS, delay_before_retry_ms
from simulators.quantities import BusyPolicy


def delays(policy: BusyPolicy, at_most: int = 5000) -> list[float]:
    found: list[float] = []
    rng = random.Random(1)
    while len(found) < at_most and (delay := delay_before_retry_ms(policy, len(found), sum(found), rng)) is not None:
        found.append(delay)
    return found


def test_the_ladder_is_sqlites() -> None:
    assert LADDER_MS == (1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100)
    found = delays(BusyPolicy.parse("timeout:5000"))
    rungs = [sum(found[: number + 1]) for number in range(13)]
    assert rungs == [1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, 328, 428]


@given(st.integers(min_value=0, max_value=20_000))
def test_the_last_sleep_is_what_is_left_of_the_timeout(limit_ms: int) -> None:
    assert sum(delays(BusyPolicy.parse(f"timeout:{limit_ms}"))) == limit_ms


def test_none_gives_up_at_once() -> None:
    assert delays(BusyPolicy.parse("none")) == []


def test_constant_looks_again_after_the_same_delay() -> None:
    assert delays(BusyPolicy.parse("constant:4:10")) == [4, 4, 2]


def test_backoff_doubles_up_to_its_longest_delay_and_is_drawn_at_random() -> None:
    found = delays(BusyPolicy.parse("backoff:1:8:200"))
    assert all(delay <= min(8, 2**number) for number, delay in enumerate(found))
    assert len(set(found)) > 5
    assert sum(found) <= 200 + 1e-6
