"""Writing the summary of a simulation, and judging it by the thresholds of `--fail-on`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import is_terminal, not_waiting_for_the_terminal, print_text, say, write_file
from sqlwatch.cli.wanted import Wanted
from sqlwatch.diagnose.invariants import broken, faults_of
from sqlwatch.diagnose.lesson import Lesson, Shown
from sqlwatch.diagnose.lesson import judge as judge_lesson
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.report.csv import simulation_csv
from sqlwatch.report.fail_on import judge
from sqlwatch.report.json import simulation_json, simulation_report
from sqlwatch.report.lesson import lesson_text
from sqlwatch.report.text import environment_words, simulation_text
from sqlwatch.session.errors import SessionError
from sqlwatch.session.scenario import ScenarioSession
from sqlwatch.session.simulation import SimulationSession


def conclude(
    session: SimulationSession | ScenarioSession, signal_code: int, wanted: Wanted, *, shows_text: bool
) -> int:
    """Write the summary of a session that has ended, and return the exit code of the command.

    `signal_code` is 0 or 128 + the signal that ended it.  Raises CommandError if there is nothing to sum up.  After a
    signal or a dashboard (`shows_text`) the terminal may have stalled: then what is said there is lost.
    """
    is_hurried = shows_text or signal_code
    with not_waiting_for_the_terminal() if is_hurried else contextlib.nullcontext():
        return _conclude(session, signal_code, wanted, shows_text=shows_text)


def _conclude(
    session: SimulationSession | ScenarioSession, signal_code: int, wanted: Wanted, *, shows_text: bool
) -> int:
    try:
        result = session.result()
    except SessionError as error:
        # Who ended it by a signal, before it could run, wants to hear of the signal.
        raise CommandError(error.message, signal_code or error.exit_code) from error
    lesson = None
    if isinstance(session, ScenarioSession):
        shown = judge_lesson(session.scenario, session.repeats)
        lesson = Lesson(session.scenario, shown, faults_of(result.by_phase))
    crossed = write_summary(result, wanted, shows_text=shows_text, lesson=lesson)
    is_found = crossed or bool(broken(result.accounting))
    return signal_code or result.exit_code or (ExitCode.FOUND if is_found else ExitCode.DONE)


def run_and_write(
    session: SimulationSession | ScenarioSession, words: str, total_s: float | None, wanted: Wanted,
    headline: Callable[[Snapshot], str],
) -> int:  # fmt: skip
    """Run a session without a dashboard, writing lines while it runs where they are wanted; see `run_headless`."""
    from sqlwatch.cli.headless import run_headless

    if wanted.format != "jsonl":
        return run_headless(session, words, total_s)
    from sqlwatch.cli.jsonl import snapshot_lines

    def effects(snapshot: Snapshot) -> Sequence[Shown]:
        run = snapshot.lesson
        return judge_lesson(session.scenario, run.ended) if run and isinstance(session, ScenarioSession) else ()

    with snapshot_lines(wanted.output, headline, effects) as lines:
        return run_headless(session, words, total_s, lines)


def write_summary(result: Result, wanted: Wanted, *, shows_text: bool = False, lesson: Lesson | None = None) -> bool:
    """Write the summary and the page where they are wanted; return whether a condition is true of any phase.

    `shows_text` prints the text although there is a file.  Raises CommandError if one of them cannot be written;
    what the summary's file cannot take goes to stdout, so that a long run is not lost.
    """
    try:
        if wanted.format != "jsonl":  # its lines have been written while it ran
            _write_summary(result, wanted, shows_text, lesson)
    finally:
        if wanted.html is not None:
            _write_page(result, wanted.html, lesson)
    if result.message and (wanted.format != "text" or wanted.output is not None):
        say(result.message)
    crossed = False
    for expression in wanted.conditions:
        for verdict in judge(expression, simulation_report(result)):
            crossed = crossed or verdict.crossed is True
            if verdict.crossed is not False:
                say(verdict.words)
    return crossed


def _write_summary(result: Result, wanted: Wanted, shows_text: bool, lesson: Lesson | None) -> None:
    text = _text(result, lesson)
    summary = text
    if wanted.format == "json":
        summary = simulation_json(result, lesson)
    elif wanted.format == "csv":
        summary = simulation_csv(result)
    if wanted.output is None:
        is_seen = wanted.format == "text" and is_terminal()
        print_text(_text(result, lesson, short_last=True) if is_seen else summary)
        return
    if shows_text:
        print_text(_text(result, lesson, short_last=is_terminal()))
    try:
        write_file(wanted.output, summary)
    except CommandError:
        print_text(summary)
        raise
    if wanted.format == "text":
        say(f"The summary is in {wanted.output}.")


def _text(result: Result, lesson: Lesson | None, *, short_last: bool = False) -> str:
    if lesson is None:
        return simulation_text(result, short_last=short_last)
    return lesson_text(result, lesson, environment_words(result.environment), short_last=short_last)


def _write_page(result: Result, path: Path, lesson: Lesson | None) -> None:
    from sqlwatch.report.html import simulation_html

    written = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    write_file(path, simulation_html(result, lesson, written=written))
    say(f"The page is in {path}.")
