"""Incident 21: what is no database, or cannot be read, is refused in one clear sentence."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.watch import watch
from sqlwatch.cli.why import why
from sqlwatch.metrics.observations import Refusal
from sqlwatch.observe.facts import CannotObserve
from sqlwatch.session.look import look_at

from .crew import Crew


def refusal_of(path: Path) -> CannotObserve:
    with pytest.raises(CannotObserve) as caught:
        look_at(path)
    refusal = caught.value
    assert refusal.sentence.endswith((".", "?"))
    assert len(refusal.sentence) < 100 + 2 * len(str(path))
    assert "\n" not in refusal.sentence
    assert "Errno" not in refusal.sentence
    return refusal


def make_missing(path: Path) -> None:
    """Nothing lies under the path."""


def make_empty(path: Path) -> None:
    path.touch()


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_encrypted(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(8192))


def make_text(path: Path) -> None:
    path.write_text("id,name\n1,first\n" * 100, encoding="utf-8")


def make_short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def make_sqlite_2(path: Path) -> None:
    path.write_bytes(b"** This file contains an SQLite 2.1 database **".ljust(1024, b"\0"))


@pytest.mark.parametrize(
    ("make", "reason", "words"),
    [
        (make_missing, Refusal.MISSING, "There is no file"),
        (make_empty, Refusal.EMPTY, "is empty"),
        (make_directory, Refusal.DIRECTORY, "is a directory"),
        (make_fifo, Refusal.NOT_A_FILE, "is a pipe"),
        (make_encrypted, Refusal.NOT_A_DATABASE, "or it is encrypted"),
        (make_text, Refusal.NOT_A_DATABASE, "is not a SQLite database"),
        (make_short, Refusal.NOT_A_DATABASE, "only 16 bytes"),
        (make_sqlite_2, Refusal.OTHER_FORMAT, "SQLite 2"),
    ],
)
def test_21_what_is_no_database_is_refused(
    database: Path, make: Callable[[Path], None], reason: Refusal, words: str
) -> None:
    make(database)
    refusal = refusal_of(database)
    assert refusal.reason is reason
    assert words in refusal.sentence
    assert str(database) in refusal.sentence


def test_21_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name has room for some 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("app.sock")
        refusal = refusal_of(tmp_path / "app.sock")
    assert refusal.reason is Refusal.NOT_A_FILE
    assert "is a socket" in refusal.sentence


def test_21_another_format_is_refused(crew: Crew, database: Path) -> None:
    crew.make_wal()
    with database.open("r+b") as file:
        file.seek(18)
        file.write(b"\3\3")  # write and read version of wal2
    refusal = refusal_of(database)
    assert refusal.reason is Refusal.OTHER_FORMAT
    assert "file format" in refusal.sentence


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_21_who_names_a_file_beside_the_database_is_told_which_to_name(crew: Crew, database: Path, suffix: str) -> None:
    crew.shell("pragma journal_mode=wal;", "create table t(x);")
    refusal = refusal_of(Path(f"{database}{suffix}"))
    assert refusal.reason is Refusal.NOT_A_DATABASE
    assert f"name {database}." in refusal.sentence


@contextlib.contextmanager
def nobody_in_particular() -> Iterator[None]:
    """Let root, who may read every file, be another user for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_21_a_file_that_we_may_not_read_is_refused(crew: Crew, database: Path) -> None:
    crew.make_wal()
    database.chmod(0)
    with nobody_in_particular():
        refusal = refusal_of(database)
    assert refusal.reason is Refusal.NO_PERMISSION
    assert "as the user that owns it" in refusal.sentence


@pytest.mark.parametrize("command", [why, watch])
def test_21_the_commands_say_so_in_a_sentence(command: click.Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        database = Path(folder, "app.db")
        database.write_bytes(b"SQLite format 3\0")
        database.chmod(0)
        monkeypatch.setattr(os, "access", functools.partial(os.access, effective_ids=True))
        with nobody_in_particular(), pytest.raises(CommandError) as refused:
            command.main([str(database)], standalone_mode=False)
    assert refused.value.exit_code == ExitCode.CANNOT_OBSERVE
    assert "as the user that owns it" in refused.value.message


def test_21_a_database_that_is_deleted_while_we_look_is_refused(crew: Crew, database: Path) -> None:
    program = crew.start(
        "c = connect()\nc.execute('create table t(x)')\nsay()\nlisten()\n"
        "time.sleep(0.3)\nos.unlink(sys.argv[1])\nsay('deleted')\nlisten()"
    )
    program.tell()
    assert refusal_of(database).reason is Refusal.MISSING
