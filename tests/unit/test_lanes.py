"""The lock timeline on hand-made messages: every interval can be worked out on paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.busy import LADDER_MS
from simulators.events import Checkpoint, Mode, Role, SlotSample, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
from sqlwatch.metrics import lane_ring
from sqlwatch.metrics.ladder import DELAYS_MS, delays_of
from sqlwatch.metrics.lane_picture import MOST_EVENTS, picture
from sqlwatch.metrics.lane_ring import KEPT_TRANSACTIONS, LaneRing
from sqlwatch.metrics.lanes import KEPT_NS, Doing
from sqlwatch.metrics.lock_columns import looks_within
from sqlwatch.metrics.stretches import Stretch
from sqlwatch.metrics.wait_story import wait_story
from tests.unit.lane_messages import MS, T0, S, batch, of, refused, ring, sample, told, transaction


def test_the_ladder_is_the_one_that_the_workers_sleep() -> None:
    assert DELAYS_MS == LADDER_MS


def test_where_every_transaction_is_an_event_the_lane_is_exact() -> None:
    lanes = ring()
    lanes.add_batch(
        batch(1, 0, 80, transaction(1, 10, 20, 22, 3), transaction(2, 40, 40.5, 43)), Mode.CONTENDED
    )  # fmt: skip
    seen = lanes.freeze(T0 + 200 * MS, Mode.CONTENDED)
    assert told(seen, 1, 0, 80) == [
        ("idle", 0, 10), ("asleep", 10, 20), ("holding", 20, 22), ("idle", 22, 40), ("queued", 40, 40.5),
        ("holding", 40.5, 43), ("idle", 43, 80),
    ]  # fmt: skip
    assert all(piece.is_exact for piece in of(seen, 1, T0, T0 + 80 * MS))


def test_counted_transactions_are_a_share_and_no_bars() -> None:
    lanes = ring()
    # Nine short transactions, 4 before the event and 5 after it, held for 18 ms together.
    lanes.add_batch(batch(1, 0, 80, transaction(5, 30, 40, 50, 4), counted=9, hold_us=18_000), Mode.CONTENDED)
    pieces = of(lanes.freeze(T0 + 200 * MS, Mode.CONTENDED), 1, T0, T0 + 80 * MS)
    assert [piece.doing for piece in pieces] == [Doing.MIXED, Doing.ASLEEP, Doing.HOLDING, Doing.MIXED]
    assert [round(piece.held, 3) for piece in pieces] == [round(8 / 30, 3), 0, 1, round(10 / 30, 3)]
    assert [piece.is_exact for piece in pieces] == [False, True, True, False]


def test_a_wait_that_goes_over_batches_and_one_that_still_goes_on() -> None:
    lanes = ring()
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    waiting = WorkerSample(1, WorkerState.WAITING, T0 + 60 * MS)
    lanes.add_sample(sample(100, waiting))
    lanes.add_sample(sample(150, waiting))
    seen = lanes.freeze(T0 + 150 * MS, Mode.CONTENDED)
    assert told(seen, 1, 0, 150)[2:] == [("idle", 12, 60), ("asleep", 60, 150)]
    lanes.add_batch(batch(1, 160, 260, transaction(2, 59.9, 238, 240, 10)), Mode.CONTENDED)
    seen = lanes.freeze(T0 + 300 * MS, Mode.CONTENDED)
    assert told(seen, 1, 12, 260) == [
        ("idle", 12, 59.9),
        ("asleep", 59.9, 238),
        ("holding", 238, 240),
        ("idle", 240, 260),
    ]


def test_a_sampled_hold_is_no_longer_than_it_was_seen() -> None:
    lanes = ring()
    lanes.add_sample(sample(0, WorkerSample(1, WorkerState.IDLE, 0)))
    lanes.add_sample(sample(50, WorkerSample(1, WorkerState.HOLDING, T0 + 49 * MS)))
    lanes.add_sample(sample(100, WorkerSample(1, WorkerState.WAITING, T0 + 90 * MS)))
    seen = lanes.freeze(T0 + 100 * MS, Mode.CONTENDED)
    held = [piece for piece in of(seen, 1, T0, T0 + 100 * MS) if piece.doing is Doing.HOLDING]
    assert [(piece.from_ns - T0, piece.until_ns - T0, piece.is_exact) for piece in held] == [(49 * MS, 50 * MS, False)]


def test_who_rests_is_absent_and_not_idle() -> None:
    lanes = ring()
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    lanes.add_sample(sample(100, WorkerSample(1, WorkerState.PARKED, 0)))
    lanes.add_sample(sample(500, WorkerSample(1, WorkerState.PARKED, 0)))
    lanes.add_batch(batch(1, 80, 600, transaction(2, 550, 550, 552)), Mode.CONTENDED)
    seen = told(lanes.freeze(T0 + 700 * MS, Mode.CONTENDED), 1, 80, 600)
    assert seen == [
        ("absent", 80, 100), ("absent", 100, 500), ("idle", 500, 550), ("holding", 550, 552), ("idle", 552, 600),
    ]  # fmt: skip


def test_while_all_rest_nothing_is_known_of_the_lock() -> None:
    lanes = ring(1)
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    lanes.add_sample(sample(80, WorkerSample(1, WorkerState.PARKED, 0)))
    lanes.add_sample(sample(500, WorkerSample(1, WorkerState.PARKED, 0)))
    lock = picture(lanes.freeze(T0 + 700 * MS, Mode.CONTENDED), Stretch(T0, 40 * MS, 4)).locks[0]
    assert lock.held == (0.05, 0, None, None)
    assert lock.wasted == (0, 0, None, None)


def looked(at_ms: float, *states: WorkerState) -> SlotSample:
    return sample(at_ms, *(WorkerSample(number, state, 0) for number, state in enumerate(states, 1)), held=5)


def test_while_all_rest_the_lanes_end_where_the_work_did_and_go_on_once_its_new_beginning_is_told() -> None:
    idle, parked, starting = WorkerState.IDLE, WorkerState.PARKED, WorkerState.STARTING
    lanes = ring()

    def newest_ms(now_ms: float) -> float:
        return (lanes.freeze(T0 + round(now_ms * MS), Mode.CONTENDED).newest_ns - T0) / MS

    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    lanes.add_sample(looked(50, idle, idle))
    lanes.add_sample(looked(100, parked, idle))
    assert newest_ms(310) == 110, "somebody works still"
    lanes.add_sample(looked(300, parked, idle))
    lanes.add_sample(looked(350, parked, parked))
    assert newest_ms(400) == 200, "what is on its way is waited for"
    assert newest_ms(5_000) == 300, "seen at work for the last time"
    lanes.add_batch(batch(2, 0, 330, transaction(1, 310, 310, 320)), Mode.CONTENDED)
    lanes.add_sample(looked(5_000, parked, parked))
    lanes.start(3, Role.WRITER, 0)
    lanes.add_sample(looked(6_000, parked, parked, starting))
    assert newest_ms(60_000) == 330, "a batch told of more, and a new worker has done nothing"
    kept = lanes.freeze(T0 + 60 * S, Mode.CONTENDED)
    assert told(kept, 1, 0, 80) == [("idle", 0, 10), ("holding", 10, 12), ("idle", 12, 80)], "nothing is forgotten"
    lanes.add_sample(looked(70_000, idle, parked, parked))
    assert newest_ms(70_100) == 330
    assert newest_ms(70_300) == 70_100


@pytest.mark.parametrize("newcomers", [0, lane_ring.ENDED_LANES + 2])
def test_where_only_those_are_left_who_have_long_rested_the_lanes_do_not_go_back(newcomers: int) -> None:
    lanes = ring(1)
    lanes.start(2, Role.SINGLE_WRITER, 0)
    idle, parked = WorkerState.IDLE, WorkerState.PARKED
    lanes.add_sample(looked(50, idle, idle))
    for at_ms in range(100, 5_000, 50):
        lanes.add_batch(
            batch(1, at_ms - 50, at_ms, transaction(at_ms, at_ms - 40, at_ms - 40, at_ms - 20)), Mode.CONTENDED
        )
        lanes.add_sample(looked(at_ms, idle, parked))
    lanes.end(1, T0 + 4_970 * MS)
    lanes.add_sample(sample(5_000, WorkerSample(2, parked, 0)))
    assert lanes.freeze(T0 + 5 * S, Mode.CONTENDED).newest_ns == T0 + 4_800 * MS
    kept = lanes.freeze(T0 + 9 * S, Mode.CONTENDED)
    assert kept.newest_ns == T0 + 4_950 * MS, "its end is no work"
    for number in range(newcomers):
        lanes.start(10 + number, Role.WRITER, 0)
        lanes.end(10 + number, T0 + 9 * S)
    lanes.add_sample(sample(9_000, WorkerSample(2, parked, 0)))
    assert lanes.freeze(T0 + 10 * S, Mode.CONTENDED).newest_ns == kept.newest_ns


def test_the_lanes_of_a_rest_are_those_of_the_mode_before_it() -> None:
    idle, parked = WorkerState.IDLE, WorkerState.PARKED
    lanes = ring()
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    lanes.add_sample(looked(100, idle, idle))
    lanes.add_sample(looked(150, parked, parked))
    for now_ms in (500, 900):
        kept = lanes.freeze(T0 + now_ms * MS, Mode.SINGLE_WRITER)
        assert kept.mode is Mode.CONTENDED
        assert kept.modes_in(T0, kept.newest_ns) == {Mode.CONTENDED}
    lanes.add_sample(looked(950, parked, parked))
    lanes.add_sample(looked(1_000, idle, idle))
    lanes.add_batch(batch(1, 1_000, 1_080, transaction(2, 1_010, 1_010, 1_012)), Mode.SINGLE_WRITER)
    assert lanes.freeze(T0 + 1_100 * MS, Mode.SINGLE_WRITER).mode is Mode.CONTENDED, "the lanes are not there yet"
    later = lanes.freeze(T0 + 1_400 * MS, Mode.SINGLE_WRITER)
    assert later.mode is Mode.SINGLE_WRITER
    assert later.modes_in(T0, T0 + 500 * MS) == {Mode.CONTENDED}
    assert later.modes_in(T0, later.newest_ns) == {Mode.CONTENDED, Mode.SINGLE_WRITER}
    assert later.modes_in(T0 + 1_000 * MS, T0 + 1_100 * MS) == {Mode.SINGLE_WRITER}
    for end_ms in (500, 1_080):
        assert picture(later, Stretch(T0, end_ms * MS // 10, 10)).lanes[1].held is not None
    assert picture(later, Stretch(T0 + 1_000 * MS, 8 * MS, 10)).lanes[1].held is None


def test_a_long_rest_pushes_no_looks_out() -> None:
    lanes = ring(1)
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12)), Mode.CONTENDED)
    for at_ms in (50, 100):
        lanes.add_sample(looked(at_ms, WorkerState.IDLE))
    for at_ms in range(150, 5_000_000, 5_000):
        lanes.add_sample(looked(at_ms, WorkerState.PARKED))
    lanes.add_sample(looked(5_000_050, WorkerState.IDLE))
    seen = [((look.at_ns - T0) / MS, look.looks) for look in lanes.freeze(T0 + 5_001 * S, Mode.CONTENDED).looks]
    assert seen == [(50, 10), (100, 10), (150, 10), (4_995_150, 0), (5_000_050, 10)]


def test_a_checkpoint_is_cut_out_of_what_is_no_wait() -> None:
    lanes = ring()
    ran = Checkpoint(T0 + 20 * MS, T0 + 30 * MS, 100, 100, 0)
    lanes.add_batch(batch(1, 0, 80, transaction(1, 10, 10, 12), checkpoints=(ran,)), Mode.CONTENDED)
    seen = told(lanes.freeze(T0 + 200 * MS, Mode.CONTENDED), 1, 12, 80)
    assert seen == [("idle", 12, 20), ("checkpointing", 20, 30), ("idle", 30, 80)]


def test_the_lock_is_wasted_while_it_is_free_and_somebody_sleeps() -> None:
    lanes = ring()
    lanes.add_batch(batch(1, 0, 100, transaction(1, 10, 10, 20)), Mode.CONTENDED)
    lanes.add_batch(batch(2, 0, 100, transaction(1, 12, 45, 50, 5)), Mode.CONTENDED)
    seen = picture(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), Stretch(T0, 10 * MS, 10))
    lock = seen.locks[0]
    assert lock.is_exact
    assert lock.held == (0, 1, 0, 0, 0.5, 0, 0, 0, 0, 0)
    assert lock.wasted == (0, 0, 1, 1, 0.5, 0, 0, 0, 0, 0)
    assert seen.wasted == 0.25
    columns = seen.lanes[2].columns
    assert [column.asleep for column in columns[1:5]] == [0.8, 1, 1, 0.5]
    assert [column.looked for column in columns[:5]] == [False, True, True, True, False]
    assert seen.lanes[1].held == 0.1
    assert seen.lanes[2].held == 0.05


def test_a_worker_that_reads_the_clock_late_does_not_hold_the_lock_of_the_next() -> None:
    lanes = ring()
    lanes.add_batch(batch(1, 0, 100, transaction(1, 10, 10, 25)), Mode.CONTENDED)
    lanes.add_batch(batch(2, 0, 100, transaction(1, 12, 20, 30, 3)), Mode.CONTENDED)
    lock = picture(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), Stretch(T0, 100 * MS, 1)).locks[0]
    assert lock.held == (0.2,)


def test_where_transactions_are_counted_the_lock_is_sampled() -> None:
    lanes = ring()
    for at in range(0, 501, 50):
        lanes.add_sample(sample(at, held=6, wasted=3))
    lanes.add_batch(batch(1, 0, 500, counted=10_000, hold_us=300_000), Mode.CONTENDED)
    seen = picture(lanes.freeze(T0 + 700 * MS, Mode.CONTENDED), Stretch(T0, 100 * MS, 5))
    assert not seen.is_exact
    assert {round(share or 0, 9) for share in seen.locks[0].held} == {0.6}
    assert {round(share or 0, 9) for share in seen.locks[0].wasted} == {0.3}
    assert {round(column.held, 9) for column in seen.lanes[1].columns} == {0.6}
    assert not any(column.is_exact for column in seen.lanes[1].columns)


def test_a_sampled_lock_is_not_held_less_than_its_writers_tell() -> None:
    lanes = ring()
    for at in range(0, 501, 50):
        lanes.add_sample(sample(at, held=0, wasted=0))
    lanes.add_batch(batch(1, 0, 500, counted=10_000, hold_us=5_000), Mode.CONTENDED)
    frozen = lanes.freeze(T0 + 700 * MS, Mode.CONTENDED)
    stretch = Stretch(T0, 100 * MS, 5)
    seen = picture(frozen, stretch)
    assert seen.locks[0].held_share == 0, "no look met a hold"
    assert seen.held_share(0) == pytest.approx(0.01) == seen.lanes[1].held
    assert picture(frozen, stretch, workers=()).held_share(0) == 0, "nobody told"
    assert looks_within(frozen, stretch) == sum(look.looks for look in frozen.looks if look.at_ns > T0)


def test_the_single_writer_holds_and_its_clients_wait_in_its_queue() -> None:
    lanes = ring()
    lanes.start(3, Role.SINGLE_WRITER, 0)
    lanes.add_batch(batch(1, 0, 80, transaction(1, 0, 10, 20)), Mode.SINGLE_WRITER)
    lanes.add_batch(batch(2, 0, 80, transaction(1, 5, 20, 30)), Mode.SINGLE_WRITER)
    lanes.add_batch(batch(3, 0, 80, role=Role.SINGLE_WRITER, groups=2, hold_us=20_000), Mode.SINGLE_WRITER)
    seen = picture(lanes.freeze(T0 + 300 * MS, Mode.SINGLE_WRITER), Stretch(T0, 10 * MS, 8))
    assert [column.held for column in seen.lanes[3].columns] == [0, 1, 1, 0, 0, 0, 0, 0]
    assert [column.queued for column in seen.lanes[2].columns] == [0.5, 1, 1, 0, 0, 0, 0, 0]
    assert seen.lanes[1].held is None
    assert seen.locks[0].held == (0, 1, 1, 0, 0, 0, 0, 0)
    assert seen.locks[0].wasted == (1, 0, 0, 0, 0, 0, 0, 0)


def test_a_busy_error_is_in_the_column_in_which_it_came() -> None:
    lanes = ring()
    lanes.add_batch(batch(1, 0, 80, refused(1, 5, 55, 7)), Mode.CONTENDED)
    columns = picture(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), Stretch(T0, 10 * MS, 8)).lanes[1].columns
    assert [column.failed for column in columns] == [False] * 5 + [True] + [False] * 2


def test_the_story_of_a_wait_adds_up() -> None:
    lanes = ring(3)
    lanes.add_batch(batch(1, 0, 100, transaction(1, 0, 36, 38, 5)), Mode.CONTENDED)
    lanes.add_batch(batch(2, 0, 100, transaction(1, 0, 0, 6), transaction(2, 20, 20, 26)), Mode.CONTENDED)
    lanes.add_batch(batch(3, 0, 100, transaction(1, 6, 6, 10), transaction(4, 30, 30, 31), counted=2), Mode.CONTENDED)
    story = wait_story(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), 1, 1)
    assert story is not None
    assert story.waited_ns == 36 * MS
    holders = [(one.label, one.times, one.held_ns / MS) for one in story.meanwhile.holders]
    assert holders == [("w2", 2, 12), ("w3", 2, 5)]
    assert story.meanwhile.unknown_ns == 14 * MS, "two counted transactions of w3 lie somewhere between 10 and 30 ms"
    assert story.meanwhile.free_ns == (36 - 12 - 5 - 14) * MS
    assert story.sleeps is not None
    assert [sleep.slept_ns // MS for sleep in story.sleeps] == [1, 2, 5, 10, 15]
    assert story.sleeps[-1].looked_ns == story.waited_ns, "the last look is the one that got it"
    assert wait_story(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), 1, 99) is None


def test_the_last_sleep_before_a_busy_error_is_what_is_left_of_the_limit() -> None:
    lanes = LaneRing(1, delays_of(BusyPolicy.parse("timeout:50")), 50 * MS)
    lanes.start(1, Role.WRITER, 0)
    lanes.add_batch(batch(1, 0, 100, refused(1, 0, 50.4, 7)), Mode.CONTENDED)
    story = wait_story(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), 1, 1)
    assert story is not None
    assert story.sleeps is not None
    assert [sleep.slept_ns // MS for sleep in story.sleeps] == [1, 2, 5, 10, 15, 17]
    assert story.sleeps[-1].looked_ns == 50 * MS


def test_random_delays_are_unknown() -> None:
    lanes = ring(policy="backoff:1:100")
    lanes.add_batch(batch(1, 0, 100, transaction(1, 0, 36, 38, 5)), Mode.CONTENDED)
    story = wait_story(lanes.freeze(T0 + 300 * MS, Mode.CONTENDED), 1, 1)
    assert story is not None
    assert story.sleeps is None


def test_the_rings_are_bounded_and_old_chunks_keep_their_sums() -> None:
    lanes = ring(1)
    number = 0
    for second in range(60):
        many = []
        for index in range(1_000):
            number += 1
            many.append(
                transaction(number, second * 1000 + index, second * 1000 + index + 0.5, second * 1000 + index + 1)
            )
        lanes.add_batch(batch(1, second * 1000, second * 1000 + 1000, *many), Mode.CONTENDED)
    seen = lanes.freeze(T0 + 60 * S, Mode.CONTENDED)
    chunks = seen.lanes[0].chunks
    assert sum(len(chunk.transactions) for chunk in chunks) <= KEPT_TRANSACTIONS
    assert chunks[0].until_ns >= T0 + 60 * S - KEPT_NS
    columns = picture(seen, Stretch(T0 + 30 * S, S, 29)).lanes[1].columns
    assert {round(column.held, 3) for column in columns} == {0.5}
    assert {round(column.queued, 3) for column in columns} == {0.5}


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(90, 9_000), st.booleans()), max_size=80))
def test_the_oldest_events_of_all_lanes_lose_their_times_first(steps: list[tuple[int, int, int, bool]]) -> None:
    lanes = LaneRing(1, None, 0)
    present: dict[int, int] = {}
    at_ms = 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lane_ring, "KEPT_TRANSACTIONS", 12)
        patched.setattr(lane_ring, "ENDED_LANES", 1)
        for step, (who, count, later_ms, ends) in enumerate(steps):
            at_ms += later_ms
            if who not in present:
                present[who] = 10 * step + who
                lanes.start(present[who], Role.WRITER, 0)
            events = [transaction(10 * step + index, at_ms, at_ms + 1, at_ms + 2) for index in range(count)]
            lanes.add_batch(batch(present[who], at_ms, at_ms + 90, *events, counted=1), Mode.CONTENDED)
            if ends:
                lanes.end(present.pop(who), T0 + at_ms * MS)
            seen = [chunk for lane in lanes.freeze(T0 + at_ms * MS, Mode.CONTENDED).lanes for chunk in lane.chunks]
            assert sum(len(chunk.transactions) for chunk in seen) <= 12
            with_times = [chunk.until_ns for chunk in seen if chunk.transactions]
            stripped = [chunk.until_ns for chunk in seen if not chunk.has_events]
            assert not with_times or max(stripped, default=0) <= min(with_times)


def test_more_events_than_a_screen_can_tell_apart_are_shares() -> None:
    lanes = ring(1)
    many = [transaction(number, number, number + 0.5, number + 1) for number in range(1, MOST_EVENTS + 2)]
    lanes.add_batch(batch(1, 0, MOST_EVENTS + 2, *many), Mode.CONTENDED)
    seen = lanes.freeze(T0 + 10 * S, Mode.CONTENDED)
    assert not picture(seen, Stretch(T0, 100 * MS, 10)).is_exact
