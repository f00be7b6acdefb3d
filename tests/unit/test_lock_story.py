from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics.lock_story import LANE_CELLS, LANE_PERIOD_NS, WAIT_GAP_NS, WINDOW_NS, LockStory
from sqlwatch.metrics.observations import HeldLooks, HeldRun, LockName, LockSample, Waiter

S = 1_000_000_000
TENTH = S // 10


def sample(number: int, *held: tuple[int, int], looks: int = 20, missed: int = 0, runs: tuple[HeldRun, ...] = ()) -> (
    LockSample
):  # fmt: skip
    at_ns = number * TENTH
    counts = tuple(HeldLooks(LockName.WRITE, pid, count) for pid, count in held)
    return LockSample(at_ns, at_ns - TENTH, 0, looks, missed, counts, runs)


def run(pid: int, since_ns: int, until_ns: int, *, ongoing: bool = False, lock: LockName = LockName.WRITE) -> HeldRun:
    return HeldRun(lock, pid, since_ns, until_ns, ongoing, False)


def test_shares_are_of_looks_taken() -> None:
    story = LockStory()
    assert story.utilisation is None
    story.add(sample(1, (7, 5), (8, 3)))
    story.add(sample(2, (7, 5), looks=30, missed=2))
    assert (story.looks, story.missed) == (50, 2)
    assert story.utilisation == 13 / 50
    assert (story.utilisation_of(7), story.utilisation_of(8), story.utilisation_of(9)) == (0.2, 0.06, 0.0)
    assert story.holders == {7, 8}


def test_other_locks_do_not_count_as_the_write_lock() -> None:
    story = LockStory()
    held = (HeldLooks(LockName.CHECKPOINT, 7, 20),)
    story.add(LockSample(TENTH, 0, 0, 20, 0, held, (run(7, 0, TENTH, lock=LockName.CHECKPOINT),)))
    assert story.utilisation == 0.0
    assert story.longest_of_window(TENTH) is None


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20)), min_size=1, max_size=300))
def test_the_window_equals_a_recount_of_its_messages(held: list[tuple[int, int]]) -> None:
    story = LockStory()
    samples = [sample(number + 1, one) for number, one in enumerate(held)]
    for one in samples:
        story.add(one)
    newest_ns = samples[-1].at_ns
    inside = [one for one in samples if one.since_ns >= newest_ns - WINDOW_NS]
    looks = sum(one.looks for one in inside)
    assert story.looks == looks
    for pid in (1, 2, 3):
        counted = sum(part.looks for one in inside for part in one.held if part.pid == pid)
        assert story.utilisation_of(pid) == counted / looks
    assert story.window_ns <= WINDOW_NS


def test_the_longest_hold_of_the_window_and_of_all_time() -> None:
    story = LockStory()
    story.add(sample(10, runs=(run(7, 0, S), run(8, S, S + 5))))
    story.add(sample(20, runs=(run(7, S, S + 100), run(8, 2 * S - 50, 2 * S, ongoing=True))))
    longest = story.longest_of_window(2 * S)
    assert longest == run(7, 0, S)
    assert story.longest_of(8) == run(8, 2 * S - 50, 2 * S, ongoing=True)
    late_ns = S + WINDOW_NS + 50
    story.add(sample(late_ns // TENTH))
    assert story.longest_of_window(late_ns) == run(7, S, S + 100)
    assert story.longest_of(7) == run(7, 0, S)
    assert story.last_held_ns(7) == S + 100


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 50), st.booleans()), min_size=1, max_size=400))
def test_no_stream_of_short_holds_hides_the_longest(holds: list[tuple[int, int, bool]]) -> None:
    story = LockStory()
    now_ns = 0
    runs = []
    for number, (pid, length, _) in enumerate(holds):
        runs.append(run(pid, now_ns, now_ns + length))
        now_ns += length + 1
        story.add(LockSample(now_ns, now_ns - 1, 0, 1, 0, (), (runs[number],)))
    longest = story.longest_of_window(now_ns)
    assert longest is not None
    assert longest.until_ns - longest.since_ns == max(one.until_ns - one.since_ns for one in runs)


def test_a_wait_lasts_until_it_was_not_seen_for_a_while_or_the_lock_was_got() -> None:
    story = LockStory()
    story.add_waiters(S, (Waiter(5, 1000),))
    story.add_waiters(S + WAIT_GAP_NS, (Waiter(5, 1000), Waiter(6, 1000)))
    assert story.waiters == {5: S, 6: S + WAIT_GAP_NS}
    story.add_waiters(S + 2 * WAIT_GAP_NS + 1, (Waiter(6, 1000),))
    assert set(story.waiters) == {6}
    later_ns = S + 3 * WAIT_GAP_NS
    story.add(sample(later_ns // TENTH, (6, 1), runs=(run(6, later_ns - 10, later_ns - 5),)))
    assert story.waiters == {}, "it has got the lock"
    story.add_waiters(later_ns, (Waiter(6, 1000),))
    assert story.waiters == {6: later_ns}
    story.forget_now()
    assert story.waiters == {}
    story.add_waiters(later_ns, None)
    assert story.waiters == {}


def test_lanes_have_a_cell_a_period_and_say_where_nobody_looked() -> None:
    story = LockStory()
    period = LANE_PERIOD_NS
    story.add(LockSample(period, 0, 0, 40, 0, (HeldLooks(LockName.WRITE, 7, 10),)))
    story.add(LockSample(3 * period, 2 * period, 0, 40, 0, (HeldLooks(LockName.WRITE, 7, 40),)))
    story.add_waiters(3 * period, (Waiter(9, 1000),))
    end_ns, lanes = story.lanes(4 * period, {})
    assert end_ns == 4 * period
    assert [(lane.pid, lane.held, lane.waiting) for lane in lanes] == [
        (7, (0.25, None, 1.0), (False, False, False)),
        (9, (0.0, None, 0.0), (False, False, True)),
    ]


def test_lanes_are_a_ring_also_over_a_gap() -> None:
    story = LockStory()
    for number in range(LANE_CELLS + 50):
        story.add(sample(2 * number + 2, (7, 1)))
    _, lanes = story.lanes((LANE_CELLS + 60) * LANE_PERIOD_NS, {})
    assert len(lanes[0].held) <= LANE_CELLS
    story.add(sample(100_000, (8, 1)))
    _, lanes = story.lanes(100_010 * TENTH, {})
    assert [lane.pid for lane in lanes] == [8]
