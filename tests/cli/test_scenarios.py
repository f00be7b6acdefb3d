"""`sqlwatch scenarios`, and lessons in `sqlwatch simulate`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.scenario import names

from ..test_scenario_session import SHORT
from .conftest import Run

PATIENCE_S = 60


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    return path


def sqlwatch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sqlwatch", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL, check=False
    )


def test_all_lessons_are_listed_with_their_source(run: Run) -> None:
    outcome = run("scenarios")
    assert (outcome.code, outcome.err) == (0, "")
    for name in names():
        assert f"  {name} " in outcome.out
    headings = [line for line in outcome.out.splitlines() if line.endswith(":")]
    assert 'Blog post "SQLite on Rails: Improving concurrency":' in headings
    assert len(headings) == len(set(headings)) == 5, "one for each published text"
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_one_is_explained(run: Run) -> None:
    outcome = run("scenarios", "starvation")
    assert outcome.code == 0
    for words in ("Question:", "Source:", "What to expect here", "To see it vanish", "sqlwatch simulate starvation"):
        assert words in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


@pytest.mark.parametrize("command", ["scenarios", "simulate"])
def test_a_wrong_name_suggests_the_nearest(run: Run, command: str) -> None:
    outcome = run(command, "starvaton")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.sentence == "sqlwatch: There is no scenario starvaton; did you mean starvation?"


@pytest.mark.parametrize("option", [["--compare"], ["--db", "x.db"]])
def test_a_lesson_has_phases_and_databases_of_its_own(run: Run, option: list[str]) -> None:
    outcome = run("simulate", "starvation", *option)
    assert (outcome.code, outcome.session) == (2, None)
    assert "leave --compare and --db out" in outcome.sentence


def test_phases_by_hand_need_a_dashboard(run: Run) -> None:
    outcome = run("simulate", "starvation", "--step", "--headless")
    assert (outcome.code, outcome.session) == (2, None)
    assert "there is no dashboard to press it in" in outcome.sentence


def test_a_parameter_that_does_not_fit_is_named(run: Run) -> None:
    assert "writers: '99' is not allowed" in run("simulate", "starvation", "--writers", "99").sentence


def test_a_lesson_is_run_and_judged(lesson: Path) -> None:
    done = sqlwatch("simulate", lesson, "--format", "json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert (report["scenario"]["name"], report["scenario"]["shown"]) == ("short", True)
    assert [phase["name"] for phase in report["phases"]] == ["two", "one"]
    assert report["accounting"]["lost"] == 0
    assert "two ..." in done.stderr


def test_a_check_fails_if_an_effect_does_not_appear(lesson: Path) -> None:
    done = sqlwatch("scenarios", lesson, "--check")
    assert (done.returncode, "1 of 1 lessons" in done.stdout) == (0, True)
    lesson.write_text(SHORT.replace("0.01", "1e9"))
    done = sqlwatch("scenarios", lesson, "--check")
    assert done.returncode == 1
    assert "NOT SHOWN" in done.stdout
    assert "not as expected (at least 1,000,000,000x)" in " ".join(done.stdout.split())
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
