"""Waits and holds of which no batch tells yet, on hand-made messages; and what pictures say where they go on."""

from __future__ import annotations

from simulators.events import Mode, Role, WorkerSample, WorkerState
from sqlwatch.metrics.lane_events import event_of, events_of
from sqlwatch.metrics.lane_picture import MOST_EVENTS, picture
from sqlwatch.metrics.open_story import open_story
from sqlwatch.metrics.stretches import Stretch
from tests.unit.lane_messages import LIMIT_NS, MS, T0, S, batch, refused, ring, sample, told, transaction, waits


def test_a_wait_that_goes_on_is_told_as_far_as_it_is_known() -> None:
    lanes = ring(3)
    for at_ms in range(0, 401, 50):
        held = (
            WorkerSample(2, WorkerState.HOLDING, T0 + 200 * MS)
            if at_ms >= 200
            else WorkerSample(2, WorkerState.IDLE, 0)
        )
        waiter = waits(1, 60) if at_ms >= 60 else WorkerSample(1, WorkerState.IDLE, 0)
        lanes.add_sample(sample(at_ms, waiter, held, WorkerSample(3, WorkerState.IDLE, 0)))
    lanes.add_batch(batch(2, 0, 190, transaction(1, 10, 10, 100)), Mode.CONTENDED)
    lanes.add_batch(batch(3, 0, 400, transaction(1, 110, 110, 150)), Mode.CONTENDED)
    seen = lanes.freeze(T0 + 420 * MS, Mode.CONTENDED)
    found = events_of(seen, 1)
    assert [(one.key.number, one.goes_on, one.waited_ns // MS) for one in found] == [(0, True, 340)]
    story = open_story(seen, found[0].key)
    assert story is not None
    assert (story.label, story.got_ns, story.goes_on, story.waited_ns) == ("w1", None, True, 340 * MS)
    assert story.rungs is not None
    assert [sleep.looked_ns // MS for sleep in story.rungs.slept] == [1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, 328]
    assert (story.rungs.sleeps_ns, story.rungs.looks_in_ns) == (100 * MS, 88 * MS)
    assert story.gives_up_in_ns == LIMIT_NS - 340 * MS
    assert story.holders_now == ("w2",)
    meanwhile = story.meanwhile
    assert meanwhile is not None
    assert [(one.label, one.held_ns // MS) for one in meanwhile.holders] == [("w2", 240), ("w3", 40)]
    assert meanwhile.held_ns + meanwhile.free_ns + meanwhile.unknown_ns == 340 * MS
    assert meanwhile.unknown_ns == 10 * MS, "between its batch and its hold nobody saw what w2 did"


def test_an_open_wait_becomes_the_transaction_that_it_was() -> None:
    lanes = ring(1)
    for at_ms in (0, 50, 100):
        lanes.add_sample(sample(at_ms, waits(1, 10)))
    key = events_of(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), 1)[0].key
    assert key.number == 0
    lanes.add_batch(batch(1, 0, 140, transaction(7, 9.9, 130, 135, 6)), Mode.CONTENDED)
    seen = lanes.freeze(T0 + 350 * MS, Mode.CONTENDED)
    found = event_of(seen, key)
    assert found is not None
    assert (found.key.number, found.goes_on) == (7, False)
    assert open_story(seen, key) is None, "there is nothing open about it any more"
    assert [one.key.number for one in events_of(seen, 1)] == [7]


def test_a_hold_that_goes_on_tells_of_the_wait_before_it_and_of_who_waits() -> None:
    lanes = ring(3)
    lanes.add_sample(sample(50, waits(1, 10), waits(2, 40), WorkerSample(3, WorkerState.IDLE, 0)))
    for at_ms in (100, 400):
        held = WorkerSample(1, WorkerState.HOLDING, T0 + 90 * MS)
        lanes.add_sample(sample(at_ms, held, waits(2, 40), waits(3, 80)))
    seen = lanes.freeze(T0 + 410 * MS, Mode.CONTENDED)
    key = events_of(seen, 1)[-1].key
    story = open_story(seen, key)
    assert story is not None
    assert (story.asked_ns, story.got_ns, story.waited_ns) == (T0 + 10 * MS, T0 + 90 * MS, 80 * MS)
    assert [(one.label, one.waited_ns // MS) for one in story.waiters] == [("w2", 360), ("w3", 320)]
    assert story.rungs is None


def test_short_holds_that_samples_happen_to_meet_are_no_long_one() -> None:
    lanes = ring(1)
    for at_ms in range(0, 401, 50):  # since when is what the slot said last, long ago
        lanes.add_sample(sample(at_ms, WorkerSample(1, WorkerState.HOLDING, T0 - 10 * MS)))
    lanes.add_batch(batch(1, 0, 380, counted=5_000, hold_us=300_000), Mode.CONTENDED)
    assert events_of(lanes.freeze(T0 + 600 * MS, Mode.CONTENDED), 1) == []


def test_who_is_killed_in_a_wait_never_tells_of_it() -> None:
    lanes = ring(1)
    for at_ms in (0, 50, 100):
        lanes.add_sample(sample(at_ms, waits(1, 10)))
    lanes.end(1, T0 + 120 * MS)
    seen = lanes.freeze(T0 + 400 * MS, Mode.CONTENDED)
    story = open_story(seen, events_of(seen, 1)[-1].key)
    assert story is not None
    assert (story.goes_on, story.has_ended) == (False, True)
    assert story.waited_ns == 90 * MS
    assert told(seen, 1, 0, 300)[-1][0] == "absent"


def test_a_single_writer_that_holds_for_long_does_not_waste_the_lock() -> None:
    lanes = ring(1)
    lanes.start(3, Role.SINGLE_WRITER, 0)
    for at_ms in range(0, 401, 50):
        held = (
            WorkerSample(3, WorkerState.HOLDING, T0 + 50 * MS) if at_ms >= 50 else WorkerSample(3, WorkerState.IDLE, 0)
        )
        lanes.add_sample(sample(at_ms, waits(1, 0), held))
    seen = picture(lanes.freeze(T0 + 400 * MS, Mode.SINGLE_WRITER), Stretch(T0, 100 * MS, 4))
    assert seen.locks[0].is_exact
    assert seen.locks[0].held == (0.5, 1, 1, 1)
    assert seen.locks[0].wasted == (0.5, 0, 0, 0)
    assert [column.held for column in seen.lanes[3].columns] == [0.5, 1, 1, 1]


def test_a_busy_error_is_seen_also_where_only_sums_are_drawn() -> None:
    lanes = ring(1)
    many = [transaction(number, number, number, number + 0.4) for number in range(1, MOST_EVENTS + 2)]
    failed = refused(MOST_EVENTS + 2, MOST_EVENTS + 5, MOST_EVENTS + 55, 7)
    lanes.add_batch(batch(1, 0, MOST_EVENTS + 60, *many, failed), Mode.CONTENDED)
    columns = picture(lanes.freeze(T0 + 10 * S, Mode.CONTENDED), Stretch(T0, 100 * MS, 13)).lanes[1].columns
    assert [column.failed for column in columns] == [False] * 12 + [True]
