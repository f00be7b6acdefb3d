"""What a user wants written when a run is over: the options for it and their checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.observing import parse_span_s
from sqlwatch.cli.output import check_output
from sqlwatch.report.expression import Expression, ExpressionError

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOST_LINES: Final = 10
"""Lines of JSON a second at most."""


@dataclass(frozen=True)
class Wanted:
    """The summary's format and file, the page's file, and the conditions that a run is judged by."""

    format: str = "text"
    output: Path | None = None
    html: Path | None = None
    conditions: Sequence[Expression] = ()
    snapshots_per_s: float | None = None
    """How often a line is written while it runs; None where none is."""


def summary_options(command: _Command) -> _Command:
    """Give a command the options that `wanted` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--format", "format_", type=click.Choice(["text", "json", "jsonl", "csv"]), default="text",
        help="Of the summary; csv has a line for each phase and repeat, its columns named as in the JSON, with dots: "
        "lock_wait_ms.p99. jsonl is no summary but a line of JSON each interval, headless.",
    ),
    click.option("--interval", default="1s", show_default=True, metavar="TIME", help="Between two lines of jsonl."),
    click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the summary to this file at the end."),
    click.option(
        "--html", type=click.Path(path_type=Path), metavar="FILE",
        help="Also write a page with charts to this file at the end; it needs no network.",
    ),
    click.option(
        "--fail-on", multiple=True, metavar="EXPR", help="Exit 1 if true, e.g. 'lock_wait_p99_ms>50'; repeatable."
    ),
)  # fmt: skip


def wanted(
    format_: str, output: Path | None, html: Path | None, fail_on: Sequence[str], db: Path | None, interval: str,
    *, is_headless: bool,
) -> Wanted:  # fmt: skip
    """Read the options, and find out beforehand whether the files can be written; raise CommandError."""
    from sqlwatch.report.fail_on import parse

    try:
        conditions = [parse(expression) for expression in fail_on]
    except ExpressionError as error:
        raise CommandError(f"--fail-on: {error}", ExitCode.USAGE) from error
    interval_s = parse_span_s("--interval", interval)
    if format_ == "jsonl" and not is_headless:
        raise CommandError("--format jsonl is for headless runs; add --headless.", ExitCode.USAGE)
    check_output(output, db)
    check_output(html, db, "--html")
    if output is not None and html is not None and os.path.realpath(output) == os.path.realpath(html):
        raise CommandError(f"--output and --html both name {html}; give each a file of its own.", ExitCode.USAGE)
    return Wanted(format_, output, html, conditions, min(1 / interval_s, _MOST_LINES) if format_ == "jsonl" else None)
