"""`sqlwatch watch`: a live dashboard over a database that other programs use; lines of JSON without a terminal."""

from __future__ import annotations

from pathlib import Path

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.limits import LimitsCommand, parse_limits
from sqlwatch.cli.observing import check_rate, parse_span_s
from sqlwatch.cli.output import check_output, has_terminal, not_waiting_for_the_terminal
from sqlwatch.cli.web_options import WebAddress, serve_in_browser, web_options
from sqlwatch.cli.why_report import write_report
from sqlwatch.tui.text import clean


@click.command(cls=LimitsCommand)
@click.argument("database", metavar="DB", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--log", "logs", multiple=True, metavar="FILE", help="Follow this log for busy errors; a glob; repeatable."
)
@click.option("--headless", is_flag=True, help="No dashboard; by itself when there is no terminal.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "jsonl"]), default="text", show_default=True,
    help="Of the report at the end; jsonl is a line of JSON each interval, headless.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--duration", metavar="TIME", help="End after this time; by default it runs until it is ended.")
@click.option(
    "--fail-on", multiple=True, metavar="EXPR",
    help="Headless: exit 1 if ever true, e.g. 'critical>0' or 'wal_live_frames>10000'; repeatable.",
)  # fmt: skip
@click.option("--interval", default="1s", show_default=True, metavar="TIME", help="Between two lines of jsonl.")
@click.option("--fps", type=click.IntRange(1, 10), default=4, show_default=True, help="Pictures a second.")
@click.option("--glyphs", type=click.Choice(["braille", "block", "ascii"]), default="braille", show_default=True)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--sample-rate", default="200", show_default=True, metavar="HZ", help="Looks a second at the locks.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=VALUE", help="Change a limit; repeatable; listed below."
)
@web_options
def watch(
    database: Path, logs: tuple[str, ...], headless: bool, format_: str, output: Path | None, duration: str | None,
    fail_on: tuple[str, ...], interval: str, fps: int, glyphs: str, no_mouse: bool, sample_rate: str,
    limits: tuple[str, ...], web: WebAddress | None,
) -> int:  # fmt: skip
    """Watch DB live: who holds its write lock, who waits, who pins the WAL, what is wrong and what to do.

    It opens nothing for writing, takes no lock and never goes through SQLite. A database that is not there yet is
    waited for.
    """
    from sqlwatch.report.expression import ExpressionError
    from sqlwatch.report.watch_fail_on import parse
    from sqlwatch.session.errors import SessionError
    from sqlwatch.session.observation import ObservationSession

    limit_values = parse_limits(limits)
    rate_hz = check_rate(sample_rate)
    interval_s = parse_span_s("--interval", interval)
    duration_s = parse_span_s("--duration", duration) if duration is not None else None
    is_headless = headless or not (web or has_terminal())
    if format_ == "jsonl" and not is_headless:
        raise CommandError("--format jsonl is for headless runs; add --headless.", ExitCode.USAGE)
    if fail_on and not is_headless:
        raise CommandError("--fail-on is for headless runs; add --headless.", ExitCode.USAGE)
    try:
        conditions = [parse(expression) for expression in fail_on]
    except ExpressionError as error:
        raise CommandError(f"--fail-on: {error}", ExitCode.USAGE) from error
    check_output(output, database)
    _check_database(database)
    if web is not None:
        return serve_in_browser(web, f"sqlwatch watch {clean(database.name)}")
    snapshots_per_s = min(1 / interval_s, 10) if is_headless else fps
    session = ObservationSession(
        database, rate_hz=rate_hz, logs=logs, duration_s=duration_s, snapshots_per_s=snapshots_per_s
    )
    try:
        if is_headless:
            from sqlwatch.cli.watch_headless import run_headless

            code = run_headless(session, limit_values, format_, output, conditions)
        else:
            from sqlwatch.cli.watch_dashboard import run_in_terminal

            code = run_in_terminal(session, limit_values, fps=fps, glyphs=glyphs, mouse=not no_mouse)
            session.check()
            with not_waiting_for_the_terminal():
                write_report(session.latest, limit_values, format_, output, shows_text=True)
    except SessionError as error:
        raise CommandError(error.message, error.exit_code) from error
    return code


def _check_database(database: Path) -> None:
    """Refuse what will never be a database; one that is missing or empty is waited for."""
    from sqlwatch.metrics.observations import Refusal
    from sqlwatch.observe.facts import CannotObserve, inspect_database

    try:
        inspect_database(database)
    except CannotObserve as error:
        if error.reason not in (Refusal.MISSING, Refusal.EMPTY):
            raise CommandError(error.sentence, ExitCode.CANNOT_OBSERVE) from error
