"""The order of turns at the lock, compiled and in Python: runs of the same winner, and that both count alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.slots import SLOT_COUNT
from sqlwatch.metrics.turns import Judge, Part, compiled_judge, divided, judge_in_python
from tests.unit.test_fairness import got


@pytest.fixture(params=["compiled", "plain"])
def judge(request: pytest.FixtureRequest) -> Judge:
    if request.param == "plain":
        return judge_in_python
    if compiled_judge is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    return compiled_judge


MOMENTS = st.lists(st.integers(0, 2**62), max_size=20)
PARTS = st.lists(st.tuples(MOMENTS.map(lambda moments: got(*moments).packed), st.integers(1, SLOT_COUNT)), max_size=20)


def test_a_run_goes_on_from_one_time_to_the_next(judge: Judge) -> None:
    _, _, winner, length, _ = judge([(got(1, 2).packed, 7), (got(3).packed, 8), (got(4, 5).packed, 7)], 0, 0)
    assert (winner, length) == (7, 2)
    assert judge([(got(6).packed, 7), (got(9).packed, 8)], winner, length) == (2, 1, 8, 1, {7: 3, 8: 1})


def test_nothing_changes_where_nobody_had_a_turn(judge: Judge) -> None:
    assert judge([], 3, 4) == (0, 0, 3, 4, {})
    assert judge([(b"", 5)], 3, 4) == (0, 0, 3, 4, {})


def test_of_the_same_moment_the_lower_number_is_first(judge: Judge) -> None:
    assert judge([(got(5).packed, 2), (got(5).packed, 1)], 0, 0)[2:4] == (2, 1)


@given(PARTS, st.integers(0, SLOT_COUNT), st.integers(0, 1000))
def test_both_count_alike(parts: list[Part], winner: int, length: int) -> None:
    if compiled_judge is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    assert compiled_judge(parts, winner, length) == judge_in_python(parts, winner, length)


def test_a_worker_that_cannot_be_is_refused() -> None:
    if compiled_judge is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    with pytest.raises(ValueError, match="no worker"):
        compiled_judge([(got(1).packed, 0)], 0, 0)
    with pytest.raises(ValueError, match="no worker"):
        compiled_judge([], 2048, 0)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(-1, 51))
def test_what_is_divided_at_a_moment_lies_on_its_sides_of_it(moments: list[int], limit_ns: int) -> None:
    due, rest = divided(got(*moments), limit_ns)
    assert due.column("got_ns") == [at_ns for at_ns in sorted(moments) if at_ns <= limit_ns]
    assert rest.column("got_ns") == [at_ns for at_ns in sorted(moments) if at_ns > limit_ns]
