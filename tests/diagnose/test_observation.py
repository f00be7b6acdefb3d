"""Each rule by example: what must be said, of whom, and where nothing must be said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.diagnose import Finding, Limits, Severity, observation_findings, observation_headline
from sqlwatch.metrics.log_messages import LogKind, LogLine, LogSources
from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import (
    Absent,
    FileRole,
    HeldRun,
    JournalMode,
    LockName,
    Look,
    LostLocks,
    Refusal,
    Waiter,
)
from sqlwatch.metrics.snapshot import Snapshot, Status

from .staging import END_NS, MS, START_NS, S, facts, holder, look, opened, process, seen, wal


def codes(snapshot: Snapshot, **limits: Any) -> list[str]:
    return [finding.code for finding in observation_findings(snapshot, Limits(**limits))]


def only(snapshot: Snapshot) -> Finding:
    (finding,) = observation_findings(snapshot)
    return finding


def held_by(pid: int, held_ns: int = S, **doing: Any) -> Look:
    return look(
        holders=(holder(LockName.WRITE, pid, held_ns),), processes=(process(pid, **doing),), open_files=opened(pid)
    )


def test_nothing_is_said_of_a_healthy_database() -> None:
    snapshot = seen(look(open_files=opened(7), processes=(process(7),)), held={7: 0.2}, commits=100)
    assert observation_findings(snapshot) == ()
    headline = observation_headline(snapshot, ())
    assert headline == "nothing found: the write lock is held 20% of the time, 100/s commits, WAL mode"


def test_an_idle_writer() -> None:
    finding = only(seen(held_by(41, doing="clock_nanosleep"), held={41: 1.0}))
    assert (finding.code, finding.severity, finding.pid) == ("idle-writer", Severity.CRITICAL, 41)
    assert finding.since_s == 1.0
    assert "python3 worker.py (pid 41) has held the write lock for at least 1.0s" in finding.summary
    assert finding.evidence["command"] == "python3 worker.py 41"
    assert "end process 41" in finding.remedy


@pytest.mark.parametrize(
    ("doing", "code"),
    [
        ({"doing": "clock_nanosleep"}, "idle-writer"),
        ({"doing": "futex"}, "idle-writer"),
        ({"doing": "epoll_wait"}, "idle-writer"),
        ({"doing": "read", "target": "pipe:[77]"}, "idle-writer"),
        ({"doing": "read", "target": "/srv/import.csv"}, "long-hold"),
        ({"doing": "running"}, "long-hold"),
        ({"doing": "fdatasync", "state": "D"}, "long-hold"),
        ({"doing": "recvfrom", "peer": "192.0.2.7:5432"}, "writer-blocked-on-network"),
        ({"doing": "clock_nanosleep", "state": "T"}, "writer-stopped"),
        ({"state": "t"}, "writer-stopped"),
    ],
)
def test_what_a_long_holder_does_decides_its_name(doing: dict[str, Any], code: str) -> None:
    assert codes(seen(held_by(41, **doing), held={41: 1.0})) == [code]


def test_a_peer_and_a_stop_are_named() -> None:
    blocked = only(seen(held_by(41, doing="recvfrom", peer="192.0.2.7:5432")))
    assert blocked.evidence["peer"] == "192.0.2.7:5432"
    assert "192.0.2.7:5432" in blocked.summary
    assert "kill -CONT 41" in only(seen(held_by(41, state="T"))).remedy


def test_a_holder_whose_call_is_not_shown_is_judged_by_its_cpu_time() -> None:
    asleep = process(41, is_denied=True)
    newest = look(holders=(holder(LockName.WRITE, 41),), processes=(asleep,), open_files=opened(41))
    assert codes(seen(newest, waiting=2)) == ["idle-writer"]
    assert codes(seen(newest, waiting=1)) == ["long-hold"], "one look alone tells nothing of CPU time"


def test_the_limit_of_a_long_hold_is_an_option() -> None:
    snapshot = seen(held_by(41, 400 * MS, doing="clock_nanosleep"))
    assert codes(snapshot) == []
    assert codes(snapshot, long_hold_ns=300 * MS) == ["idle-writer"]


def test_a_hold_that_is_over_is_still_told() -> None:
    run = HeldRun(LockName.WRITE, 41, END_NS - 900 * MS, END_NS - 200 * MS, False, False)
    finding = only(seen(look(), runs=(run,)))
    assert (finding.code, finding.pid, finding.evidence["held_s"]) == ("long-hold", 41, 0.7)
    assert "until 200ms ago" in finding.summary


def test_a_holder_that_is_not_visible() -> None:
    newest = look(holders=(holder(LockName.WRITE, 0),))
    finding = only(seen(newest, held={0: 1.0}))
    assert (finding.code, finding.severity, finding.pid) == ("holder-not-visible", Severity.WARNING, None)
    assert "namespace" in finding.summary


def test_locking_mode_exclusive_in_both_journal_modes() -> None:
    newest = look(holders=(holder(LockName.EXCLUSIVE, 5),), processes=(process(5),), open_files=opened(5))
    assert (only(seen(newest)).code, only(seen(newest)).pid) == ("exclusive-locking", 5)
    rollback = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None)
    held = {"holders": newest.holders, "processes": newest.processes, "open_files": newest.open_files}
    assert codes(seen(look(facts=rollback, **held))) == ["exclusive-locking", "rollback-journal"]
    writing = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None, has_journal=True)
    assert codes(seen(look(facts=writing, **held))) == ["long-hold", "rollback-journal"]


def test_a_checkpoint_that_waits_for_a_reader() -> None:
    locks = (holder(LockName.WRITE, 8), holder(LockName.CHECKPOINT, 8), holder(LockName.READ1, 9, frame=3))
    newest = look(holders=locks, processes=(process(8), process(9)), open_files=opened(8, 9))
    finding = only(seen(newest))
    assert (finding.code, finding.pid, finding.evidence["blocked_by"]) == ("checkpoint-holding-write-lock", 8, [9])


def test_a_checkpoint_that_waits_for_a_writer() -> None:
    locks = (holder(LockName.WRITE, 9), holder(LockName.CHECKPOINT, 8))
    newest = look(
        holders=locks, processes=(process(8), process(9, doing="futex")), open_files=opened(8, 9),
        waiters=(Waiter(8, 100 * MS),),
    )  # fmt: skip
    assert codes(seen(newest)) == ["idle-writer", "checkpoint-blocked"]
    copying = look(holders=locks, processes=newest.processes, open_files=opened(8, 9))
    assert codes(seen(copying)) == ["idle-writer"]


@pytest.mark.parametrize(
    ("lock", "frame", "copied", "held_back"), [(LockName.READ2, 40, 40, 4960), (LockName.READ0, 0, 0, 5000)]
)
def test_a_pinned_wal(lock: LockName, frame: int, copied: int, held_back: int) -> None:
    newest = look(
        holders=(holder(lock, 6, frame=frame),), processes=(process(6),), open_files=opened(6),
        wal=wal(END_NS, 5000, copied, 20_600_032),
    )  # fmt: skip
    finding = only(seen(newest))
    assert (finding.code, finding.severity, finding.pid) == ("pinned-wal", Severity.WARNING, 6)
    assert finding.evidence["frames_held_back"] == held_back


@pytest.mark.parametrize(
    "quiet",
    [
        {"holders": (holder(LockName.READ1, 6, frame=4990),), "wal": wal(END_NS, 5000, 4990)},
        {"holders": (holder(LockName.READ1, 6, 300 * MS, frame=40),), "wal": wal(END_NS, 5000, 40)},
        {"holders": (), "wal": wal(END_NS, 3000, 40)},
    ],
    ids=["few frames", "a short read", "nobody behind the mark"],
)
def test_what_is_no_pin(quiet: dict[str, Any]) -> None:
    assert codes(seen(look(processes=(process(6),), open_files=opened(6), **quiet))) == []


def test_a_spilled_transaction() -> None:
    newest = look(
        holders=(holder(LockName.WRITE, 4, 600 * MS),), processes=(process(4, doing="running"),), open_files=opened(4),
        uncommitted_frames=2500,
    )  # fmt: skip
    assert codes(seen(newest)) == ["long-hold", "spilled-transaction"]
    finding = observation_findings(seen(newest))[1]
    assert (finding.pid, finding.evidence["uncommitted_frames"]) == (4, 2500)
    large_commit = msgspec.structs.replace(newest, holders=(holder(LockName.WRITE, 4, 20 * MS),))
    assert codes(seen(large_commit)) == []


def test_nobody_checkpoints() -> None:
    backlog = wal(END_NS, 9000, 0, 37_080_032)
    newest = look(wal=backlog, processes=(process(4),), open_files=opened(4))
    grows = only(seen(newest, commits=10, growing=20))
    assert (grows.code, grows.severity) == ("no-checkpoints", Severity.WARNING)
    assert grows.evidence["backlog_growth_frames"] == 180
    stands = only(seen(newest))
    assert (stands.code, stands.severity) == ("no-checkpoints", Severity.INFO)
    assert "the next commit should copy them" in stands.summary
    reading = look(
        wal=backlog, processes=(process(4),), open_files=opened(4), holders=(holder(LockName.READ1, 4, frame=0),)
    )
    assert codes(seen(reading)) == ["pinned-wal"]
    checkpointing = look(
        wal=backlog, processes=(process(4),), open_files=opened(4), holders=(holder(LockName.CHECKPOINT, 4),)
    )
    assert codes(seen(checkpointing)) == []


def test_what_a_crash_left_and_a_file_that_is_only_large() -> None:
    hot = only(seen(look(recoverable_frames=12)))
    assert (hot.code, hot.severity) == ("hot-wal", Severity.INFO)
    assert "Do not delete" in hot.remedy
    large = look(facts=facts(wal_bytes=40 * 2**20), wal=wal(END_NS, 1, 1, 40 * 2**20))
    assert (only(seen(large)).code, only(seen(large)).severity) == ("oversized-wal", Severity.INFO)


def test_files_in_trouble() -> None:
    files = (*opened(3), *opened(3, role=FileRole.WAL, current=False), *opened(3, role=FileRole.SHM, current=False))
    finding = only(seen(look(processes=(process(3),), open_files=files)))
    assert (finding.code, finding.pid, finding.evidence["files"]) == ("unlinked-wal", 3, ["wal", "shm"])
    lost = (LostLocks(3, (LockName.SHARED, LockName.DMS)), LostLocks(4, (LockName.DMS,), forked_from=3))
    finding = only(seen(look(processes=(process(3),), open_files=opened(3), lost_locks=lost)))
    assert (finding.code, finding.pid, finding.evidence["missing"]) == ("lost-locks", 3, ["shared", "dms"])


def test_where_the_file_lies() -> None:
    finding = only(seen(look(facts=facts(file_system="nfs4", is_network_file_system=True))))
    assert (finding.code, finding.evidence["file_system"]) == ("network-filesystem", "nfs4")
    assert codes(seen(look(facts=facts(file_system=None, is_network_file_system=None)))) == []


def test_many_writers() -> None:
    writers = look(processes=tuple(process(pid) for pid in (1, 2, 3)), open_files=opened(1, 2, 3))
    saturated = only(seen(writers, held={1: 0.35, 2: 0.3, 3: 0.3}, commits=900))
    assert (saturated.code, saturated.pid) == ("write-lock-saturated", None)
    assert [share["pid"] for share in saturated.evidence["by_process"]] == [1, 2, 3]
    assert codes(seen(writers, held={1: 0.3, 2: 0.25, 3: 0.25}, commits=900)) == []
    assert codes(seen(writers, held={1: 0.95}, commits=900)) == [], "alone it may write as fast as it can"
    waiting = msgspec.structs.replace(writers, waiters=(Waiter(2, 25 * MS),))
    hog = only(seen(waiting, held={1: 0.75, 2: 0.05}, commits=900))
    assert (hog.code, hog.pid, hog.evidence["utilisation"]) == ("write-lock-hog", 1, 0.75)
    assert codes(seen(writers, held={1: 0.75, 2: 0.05}, commits=900)) == [], "nobody waits"
    blind = msgspec.structs.replace(writers, waiters=None)
    assert codes(seen(blind, held={1: 0.75, 2: 0.05}, commits=900)) == ["write-lock-hog"]
    assert codes(seen(waiting, held={1: 0.9, 2: 0.05}, commits=900)) == ["write-lock-hog"]
    assert codes(seen(waiting, held={1: 0.95}, commits=900)) == ["write-lock-hog"]


def test_a_rollback_journal() -> None:
    old = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None)
    nothing = wal(END_NS, None, None, None)
    alone = only(seen(look(facts=old, wal=nothing, processes=(process(1),), open_files=opened(1))))
    assert (alone.code, alone.severity) == ("rollback-journal", Severity.INFO)
    together = look(facts=old, wal=nothing, processes=(process(1), process(2)), open_files=opened(1, 2))
    assert only(seen(together, commits=5)).severity is Severity.WARNING
    assert only(seen(together)).severity is Severity.INFO, "nobody writes or waits"


def test_a_rollback_writer_that_waits_for_a_reader_is_innocent() -> None:
    old = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None, has_journal=True)
    newest = look(
        facts=old, wal=wal(END_NS, None, None, None), open_files=opened(1, 2), waiters=(Waiter(1, 100 * MS),),
        processes=(process(1, doing="clock_nanosleep"), process(2, state="T")),
        holders=(holder(LockName.PENDING, 1), holder(LockName.RESERVED, 1), holder(LockName.SHARED, 2)),
    )  # fmt: skip
    finding = observation_findings(seen(newest))[0]
    assert (finding.code, finding.pid, finding.evidence["blocks"]) == ("long-hold", 2, 1)
    assert "kill -CONT 2" in finding.remedy
    assert "idle-writer" not in codes(seen(newest))


def test_somebody_who_is_stopped_in_the_way_is_told_to_go_on() -> None:
    stopped = process(5, state="T")
    owner = look(holders=(holder(LockName.EXCLUSIVE, 5),), processes=(stopped,), open_files=opened(5))
    assert "while it is stopped (state T)" in only(seen(owner)).summary
    assert only(seen(owner)).remedy.startswith("Now: let it go on (kill -CONT 5), or end process 5 (kill -KILL 5)")
    reader = look(
        holders=(holder(LockName.READ1, 5, frame=1),), processes=(stopped,), open_files=opened(5),
        wal=wal(END_NS, 5000, 1),
    )  # fmt: skip
    assert only(seen(reader)).remedy.startswith("Now: let it go on (kill -CONT 5), or end process 5 (kill -KILL 5)")


def test_a_blocking_checkpoint_without_a_reader_is_at_work() -> None:
    locks = (holder(LockName.WRITE, 8), holder(LockName.CHECKPOINT, 8))
    copying = look(holders=locks, processes=(process(8, doing="pwrite64"),), open_files=opened(8))
    assert only(seen(copying)).code == "long-hold"
    assert "copying frames" in only(seen(copying)).summary


def test_errors_from_logs() -> None:
    sources = LogSources(END_NS, ("app.log",))
    snapshot_line = LogLine(END_NS, LogKind.BUSY_SNAPSHOT, "app.log", "error 517")
    busy = LogLine(END_NS, LogKind.BUSY, "app.log", "database is locked", "12:00:01")
    findings = observation_findings(seen(look(), logs=(sources, snapshot_line, busy, busy)))
    assert [(one.code, one.severity, one.evidence["count"]) for one in findings] == [
        ("instant-busy", Severity.CRITICAL, 1), ("busy-errors", Severity.WARNING, 2),
    ]  # fmt: skip
    assert findings[1].evidence["logged_at"] == "12:00:01"
    assert codes(seen(look(), logs=(sources,))) == []


def test_the_gravest_comes_first_and_the_others_are_counted() -> None:
    newest = look(
        facts=facts(file_system="nfs", is_network_file_system=True), holders=(holder(LockName.WRITE, 41),),
        processes=(process(41, state="T"),), open_files=opened(41),
    )  # fmt: skip
    snapshot = seen(newest)
    findings = observation_findings(snapshot)
    assert [finding.severity for finding in findings] == [Severity.CRITICAL, Severity.WARNING]
    assert observation_headline(snapshot, findings).endswith("(and 1 finding more)")


def test_without_a_database_there_is_nothing_to_find() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    assert observation_headline(fold.snapshot(Status.STARTING), ()) == "taking a first look"
    fold.add(Absent(END_NS, 0, Refusal.MISSING, "There is no file app.db."))
    snapshot = fold.snapshot(Status.RUNNING)
    assert observation_findings(snapshot) == ()
    assert observation_headline(snapshot, ()) == "There is no file app.db. Waiting for it."


LOCKS = st.lists(
    st.builds(
        holder, st.sampled_from(LockName), st.integers(-1, 4), st.integers(0, 3 * S),
        frame=st.none() | st.integers(0, 6000), lower=st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@given(
    LOCKS, st.sampled_from(JournalMode), st.none() | st.integers(0, 9000), st.none() | st.integers(0, 9000),
    st.dictionaries(st.integers(0, 4), st.floats(0, 1), max_size=4), st.lists(st.integers(1, 4), unique=True),
)  # fmt: skip
def test_whatever_is_seen_every_finding_is_whole(
    locks: list[Any], mode: JournalMode, live: int | None, copied: int | None, held: dict[int, float], pids: list[int]
) -> None:
    newest = look(
        facts=facts(journal_mode=mode), holders=tuple(locks), wal=wal(END_NS, live, copied),
        processes=tuple(process(pid) for pid in pids), open_files=opened(*pids),
    )  # fmt: skip
    for finding in observation_findings(seen(newest, held=held, commits=3)):
        assert finding.summary
        assert finding.remedy.endswith((".", ")"))
        assert finding.pid is None or finding.pid > 0
        assert "None" not in finding.summary
