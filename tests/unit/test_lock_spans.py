"""Holds and waits of observed processes: what is kept, how long they are told to be, what others did meanwhile."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.charts.lanes import Cells
from sqlwatch.metrics.lock_spans import KEPT_SPANS, LENGTH_CLASSES, LENGTH_EDGES_NS, LockSpan, SpanKind
from sqlwatch.metrics.lock_story import LANE_CELLS, LANE_PERIOD_NS, LockStory
from sqlwatch.metrics.observations import HeldLooks, HeldRun, LockName, LockSample, Waiter
from sqlwatch.metrics.observed import Lane, Observed
from sqlwatch.metrics.span_meanwhile import holders_during, waiters_during

MS = 1_000_000
S = 1_000 * MS


def run(pid: int, since_ns: int, until_ns: int, *, ongoing: bool = False) -> HeldRun:
    return HeldRun(LockName.WRITE, pid, since_ns, until_ns, ongoing, False)


def sample(at_ns: int, *runs: HeldRun) -> LockSample:
    held = tuple(HeldLooks(LockName.WRITE, one.pid, 1) for one in runs)
    return LockSample(at_ns, at_ns - 100 * MS, 0, 20, 0, held, runs)


def test_a_hold_is_kept_when_two_looks_found_it_and_grows_while_it_goes_on() -> None:
    story = LockStory()
    story.add(sample(100 * MS, run(7, 10 * MS, 10 * MS), run(8, 20 * MS, 45 * MS)))
    assert story.spans(100 * MS) == (LockSpan(8, SpanKind.HELD, 20 * MS, 45 * MS, goes_on=False),)
    story.add(sample(200 * MS, run(7, 150 * MS, 200 * MS, ongoing=True)))
    (_, going) = story.spans(200 * MS)
    assert going == LockSpan(7, SpanKind.HELD, 150 * MS, 200 * MS, goes_on=True)
    story.add(sample(300 * MS, run(7, 150 * MS, 280 * MS)))
    assert story.spans(300 * MS)[1:] == (LockSpan(7, SpanKind.HELD, 150 * MS, 280 * MS, goes_on=False),)


def test_holds_are_counted_by_length_once_they_have_ended() -> None:
    story = LockStory()
    assert story.lengths_of(7) == ()
    lengths_ms = (0, 5, 10, 50, 200, 999, 1_000, 40_000)
    at_ns = 0
    for number, length_ms in enumerate(lengths_ms):
        since_ns, at_ns = at_ns + MS, at_ns + MS + length_ms * MS
        story.add(sample(at_ns + MS, run(7, since_ns, at_ns, ongoing=True)))
        assert sum(story.lengths_of(7)) == number, "one that goes on has no length yet"
        story.add(sample(at_ns + MS, run(7, since_ns, at_ns)))
    assert story.lengths_of(7) == (1, 1, 1, 1, 1, 1, 1, 1)


@given(st.lists(st.integers(0, 5 * S), max_size=60))
def test_every_ended_hold_is_in_the_class_of_its_length(lengths: list[int]) -> None:
    story = LockStory()
    at_ns = 0
    for length_ns in lengths:
        story.add(sample(at_ns + length_ns, run(7, at_ns, at_ns + length_ns)))
        at_ns += length_ns + 1
    expected = [0] * LENGTH_CLASSES
    for length_ns in lengths:
        expected[0 if length_ns == 0 else 1 + sum(length_ns >= edge for edge in LENGTH_EDGES_NS)] += 1
    assert story.lengths_of(7) == (tuple(expected) if lengths else ())


def test_a_wait_ends_when_its_process_got_the_lock_or_sleeps_no_more() -> None:
    story = LockStory()
    for step in range(3):
        story.add_waiters(step * 250 * MS, (Waiter(5, 50 * MS if step == 0 else 100 * MS), Waiter(6, 100 * MS)))
    naps = ((50 * MS, 1), (100 * MS, 2))
    assert story.spans(S)[0] == LockSpan(5, SpanKind.WAITED, 0, 500 * MS, goes_on=True, naps=naps)
    story.add(sample(600 * MS, run(5, 520 * MS, 600 * MS, ongoing=True)))
    assert [span.pid for span in story.spans(S) if span.kind is SpanKind.WAITED and span.goes_on] == [6]
    story.add_waiters(750 * MS, (Waiter(5, MS),))
    story.add_waiters(2 * S, ())
    waits = [span for span in story.spans(2 * S) if span.kind is SpanKind.WAITED]
    assert [(span.pid, span.since_ns, span.until_ns, span.goes_on) for span in waits] == [
        (5, 0, 500 * MS, False), (6, 0, 500 * MS, False), (5, 750 * MS, 750 * MS, False),
    ]  # fmt: skip


def test_a_wait_that_led_to_a_hold_is_there_while_that_goes_on() -> None:
    story = LockStory()
    story.add_waiters(0, (Waiter(5, 100 * MS),))
    story.add_waiters(250 * MS, (Waiter(5, 100 * MS),))
    story.add(sample(400 * MS, run(5, 300 * MS, 400 * MS, ongoing=True)))
    spans = [(span.kind, span.since_ns, span.until_ns, span.goes_on) for span in story.spans(400 * MS)]
    assert spans == [(SpanKind.HELD, 300 * MS, 400 * MS, True), (SpanKind.WAITED, 0, 250 * MS, False)]


def test_a_database_that_goes_away_ends_what_went_on() -> None:
    story = LockStory()
    story.add_waiters(S, (Waiter(5, MS),))
    story.add(sample(S, run(7, S - 50 * MS, S, ongoing=True)))
    story.forget_now()
    assert [(span.pid, span.goes_on) for span in story.spans(S)] == [(5, False)]


def test_the_newest_spans_of_the_last_minute_are_kept() -> None:
    story = LockStory()
    for number in range(KEPT_SPANS + 50):
        story.add(sample((number + 1) * 10 * MS, run(7, number * 10 * MS, number * 10 * MS + 5 * MS)))
    kept = story.spans(0)
    assert len(kept) == KEPT_SPANS
    assert kept[0].since_ns == 500 * MS
    late_ns = kept[-1].until_ns + LANE_CELLS * LANE_PERIOD_NS
    assert story.spans(late_ns) == kept[-1:]
    assert story.spans(late_ns + 1) == ()


def lane(pid: int, *held: float | None) -> Lane:
    return Lane(pid, held, (False,) * len(held))


def test_who_held_the_lock_meanwhile_is_weighed_by_time() -> None:
    lanes = (lane(7, 1.0, 0.5, 0.0, None), lane(8, 0.0, 0.25, 0.0, None), lane(9, 0.0, 0.0, 0.0, None))
    observed = Observed("app.db", 200.0, lane_period_ns=200 * MS, lane_end_ns=800 * MS, lanes=lanes)
    wait = LockSpan(3, SpanKind.WAITED, 100 * MS, 400 * MS, goes_on=False)
    held = holders_during(observed, wait)
    assert held is not None
    assert [one.pid for one in held] == [7, 8]
    assert [one.share for one in held] == pytest.approx([(100 * 1.0 + 200 * 0.5) / 300, 200 * 0.25 / 300], abs=1e-6)
    assert holders_during(observed, msgspec.structs.replace(wait, since_ns=600 * MS, until_ns=700 * MS)) is None
    assert holders_during(observed, msgspec.structs.replace(wait, since_ns=-900 * MS, until_ns=-800 * MS)) is None
    one_look = msgspec.structs.replace(wait, since_ns=50 * MS, until_ns=50 * MS)
    assert holders_during(observed, one_look) == [(7, 1.0)]
    free = msgspec.structs.replace(wait, since_ns=450 * MS, until_ns=500 * MS)
    assert holders_during(observed, free) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 2_400), st.integers(0, 2_400))
def test_shares_meanwhile_lie_between_the_least_and_the_most(shares: list[float], a: int, b: int) -> None:
    observed = Observed(
        "app.db", 200.0, lane_period_ns=200 * MS, lane_end_ns=len(shares) * 200 * MS, lanes=(lane(7, *shares),)
    )
    span = LockSpan(3, SpanKind.WAITED, min(a, b) * MS, max(a, b) * MS, goes_on=False)
    held = holders_during(observed, span)
    if min(a, b) >= len(shares) * 200:
        assert held is None
    elif held:
        assert min(shares) - 1e-9 <= held[0].share <= max(shares) + 1e-9


def test_who_waited_meanwhile_is_added_up_by_process() -> None:
    hold = LockSpan(7, SpanKind.HELD, S, 2 * S, goes_on=False)
    waits = [(8, 0.5, 1.25), (8, 1.5, 1.75), (9, 1.9, 3.0), (10, 2.1, 3.0), (7, 1.0, 1.5), (11, 1.5, 1.5)]
    spans = [LockSpan(pid, SpanKind.WAITED, int(a * S), int(b * S), goes_on=False) for pid, a, b in waits]
    observed = Observed("app.db", 200.0, spans=(*spans, LockSpan(12, SpanKind.HELD, S, 2 * S, goes_on=False)))
    assert waiters_during(observed, hold) == [(8, 500 * MS), (9, 100 * MS), (11, 0)]


@given(
    st.integers(1, 400), st.integers(1, 300), st.sampled_from([10, 30, 60]), st.integers(0, 10_000), st.integers(0, 299)
)
def test_a_moment_lies_in_the_column_that_shows_it(
    end: int, columns: int, window_s: int, back_ms: int, number: int
) -> None:
    cells = Cells(200 * MS, end).before(back_ms * MS)
    column = number % columns
    at_ns = cells.moment_of(column, columns, window_s * S)
    assert cells.column_of(at_ns, columns, window_s * S) == column
    newest_ns = cells.end * cells.period_ns - 1
    assert cells.column_of(newest_ns, columns, window_s * S) == columns - 1
