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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("repeats = 0\n", "repeats: must be a whole number of at least 1."),
        ('repeats = "two"\n', "repeats: must be a whole number, and is a text."),
        ('[[phases]]\nnam = "a"\n', "phases[0] (the 1st): there is no key nam; did you mean name?"),
        (
            '[[phases]]\nname = "a"\nworkload = 3\n',
            "phases[0].workload (the 1st): must be a table, and is a whole number.",
        ),
        ('[[effects]]\nsays = "x"\n', "effects[0] (the 1st): the key figure is missing."),
        ('[[sweeps]]\nname = "x"\nphases = ["a"]\n', "sweeps[0].phases (the 1st): must be a list of at least 2."),
        (
            "[workload]\nwriters = 2\n[[published]]\nzzz = 1\n",
            "published[0] (the 1st): there is no key zzz; known are what, value.",
        ),
    ],
)
@pytest.mark.parametrize("command", [["scenarios"], ["simulate", "--headless"]])
def test_a_mistake_in_a_file_is_told_in_plain_words(
    run: Run, tmp_path: Path, command: list[str], text: str, words: str
) -> None:
    path = tmp_path / "my.toml"
    path.write_text(text)
    outcome = run(*command, str(path))
    assert (outcome.code, outcome.session) == (2, None)
    assert outcome.sentence == f"sqlwatch: {path}: {words}"


def test_a_file_is_explained_by_its_place_and_a_workload_alone_for_what_it_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "my own.toml"
    path.write_text("[workload]\nwriters = 3\n")
    outcome = run("scenarios", str(path))
    words = " ".join(outcome.out.split())
    assert "A workload without phases, so nothing is compared: 3 writers hold 2ms" in words
    assert f"sqlwatch simulate '{path}'" in words
    outcome = run("scenarios", str(path), "--check")
    assert (outcome.code, "there is nothing to check" in outcome.sentence) == (2, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("starvation.toml", "There is no file starvation.toml. There is a lesson starvation."),
        ("", "Name a lesson (`sqlwatch scenarios` lists them) or a TOML file; this is empty."),
    ],
)
def test_a_name_that_leads_nowhere_leads_on(run: Run, name: str, words: str) -> None:
    outcome = run("simulate", name)
    assert (outcome.code, outcome.sentence) == (2, f"sqlwatch: {words}")


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
    lesson.write_text(SHORT.replace("0.01", "1e9").replace("Two against one", "Two against one " * 6))
    done = sqlwatch("scenarios", lesson, "--check")
    assert done.returncode == 1
    assert "NOT SHOWN" in done.stdout
    assert "not as expected (at least 1,000,000,000x)" in " ".join(done.stdout.split())
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
