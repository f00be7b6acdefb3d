import time
from typing import Any
from unittest import mock

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulators import stopwatch
from simulators.events import Batch, Outcome, Role
from simulators.slots import DONE, GOT, Board, Slot, committed, is_holding, words_of
from simulators.stopwatch import PlainStopwatch
from simulators.telemetry import BATCH_NS, EVENT_NS, MAX_EVENTS, Recorder
from simulators.transactions import Transaction


class Queue:
    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def put(self, message: bytes) -> None:
        self.batches.append(msgspec.msgpack.decode(message, type=Batch))


DURATIONS_NS = st.integers(0, 10**4) | st.integers(0, 10**8)
"""Short ones too, for only those are counted by the stopwatch."""


def make() -> tuple[Recorder, Slot, Queue]:
    slot, board, queue = Slot(), Board(batch_ns=BATCH_NS), Queue()
    anything: Any = queue
    watch = PlainStopwatch(words_of(slot), counts=True)
    return Recorder(7, Role.WRITER, 0, 3, slot, board, watch, anything), slot, queue


class Clock:
    """A clock that is set by hand."""

    now_ns = 1_000

    def monotonic_ns(self) -> int:
        return self.now_ns


def commit(recorder: Recorder, slot: Slot, wait_ns: int, hold_ns: int) -> None:
    """Do what the writer does in a transaction."""
    clock, watch, number = Clock(), recorder.stopwatch, slot.done + 1
    with mock.patch.object(stopwatch, "time", clock):
        watch.start(1_000, 1_000)
        clock.now_ns += wait_ns
        watch.got(number)
        clock.now_ns += hold_ns
        is_short = watch.done(number)
    assert is_holding(slot) is False
    assert slot.done == number
    if not is_short:
        got, released = watch.got_ns, watch.released_ns
        recorder.add(Transaction(number, 1_000, 1_000, got, released, released, 0, Outcome.COMMITTED))


@given(st.lists(st.tuples(DURATIONS_NS, DURATIONS_NS), max_size=60))
def test_every_transaction_is_counted_once_in_every_histogram(times: list[tuple[int, int]]) -> None:
    recorder, slot, queue = make()
    for number, (wait_ns, hold_ns) in enumerate(times):
        commit(recorder, slot, wait_ns, hold_ns)
        if number % 7 == 0:
            recorder.send()
    recorder.send()
    assert (
        sum(batch.finished for batch in queue.batches) == sum(batch.committed for batch in queue.batches) == len(times)
    )
    assert sum(batch.rows for batch in queue.batches) == 3 * len(times)
    for name in ("lock_wait", "commit_latency"):
        assert sum(sum(getattr(batch, name).counts) for batch in queue.batches) == len(times)
    assert sum(len(batch.transactions) for batch in queue.batches) == sum(
        wait_ns >= EVENT_NS or hold_ns >= EVENT_NS for wait_ns, hold_ns in times
    )
    total = sum(batch.commit_latency.sum_ns for batch in queue.batches)
    assert abs(total - sum(wait + hold for wait, hold in times)) <= 128 * len(times)
    held = sum(batch.lock_hold.sum_ns for batch in queue.batches)
    assert abs(held - sum(hold for _, hold in times)) <= 128 * len(times)


def test_nothing_to_say_sends_nothing() -> None:
    recorder, _, queue = make()
    recorder.send()
    assert queue.batches == []


def test_failures_are_counted_by_code_and_in_the_slot() -> None:
    recorder, slot, queue = make()
    for outcome in (5, 5, 517, Outcome.WITHDRAWN, Outcome.UNKNOWN, Outcome.WRITER_DIED):
        slot.done += 1
        recorder.add(Transaction(slot.done, 0, 0, 0, 0, 10, 2, outcome))
    recorder.send()
    (batch,) = queue.batches
    assert batch.errors == {5: 2, 517: 1, -2: 1}
    assert (batch.finished, batch.committed, batch.withdrawn, batch.in_doubt) == (6, 0, 1, 1)
    assert (slot.failed, slot.withdrawn, slot.in_doubt, committed(slot)) == (4, 1, 1, 0)
    assert len(batch.transactions) == 6


def test_an_open_loop_is_measured_from_the_intended_and_from_the_actual_start() -> None:
    recorder, slot, queue = make()
    slot.done += 1
    recorder.add(Transaction(1, 1_000, 9_000, 9_500, 10_000, 10_000, 0, Outcome.COMMITTED), started_ns=8_000)
    slot.done += 1
    recorder.add(Transaction(2, 1_000, 9_000, 0, 0, 10_000, 3, 5), started_ns=8_000)
    slot.done += 1
    recorder.add(Transaction(3, 9_000, 9_000, 9_500, 10_000, 10_000, 0, Outcome.COMMITTED))
    recorder.send()
    (batch,) = queue.batches
    assert (batch.commit_latency.sum_ns, batch.commit_latency.max_ns) == (10_000, 9_000)
    assert (batch.service_latency.sum_ns, sum(batch.service_latency.counts)) == (2_000, 1)


def test_a_retry_is_counted_when_it_happens() -> None:
    recorder, _, queue = make()
    recorder.count_retry()
    recorder.count_retry()
    recorder.send()
    assert [batch.busy_retries for batch in queue.batches] == [2]


def test_the_words_of_a_slot_are_its_fields() -> None:
    slot = Slot()
    words = words_of(slot)
    words[GOT] = 2**40
    assert (slot.got, slot.done, is_holding(slot)) == (2**40, 0, True)
    words[DONE] = slot.got
    assert (slot.done, slot.waiting_since_ns, is_holding(slot)) == (2**40, 0, False)


def test_a_batch_is_due_when_the_board_says_so() -> None:
    recorder, _, _ = make()
    began_ns = recorder.next_batch_ns
    recorder.board.batch_ns = 10 * BATCH_NS
    assert recorder.next_batch_ns == began_ns, "the present one is not made longer"
    sent_ns = time.monotonic_ns()
    recorder.send()
    assert 0 <= recorder.next_batch_ns - sent_ns - 10 * BATCH_NS < BATCH_NS


def test_two_batches_fit_into_a_queue_so_that_nobody_waits_for_a_reader() -> None:
    recorder, _, queue = make()
    at_ns = 2**62
    while recorder.next_batch_ns:
        recorder.add(Transaction(at_ns, at_ns, at_ns, at_ns + 1, at_ns + 2, at_ns + 2, 30, Outcome.COMMITTED))
    recorder.send()
    (batch,) = queue.batches
    assert len(batch.transactions) == MAX_EVENTS
    assert len(msgspec.msgpack.encode(batch)) < 2**15
