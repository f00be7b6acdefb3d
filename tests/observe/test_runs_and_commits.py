from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics.observations import Commits, HeldLooks, HeldRun, LockName
from sqlwatch.observe.commits import CommitCounter
from sqlwatch.observe.formats import WalIndex, parse_wal_index
from sqlwatch.observe.runs import RunTracker
from sqlwatch.observe.sampling import SamplingClock

from .images import wal_index

WRITE = LockName.WRITE


def index(changes: int, live: int, salts: bytes = b"saltSALT") -> WalIndex:
    return parse_wal_index(wal_index(changes=changes, live=live, salts=salts))


def counted(counter: CommitCounter, at_ns: int = 100) -> tuple[int, int | None, bool]:
    taken = counter.take(at_ns)
    assert taken is not None
    return taken.commits, taken.frames, taken.is_exact


def test_a_run_ends_with_its_holder_or_a_commit() -> None:
    tracker = RunTracker()
    tracker.add(1, {WRITE: 7})
    tracker.add(2, {WRITE: 7})
    tracker.add(3, {WRITE: 7}, committed=True)
    tracker.add(4, {})
    tracker.add(5, {WRITE: 8})
    assert tracker.since(WRITE, 8) == (5, False)
    assert tracker.since(WRITE, 7) is None
    looks, held, runs = tracker.take()
    assert looks == 5
    assert {(h.pid, h.looks) for h in held} == {(7, 3), (8, 1)}
    assert runs == (
        HeldRun(WRITE, 7, 1, 2, is_ongoing=False, is_lower_bound=True),
        HeldRun(WRITE, 7, 3, 3, is_ongoing=False, is_lower_bound=False),
        HeldRun(WRITE, 8, 5, 5, is_ongoing=True, is_lower_bound=False),
    )
    tracker.add(6, {WRITE: 8})
    looks, held, runs = tracker.take()
    assert (looks, held) == (1, (HeldLooks(WRITE, 8, 1),))
    assert runs == (HeldRun(WRITE, 8, 5, 6, is_ongoing=True, is_lower_bound=False),)
    tracker.restart()
    assert tracker.take()[2] == (HeldRun(WRITE, 8, 5, 6, is_ongoing=False, is_lower_bound=False),)
    tracker.add(7, {WRITE: 8})
    assert tracker.since(WRITE, 8) == (7, True)


@given(st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.booleans()), max_size=60), st.integers(1, 9))
def test_every_look_is_in_exactly_one_run(steps: list[tuple[int | None, bool]], every: int) -> None:
    tracker = RunTracker()
    ended: list[HeldRun] = []
    ongoing: tuple[HeldRun, ...] = ()
    counts: Counter[int] = Counter()
    looks = 0
    for at_ns, (pid, committed) in enumerate(steps):
        tracker.add(at_ns, {} if pid is None else {WRITE: pid}, committed=committed)
        if at_ns % every == 0 or at_ns == len(steps) - 1:
            taken, held, runs = tracker.take()
            looks += taken
            counts.update({h.pid: h.looks for h in held})
            ended += [run for run in runs if not run.is_ongoing]
            ongoing = tuple(run for run in runs if run.is_ongoing)
    covered = Counter[int]()
    for run in (*ended, *ongoing):
        covered[run.pid] += run.until_ns - run.since_ns + 1
    assert looks == len(steps)
    assert +covered == +counts == Counter(pid for pid, _ in steps if pid is not None)


def test_commits_and_frames_of_a_wal() -> None:
    counter = CommitCounter(0)
    assert not counter.add_wal(1, index(10, 100))
    assert counter.add_wal(1, index(13, 106))
    assert not counter.add_wal(1, index(13, 106))
    assert counted(counter) == (3, 6, True)
    counter.add_wal(1, index(14, 2, b"newSALTS"))
    assert counted(counter) == (1, 2, True)
    counter.add_wal(1, None)
    assert counter.take(1) is None, "nothing could be read: unknown, not 0"
    counter.add_wal(1, index(20, 9, b"newSALTS"))
    assert counted(counter) == (6, 7, True)


def test_recovery_and_a_new_shm_are_not_exact() -> None:
    counter = CommitCounter(0)
    counter.add_wal(1, index(10, 100))
    counter.add_wal(1, index(2, 101))
    assert counted(counter) == (2, 1, False)
    counter.add_wal(2, index(4, 3, b"other123"))
    assert counted(counter) == (4, 3, False)


def test_a_wal_that_appears_later_counts_from_its_beginning() -> None:
    counter = CommitCounter(0)
    counter.add_wal(0, None)
    counter.add_wal(1, index(5, 5))
    assert counted(counter) == (5, 5, False)


def test_the_change_counter_wraps() -> None:
    counter = CommitCounter(0)
    counter.add_rollback(0xFFFFFFFE)
    counter.add_rollback(1)
    assert counted(counter) == (3, None, True)
    counter.add_rollback(2, is_exact=False)
    assert counted(counter) == (1, None, False)


def test_a_change_of_journal_mode_is_not_exact() -> None:
    counter = CommitCounter(0)
    counter.add_wal(1, index(5, 5))
    counter.add_rollback(9)
    counter.add_rollback(10)
    assert counted(counter) == (1, 0, False)


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 2**32 - 1))
def test_no_commit_is_lost_or_counted_twice(steps: list[int], first: int) -> None:
    counter = CommitCounter(0)
    changes = first
    counter.add_wal(1, index(changes, 1))
    taken: list[Commits] = []
    for number, step in enumerate(steps):
        changes = (changes + step) % 2**32
        assert counter.add_wal(1, index(changes, 1)) is (step > 0)
        if number % 3 == 0:
            message = counter.take(number)
            assert message is not None
            taken.append(message)
    last = counter.take(99)
    taken += [last] if last is not None else []
    assert sum(message.commits for message in taken) == sum(steps)
    assert all(message.is_exact for message in taken)


@given(st.lists(st.integers(0, 40_000_000), max_size=50))
def test_the_clock_is_due_once_a_period_and_counts_what_it_missed(delays_ns: list[int]) -> None:
    clock = SamplingClock(200, 0)
    period_ns = 5_000_000
    now_ns = 0
    periods: list[int] = []
    missed = 0
    for delay_ns in delays_ns:
        due_ns, passed = clock.next_ns(now_ns)
        periods.append(due_ns // period_ns)
        missed += passed
        assert due_ns + period_ns > now_ns
        now_ns = max(now_ns, due_ns) + delay_ns
    assert periods == sorted(set(periods)), "at most one look in each period"
    assert not periods or missed == periods[-1] + 1 - len(periods)
