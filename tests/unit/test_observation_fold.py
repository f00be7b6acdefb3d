from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Tick
from sqlwatch.diagnose.hidden import hidden_words
from sqlwatch.diagnose.observation import observation_headline
from sqlwatch.metrics.log_messages import LogKind, LogLine, LogSources
from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import (
    Absent,
    Commits,
    HeldLooks,
    HeldRun,
    LockName,
    LockSample,
    ReadMark,
    Refusal,
    Waiter,
)
from sqlwatch.metrics.snapshot import MarkKind, Status

from ..diagnose.staging import END_NS, MS, START_NS, S, holder, look, opened, process, seen, wal


def test_an_empty_fold_knows_nothing() -> None:
    snapshot = ObservationFold("app.db", 200, START_NS).snapshot(Status.STARTING)
    observed = snapshot.observation
    assert observed is not None
    assert (observed.look, observed.absent, observed.busy) == (None, None, None)
    assert (observed.write_utilisation, observed.utilisation_floor, observed.frames_per_s) == (None, None, None)
    assert snapshot.commits_per_s is None
    assert snapshot.wal.live_frames is None


def test_who_is_there_and_what_they_do() -> None:
    newest = look(
        holders=(holder(LockName.WRITE, 7, 300 * MS), holder(LockName.READ1, 8, frame=4)),
        processes=(process(7), process(8), process(9)), open_files=opened(7, 8, 9), waiters=(Waiter(9, 100 * MS),),
        wal=wal(END_NS, 10, 4),
    )  # fmt: skip
    snapshot = seen(newest, held={7: 0.5}, commits=20, waiting=3)
    observed = snapshot.observation
    assert observed is not None
    assert [(one.lock, one.pid, one.held_ns) for one in observed.locks] == [
        (LockName.WRITE, 7, 300 * MS), (LockName.READ1, 8, S),
    ]  # fmt: skip
    assert [(pin.pid, pin.frame, pin.frames_held_back) for pin in observed.pins] == [(8, 4, 6)]
    assert [one.pid for one in observed.participants] == [7, 8, 9]
    assert [one.utilisation for one in observed.participants] == [0.5, 0.0, 0.0]
    assert [one.waiting_for_ns for one in observed.participants] == [None, None, 500 * MS]
    assert [one.cpu for one in observed.participants] == [0.0, 0.0, 0.0]
    assert all(one.is_open for one in observed.participants)
    assert (observed.commits, observed.window_commits, observed.frames_per_commit) == (20, 20, 2.0)
    assert snapshot.commits_per_s == 20
    assert observed.frames_per_s == 40
    assert observed.least_backlog_frames == 6
    assert (snapshot.wal.live_frames, snapshot.wal.backlog_frames) == (10, 6)


def test_cpu_is_known_from_the_second_look_on() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    for number, cpu_ns in enumerate((100 * MS, 150 * MS)):
        used = msgspec.structs.replace(process(7), cpu_ns=cpu_ns)
        fold.add(look(at_ns=START_NS + number * S // 4, processes=(used,)))
        observed = fold.snapshot(Status.RUNNING).observation
        assert observed is not None
        assert observed.participants[0].cpu == (None if number == 0 else 0.2)


def test_a_database_that_goes_and_comes() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(look(holders=(holder(LockName.WRITE, 7),), processes=(process(7),)))
    fold.add(wal(END_NS, 5000, 0))
    fold.add(Absent(END_NS + S, 0, Refusal.MISSING, "There is no file app.db."))
    gone = fold.snapshot(Status.RUNNING)
    assert gone.observation is not None
    assert (gone.observation.look, gone.observation.locks, gone.observation.participants) == (None, (), ())
    assert gone.observation.absent is not None
    assert gone.wal.live_frames is None
    fold.add(look(at_ns=END_NS + 2 * S))
    back = fold.snapshot(Status.RUNNING)
    assert back.observation is not None
    assert back.observation.absent is None
    marks = [mark.text for mark in back.timeline.marks if mark.kind is MarkKind.DATABASE]
    assert marks == ["the database is gone", "the database is there"]


def test_checkpoints_show_as_frames_copied() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    for number, copied in enumerate((0, 0, 800, 0, 5)):
        fold.add(wal(START_NS + number * S, 1000, copied))
    marks = [mark.text for mark in fold.snapshot(Status.RUNNING).timeline.marks if mark.kind is MarkKind.CHECKPOINT]
    assert marks == ["checkpoint 800 of 1000 frames", "checkpoint 5 of 1000 frames"]


def test_a_backlog_must_last() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    for number in range(9):
        fold.add(wal(START_NS + number * S // 10, 9000, 9000 if number == 4 else 0))
    observed = fold.snapshot(Status.RUNNING).observation
    assert observed is not None
    assert observed.least_backlog_frames == 0
    fold.add(wal(START_NS + S, None, None))
    observed = fold.snapshot(Status.RUNNING).observation
    assert observed is not None
    assert observed.least_backlog_frames is None


def test_a_backlog_grows_from_where_it_last_shrank_or_a_reader_was_in_the_way() -> None:
    fold = ObservationFold("app.db", 200, START_NS)

    def growth(tenth: int, live: int | None, copied: int | None, *marks: ReadMark) -> int | None:
        fold.add(msgspec.structs.replace(wal(START_NS + tenth * S // 10, live, copied), marks=marks))
        observed = fold.snapshot(Status.RUNNING).observation
        assert observed is not None
        return observed.backlog_growth_frames

    assert [growth(0, 5000, 0), growth(1, 5000, 0), growth(30, 5040, 0)] == [0, 0, 40]
    assert [growth(31, 5050, 5000), growth(32, 5060, 5000)] == [0, 10]
    assert growth(33, 7000, 5000, ReadMark(1, 5060, held=True)) == 0
    assert growth(34, 7000, 5000) == 0
    assert growth(35, 7005, 5000, ReadMark(1, 7000, held=True)) == 5
    assert [growth(36, None, None), growth(37, 7005, 5000)] == [None, 0]


def test_what_is_old_does_not_grow_older_as_if_it_had_been_seen() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    for quarter in range(5):
        at_ns = START_NS + quarter * S // 4
        fold.add(LockSample(at_ns, at_ns - S // 4, 0, 50, 0))
        fold.add(look(at_ns=at_ns, processes=(process(9),), waiters=(Waiter(9, 100 * MS),)))
    fold.add(Commits(END_NS, START_NS, 0, 40, 80, is_exact=True))
    seen_now = fold.snapshot(Status.RUNNING)
    fold.add(Tick(END_NS + 20 * S))
    later = fold.snapshot(Status.RUNNING)
    assert later.observation is not None
    assert seen_now.observation is not None
    assert (seen_now.observation.unheard_ns, seen_now.observation.is_silent) == (0, False)
    assert (later.observation.unheard_ns, later.observation.is_silent) == (20 * S, True)
    assert later.observation.participants == seen_now.observation.participants
    assert later.observation.participants[0].waiting_for_ns == S
    assert later.commits_per_s == seen_now.commits_per_s
    assert observation_headline(later, ()).startswith("nothing has been seen for 20s")
    assert hidden_words(later.observation)[0].startswith("anything for 20s")
    assert not any(words.startswith("anything") for words in hidden_words(seen_now.observation))


def test_commits_of_a_time_that_nobody_saw_are_spread_over_it() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(Commits(START_NS + 4 * S, START_NS, 0, 81, 160, is_exact=True))
    fold.add(Tick(START_NS + 5 * S))
    commits = fold.snapshot(Status.RUNNING).timeline.commits
    assert sum(commits) == 81
    assert max(commits) <= 11


def test_a_counter_that_began_anew_makes_commits_a_lower_bound() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(Commits(END_NS, START_NS, 0, 5, 10, is_exact=True))
    fold.add(Commits(END_NS + S, END_NS, 0, 1, 2, is_exact=False))
    observed = fold.snapshot(Status.RUNNING).observation
    assert observed is not None
    assert (observed.commits, observed.commits_are_exact) == (6, False)


def test_logged_errors_are_counted_by_kind() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(LogSources(START_NS, ("app.log",), ("old.log cannot be read.",)))
    for kind in (LogKind.BUSY, LogKind.BUSY, LogKind.BUSY_SNAPSHOT, LogKind.SLOW, LogKind.TABLE_LOCKED):
        fold.add(LogLine(END_NS, kind, "app.log", "words"))
    fold.add(Tick(END_NS + 60 * S))
    busy = fold.snapshot(Status.RUNNING).observation.busy  # type: ignore[union-attr]
    assert busy is not None
    assert (busy.busy_errors, busy.window_count, len(busy.newest)) == (3, 0, 5)
    assert busy.counts[LogKind.SLOW] == 1
    assert busy.trouble == ("old.log cannot be read.",)


def test_a_restart_forgets_the_statistics_and_keeps_the_present() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(Commits(END_NS, START_NS, 0, 5, 10, is_exact=True))
    fold.add(look(processes=(process(7),)))
    fold.restart(END_NS)
    snapshot = fold.snapshot(Status.RUNNING)
    assert snapshot.observation is not None
    assert snapshot.observation.commits == 0
    assert snapshot.observation.look is not None
    assert snapshot.elapsed_ns == 0


@given(st.lists(st.integers(0, 100), min_size=1, max_size=200))
def test_all_commits_are_counted_once(counts: list[int]) -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    for number, count in enumerate(counts):
        at_ns = START_NS + (number + 1) * S // 10
        fold.add(Commits(at_ns, at_ns - S // 10, 0, count, count, is_exact=True))
    fold.add(Tick(START_NS + len(counts) * S // 10 + S))
    snapshot = fold.snapshot(Status.RUNNING)
    assert snapshot.observation is not None
    assert snapshot.observation.commits == sum(counts)
    assert sum(snapshot.timeline.commits) == sum(counts)


def test_time_without_a_database_is_in_no_share_and_no_rate() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(Absent(START_NS, 0, Refusal.EMPTY, "There is nothing in it."))
    for step in range(1, 80):
        fold.add(LockSample(START_NS + step * 100 * MS, START_NS + (step - 1) * 100 * MS, 0, 20, 0))
    empty = fold.snapshot(Status.RUNNING).observation
    assert empty is not None
    assert (empty.write_utilisation, empty.looks, empty.window_ns) == (None, 0, 0)
    there_ns = START_NS + 8 * S
    fold.add(look(at_ns=there_ns))
    held = (HeldLooks(LockName.WRITE, 7, 16),)
    for step in range(1, 11):
        at_ns = there_ns + step * 100 * MS
        fold.add(LockSample(at_ns, at_ns - 100 * MS, 0, 20, 0, held))
        fold.add(Commits(at_ns, at_ns - 100 * MS, 0, 2, 4, True))
    snapshot = fold.snapshot(Status.RUNNING)
    assert snapshot.observation is not None
    assert snapshot.observation.write_utilisation == 0.8
    assert snapshot.commits_per_s == 20


def test_a_hold_that_a_newer_look_does_not_find_goes_on_no_more() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    run = HeldRun(LockName.WRITE, 7, START_NS, START_NS + 100 * MS, True, False)
    fold.add(look(at_ns=START_NS, holders=(holder(LockName.WRITE, 7),)))
    fold.add(LockSample(START_NS + 100 * MS, START_NS, 0, 20, 0, (), (run,)))
    assert [span.goes_on for span in fold.snapshot(Status.RUNNING).observation.spans] == [True]  # type: ignore[union-attr]
    fold.add(look(at_ns=START_NS + 110 * MS))
    assert [span.goes_on for span in fold.snapshot(Status.RUNNING).observation.spans] == [False]  # type: ignore[union-attr]


def test_a_process_that_is_gone_keeps_its_name_on_its_lane() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(look(at_ns=START_NS, processes=(process(7),)))
    fold.add(LockSample(START_NS + 100 * MS, START_NS, 0, 20, 0, (HeldLooks(LockName.WRITE, 7, 5),)))
    for step in range(1, 30):
        fold.add(LockSample(START_NS + step * S, START_NS + (step - 1) * S, 0, 200, 0))
        fold.add(look(at_ns=START_NS + step * S))
    observed = fold.snapshot(Status.RUNNING).observation
    assert observed is not None
    assert observed.participant(7) is None
    assert observed.process(7) == process(7)
