"""What `simulate` writes: lines of JSON while it runs, and the summary with what matters in sight."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ..tui.test_terminal import Terminal
from .conftest import Run
from .test_scenarios import SHORT, sqlwatch

QUICK = ["--headless", "--writers", "2", "--readers", "0", "--hold", "1ms", "--think", "1ms", "--warm-up", "0"]


def test_a_line_for_each_interval_and_one_at_the_end(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = sqlwatch(
        "simulate", *QUICK, "--duration", "1s", "--format", "jsonl", "--interval", "200ms", "--html", page,
        "--fail-on", "commits_per_s>0",
    )  # fmt: skip
    assert done.returncode == 1, "conditions are judged at the end"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["schema"] for line in lines} == {"sqlwatch.snapshot/1"}
    assert 4 <= len([line for line in lines if line["status"] == "running"]) <= 10
    assert lines[-1]["status"] == "ended"
    commits = [line["run"]["commits"] for line in lines if line["run"] is not None]
    assert commits == sorted(commits)
    assert commits[-1] > 0
    assert all(line["headline"] for line in lines)
    assert page.exists()


def test_a_lesson_and_a_file(tmp_path: Path) -> None:
    lesson, lines = tmp_path / "short.toml", tmp_path / "lines.jsonl"
    lesson.write_text(SHORT)
    done = sqlwatch("simulate", lesson, "--format", "jsonl", "--interval", "100ms", "-o", lines)
    assert (done.returncode, done.stdout) == (0, "")
    reports = [json.loads(line) for line in lines.read_text().splitlines()]
    phases = [report["phase"] for report in reports]
    assert reports[0]["effects"][0]["shown"] is None, "nothing can be told yet"
    assert reports[-1]["effects"][0]["shown"] is True
    assert {phase["name"] for phase in phases if phase is not None} == {"two", "one"}


def test_on_a_terminal_the_summary_ends_with_what_matters(run: Run, terminals: set[str]) -> None:
    assert run("simulate", "--headless").out.index("Nothing was lost") < run("simulate", "--headless").out.index(
        "Accounting"
    )
    terminals.add("stdout")
    out = run("simulate", "--headless").out
    assert out.index("Accounting") < out.index("Nothing was lost")
    assert out.endswith("All of it stands above.\n")


@pytest.mark.parametrize("interval", ["0", "never"])
def test_an_interval_that_is_none(run: Run, interval: str) -> None:
    outcome = run("simulate", "--format", "jsonl", "--interval", interval)
    assert (outcome.code, outcome.session) == (2, None)
    assert outcome.sentence.startswith("sqlwatch: --interval")


def test_a_dashboard_writes_no_lines(run: Run, terminals: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminals |= {"stdin", "stdout", "stderr"}
    monkeypatch.setenv("TERM", "xterm-256color")
    outcome = run("simulate", "--format", "jsonl")
    assert (outcome.code, outcome.session) == (2, None)
    assert "--format jsonl is for headless runs; add --headless." in outcome.sentence


PROGRAM = """
import sys
sys.argv = ["sqlwatch", "simulate"]
from tests.cli import fake
fake.FakeSession.runs_on = True
import sqlwatch.session.simulation as module
module.SimulationSession = fake.FakeSession
from sqlwatch.cli.main import main
main()
"""


def test_what_matters_is_in_sight_when_the_dashboard_is_left(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "note", controlling=False, environment={}, program=PROGRAM)
    try:
        terminal.read_until(b"CONTENDED")
        os.write(terminal.master, b"q")
        assert terminal.wait() == 0
        said = terminal.output.rpartition(b"\x1b[?1049l")[2].decode()
        assert said.index("Accounting") < said.index("Nothing was lost")
        assert said.rstrip().endswith("All of it stands above.")
    finally:
        terminal.close()
