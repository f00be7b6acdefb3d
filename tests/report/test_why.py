from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.diagnose import observation_findings
from sqlwatch.metrics.log_messages import LogKind, LogLine, LogSources
from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import Absent, HeldRun, Hidden, JournalMode, LockName, Process, Refusal, Waiter
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.why_json import why_json, why_line
from sqlwatch.report.why_text import why_text

from ..diagnose.staging import END_NS, MS, START_NS, facts, holder, look, opened, process, seen, wal

NOW = "2026-01-02T03:04:05.678+00:00"


@pytest.fixture
def idle() -> Snapshot:
    """An idle writer, a reader of an old snapshot, and somebody who waits."""
    newest = look(
        holders=(holder(LockName.WRITE, 41), holder(LockName.READ1, 42, frame=3)),
        processes=(process(41, doing="clock_nanosleep"), process(42), process(43)),
        open_files=opened(41, 42, 43), waiters=(Waiter(43, 100 * MS),), wal=wal(END_NS, 10, 3), uncommitted_frames=2,
    )  # fmt: skip
    run = HeldRun(LockName.WRITE, 41, START_NS, END_NS, is_ongoing=True, is_lower_bound=True)
    return seen(newest, held={41: 1.0}, runs=(run,), waiting=3)


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(why_json(snapshot, observation_findings(snapshot), NOW))
    return parsed


def test_the_promised_fields_are_there(idle: Snapshot) -> None:
    report = as_json(idle)
    assert (report["schema"], report["database"], report["time"]) == ("sqlwatch.why/1", "app.db", NOW)
    assert (report["journal_mode"], report["page_size"], report["absent"]) == ("wal", 4096, None)
    assert report["locks"]["write"] == {
        "pid": 41, "command": "python3 worker.py 41", "user": "app", "state": "S", "held_s": 1.0,
        "held_is_lower_bound": True, "doing": "clock_nanosleep", "peer": None,
    }  # fmt: skip
    assert (report["locks"]["checkpoint"], report["locks"]["recover"], report["locks"]["exclusive"]) == (None,) * 3
    assert report["locks"]["readers"] == [
        {
            "pid": 42,
            "command": "python3 worker.py 42",
            "slot": 1,
            "frame": 3,
            "held_s": 1.0,
            "held_is_lower_bound": True,
        }
    ]
    assert report["waiters"] == [
        {"pid": 43, "command": "python3 worker.py 43", "waiting_s": 0.5, "inferred": True}
    ]  # fmt: skip
    assert report["wal"] == {
        "file_bytes": 41_232, "live_frames": 10, "backfilled_frames": 3, "uncommitted_frames": 2, "resets": 0,
    }  # fmt: skip
    assert report["rates"]["write_lock_utilisation"] == 1.0
    assert report["rates"]["by_process"] == [{"pid": 41, "command": "python3 worker.py 41", "utilisation": 1.0}]
    assert report["busy_errors"] == {"visible": False, "count": None, "source": None, "by_kind": None}
    (finding,) = report["findings"]
    assert set(finding) == {"code", "severity", "summary", "pid", "since_s", "evidence", "remedy"}
    assert (finding["code"], finding["severity"], finding["pid"]) == ("idle-writer", "critical", 41)
    assert any("--log" in words for words in report["not_visible"])


def test_a_line_is_one_line(idle: Snapshot) -> None:
    line = why_line(idle, (), NOW)
    assert b"\n" not in line
    assert json.loads(line)["schema"] == "sqlwatch.why/1"


def test_the_unknown_is_null_and_named() -> None:
    hidden = (Hidden.WAITERS, Hidden.WAL_INDEX)
    unknown = look(waiters=None, wal=wal(END_NS, None, None, None), open_files=None, hidden=hidden)
    report = as_json(seen(unknown))
    assert report["waiters"] is None
    assert (report["wal"]["live_frames"], report["wal"]["file_bytes"]) == (None, None)
    assert report["rates"]["frames_per_s"] is None
    assert [word for word in hidden if word.value in report["not_visible"]] == list(hidden)
    text = why_text(seen(unknown), ())
    assert Hidden.WAL_INDEX.value in " ".join(text.split())
    assert "who has it open cannot be seen" in text


def test_a_holder_that_is_not_named_has_no_pid() -> None:
    snapshot = seen(look(holders=(holder(LockName.WRITE, 0),)))
    assert as_json(snapshot)["locks"]["write"]["pid"] is None
    assert "not visible from here" in why_text(snapshot, ())


def test_a_missing_database_says_why() -> None:
    fold = ObservationFold("app.db", 200, START_NS)
    fold.add(Absent(END_NS, 0, Refusal.MISSING, "There is no file app.db."))
    snapshot = fold.snapshot(Status.RUNNING)
    report = as_json(snapshot)
    assert report["absent"] == "There is no file app.db."
    assert (report["locks"], report["wal"], report["journal_mode"], report["findings"]) == (None, None, None, [])
    assert "There is no file app.db." in why_text(snapshot, ())


def test_the_text_begins_with_the_verdict_and_ends_with_what_is_hidden(idle: Snapshot) -> None:
    text = why_text(idle, observation_findings(idle))
    assert text.startswith("app.db: python3 worker.py (pid 41) has held the write lock for at least 1.0s")
    assert "CRITICAL idle-writer" in text
    assert "CRITICAL idle-writer: what to do\n  Now: end process 41 (kill 41);" in text
    assert text.count("has held the write lock") == 1
    assert text.index("For good: commit or roll back") < text.index("Locks (WAL mode")
    assert "read frame 3" in text
    assert "seems to wait" in text
    assert "10 live frames, 3 copied into the database, 2 not committed yet" in " ".join(text.split())
    assert text.rpartition("\n\n")[2].startswith("Not visible")


def test_informational_findings_are_counted_or_listed() -> None:
    snapshot = seen(look(recoverable_frames=12))
    found = observation_findings(snapshot)
    assert "Findings: none (1 informational, listed with --all)" in why_text(snapshot, found)
    assert "INFO hot-wal" in why_text(snapshot, found, all_findings=True)


def test_logged_errors_are_shown_with_their_source() -> None:
    logs = (LogSources(END_NS, ("/var/log/app.log",)), LogLine(END_NS, LogKind.BUSY, "app.log", "database is locked"))
    snapshot = seen(look(), logs=logs)
    report = as_json(snapshot)
    assert report["busy_errors"] == {
        "visible": True, "count": 1, "source": "/var/log/app.log", "by_kind": {"busy": 1}
    }  # fmt: skip
    assert "Busy errors in /var/log/app.log: 1 busy" in why_text(snapshot, ())
    waiting_for_log = seen(look(), logs=(LogSources(END_NS, (), ("There is no file app.log yet.",)),))
    assert as_json(waiting_for_log)["busy_errors"]["count"] is None
    assert "There is no file app.log yet." in why_text(waiting_for_log, ())


def test_rollback_mode_has_a_journal_instead_of_a_wal() -> None:
    old = facts(journal_mode=JournalMode.ROLLBACK, wal_bytes=None, shm_bytes=None, journal_bytes=512)
    locks = (holder(LockName.RESERVED, 5), holder(LockName.SHARED, 6))
    snapshot = seen(look(facts=old, holders=locks, wal=wal(END_NS, None, None, None)))
    report = as_json(snapshot)
    assert report["wal"] is None
    assert report["locks"]["write"]["pid"] == 5
    assert [(one["pid"], one["slot"]) for one in report["locks"]["readers"]] == [(6, None)]
    text = why_text(snapshot, ())
    assert "rollback-journal mode" in text
    assert "Journal     512B" in text


@given(st.text(max_size=300), st.text(max_size=60), st.integers(1, 40), st.none() | st.integers(0, 10**9))
def test_no_line_is_longer_than_a_screen(command: str, name: str, holders: int, frames: int | None) -> None:
    processes = tuple(Process(pid, name, command, name, "S", 1, 0, 1.0) for pid in range(1, holders + 1))
    locks = tuple(holder(LockName.READ1, one.pid, frame=frames) for one in processes)
    snapshot = seen(look(holders=locks, processes=processes, wal=wal(END_NS, frames, 0)))
    text = why_text(snapshot, observation_findings(snapshot))
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in text.replace("\n", ""))
