"""The command line as a process: start-up, imports, streams that close, signals; the session is a fake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

PATIENCE_S = 30
FAKE = [sys.executable, "-m", "tests.cli.fake", "simulate"]


@pytest.fixture
def start() -> Iterator[Any]:
    """Return a function that starts the command with a fake session; what still runs is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, runs_on: bool = False, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, **({"RUNS_ON": "1"} if runs_on else {})}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        started.append(subprocess.Popen([*FAKE, *arguments], text=True, env=environment, **streams))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["simulate", "--help"], ["why", "--help"], ["watch", "--help"]]
)
def test_what_needs_no_session_loads_neither_textual_nor_sqlite(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom sqlwatch.cli.main import main\n"
        f"sys.argv = ['sqlwatch', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    ).stdout
    loaded = set(out.rpartition("LOADED")[2].split())
    assert "sqlwatch" in loaded
    assert not loaded & {"textual", "rich", "apsw", "sqlite3", "_sqlite3", "psutil", "multiprocessing"}


def test_a_headless_run_loads_neither_textual_nor_sqlite() -> None:
    code = (
        "import sys\nimport tests.cli.fake as fake\n"
        "from sqlwatch.session import simulation\nfrom sqlwatch.cli.main import main\n"
        "simulation.SimulationSession = fake.FakeSession\nsys.argv = ['sqlwatch', 'simulate', '--headless']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', *sorted(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL,
    )
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "msgspec" in loaded
    assert not loaded & {"textual", "apsw", "sqlite3", "_sqlite3"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_run_and_the_summary_so_far_is_printed(start: Any, number: int, code: int) -> None:
    process = start("--format", "json", runs_on=True)
    wait_for_phase(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert json.loads(out)["phases"][0]["name"] == "contended"
    assert "Traceback" not in err


def test_an_ignored_hang_up_stays_ignored(start: Any) -> None:
    process = start(runs_on=True, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for_phase(process)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)  # delivered later than the one before, and not ignored
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143


def test_a_reader_that_has_gone_is_no_error(start: Any) -> None:
    process = start("--format", "json", runs_on=True)
    wait_for_phase(process)
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    process.stdout = None
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 143
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
def test_a_full_stdout_is_told(start: Any) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        process = start(stdout=full)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert "No space left on device" in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_is_no_terminal(start: Any, closed: int) -> None:
    process = start(preexec_fn=lambda: os.close(closed))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert ("commits a second" in out) is (closed != 1)


def test_a_stdout_without_utf8_gets_the_summary_too() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        FAKE, capture_output=True, env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=True
    )
    assert b"commits a second" in done.stdout


def wait_for_phase(process: subprocess.Popen[str]) -> None:
    """Wait until the run has begun, as its narration says."""
    assert process.stderr is not None
    deadline = time.monotonic() + PATIENCE_S
    while not (line := process.stderr.readline()).startswith("contended"):
        assert line, "it ended before the phase began"
        assert time.monotonic() < deadline
