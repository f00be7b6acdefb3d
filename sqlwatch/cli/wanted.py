"""What a user wants written when a run is over: the options for it and their checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import check_output
from sqlwatch.report.expression import Expression, ExpressionError

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Wanted:
    """The summary's format and file, the page's file, and the conditions that a run is judged by."""

    format: str = "text"
    output: Path | None = None
    html: Path | None = None
    conditions: Sequence[Expression] = ()


def summary_options(command: _Command) -> _Command:
    """Give a command the options that `wanted` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--format", "format_", type=click.Choice(["text", "json", "csv"]), default="text",
        help="Of the summary; csv has a line for each phase and repeat, its columns named as in the JSON, with dots: "
        "lock_wait_ms.p99.",
    ),
    click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the summary to this file at the end."),
    click.option(
        "--html", type=click.Path(path_type=Path), metavar="FILE",
        help="Also write a page with charts to this file at the end; it needs no network.",
    ),
    click.option(
        "--fail-on", multiple=True, metavar="EXPR", help="Exit 1 if true, e.g. 'lock_wait_p99_ms>50'; repeatable."
    ),
)  # fmt: skip


def wanted(format_: str, output: Path | None, html: Path | None, fail_on: Sequence[str], db: Path | None) -> Wanted:
    """Read the options, and find out beforehand whether the files can be written; raise CommandError."""
    from sqlwatch.report.fail_on import parse

    try:
        conditions = [parse(expression) for expression in fail_on]
    except ExpressionError as error:
        raise CommandError(f"--fail-on: {error}", ExitCode.USAGE) from error
    check_output(output, db)
    check_output(html, db, "--html")
    if output is not None and html is not None and os.path.realpath(output) == os.path.realpath(html):
        raise CommandError(f"--output and --html both name {html}; give each a file of its own.", ExitCode.USAGE)
    return Wanted(format_, output, html, conditions)
