"""Every lesson, shortened, with real workers; and a lesson that is ended by a signal, in any of its phases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from simulators.scenario import Scenario, builtin, names
from sqlwatch.diagnose.invariants import faults_of
from sqlwatch.diagnose.lesson import Lesson, judge
from sqlwatch.report.json import simulation_json
from sqlwatch.report.lesson import lesson_text
from sqlwatch.session.scenario import ScenarioSession
from tests.conftest import GONE_WITHIN_S, workers_of

PATIENCE_S = 60


def shortened(scenario: Scenario) -> Scenario:
    """Run every phase once, with few writers, for a moment or for little work."""
    phases = []
    for phase in scenario.phases:
        workload = scenario.workload_of(phase)
        small = {"writers": min(workload.writers, 4), "readers": min(workload.readers, 2), "warm-up": 0}
        length = {"transactions": min(workload.transactions, 40)} if workload.transactions else {"duration": "200ms"}
        phases.append(msgspec.structs.replace(phase, workload={**phase.workload, **small, **length}))
    return msgspec.structs.replace(scenario, phases=tuple(phases), repeats=1)


@pytest.mark.parametrize("name", names())
def test_every_lesson_runs_and_keeps_what_must_hold(name: str, short_tmp: Path, leaves_no_process: None) -> None:
    scenario = shortened(builtin(name))
    session = ScenarioSession(scenario)
    session.start()
    assert session.wait(PATIENCE_S)
    result = session.result()
    assert [period.name for period in result.phases] == [phase.name for phase in scenario.phases]
    assert all(period.finished or period.reads or period.withdrawn for period in result.phases)
    assert faults_of(result.by_phase) == ()
    assert result.accounting.integrity == "ok"
    lesson = Lesson(scenario, judge(scenario, session.repeats))
    assert len(lesson.shown) == len(scenario.effects)
    text = lesson_text(result, lesson, "here")
    assert max(map(len, text.split("\n"))) <= 80
    report = msgspec.json.decode(simulation_json(result, lesson))
    assert [phase["accounting"]["integrity"] for phase in report["phases"]] == ["ok"] * len(scenario.phases)
    assert not list(short_tmp.iterdir())


LONG = """
title = "One of three goes on"
[workload]
writers = 2
readers = 1
hold = "1ms"
think = "1ms"
warm-up = 0
duration = "200ms"
"""
TO_CHECK = """
[[effects]]
says = "throughput"
figure = "commits_per_s"
of = "second"
against = "first"
at-least = 0.01
"""
PHASES = ("first", "second", "third")
KINDS = ("process", "thread", "task")


def lesson_that_stays_in(phase: str, path: Path) -> Path:
    """Write a lesson whose named phase takes minutes; each phase has another kind of worker."""
    text = LONG
    for name, kind in zip(PHASES, KINDS, strict=True):
        duration = ', duration = "5m"' if name == phase else ""
        text += f'[[phases]]\nname = "{name}"\nworkload = {{ worker-kind = "{kind}"{duration} }}\n'
    path.write_text(text)
    return path


@pytest.fixture
def start(short_tmp: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a lesson without a terminal, in a process group of its own; whatever is left of it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sqlwatch", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        for child in workers_of(process.pid):
            child.kill()
        process.kill()
        process.communicate()


def wait_for_phase(process: subprocess.Popen[str], phase: str) -> None:
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith(phase):
        assert line, "it ended before the phase began"


def wait_until_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=GONE_WITHIN_S)
    assert not alive


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("number", "code", "whole_group"), [(signal.SIGINT, 130, True), (signal.SIGTERM, 143, False)])
def test_a_signal_in_any_phase_leaves_nothing_and_prints_what_there_is(
    start: Callable[..., subprocess.Popen[str]], short_tmp: Path, tmp_path: Path, phase: str,
    number: signal.Signals, code: int, whole_group: bool,
) -> None:  # fmt: skip
    process = start("simulate", str(lesson_that_stays_in(phase, tmp_path / "long.toml")), "--headless")
    wait_for_phase(process, phase)
    workers = workers_of(process.pid)
    assert workers
    (os.killpg if whole_group else os.kill)(process.pid, number)  # ctrl+c reaches all processes of the terminal
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "Verdict:" in out
    for ran in PHASES[: PHASES.index(phase) + 1]:
        assert f"  {ran}: Invariants hold: 0 of " in out
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_a_signal_between_two_phases_leaves_nothing(
    start: Callable[..., subprocess.Popen[str]], short_tmp: Path, tmp_path: Path, delay_s: float
) -> None:
    process = start("simulate", str(lesson_that_stays_in("second", tmp_path / "long.toml")), "--headless")
    wait_for_phase(process, "first")
    wait_until_gone(workers_of(process.pid))
    time.sleep(delay_s)  # the moment is arbitrary on purpose; the outcome must not depend on it
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "  first: Invariants hold: 0 of " in out
    assert not list(short_tmp.iterdir())


def test_a_check_that_is_ended_says_so_by_its_exit_code(
    start: Callable[..., subprocess.Popen[str]], short_tmp: Path, tmp_path: Path
) -> None:
    lesson = lesson_that_stays_in("first", tmp_path / "long.toml")
    with lesson.open("a") as file:
        file.write(TO_CHECK)
    process = start("scenarios", "--check", str(lesson))
    deadline = time.monotonic() + PATIENCE_S
    while len(workers_of(process.pid)) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, process.pid
        time.sleep(0.01)
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, "Traceback" in err) == (143, False)
    wait_until_gone(workers)
    assert not list(short_tmp.iterdir())
