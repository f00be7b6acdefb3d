"""Running a lesson: its phases one after the other, then what they have shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.scenario import Scenario
from simulators.workload import WorkloadError
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.diagnose.lesson import Lesson, judge
from sqlwatch.report.expression import Expression
from sqlwatch.session.errors import SessionError
from sqlwatch.session.scenario import ScenarioSession


def run_lesson(
    scenario: Scenario, given: Mapping[str, Any], conditions: Sequence[Expression], *, format_: str,
    output: Path | None, is_headless: bool, fps: int, glyphs: str, mouse: bool, sample_rate: int,
) -> int:  # fmt: skip
    """Run the lesson, headless or in the dashboard, write what it has shown, and return the exit code."""
    from sqlwatch.cli.summary import write_summary

    session = prepare(scenario, given, fps=fps, sample_rate=sample_rate)
    signal_code = 0
    try:
        if is_headless:
            from sqlwatch.cli.headless import run_headless

            signal_code = run_headless(session, scenario.title, scenario.length_s if scenario.repeats == 1 else None)
        else:
            from sqlwatch.cli.dashboard import run_in_terminal

            signal_code = run_in_terminal(session, fps=fps, glyphs=glyphs, mouse=mouse)
        result = session.result()
    except SessionError as error:
        raise CommandError(error.message, signal_code or error.exit_code) from error
    lesson = Lesson(scenario, judge(scenario, session.repeats))
    crossed = write_summary(result, format_, output, conditions, shows_text=not is_headless, lesson=lesson)
    return signal_code or result.exit_code or (ExitCode.FOUND if crossed else ExitCode.DONE)


def prepare(scenario: Scenario, given: Mapping[str, Any], *, fps: int, sample_rate: int) -> ScenarioSession:
    """Return a session for a lesson with some parameters changed; raise CommandError if they do not fit."""
    try:
        return ScenarioSession(scenario, given, snapshots_per_s=fps, sample_rate_hz=sample_rate)
    except WorkloadError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
