"""`sqlwatch why`: one look at a database that other programs use: who holds what, what is wrong, what to do."""

from __future__ import annotations

from pathlib import Path

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.limits import LimitsCommand, parse_limits
from sqlwatch.cli.observing import check_rate, parse_span_s
from sqlwatch.cli.output import check_output
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.cli.why_report import is_found, write_report
from sqlwatch.diagnose.observation import observation_findings
from sqlwatch.metrics.snapshot import Snapshot


@click.command(cls=LimitsCommand)
@click.argument("database", metavar="DB", type=click.Path(path_type=Path, readable=False))
@click.option("--wait", "wait", metavar="TIME", help="Keep looking for so long, until something is found, e.g. 30s.")
@click.option("--all", "all_findings", is_flag=True, help="List informational findings too.")
@click.option(
    "--log", "logs", multiple=True, metavar="FILE", help="Look for busy errors in this log; a glob; repeatable."
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option("--sample-rate", default="200", show_default=True, metavar="HZ", help="Looks a second at the locks.")
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=VALUE", help="Change a limit; repeatable; listed below."
)
def why(
    database: Path, wait: str | None, all_findings: bool, logs: tuple[str, ...], format_: str, output: Path | None,
    sample_rate: str, limits: tuple[str, ...],
) -> int:  # fmt: skip
    """Say who holds the write lock of DB and since when, who waits, who pins the WAL, and what to do.

    Looks for about a second, from outside: it opens nothing for writing, takes no lock and never goes through SQLite.
    Exit code 0: nothing found; 1: a critical finding or a warning; 3: DB cannot be observed.
    """
    from sqlwatch.observe.facts import CannotObserve
    from sqlwatch.session.look import look_at

    limit_values = parse_limits(limits)
    rate_hz = check_rate(sample_rate)
    wait_s = parse_span_s("--wait", wait) if wait is not None else 0.0
    check_output(output, database)
    waiting = _Waiting()

    def is_telling(snapshot: Snapshot) -> bool:
        return waiting.is_over or is_found(observation_findings(snapshot, limit_values))

    with ending_on_signals(waiting) as ended_by:
        try:
            snapshot = look_at(database, wait_s=wait_s, rate_hz=rate_hz, logs=logs, is_telling=is_telling)
        except CannotObserve as error:
            raise CommandError(error.sentence, ExitCode.CANNOT_OBSERVE) from error
    found = write_report(snapshot, limit_values, format_, output, all_findings=all_findings)
    return ended_by.exit_code or (ExitCode.FOUND if found else ExitCode.DONE)


class _Waiting:
    """Whether somebody has asked to look no longer."""

    def __init__(self) -> None:
        self.is_over = False

    def stop(self) -> None:
        """Look no longer."""
        self.is_over = True
