"""Both stopwatches, the compiled one and that in Python, by the real clock and a real slot."""

import time
from collections.abc import Callable

import pytest

from simulators import stopwatch
from simulators.slots import Slot, words_of
from simulators.stopwatch import BINS, SHIFT, PlainStopwatch, Stopwatch, create_stopwatch

Make = Callable[..., Stopwatch]


@pytest.fixture(params=["compiled", "plain"])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "plain":
        return PlainStopwatch
    if stopwatch.CompiledStopwatch is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    return stopwatch.CompiledStopwatch


def wait_for_ns(duration_ns: int) -> None:
    deadline_ns = time.monotonic_ns() + duration_ns
    while time.monotonic_ns() < deadline_ns:
        pass


def test_the_words_of_the_slot_say_who_has_the_lock(make: Make) -> None:
    slot = Slot()
    watch = make(words_of(slot), counts=True)
    watch.got(2**40)
    assert (slot.got, slot.done) == (2**40, 0)
    watch.done(2**40)
    assert (slot.got, slot.done, slot.waiting_since_ns) == (2**40, 2**40, 0)


def test_all_times_are_those_of_the_clock_that_python_reads(make: Make) -> None:
    watch = make(words_of(Slot()), counts=True)
    before_ns = time.monotonic_ns()
    watch.start(before_ns - 10**6, before_ns)
    watch.ask()
    watch.got(1)
    watch.done(1)
    after_ns = time.monotonic_ns()
    assert watch.due_ns == before_ns - 10**6, "too long since it was due: it is not counted and nothing moves on"
    assert before_ns <= watch.asked_ns <= watch.got_ns <= watch.released_ns <= after_ns


def test_short_transactions_follow_each_other_and_are_counted(make: Make) -> None:
    slot = Slot()
    watch = make(words_of(slot), counts=True)
    counted = long_ones = waited_ns = held_ns = took_ns = 0
    for number in range(1, 2001):
        if not counted or number % 500 == 0:
            now_ns = time.monotonic_ns()
            watch.start(now_ns, now_ns)
        due_ns, asked_ns = watch.due_ns, watch.asked_ns
        if number % 3 == 0:
            wait_for_ns(2_000)
        watch.got(number)
        is_short = watch.done(number)
        assert is_short is (watch.released_ns - due_ns < BINS << SHIFT)
        if is_short:
            assert watch.due_ns == watch.asked_ns == watch.released_ns
            counted += 1
            waited_ns += watch.got_ns - asked_ns
            held_ns += watch.released_ns - watch.got_ns
            took_ns += watch.released_ns - due_ns
        else:  # the machine was busy elsewhere
            assert (watch.due_ns, watch.asked_ns) == (due_ns, asked_ns)
            long_ones += 1
            watch.start(watch.released_ns, watch.released_ns)
    waits, holds, latencies = watch.take()
    assert counted > 0
    for bins, total_ns in ((waits, waited_ns), (holds, held_ns), (latencies, took_ns)):
        assert (len(bins), sum(bins)) == (BINS, counted)
        lowest_ns = sum(count * number << SHIFT for number, count in enumerate(bins))
        assert lowest_ns <= total_ns < lowest_ns + (counted << SHIFT)
    assert [sum(bins) for bins in watch.take()] == [0, 0, 0], "it begins again"
    assert slot.done == 2000


def test_without_counts_none_is_short(make: Make) -> None:
    watch = make(words_of(Slot()), counts=False)
    now_ns = time.monotonic_ns()
    watch.start(now_ns, now_ns)
    watch.got(1)
    assert watch.done(1) is False
    assert [sum(bins) for bins in watch.take()] == [0, 0, 0]


def test_a_long_one_is_not_counted(make: Make) -> None:
    watch = make(words_of(Slot()), counts=True)
    now_ns = time.monotonic_ns()
    watch.start(now_ns, now_ns)
    watch.got(1)
    wait_for_ns(BINS << SHIFT)
    assert watch.done(1) is False
    assert watch.released_ns - watch.due_ns >= BINS << SHIFT
    assert [sum(bins) for bins in watch.take()] == [0, 0, 0]


def test_the_compiled_one_is_taken_where_there_is_one() -> None:
    watch = create_stopwatch(words_of(Slot()), counts=True)
    assert type(watch) is (stopwatch.CompiledStopwatch or PlainStopwatch)


def test_the_compiled_one_refuses_what_would_crash_it() -> None:
    if stopwatch.CompiledStopwatch is None:
        pytest.skip("not run: sqlwatch was installed without a compiler")
    with pytest.raises(ValueError, match="two aligned 64-bit words"):
        stopwatch.CompiledStopwatch(memoryview(bytearray(8)), counts=True)
    with pytest.raises(BufferError):
        stopwatch.CompiledStopwatch(memoryview(bytes(16)), counts=True)
    watch = stopwatch.CompiledStopwatch(memoryview(bytearray(16)), counts=True)
    with pytest.raises(OverflowError):
        watch.got(2**64)
    with pytest.raises(TypeError):
        watch.done("1")  # type: ignore[arg-type]
