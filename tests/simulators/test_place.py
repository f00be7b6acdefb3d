import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import psutil
import pytest

from simulators.place import PlaceError, check_database_path, create_place, filesystem_of, sweep, temporary_root
from simulators.prepare import PrepareError, check_databases, make_databases

CONTEXT = get_context("spawn")


def test_a_place_lies_in_the_temporary_directory_and_goes_without_a_trace(short_tmp: Path) -> None:
    place = create_place(2, None)
    assert place.directory.parent == short_tmp
    assert [path.name for path in place.databases] == ["simulation.db", "simulation-2.db"]
    make_databases(CONTEXT, list(place.databases))
    assert check_databases(CONTEXT, list(place.databases)).rows == 0
    assert place.size_bytes() > 0
    place.remove()
    assert not list(short_tmp.iterdir())


def test_a_database_the_user_names_is_made_kept_and_made_anew(short_tmp: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    for _ in range(2):
        place = create_place(1, path)
        make_databases(CONTEXT, [path])
        place.remove()
        assert path.exists()
        connection = sqlite3.connect(path)
        connection.execute("INSERT INTO entry(worker, number, payload) VALUES (1, 1, '')")
        connection.commit()
        connection.close()
    make_databases(CONTEXT, [path])
    assert check_databases(CONTEXT, [path]).rows == 0


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist"])
def test_a_database_without_wal_is_made_and_left_without_a_journal(short_tmp: Path, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "mine.db"
    for _ in range(2):
        make_databases(CONTEXT, [path], with_wal=False)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("INSERT INTO entry(worker, number, payload) VALUES (1, 1, '')")
        connection.commit()
        connection.close()
        assert check_databases(CONTEXT, [path]).rows == 1
        assert [found.name for found in tmp_path.iterdir()] == ["mine.db"]
    make_databases(CONTEXT, [path])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_empty_file_may_be_used(short_tmp: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    check_database_path(path, 1)
    make_databases(CONTEXT, [path])


def test_a_foreign_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "precious.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious(x)")
    connection.close()
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(PlaceError, match="not made by sqlwatch") as caught:
        check_database_path(path, 1)
    assert caught.value.is_usage
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_foreign_second_database_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "app-2.db").write_text("this is a letter")
    with pytest.raises(PlaceError, match=r"app-2\.db"):
        check_database_path(tmp_path / "app.db", 2)


@pytest.mark.parametrize("kind", ["directory", "link", "wal beside"])
def test_what_is_no_plain_place_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "app.db"
    if kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere.db")
    else:
        (tmp_path / "app.db-wal").touch()
    with pytest.raises(PlaceError) as caught:
        check_database_path(path, 1)
    assert caught.value.is_usage


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="There is no directory") as caught:
        check_database_path(tmp_path / "nowhere" / "app.db", 1)
    assert not caught.value.is_usage


def test_a_database_of_ours_that_is_in_use_is_not_made_anew(short_tmp: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    make_databases(CONTEXT, [path])
    user = sqlite3.connect(path)
    user.execute("SELECT count(*) FROM entry").fetchone()
    with pytest.raises(PrepareError, match="in use by another program"):
        make_databases(CONTEXT, [path])
    user.close()


def test_the_sweep_takes_what_the_dead_left_and_nothing_else(short_tmp: Path) -> None:
    alive = create_place(1, None)
    dead = short_tmp / "sqlwatch-run-dead"
    dead.mkdir()
    (dead / "in-use.lock").write_bytes((alive.directory / "in-use.lock").read_bytes())
    (dead / "simulation.db").touch()
    unmarked = short_tmp / "sqlwatch-run-unmarked"
    unmarked.mkdir()
    (unmarked / "in-use.lock").touch()
    foreign = short_tmp / "sqlwatch-run-foreign"
    foreign.mkdir()
    (foreign / "letter.txt").touch()
    link = short_tmp / "sqlwatch-run-link"
    link.symlink_to(dead)
    assert sweep(short_tmp) == [dead]
    assert sorted(path.name for path in short_tmp.iterdir()) == sorted(
        [alive.directory.name, unmarked.name, foreign.name, link.name]
    )
    alive.remove()


def test_the_lock_says_that_a_run_is_alive(short_tmp: Path) -> None:
    place = create_place(1, None)
    with (place.directory / "in-use.lock").open("rb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    place.remove()


def test_file_systems_are_named() -> None:
    assert filesystem_of(Path("/proc")) == "proc"
    assert temporary_root().is_dir()


KILLED_PARENT = """
import sys, time
from simulators.fleet import Fleet, FleetState
from simulators.place import create_place
from simulators.prepare import make_databases
from simulators.workload import from_mapping
from multiprocessing import get_context

if __name__ == "__main__":
    place = create_place(1, None)
    make_databases(get_context("spawn"), list(place.databases))
    hold, mode = sys.argv[1:]
    fleet = Fleet(from_mapping({"writers": 3, "readers": 1, "hold": hold, "think": 0, "mode": mode}), place)
    fleet.begin_phase("first")
    while True:
        fleet.step()
        if fleet.state is FleetState.RUNNING and sum(handle.slot.got for handle in fleet.handles) > 0:
            print(*[handle.pid for handle in fleet.handles], flush=True)
            sys.stdin.readline()
        time.sleep(0.002)
"""


@pytest.mark.parametrize(
    ("hold", "mode"), [("0", "contended"), ("20s", "contended"), ("20s", "mutex"), ("1ms", "single-writer")]
)
def test_workers_end_by_themselves_when_their_parent_is_killed(short_tmp: Path, hold: str, mode: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT, hold, mode],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(short_tmp)},
    )  # fmt: skip
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 5
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 20
    while (left := [pid for pid in pids if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left
    assert len(list(short_tmp.iterdir())) == 1
    create_place(1, None).remove()
    assert not list(short_tmp.iterdir())


def test_a_check_finds_increments_and_damage(short_tmp: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "one.db", tmp_path / "two.db"]
    make_databases(CONTEXT, paths, with_wal=False)
    for path in paths:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE counter SET value = 7")
            connection.executemany(
                "INSERT INTO entry(worker, number, payload) VALUES (1, ?, zeroblob(900))", ((n,) for n in range(99))
            )
    found = check_databases(CONTEXT, paths)
    assert (found.rows, found.increments, found.complaints) == (198, 14, ())
    content = bytearray(paths[1].read_bytes())
    page = content.index(b"\x0d", 4096 * 5, 4096 * 5 + 1)  # a leaf page of the table (SQLite's file format, 1.6)
    content[page + 8 : page + 10] = b"\xff\xff"  # its first cell pointer points beyond the page
    paths[1].write_bytes(content)
    damaged = check_databases(CONTEXT, [paths[1]])
    assert damaged.complaints
    paths[1].write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    ruined = check_databases(CONTEXT, [paths[1]])
    assert ruined.rows is None
    assert ruined.complaints


def test_a_check_that_takes_too_long_is_given_up_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    make_databases(CONTEXT, [path])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO entry(worker, number, payload) VALUES (1, ?, zeroblob(9))", ((n,) for n in range(50_000))
        )
    found = check_databases(CONTEXT, [path], limit_s=0)
    assert (found.rows, found.complaints, found.unchecked) == (50_000, None, "not done within 0 s")
    assert check_databases(CONTEXT, [path], limit_s=1e-3).complaints is None, "begun, and interrupted"
    assert check_databases(CONTEXT, [path]).complaints == ()
