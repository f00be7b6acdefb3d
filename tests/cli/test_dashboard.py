"""When the dashboard is chosen, what it is given, and what follows it; the dashboard itself is a stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sqlwatch.session.errors import SessionError
from tests.cli.conftest import Run
from tests.cli.fake import FakeSession


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, terminals: set[str]) -> list[dict[str, Any]]:
    """Make the streams terminals, and note how the dashboard was called; by itself it starts the session and quits."""
    calls: list[dict[str, Any]] = []

    def run_dashboard(session: Any, **options: Any) -> int:
        calls.append(options)
        session.start(lambda snapshot: None)
        return 0

    monkeypatch.setattr("sqlwatch.tui.run.run_dashboard", run_dashboard)
    monkeypatch.setattr("sqlwatch.cli.dashboard.run_dashboard", run_dashboard, raising=False)
    terminals.update(("stdin", "stdout", "stderr"))
    monkeypatch.setenv("TERM", "xterm-256color")
    return calls


@pytest.fixture(autouse=True)
def _always_shown(shown: list[dict[str, Any]]) -> None:
    """Have every test here on a terminal."""


def test_on_a_terminal_it_is_shown_without_a_limit_and_the_summary_follows(
    run: Run, shown: list[dict[str, Any]]
) -> None:
    outcome = run("simulate", "--fps", "7", "--glyphs", "ascii", "--no-mouse")
    assert outcome.code == 0
    assert [(call["fps"], call["glyphs"], call["mouse"]) for call in shown] == [(7, "ascii", False)]
    assert outcome.session is not None
    assert outcome.session.workload.duration is None
    assert outcome.session.ended
    assert "commits a second" in outcome.out


def test_compared_phases_need_an_end(run: Run) -> None:
    session = run("simulate", "--compare").session
    assert session is not None
    assert str(session.workload.duration) == "10s"


def test_output_and_format_do_not_make_it_headless(run: Run, shown: list[dict[str, Any]], tmp_path: Path) -> None:
    outcome = run("simulate", "--format", "json", "-o", str(tmp_path / "a.json"))
    assert len(shown) == 1
    assert "commits a second" in outcome.out
    assert (tmp_path / "a.json").read_text().startswith("{")


def test_the_page_is_written_when_the_dashboard_is_left(run: Run, shown: list[dict[str, Any]], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    outcome = run("simulate", "--html", str(page))
    assert len(shown) == 1
    assert "commits a second" in outcome.out
    assert page.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_no_terminal_makes_it_headless(
    run: Run, shown: list[dict[str, Any]], terminals: set[str], stream: str
) -> None:
    terminals.remove(stream)
    assert run("simulate").code == 0
    assert shown == []


def test_a_dumb_terminal_makes_it_headless(
    run: Run, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert run("simulate").code == 0
    assert shown == []


@pytest.mark.parametrize("code", [129, 143])
def test_the_code_of_a_signal_is_passed_on(run: Run, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def end_by_signal(session: Any, **options: Any) -> int:
        session.start(lambda snapshot: None)
        return code

    monkeypatch.setattr("sqlwatch.cli.dashboard.run_dashboard", end_by_signal)
    outcome = run("simulate", "--fail-on", "busy_errors>0")
    assert outcome.code == code
    assert "commits a second" in outcome.out


def test_thresholds_are_judged_after_the_dashboard(run: Run) -> None:
    assert run("simulate", "--fail-on", "busy_errors>0").code == 1


@pytest.mark.timeout(20)
def test_leaving_before_the_session_was_started_does_not_wait_for_it(
    run: Run, fake: type[FakeSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlwatch.cli.dashboard.run_dashboard", lambda session, **options: 143)
    monkeypatch.setattr(fake, "run_fails", SessionError("The simulation was ended before it began.", 0))
    outcome = run("simulate")
    assert (outcome.code, outcome.out) == (143, "")
    assert "ended before it began" in outcome.sentence
