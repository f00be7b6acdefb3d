"""Logs that grow, are rotated, truncated, deleted and linked; with real files."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlwatch.metrics.log_messages import LogKind, LogLine, LogMessage
from sqlwatch.observe import log_files, log_tail
from sqlwatch.observe.log_files import LogFollower
from sqlwatch.observe.log_tail import LineSplitter

from .logs import LOCKED, Follow, append, follow, lines, log, sources

__all__ = ["follow", "log"]  # fixtures


def test_history_is_left_out_and_what_comes_is_read(log: Path, follow: Follow) -> None:
    log.write_text("old: " + LOCKED)
    follower = follow(log)
    first = follower.poll()
    assert (lines(first), sources(first).paths, sources(first).trouble) == ([], (str(log),), ())
    append(log, "new: " + LOCKED)
    assert lines(follower.poll()) == ["new: database is locked"]
    assert follower.poll() == []


def test_a_line_counts_when_it_is_complete(log: Path, follow: Follow) -> None:
    log.touch()
    follower = follow(log)
    follower.poll()
    append(log, "a: database is")
    assert follower.poll() == []
    append(log, " locked")
    assert follower.poll() == []
    append(log, "\nb")
    assert lines(follower.poll()) == ["a: database is locked"]


def test_rotation_by_renaming_loses_nothing(log: Path, follow: Follow) -> None:
    log.touch()
    follower = follow(log)
    follower.poll()
    append(log, "1: " + LOCKED)
    log.rename(log.with_suffix(".log.1"))
    log.write_text("2: " + LOCKED)
    assert sorted(lines(follower.poll())) == ["1: database is locked", "2: database is locked"]
    append(log, "3: " + LOCKED)
    assert lines(follower.poll()) == ["3: database is locked"]


def test_rotation_within_a_glob_reads_nothing_twice(log: Path, follow: Follow) -> None:
    log.write_text("0: " + LOCKED)
    follower = follow(f"{log}*")
    follower.poll()
    append(log, "1: " + LOCKED)
    log.rename(f"{log}.1")
    log.write_text("2: " + LOCKED)
    messages = follower.poll()
    assert sorted(lines(messages)) == ["1: database is locked", "2: database is locked"]
    assert sources(messages).paths == (str(log), f"{log}.1")
    append(Path(f"{log}.1"), "late: " + LOCKED)
    (late,) = follower.poll()
    assert isinstance(late, LogLine)
    assert (late.source, late.text) == (f"{log}.1", "late: database is locked")


def test_truncation_begins_anew(log: Path, follow: Follow) -> None:
    log.write_text("x" * 1000 + "\n")
    follower = follow(log)
    follower.poll()
    log.write_text("after: " + LOCKED)
    assert lines(follower.poll()) == ["after: database is locked"]


def test_a_log_that_appears_is_read_from_its_beginning(log: Path, follow: Follow) -> None:
    follower = follow(log, f"{log.parent}/other*.log")
    first = sources(follower.poll())
    assert first.paths == ()
    assert first.trouble == (f"There is no log {log} yet.", f"Nothing matches {log.parent}/other*.log yet.")
    log.write_text("1: " + LOCKED)
    (log.parent / "other7.log").write_text("2: " + LOCKED)
    messages = follower.poll()
    assert lines(messages) == ["1: database is locked", "2: database is locked"]
    assert sources(messages).trouble == ()
    log.unlink()
    assert sources(follower.poll()).trouble == (f"There is no log {log} yet.",)


def test_recent_history_can_be_wanted(log: Path, follow: Follow) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    log.write_text(f"2020-01-01 00:00:00 a: {LOCKED}{now} b: {LOCKED}{now} all is well\n    c: {LOCKED}")
    assert lines(follow(log, history_bytes=10_000).poll()) == [f"{now} b: database is locked", "c: database is locked"]
    assert lines(follow(log, history_bytes=32).poll()) == ["c: database is locked"], "what is cut off is no line"


def test_a_truncated_log_that_grew_again_before_we_looked_begins_anew(log: Path, follow: Follow) -> None:
    log.write_text("all is well\n" * 3)
    follower = follow(log)
    follower.poll()
    log.write_text("1: " + LOCKED + "something else\n" * 10)
    assert lines(follower.poll()) == ["1: database is locked"]


def test_who_does_not_append_goes_on_behind_a_hole(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tail, "PIECE", 64)  # less than the hole, which shall not be read
    with log.open("wb") as writer:
        writer.write(b"all is well\n" * 10)
        writer.flush()
        follower = follow(log)
        follower.poll()
        os.truncate(log, 0)
        writer.write(b"1: " + LOCKED.encode())
        writer.flush()
        assert lines(follower.poll()) == ["1: database is locked"]
        os.truncate(log, 0)
        follower.poll()
        writer.write(b"2: " + LOCKED.encode())
        writer.flush()
        found = []
        while follower.has_more:
            found += lines(follower.poll())
        assert found == ["2: database is locked"]


def test_the_rest_of_an_old_line_is_no_line(log: Path, follow: Follow) -> None:
    log.write_text("old and not yet complete: ")
    follower = follow(log)
    follower.poll()
    append(log, f"{LOCKED}1: {LOCKED}")
    assert lines(follower.poll()) == ["1: database is locked"]


def test_a_log_without_a_name_is_read_until_it_is_quiet(log: Path) -> None:
    now_ns = 0
    log.touch()
    follower = LogFollower([str(log)], clock=lambda: now_ns)
    with contextlib.closing(follower), log.open("a", buffering=1) as writer:
        follower.poll()
        log.unlink()
        assert sources(follower.poll()).trouble == (f"There is no log {log} yet.",)
        writer.write("1: " + LOCKED)
        assert lines(follower.poll()) == ["1: database is locked"]
        now_ns += log_files.QUIET_NS - 1
        follower.poll()
        writer.write("still: " + LOCKED)
        assert lines(follower.poll()) == ["still: database is locked"]
        now_ns += log_files.QUIET_NS
        follower.poll()
        writer.write("2: " + LOCKED)
        assert lines(follower.poll()) == []


def test_two_names_of_one_log_are_one_log(log: Path, follow: Follow) -> None:
    log.touch()
    (log.parent / "current.log").symlink_to(log)
    (log.parent / "linked.log").hardlink_to(log)
    follower = follow(log.parent / "*.log")
    assert len(sources(follower.poll()).paths) == 1
    append(log, LOCKED)
    assert lines(follower.poll()) == ["database is locked"]


def test_a_link_that_comes_to_mean_another_log(log: Path, follow: Follow) -> None:
    (log.parent / "1.log").touch()
    log.symlink_to("1.log")
    follower = follow(log)
    follower.poll()
    (log.parent / "2.log").write_text("1: " + LOCKED)
    log.unlink()
    log.symlink_to("2.log")
    assert lines(follower.poll()) == ["1: database is locked"]


def test_a_file_named_like_a_glob_comes_first(tmp_path: Path, follow: Follow) -> None:
    (tmp_path / "app[1].log").touch()
    (tmp_path / "app1.log").touch()
    assert sources(follow(tmp_path / "app[1].log").poll()).paths == (str(tmp_path / "app[1].log"),)
    (tmp_path / "app[1].log").unlink()
    assert sources(follow(tmp_path / "app[1].log").poll()).paths == (str(tmp_path / "app1.log"),)


def test_the_home_directory_is_found(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(log.parent))
    log.touch()
    assert sources(follow("~/*.log").poll()).paths == (str(log),)


def test_a_log_that_never_rests_does_not_hide_the_others(
    tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "LONG_NS", 0)
    busy, rare = tmp_path / "1.log", tmp_path / "2.log"
    busy.touch()
    rare.touch()
    follower = follow(busy, rare)
    follower.poll()
    append(rare, "rare: " + LOCKED)
    found = []
    for _ in range(2):
        append(busy, "all is well\n")
        found += lines(follower.poll())
    assert found == ["rare: database is locked"]


def test_hostile_names_and_lines_are_made_printable(tmp_path: Path, follow: Follow) -> None:
    log = Path(os.fsdecode(bytes(tmp_path) + b"/a\x1b[2J\n\xff.log"))
    log.touch()
    follower = follow(tmp_path / "*.log")
    (name,) = sources(follower.poll()).paths
    log.write_bytes(b"\x1b]0;title\x07\xff " + LOCKED.encode())
    (line,) = [message for message in follower.poll() if isinstance(message, LogLine)]
    for text in (name, line.source, line.text):
        assert text.isprintable()
    assert line.text == "\\x1b]0;title\\x07\\xff database is locked"


def test_a_long_line_is_cut_and_the_next_one_is_read(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tail, "LONGEST_LINE", 100)
    log.touch()
    follower = follow(log)
    follower.poll()
    append(log, "database is locked " + "x" * 500)
    assert follower.poll() == []
    append(log, " SQLITE_BUSY_SNAPSHOT\nnext: " + LOCKED)
    found = [message for message in follower.poll() if isinstance(message, LogLine)]
    assert [line.kind for line in found] == [LogKind.BUSY, LogKind.BUSY]
    assert [len(line.text) for line in found] == [100, len("next: " + LOCKED) - 1]


def test_much_at_once_is_read_in_pieces(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tail, "PIECE", 64)
    monkeypatch.setattr(log_files, "LONG_NS", 0)
    logs = [log.with_name(f"{number}.log") for number in range(5)]
    for one in logs:
        one.touch()
    follower = follow(*logs)
    follower.poll()
    for one in logs:
        append(one, LOCKED * 50)
    found: list[LogMessage] = []
    while follower.has_more:
        piece = follower.poll()
        assert len(piece) <= 64 // len(LOCKED) + 1
        found += piece
    assert [sum(line.source == str(one) for line in found if isinstance(line, LogLine)) for one in logs] == [50] * 5


@given(st.lists(st.sampled_from([b"a", b"\n", b"\xff", b"\r\n", b"\0", b"database is locked\n"])), st.data())
def test_lines_do_not_depend_on_how_a_log_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    log = b"".join(parts)
    splitter = LineSplitter()
    found = []
    rest = log
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += splitter.feed(rest[:size])
        rest = rest[size:]
    assert found == LineSplitter().feed(log)
    assert len(found) == log.count(b"\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.integers(1, 40), max_size=20))
def test_how_a_log_is_cut_into_writes_changes_nothing(tmp_path: Path, pieces: list[int]) -> None:
    text = "".join(f"{number}: {LOCKED}" if number % 2 else f"{number}: all is well\n" for number in range(12))
    log = tmp_path / "cut.log"
    log.write_text("")
    follower = LogFollower([str(log)])
    follower.poll()
    found = []
    for piece in [*pieces, len(text)]:
        append(log, text[:piece])
        text = text[piece:]
        found += lines(follower.poll())
    follower.close()
    assert found == [f"{number}: database is locked" for number in range(1, 12, 2)]
