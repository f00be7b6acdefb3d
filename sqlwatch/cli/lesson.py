"""Running a lesson: its phases one after the other, then what they have shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.scenario import Scenario
from simulators.workload import WorkloadError
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.diagnose.headline import headline
from sqlwatch.diagnose.lesson import Lesson, judge, verdict
from sqlwatch.metrics.snapshot import Snapshot, Status
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

            signal_code = run_in_terminal(
                session, fps=fps, glyphs=glyphs, mouse=mouse, headline=_headline(scenario, session),
                lesson=_page(scenario),
            )  # fmt: skip
        result = session.result()
    except SessionError as error:
        raise CommandError(error.message, signal_code or error.exit_code) from error
    lesson = Lesson(scenario, judge(scenario, session.repeats))
    crossed = write_summary(result, format_, output, conditions, shows_text=not is_headless, lesson=lesson)
    return signal_code or result.exit_code or (ExitCode.FOUND if crossed else ExitCode.DONE)


def _headline(scenario: Scenario, session: ScenarioSession) -> Callable[[Snapshot], str]:
    """Return a headline that says which phase it is, and at the end what the lesson has shown."""
    total = len(scenario.phases) * scenario.repeats

    def words(snapshot: Snapshot) -> str:
        if snapshot.status is Status.ENDED:
            return f"{verdict(judge(scenario, session.repeats))}; q prints the comparison"
        done = sum(len(periods) for periods in session.repeats)
        phase = scenario.phases[done % len(scenario.phases)].name
        return f"{scenario.name}, phase {min(done + 1, total)} of {total}, {phase}: {headline(snapshot)}"

    return words


def _page(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """Return the paragraphs of the lesson's page in the dashboard."""
    published = "; ".join(f"{row.what}: {row.value}" for row in scenario.published)
    paragraphs = (
        (scenario.title, scenario.question),
        ("What to look at", scenario.watch),
        ("What to expect here, and why", scenario.expect),
        (f"Published ({scenario.source})", published),
        ("To see it vanish", scenario.vanish),
    )
    return tuple((title, words.replace("{", "{{").replace("}", "}}")) for title, words in paragraphs if words)


def prepare(scenario: Scenario, given: Mapping[str, Any], *, fps: int, sample_rate: int) -> ScenarioSession:
    """Return a session for a lesson with some parameters changed; raise CommandError if they do not fit."""
    try:
        return ScenarioSession(scenario, given, snapshots_per_s=fps, sample_rate_hz=sample_rate)
    except WorkloadError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
