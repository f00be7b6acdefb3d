"""The headline says what is happening, from figures, and the most pressing thing wins."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Mode, Role, WorkerState
from sqlwatch.diagnose import headline
from sqlwatch.metrics.snapshot import Mark, MarkKind, Period, Pin, Snapshot, Status, Timeline, Wal, Worker
from tests.report.make import MS, PERIODS, SECOND, histogram, make_period, make_snapshot, make_worker


def words(window: Period, **changes: Any) -> str:
    return headline(make_snapshot(window, **changes))


def waiting(number: int, wait_ns: int, committed: int = 0, **changes: Any) -> Worker:
    return make_worker(number, committed, state=WorkerState.WAITING, current_wait_ns=wait_ns, **changes)


def starving(lucky_commits: list[int], unlucky: int, wait_ns: int = 3 * SECOND) -> Period:
    """Some writers that commit, from number 1, and some that have waited long."""
    lucky = [make_worker(number, commits) for number, commits in enumerate(lucky_commits, start=1)]
    first = len(lucky) + 1
    rest = [waiting(number, wait_ns, starved=True) for number in range(first, first + unlucky)]
    return make_period(workers=(*lucky, *rest), committed=sum(lucky_commits))


def test_one_takes_every_turn() -> None:
    assert words(starving([500], 7)) == "7 of 8 writers have waited over 3 s: worker 1 takes every turn"
    assert words(starving([970, 30], 6)).endswith(
        "6 of 8 writers have waited over 3 s: worker 1 takes nearly every turn"
    )


def test_over_is_true_of_all_who_wait() -> None:
    period = make_period(
        workers=(make_worker(1), waiting(2, 1_900 * MS, starved=True), waiting(3, 9 * SECOND, starved=True))
    )
    assert words(period).startswith("2 of 3 writers have waited over 1 s:")


@pytest.mark.parametrize(
    ("lucky", "said"),
    [
        ([70, 30], "worker 1 took 70% of the turns in the last 10s"),
        ([40, 30, 30], "3 others take the turns"),
        ([0], "nobody has committed in the last 10s"),
    ],
)
def test_who_takes_the_turns(lucky: list[int], said: str) -> None:
    assert words(starving(lucky, 2)).endswith(said)


def test_a_single_starved_writer_is_named() -> None:
    assert words(starving([40, 30, 30], 1)).startswith("worker 4 has waited over 3 s: ")


def test_wasted_lock_time_is_explained() -> None:
    period = make_period(wasted_lock_time=0.37, lock_wait=histogram(131 * MS))
    assert words(period) == (
        "the lock is free 37% of the time while somebody waits: "
        "waiters sleep in their backoff (last 10s, p99 wait 131ms)"
    )
    assert "the mutex wakes the next one late" in words(msgspec.structs.replace(period, mode=Mode.MUTEX))


def test_a_sampled_share_needs_samples() -> None:
    assert "free" not in words(make_period(wasted_lock_time=0.37, looks=20))


def queue(depth: int, **changes: Any) -> Period:
    single = make_worker(9, 0, Role.SINGLE_WRITER, queue_depth=depth)
    latency = histogram(10 * MS)
    return make_period(Mode.SINGLE_WRITER, workers=(make_worker(1), single), commit_latency=latency, **changes)


def test_the_queue() -> None:
    assert words(queue(5, groups=40)) == "one writer serves a queue of 5: every request waits its turn (p99 10ms)"
    assert words(queue(0)) == "one writer serves 1 writer, and nobody queues now (p99 10ms)"
    assert "commits 4.0 requests at once" in words(queue(5, groups=10))


def test_the_queue_says_what_it_is_worth_against_the_contended_phase() -> None:
    contended = make_period(committed=2_000, wasted_lock_time=0.23)
    snapshot = make_snapshot(queue(5, groups=0, committed=3_000, wasted_lock_time=0.05))
    simulation = msgspec.structs.replace(snapshot.simulation, ended_phases=(contended,))
    assert headline(msgspec.structs.replace(snapshot, simulation=simulation)) == (
        "1.50x the commits of contended: one writer serves a queue of 5, and nobody sleeps while the lock is free "
        "(wasted 5.0%, was 23%; p99 10ms)"
    )
    slow = msgspec.structs.replace(contended, committed=9_000, wasted_lock_time=0.0)
    simulation = msgspec.structs.replace(simulation, ended_phases=(slow,))
    assert headline(msgspec.structs.replace(snapshot, simulation=simulation)) == (
        "0.33x the commits of contended: one writer serves a queue of 5: every request waits its turn (p99 10ms)"
    )


def test_the_mutex() -> None:
    period = make_period(Mode.MUTEX, workers=(make_worker(1), waiting(2, 5 * MS, 10)), lock_wait=histogram(9 * MS))
    assert words(period) == "1 of 2 writers waits for the mutex, asleep until it is free (p99 wait 9.0ms)"


def test_busy_errors_by_their_cause() -> None:
    errors = {"finished": 100, "busy_errors": 25}
    assert words(make_period(**errors, given_up_waits=histogram(2 * SECOND))) == (
        "25 busy errors in the last 10s, 25% of all transactions: writers give up after waiting for up to 2.0s"
    )
    assert words(make_period(**errors)).endswith("the lock is taken, and they do not wait for it")
    assert words(make_period(**errors, busy_snapshot_errors=20)).endswith("(SQLITE_BUSY_SNAPSHOT)")


def test_other_errors() -> None:
    assert words(make_period(other_errors=1)).startswith("1 transaction failed in the last 10s")


def test_a_hold_under_way() -> None:
    holder = make_worker(3, state=WorkerState.HOLDING, state_for_ns=2_300 * MS)
    period = make_period(workers=(waiting(1, MS), waiting(2, MS), holder))
    assert words(period) == "worker 3 has held the write lock for 2.3s by now; 2 wait for it"


def test_a_pinned_wal() -> None:
    wal = Wal(backlog_frames=4_321, pins=(Pin(1, 77, 5 * SECOND, 4242),))
    assert words(make_period(), wal=wal) == (
        "the WAL is pinned: process 4242 has kept its snapshot at frame 77 for over 5 s; 4,321 frames wait to be copied"
    )


def test_a_death_is_news_for_a_while() -> None:
    def after(seconds: int) -> str:
        mark = Mark((100 - seconds) * SECOND, MarkKind.WORKER_EXIT, "writer 3 (pid 4003): signal 9")
        return words(make_period(), timeline=Timeline(SECOND, 100 * SECOND, marks=(mark,)))

    assert after(1) == "writer 3 (pid 4003): signal 9; 4 writers go on"
    assert "signal" not in after(60)


def test_nobody_writes() -> None:
    readers = (make_worker(1, 0, Role.READER), make_worker(2, 0, Role.READER))
    assert words(make_period(workers=readers), reads_per_s=80.0) == "nobody writes; 2 readers read 80/s"
    assert words(make_period(workers=(make_worker(1, exit="ok"),))) == "no worker is left"


def test_unfair_but_nobody_starves() -> None:
    workers = (make_worker(1, 80, longest_wait_ns=0), make_worker(2, 10, longest_wait_ns=900 * MS), make_worker(3, 10))
    said = words(make_period(workers=workers, committed=100))
    assert said == "worker 1 took 80% of the turns in the last 10s; the others waited for up to 900ms"


def test_saturated_usual_and_quiet() -> None:
    workers = (make_worker(1, 20), waiting(2, MS, 20))
    assert words(make_period(workers=workers, lock_utilisation=0.97)).startswith(
        "the write lock is held 97% of the time: 1 of 2 writers waits now"
    )
    assert words(make_period(workers=workers)).startswith(
        "1 of 2 writers waits now, and the write lock is held 50% of the time"
    )
    assert words(make_period(lock_wait=histogram(20_000), lock_utilisation=0.04)).startswith(
        "quiet: the write lock is held 4.0%"
    )
    nobody = make_period(lock_wait=histogram(MS), lock_utilisation=0.0)
    assert words(nobody) == "none of 4 writers waits now, and the write lock is hardly ever held (p99 wait 1.0ms)"
    idle = make_period(committed=0, workers=(make_worker(1, 0),))
    assert words(idle) == "quiet: nobody has committed or waited in the last 10s"
    assert words(make_period(elapsed_ns=MS)) == "contended has just begun"


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.RUNNING])
def test_every_status_has_its_words(status: Status) -> None:
    said = headline(make_snapshot(status=status))
    assert said
    assert said != headline(make_snapshot())
    bare = headline(Snapshot(0, status, 0, message="starting 3 processes: 1 ready"))
    assert bare == "starting 3 processes: 1 ready" or status not in (Status.STARTING, Status.ENDED)


@given(PERIODS, st.sampled_from(Status), st.sampled_from(Mode))
def test_any_snapshot_has_a_line(window: Period, status: Status, mode: Mode) -> None:
    said = headline(make_snapshot(msgspec.structs.replace(window, mode=mode), status))
    assert said
    assert "\n" not in said
    assert "None" not in said
