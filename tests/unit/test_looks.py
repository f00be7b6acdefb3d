"""Looking at slots, compiled and in Python: what one look sees, how many there are, and that both count alike."""

import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import looks
from simulators.looks import ASKS, CHECKPOINTS, TAKES, LookUntil, look_until_in_python
from simulators.slots import Activity, Slot, Slots

SLOTS = 4
DATABASES = 2
FREE = {"got": 7, "done": 7}
HELD = {"got": 8, "done": 7}
WAITING = {**FREE, "waiting_since_ns": 5}


@pytest.fixture(params=["compiled", "plain"])
def look_until(request: pytest.FixtureRequest) -> LookUntil:
    if request.param == "plain":
        return look_until_in_python
    if looks.compiled_look_until is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    return looks.compiled_look_until


def slots_of(*words: dict[str, int]) -> Slots:
    slots = (Slot * SLOTS)()
    for slot, given_words in zip(slots, words, strict=False):
        for name, value in given_words.items():
            setattr(slot, name, value)
    return slots


def one_look(look_until: LookUntil, slots: Slots, *contenders: tuple[int, int, int]) -> tuple[list[int], list[int]]:
    """Look once; return of each database whether it was held, and whether it was free though somebody waited."""
    flat = array("q", [number for contender in contenders for number in contender])
    _, count, held, wasted = look_until(slots, flat, DATABASES, 0, 1, 1)
    assert count == 1
    return held, wasted


def test_a_lock_is_held_by_who_takes_it(look_until: LookUntil) -> None:
    writer, client = (0, 1, TAKES | ASKS), (0, 1, ASKS)
    assert one_look(look_until, slots_of(HELD), writer) == ([0, 1], [0, 0])
    assert one_look(look_until, slots_of(HELD), client) == ([0, 0], [0, 0])  # it is being served
    assert one_look(look_until, slots_of(FREE), writer) == ([0, 0], [0, 0])


def test_a_lock_is_wasted_that_is_free_while_somebody_waits(look_until: LookUntil) -> None:
    waiter, owner = (0, 0, TAKES | ASKS), (1, 0, TAKES)
    assert one_look(look_until, slots_of(WAITING), waiter) == ([0, 0], [1, 0])
    assert one_look(look_until, slots_of(WAITING, HELD), waiter, owner) == ([1, 0], [0, 0])
    assert one_look(look_until, slots_of(WAITING, HELD), waiter, (1, 1, TAKES)) == ([0, 1], [1, 0])
    assert one_look(look_until, slots_of(WAITING), (0, 0, TAKES)) == ([0, 0], [0, 0])  # a single writer does not ask


def test_a_checkpoint_may_hold_the_lock(look_until: LookUntil) -> None:
    at_work = {"activity": Activity.CHECKPOINTING}
    waiter, checkpointer = (0, 0, TAKES | ASKS), (1, 0, CHECKPOINTS)
    assert one_look(look_until, slots_of(WAITING, at_work), waiter, checkpointer) == ([0, 0], [0, 0])
    assert one_look(look_until, slots_of(WAITING, HELD), waiter, checkpointer) == ([0, 0], [1, 0])


def test_nobody_is_seen_where_nobody_works(look_until: LookUntil) -> None:
    assert one_look(look_until, slots_of(HELD)) == ([0, 0], [0, 0])


def test_it_looks_at_its_pace_and_returns_when_asked(look_until: LookUntil) -> None:
    started_ns = time.monotonic_ns()
    until_ns = started_ns + 20_000_000
    next_ns, count, held, _ = look_until(
        slots_of(HELD), array("q", (0, 0, TAKES)), DATABASES, started_ns, 2_000_000, until_ns
    )
    assert time.monotonic_ns() >= until_ns
    assert 1 <= count <= 10
    assert held == [count, 0]
    assert next_ns >= until_ns


def test_it_does_not_make_up_for_looks_that_it_missed(look_until: LookUntil) -> None:
    now_ns = time.monotonic_ns()
    next_ns, count, _, _ = look_until(slots_of(), array("q"), DATABASES, now_ns - 10**9, 10**8, now_ns - 10**8)
    assert count == 1
    assert next_ns >= now_ns


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "got": st.integers(0, 2),
                "done": st.integers(0, 2),
                "waiting_since_ns": st.integers(0, 1),
                "activity": st.sampled_from([int(activity) for activity in Activity]),
            }
        ),
        min_size=SLOTS,
        max_size=SLOTS,
    ),
    st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(0, DATABASES - 1), st.integers(0, 7)), max_size=6),
)
def test_both_count_alike(words: list[dict[str, int]], contenders: list[tuple[int, int, int]]) -> None:
    if looks.compiled_look_until is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    slots = slots_of(*words)
    compiled = one_look(looks.compiled_look_until, slots, *contenders)
    assert compiled == one_look(look_until_in_python, slots, *contenders)


@pytest.mark.parametrize("contender", [(SLOTS, 0, TAKES), (-1, 0, TAKES), (0, DATABASES, TAKES), (0, -1, TAKES)])
def test_the_compiled_one_refuses_what_would_crash_it(contender: tuple[int, int, int]) -> None:
    if looks.compiled_look_until is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    with pytest.raises(ValueError, match="no such slot or database"):
        looks.compiled_look_until(slots_of(), array("q", contender), DATABASES, 0, 1, 1)
