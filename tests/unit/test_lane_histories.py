"""What always holds of the lock timeline, whatever the workers tell."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.events import Mode
from simulators.transactions import Transaction
from sqlwatch.metrics.lane_picture import picture
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.lanes import Doing
from sqlwatch.metrics.stretches import Stretch
from tests.unit.lane_messages import MS, T0, S, batch, of, ring, transaction


@st.composite
def histories(draw: st.DrawFn) -> LaneRing:
    """Two writers that take one lock in turn, by events and by counted transactions, in batches of any length."""
    lanes = ring(2)
    cursor = 0.0
    sent = {1: 0.0, 2: 0.0}
    numbers = {1: 0, 2: 0}
    pending: dict[int, list[Transaction]] = {1: [], 2: []}
    counted = {1: 0, 2: 0}
    done = {1: 0.0, 2: 0.0}
    for _ in range(draw(st.integers(1, 25))):
        worker = draw(st.sampled_from([1, 2]))
        if draw(st.booleans()):
            numbers[worker] += 1
            counted[worker] += 1
        pause, waits, holds = (draw(st.floats(0, 60)) for _ in range(3))
        asked = draw(st.floats(done[worker], max(cursor + pause, done[worker])))
        got = max(cursor + pause, asked + waits)
        numbers[worker] += 1
        retries = draw(st.integers(0, 9))
        pending[worker].append(transaction(numbers[worker], asked, got, got + holds, retries))
        cursor = done[worker] = got + holds
        if draw(st.booleans()):
            until = cursor + draw(st.floats(0, 10))
            some, hold_us = counted[worker], counted[worker] * 100
            lanes.add_batch(
                batch(worker, sent[worker], until, *pending[worker], counted=some, hold_us=hold_us), Mode.CONTENDED
            )
            sent[worker], pending[worker], counted[worker] = until, [], 0
            cursor = max(cursor, until)
            done[worker] = max(done[worker], draw(st.floats(cursor - 5, cursor)))
    return lanes


@settings(max_examples=60, deadline=None)
@given(histories(), st.floats(-50, 500), st.floats(0.1, 2000))
def test_intervals_never_overlap_and_lie_within_the_stretch(lanes: LaneRing, begin_ms: float, length_ms: float) -> None:
    seen = lanes.freeze(T0 + 4 * S, Mode.CONTENDED)
    from_ns, until_ns = T0 + round(begin_ms * MS), T0 + round((begin_ms + length_ms) * MS)
    for worker in (1, 2):
        pieces = of(seen, worker, from_ns, until_ns)
        assert pieces[0].from_ns == from_ns
        assert pieces[-1].until_ns == until_ns
        assert all(before.until_ns == after.from_ns for before, after in pairwise(pieces))
        assert all(piece.from_ns < piece.until_ns for piece in pieces)
        assert all(0 <= piece.held + piece.asleep + piece.queued <= 1 + 1e-9 for piece in pieces)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_two_workers_never_hold_one_lock_at_once(lanes: LaneRing) -> None:
    seen = lanes.freeze(T0 + 4 * S, Mode.CONTENDED)
    holds = sorted(
        (piece.from_ns, piece.until_ns)
        for worker in (1, 2)
        for piece in of(seen, worker, T0, T0 + 4 * S)
        if piece.doing is Doing.HOLDING
    )
    assert all(before[1] <= after[0] for before, after in pairwise(holds))


@settings(max_examples=60, deadline=None)
@given(histories(), st.integers(1, 100))
def test_columns_say_what_the_intervals_say(lanes: LaneRing, count: int) -> None:
    seen = lanes.freeze(T0 + 4 * S, Mode.CONTENDED)
    stretch = Stretch(T0, 2 * S // count, count)
    drawn = picture(seen, stretch)
    for worker in (1, 2):
        pieces = of(seen, worker, T0, stretch.until_ns)
        held_ns = sum((piece.until_ns - piece.from_ns) * piece.held for piece in pieces)
        columns = drawn.lanes[worker].columns
        assert all(0 <= column.held <= 1 and 0 <= column.asleep <= 1 for column in columns)
        lost_ns = sum(not column.is_known for column in columns) * stretch.column_ns
        assert abs(sum(column.held for column in columns) * stretch.column_ns - held_ns) <= lost_ns + 2
    for lock in drawn.locks:
        both = zip(lock.held, lock.wasted, strict=True)
        assert all(held is None or wasted is None or held + wasted <= 1 + 1e-9 for held, wasted in both)
