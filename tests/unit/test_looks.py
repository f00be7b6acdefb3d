"""Looking at slots, compiled and in Python: what one look sees, how many there are, and that both count alike."""

import os
import threading
import time
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import looks
from simulators.looks import ASKS, CHECKPOINTS, MUCH, NO_BELL, TAKES, Counted, LookUntil, look_until_in_python
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


def looked(
    look_until: LookUntil, slots: Slots, *contenders: tuple[int, int, int],
    next_ns: int = 0, period_ns: int = 1, until_ns: int = 1, bell: int = NO_BELL, queue: int | None = None,
) -> Counted:  # fmt: skip
    """Look until something ends it."""
    flat = array("q", [number for contender in contenders for number in contender])
    queues = array("i", [queue] if queue is not None else [])
    return look_until(slots, flat, DATABASES, next_ns, period_ns, until_ns, bell, queues)


def one_look(look_until: LookUntil, slots: Slots, *contenders: tuple[int, int, int]) -> tuple[list[int], list[int]]:
    """Look once; return of each database whether it was held, and whether it was free though somebody waited."""
    _, count, held, wasted, _ = looked(look_until, slots, *contenders)
    assert count == 1
    return held, wasted


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


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
    next_ns, count, held, _, is_called = looked(
        look_until, slots_of(HELD), (0, 0, TAKES), next_ns=started_ns, period_ns=2_000_000, until_ns=until_ns
    )
    assert time.monotonic_ns() >= until_ns
    assert 1 <= count <= 10
    assert held == [count, 0]
    assert next_ns >= until_ns
    assert not is_called


def test_it_does_not_make_up_for_looks_that_it_missed(look_until: LookUntil) -> None:
    now_ns = time.monotonic_ns()
    next_ns, count, *_ = looked(
        look_until, slots_of(), next_ns=now_ns - 10**9, period_ns=10**8, until_ns=now_ns - 10**8
    )
    assert count == 1
    assert next_ns >= now_ns


def test_a_bell_ends_it(look_until: LookUntil, pipe: tuple[int, int]) -> None:
    bell, rope = pipe
    threading.Timer(0.02, os.write, (rope, b"!")).start()
    now_ns = time.monotonic_ns()
    late_ns = now_ns + 60 * 10**9
    assert looked(look_until, slots_of(), next_ns=now_ns, period_ns=10**10, until_ns=late_ns, bell=bell)[-1]
    assert time.monotonic_ns() < late_ns
    assert looked(look_until, slots_of(), until_ns=late_ns, bell=bell)[1] == 0, "it still rings"


def test_a_bell_that_nobody_rings_changes_nothing(look_until: LookUntil, pipe: tuple[int, int]) -> None:
    until_ns = time.monotonic_ns() + 20_000_000
    _, count, _, _, is_called = looked(look_until, slots_of(), period_ns=5_000_000, until_ns=until_ns, bell=pipe[0])
    assert time.monotonic_ns() >= until_ns
    assert not is_called
    assert count >= 1


def test_a_queue_that_fills_up_ends_it(look_until: LookUntil, pipe: tuple[int, int]) -> None:
    queue, sender = pipe
    os.write(sender, bytes(MUCH - 1))
    until_ns = time.monotonic_ns() + 20_000_000
    assert not looked(look_until, slots_of(), period_ns=5_000_000, until_ns=until_ns, queue=queue)[-1]
    os.write(sender, b"!")
    late_ns = time.monotonic_ns() + 60 * 10**9
    _, count, _, _, is_called = looked(look_until, slots_of(), period_ns=5_000_000, until_ns=late_ns, queue=queue)
    assert is_called
    assert count == 1
    assert time.monotonic_ns() < late_ns


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
        looked(looks.compiled_look_until, slots_of(), contender)
