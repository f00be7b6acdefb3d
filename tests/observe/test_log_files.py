from __future__ import annotations

import gzip
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqlwatch.metrics.log_messages import LogLine, LogMessage, LogSources
from sqlwatch.observe import log_files
from sqlwatch.observe.log_files import LogFollower

from .programs import wait_until

LOCKED = "database is locked\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def follow() -> Iterator[Callable[..., LogFollower]]:
    made: list[LogFollower] = []

    def start(*patterns: Path | str, **options: float) -> LogFollower:
        made.append(LogFollower([str(pattern) for pattern in patterns], **options))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for follower in made:
        follower.close()


Follow = Callable[..., LogFollower]


def lines(messages: list[LogMessage]) -> list[str]:
    return [message.text for message in messages if isinstance(message, LogLine)]


def sources(messages: list[LogMessage]) -> LogSources:
    (message,) = [message for message in messages if isinstance(message, LogSources)]
    return message


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


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
    assert first.trouble == (f"Nothing matches {log.parent}/other*.log yet.", f"There is no log {log} yet.")
    log.write_text("1: " + LOCKED)
    (log.parent / "other7.log").write_text("2: " + LOCKED)
    messages = follower.poll()
    assert lines(messages) == ["1: database is locked", "2: database is locked"]
    assert sources(messages).trouble == ()
    log.unlink()
    assert sources(follower.poll()).trouble == (f"There is no log {log} yet.",)


def test_recent_history_can_be_wanted(log: Path, follow: Follow) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    log.write_text(f"2020-01-01 00:00:00 a: {LOCKED}{now} b: {LOCKED}c: {LOCKED}")
    assert lines(follow(log, history_bytes=10_000).poll()) == [f"{now} b: database is locked", "c: database is locked"]
    assert lines(follow(log, history_bytes=30).poll()) == ["c: database is locked"], "what is cut off is no line"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "is a directory"),
        (os.mkfifo, "is no file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(100)), "is a database"),
        (lambda path: path.write_bytes(gzip.compress(LOCKED.encode())), "is compressed"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
    ids=["directory", "fifo", "database", "gzip", "loop of links"],
)
def test_what_is_no_log_is_said_in_a_sentence(
    log: Path, follow: Follow, make: Callable[[Path], object], words: str
) -> None:
    make(log)
    told = sources(follow(log).poll())
    assert told.paths == ()
    assert words in told.trouble[0]


def test_files_of_a_database_are_not_opened(tmp_path: Path, follow: Follow) -> None:
    (tmp_path / "app.db-wal").write_text(LOCKED)
    assert "file of a database" in sources(follow(tmp_path / "*-wal").poll()).trouble[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="not run: root may read everything")
def test_no_permission(log: Path, follow: Follow) -> None:
    log.touch(mode=0)
    assert "No permission" in sources(follow(log).poll()).trouble[0]


def test_a_line_without_an_end_is_bounded(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LONGEST_LINE", 100)
    log.touch()
    follower = follow(log)
    follower.poll()
    append(log, "x" * 500)
    follower.poll()
    append(log, " database is locked\nnext: " + LOCKED)
    assert lines(follower.poll()) == ["next: database is locked"]


def test_much_at_once_is_read_in_pieces(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES", 64)
    log.touch()
    follower = follow(log)
    follower.poll()
    append(log, LOCKED * 50)
    count = 0
    while follower.has_more:
        count += len(lines(follower.poll()))
    assert count == 50


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


@pytest.mark.parametrize("where", ["app.log", "sub/app.log"])
def test_running_wakes_up_when_a_log_grows_and_ends_when_told(tmp_path: Path, where: str) -> None:
    log = tmp_path / where
    follower = LogFollower([str(log)])
    messages: list[LogMessage] = []
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(messages.append, stop))
    thread.start()
    try:
        wait_until(lambda: bool(messages))
        log.parent.mkdir(exist_ok=True)
        append(log, "1: " + LOCKED)
        wait_until(lambda: lines(messages) == ["1: database is locked"])
        log.rename(f"{log}.1")
        append(log, "2: " + LOCKED)
        wait_until(lambda: lines(messages) == ["1: database is locked", "2: database is locked"])
    finally:
        stop.set()
        began_s = time.monotonic()
        thread.join(10)
        follower.close()
    assert not thread.is_alive()
    assert time.monotonic() - began_s < 2


def test_without_notification_the_logs_are_looked_at_now_and_then(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_files.watchfiles, "watch", refuse)
    monkeypatch.setattr(log_files, "IDLE_S", 0.02)
    log.touch()
    follower = LogFollower([str(log)])
    messages: list[LogMessage] = []
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(messages.append, stop))
    thread.start()
    try:
        wait_until(lambda: bool(messages))
        append(log, LOCKED)
        wait_until(lambda: lines(messages) == ["database is locked"])
    finally:
        stop.set()
        thread.join(10)
        follower.close()
    assert not thread.is_alive()
