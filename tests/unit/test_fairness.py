import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.transactions import Transaction, Transactions
from sqlwatch.metrics.fairness import Streaks, jain_index, starved_after_ns


def got(*moments_ns: int) -> Transactions:
    """Return commits of one worker that got the lock at these moments."""
    return Transactions.of(Transaction(1, 0, 0, at_ns, 0, 0, 0, 0) for at_ns in sorted(moments_ns))


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=64))
def test_jain_lies_between_its_floor_and_one(commits: list[int]) -> None:
    index = jain_index(commits)
    if any(commits):
        assert index is not None
        assert 1 / len(commits) - 1e-12 <= index <= 1 + 1e-12
    else:
        assert index is None


def test_jain_of_one_taker_is_its_floor_and_of_equals_is_one() -> None:
    assert jain_index([0, 0, 0, 7]) == pytest.approx(0.25)
    assert jain_index([3, 3, 3]) == pytest.approx(1)


def test_a_writer_starves_after_ten_fair_turns_but_not_before_a_second() -> None:
    assert starved_after_ns(16, 400) == 10**9
    assert starved_after_ns(16, 16) == 10 * 10**9
    assert starved_after_ns(16, None) == 10**9


def test_streaks_are_counted_in_the_order_of_the_lock_not_of_arrival() -> None:
    streaks = Streaks(lateness_ns=100)
    for got_ns, worker in [(30, 2), (10, 1), (20, 1), (40, 2), (50, 2), (60, 1)]:
        streaks.add(got(got_ns), worker)
    streaks.settle(1_000)
    assert (streaks.longest, streaks.turns, streaks.count) == (3, 6, 3)
    assert streaks.mean == 2


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40)), unique_by=lambda hold: hold[1], max_size=40),
    st.integers(1, 10), st.integers(1, 50), st.permutations((1, 2, 3)),
)  # fmt: skip
def test_streaks_do_not_depend_on_how_holds_come_nor_on_when_they_are_judged(
    holds: list[tuple[int, int]], each: int, step_ns: int, workers: list[int]
) -> None:
    streaks = Streaks(lateness_ns=0)
    for worker in workers:
        own = sorted(at_ns for who, at_ns in holds if who == worker)
        for first in range(0, len(own), each):
            streaks.add(got(*own[first : first + each]), worker)
    for now_ns in range(0, 100, step_ns):
        streaks.settle(now_ns)
    winners = [who for who, _ in sorted(holds, key=lambda hold: hold[1])]
    runs = [(who, len(list(run))) for who, run in itertools.groupby(winners)]
    assert (streaks.turns, streaks.count) == (len(holds), len(runs))
    assert streaks.longest_of == {who: max(length for one, length in runs if one == who) for who in winners}
    assert streaks.longest == max((length for _, length in runs), default=0)


def test_a_hold_that_something_may_still_precede_is_not_judged() -> None:
    streaks = Streaks(lateness_ns=100)
    streaks.add(got(950), 1)
    streaks.settle(1_000)
    assert streaks.turns == 0
    streaks.add(got(940), 2)
    streaks.settle(1_051)
    assert (streaks.turns, streaks.count) == (2, 2)
