"""Writing the summary of a simulation, and judging it by the thresholds of `--fail-on`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import print_text, say, write_file
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.diagnose.lesson import judge as judge_lesson
from sqlwatch.metrics.result import Result
from sqlwatch.report.expression import Expression
from sqlwatch.report.fail_on import judge
from sqlwatch.report.json import simulation_json, simulation_report
from sqlwatch.report.lesson import lesson_text
from sqlwatch.report.text import environment_words, simulation_text
from sqlwatch.session.errors import SessionError
from sqlwatch.session.scenario import ScenarioSession
from sqlwatch.session.simulation import SimulationSession


def conclude(
    session: SimulationSession | ScenarioSession, signal_code: int, format_: str, output: Path | None,
    expressions: Sequence[Expression], *, shows_text: bool,
) -> int:  # fmt: skip
    """Write the summary of a session that has ended, and return the exit code of the command.

    `signal_code` is 0 or 128 + the signal that ended it.  Raises CommandError if there is nothing to sum up.
    """
    try:
        result = session.result()
    except SessionError as error:
        # Who ended it by a signal, before it could run, wants to hear of the signal.
        raise CommandError(error.message, signal_code or error.exit_code) from error
    lesson = None
    if isinstance(session, ScenarioSession):
        lesson = Lesson(session.scenario, judge_lesson(session.scenario, session.repeats))
    crossed = write_summary(result, format_, output, expressions, shows_text=shows_text, lesson=lesson)
    return signal_code or result.exit_code or (ExitCode.FOUND if crossed else ExitCode.DONE)


def write_summary(
    result: Result, format_: str, output: Path | None, expressions: Sequence[Expression],
    *, shows_text: bool = False, lesson: Lesson | None = None,
) -> bool:  # fmt: skip
    """Write the summary to stdout or the named file; return whether an expression is true of any phase.

    `shows_text` prints the text although there is a file.  Raises CommandError if the summary cannot be written;
    what the file cannot take goes to stdout, so that a long run is not lost.
    """
    text = simulation_text(result)
    if lesson is not None:
        text = lesson_text(result, lesson, environment_words(result.environment))
    summary = simulation_json(result, lesson) if format_ == "json" else text
    if output is not None:
        if shows_text:
            print_text(text)
        try:
            write_file(output, summary)
        except CommandError:
            print_text(summary)
            raise
        if format_ == "text":
            say(f"The summary is in {output}.")
    else:
        print_text(summary)
    if result.message and (format_ == "json" or output is not None):
        say(result.message)
    crossed = False
    for expression in expressions:
        for verdict in judge(expression, simulation_report(result)):
            crossed = crossed or verdict.crossed is True
            if verdict.crossed is not False:
                say(verdict.words)
    return crossed
