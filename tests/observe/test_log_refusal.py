"""What is no log is said in a sentence, and the files of a database are not even opened."""

from __future__ import annotations

import contextlib
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sqlwatch.observe import log_files, log_refusal

from .logs import LOCKED, Follow, append, follow, lines, log, sources

__all__ = ["follow", "log"]  # fixtures


def database(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(4080))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "is a directory: name a log in it"),
        (os.mkfifo, "is no regular file"),
        (database, "is a file of an SQLite database"),
        (lambda path: path.write_bytes(b"\x37\x7f\x06\x82" + bytes(28)), "is a file of an SQLite database"),
        (lambda path: path.write_bytes(bytes.fromhex("18e22d00") + bytes(32)), "is a file of an SQLite database"),
        (
            lambda path: path.write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(20)),
            "is a file of an SQLite",
        ),
        (lambda path: path.write_bytes(gzip.compress(LOCKED.encode())), "is compressed"),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
    ids=["directory", "fifo", "database", "wal", "shm", "journal", "gzip", "loop of links"],
)
def test_what_is_no_log_is_said_in_a_sentence(
    log: Path, follow: Follow, make: Callable[[Path], object], words: str
) -> None:
    make(log)
    told = sources(follow(log).poll())
    assert told.paths == ()
    assert words in told.trouble[0]


@pytest.mark.parametrize("name", ["app.db-wal", "app.db-shm", "app.db-journal", "app.db", "app.sqlite3", "APP.DB-WAL"])
@pytest.mark.parametrize("how", ["named", "glob", "link"])
def test_files_of_a_database_are_not_opened(
    tmp_path: Path, follow: Follow, name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_refusal, "open_for_reading", lambda path: pytest.fail(f"{path} was opened"))
    database(tmp_path / "app.db")
    (tmp_path / name).write_text(LOCKED)
    (tmp_path / "my.log").symlink_to(name)
    pattern = tmp_path / {"named": name, "glob": f"{name[:-1]}?", "link": "my.log"}[how]
    told = sources(follow(pattern).poll())
    assert told.paths == ()
    assert len(told.trouble) == 1
    assert "database" in told.trouble[0]


def test_a_journal_is_a_log_where_there_is_no_database(tmp_path: Path, follow: Follow) -> None:
    (tmp_path / "my-journal").touch()
    assert sources(follow(tmp_path / "my-journal").poll()).trouble == ()


def test_what_was_refused_is_not_opened_again(log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    database(log)
    follower = follow(log)
    follower.poll()
    monkeypatch.setattr(log_refusal, "open_for_reading", lambda path: pytest.fail(f"{path} was opened again"))
    assert follower.poll() == []


def test_a_file_that_becomes_a_database_is_let_go(log: Path, follow: Follow) -> None:
    log.touch()
    follower = follow(log)
    assert sources(follower.poll()).paths == (str(log),)
    database(log)
    told = sources(follower.poll())
    assert told.paths == ()
    assert "is a file of an SQLite database" in told.trouble[0]
    append(log, LOCKED)
    assert follower.poll() == []
    assert not [one for one in Path("/proc/self/fd").glob("*") if one.exists() and one.samefile(log)]


def test_rotated_logs_that_are_compressed_go_without_saying(log: Path, follow: Follow) -> None:
    (log.parent / "app.log.2.gz").write_bytes(gzip.compress(LOCKED.encode()))
    (log.parent / "app.log.d").mkdir()
    follower = follow(f"{log}*")
    assert sources(follower.poll()).trouble == (f"{log}* matches nothing but directories and compressed files.",)
    log.touch()
    told = sources(follower.poll())
    assert (told.paths, told.trouble) == ((str(log),), ())


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the rights of root, if we have them, for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_no_permission(follow: Follow) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        (Path(place) / "closed").mkdir(mode=0o700 if os.geteuid() == 0 else 0)
        log = Path(place) / "app.log"
        log.write_text("0: " + LOCKED)
        log.chmod(0)
        with as_nobody():
            follower = follow(log, f"{place}/closed/*.log")
            assert sources(follower.poll()).trouble == (
                f"No permission to read the log {log}.", f"No permission to list the directory {place}/closed.",
            )  # fmt: skip
        log.chmod(0o644)
        append(log, "1: " + LOCKED)
        with as_nobody():
            messages = follower.poll()
        assert sources(messages).paths == (str(log),)
        assert lines(messages) == ["1: database is locked"], "what it held at the start is history"


def test_too_many_logs(tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOST_LOGS", 2)
    for number in range(4):
        (tmp_path / f"{number}.log").write_text(LOCKED)
    follower = follow(tmp_path / "*.log")
    told = sources(follower.poll())
    assert len(told.paths) == 2
    assert told.trouble == ("2 more files match: no more than 2 logs are followed.",)
    for number in range(2):
        (tmp_path / f"{number}.log").unlink()
    monkeypatch.setattr(log_files, "QUIET_NS", 0)
    for _ in range(2):  # they lose their names; then nobody writes them
        follower.poll()
    append(tmp_path / "2.log", "new: " + LOCKED)
    messages = follower.poll()
    assert sources(messages).paths == (str(tmp_path / "2.log"), str(tmp_path / "3.log"))
    assert lines(messages) == ["new: database is locked"]


def test_much_trouble_is_cut(tmp_path: Path, follow: Follow) -> None:
    trouble = sources(follow(*(tmp_path / f"{number}.log" for number in range(50))).poll()).trouble
    assert len(trouble) == log_files.MOST_TROUBLE + 1
    assert trouble[-1] == "30 more paths have such trouble."
