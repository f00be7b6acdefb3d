"""`sqlwatch why` as a process, on real databases that real processes use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..observe.programs import HOLD_WRITE, MAKE_WAL, Programs, programs_on, wait_until

PATIENCE_S = 30


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def programs(database: Path) -> Iterator[Programs]:
    with programs_on(database) as started:
        yield started


def why(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sqlwatch", "why", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL, check=False, **options
    )


def test_the_culprit_is_named_and_after_its_end_nothing_is_found(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    found = why(database)
    assert (found.returncode, found.stderr) == (1, "")
    first = " ".join(found.stdout.partition("\n\n")[0].split())
    assert f"(pid {writer.pid}) has held the write lock for at least" in first
    assert "is asleep inside its transaction" in first
    assert "CRITICAL idle-writer" in found.stdout
    assert sys.executable[:20] in found.stdout

    writer.tell()
    writer.expect("committed")
    after = why(database)
    assert after.returncode == 0
    assert "Findings: none" in after.stdout


def test_json_says_the_same(programs: Programs, database: Path, tmp_path: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    output = tmp_path / "why.json"
    done = why(database, "--format", "json", "-o", output)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    report = json.loads(output.read_text())
    assert report["locks"]["write"]["pid"] == writer.pid
    assert [(one["code"], one["pid"]) for one in report["findings"]] == [("idle-writer", writer.pid)]


def test_waiting_ends_as_soon_as_something_is_found(programs: Programs, database: Path) -> None:
    writer = programs.start(MAKE_WAL + "say()\nlisten()\nc.execute('begin immediate')\nsay('holds')\nlisten()")
    command = [sys.executable, "-m", "sqlwatch", "why", str(database), "--wait", "25s", "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: has_open(process.pid, database))
        writer.tell()
        writer.expect("holds")
        began_s = time.monotonic()
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert time.monotonic() - began_s < 10
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    assert [one["pid"] for one in json.loads(out)["findings"]] == [writer.pid]


def test_ctrl_c_ends_the_waiting_with_what_was_seen(programs: Programs, database: Path) -> None:
    programs.start(MAKE_WAL + "say()\nlisten()")
    command = [sys.executable, "-m", "sqlwatch", "why", str(database), "--wait", "25s"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: has_open(process.pid, database))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, err) == (130, "")
    assert "Findings: none" in out


def test_limits_can_be_changed(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    assert why(database, "--limit", "long-hold=20s").returncode == 0


def test_informational_findings_do_not_change_the_exit_code(programs: Programs, database: Path) -> None:
    programs.run("c = connect()\nc.execute('create table t(x)')\nc.close()")
    plain = why(database)
    assert (plain.returncode, "INFO" in plain.stdout) == (0, False)
    assert "INFO rollback-journal" in why(database, "--all").stdout


WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
import sqlwatch.cli.why, sqlwatch.report.why_json
from sqlwatch.cli.main import main
from sqlwatch.session.look import look_at
look_at(Path(sys.argv[1]), 0.05)  # imports what another user may not read
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.argv = ["sqlwatch", "why", sys.argv[1], "--format", "json"]
main()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root can become another user")
def test_without_the_right_to_see_what_a_holder_does_it_judges_by_state_and_cpu_time() -> None:
    with tempfile.TemporaryDirectory(prefix="why-test-") as directory:
        Path(directory).chmod(0o755)
        with programs_on(Path(directory) / "app.db") as programs:
            writer = programs.start(HOLD_WRITE)
            command = [sys.executable, "-c", WITHOUT_RIGHTS, str(programs.database)]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, check=False
            )
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert [(one["code"], one["pid"]) for one in report["findings"]] == [("idle-writer", writer.pid)]
    assert (report["locks"]["write"]["pid"], report["locks"]["write"]["doing"]) == (writer.pid, None)
    assert report["waiters"] is None
    assert any("needs root or the same user" in words for words in report["not_visible"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.touch(), "is empty"),
        (lambda path: path.mkdir(), "is a directory"),
        (os.mkfifo, "is a pipe"),
        (lambda path: path.write_bytes(os.urandom(8192)), "encrypted"),
        (lambda path: path.write_bytes(b"%PDF-1.7" + bytes(4000)), "not a SQLite database"),
    ],
    ids=["missing", "empty", "directory", "fifo", "random bytes", "another format"],
)
def test_what_cannot_be_observed_is_one_sentence(database: Path, make: Any, words: str) -> None:
    make(database)
    done = why(database)
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wait", "soon"], "is not a time"),
        (["--wait", "0"], "out of range"),
        (["--sample-rate", "many"], "from 1 to 2000"),
        (["--sample-rate", "nan"], "from 1 to 2000"),
        (["--limit", "long-hold"], "there is no such limit"),
        (["--limit", "long-hld=1s"], "did you mean long-hold?"),
        (["--limit", "hog=900"], "is not a share"),
        (["--limit", "pinned-frames=-1"], "is not a whole number"),
        (["--output", "app.db-wal"], "is a file of the database"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_wrong_usage_is_a_sentence(arguments: list[str], words: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = why("app.db", *arguments, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def has_open(pid: int, path: Path) -> bool:
    """Tell whether a process has a file open."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if link.readlink() == path:
                return True
        except OSError:
            continue
    return False
