"""Writing the summary of a simulation, and judging it by the thresholds of `--fail-on`."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.metrics.result import Result
from sqlwatch.report.fail_on import Expression, judge
from sqlwatch.report.json import simulation_json, simulation_report
from sqlwatch.report.text import simulation_text

_NOBODY_READS: Final = (errno.EPIPE, errno.EIO, errno.EBADF)
"""A pipe whose reader has gone, a terminal that was closed, a descriptor that was never open."""


def write_summary(
    result: Result, format_: str, output: Path | None, expressions: Sequence[Expression], *, shows_text: bool = False
) -> bool:
    """Write the summary to stdout or the named file; return whether an expression is true of any phase.

    `shows_text` prints the text although there is a file.  Raises CommandError if the summary cannot be written;
    what the file cannot take goes to stdout, so that a long run is not lost.
    """
    summary = simulation_json(result) if format_ == "json" else simulation_text(result)
    if output is not None:
        if shows_text:
            _print(simulation_text(result))
        try:
            _write_file(output, summary)
        except CommandError:
            _print(summary)
            raise
        if format_ == "text":
            _say(f"The summary is in {output}.")
    else:
        _print(summary)
    if result.message and (format_ == "json" or output is not None):
        _say(result.message)
    crossed = False
    for expression in expressions:
        for verdict in judge(expression, simulation_report(result)):
            crossed = crossed or verdict.crossed is True
            if verdict.crossed is not False:
                _say(verdict.words)
    return crossed


def _print(text: str) -> None:
    """Print on stdout, quietly nothing if nobody reads it any more; raise CommandError if it cannot be written."""
    try:
        click.echo(text)
    except OSError as error:
        with contextlib.suppress(OSError):  # what is still buffered must not fail once more at exit
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)
        if error.errno not in _NOBODY_READS:
            raise CommandError(
                f"The summary cannot be written to standard output: {error.strerror}.", ExitCode.CANNOT_OBSERVE
            ) from error


def _write_file(path: Path, text: str) -> None:
    """Write beside the file and rename, so that nobody ever reads half a summary."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text + "\n", encoding="utf-8")  # a pipe or /dev/null cannot be renamed onto
            return
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except OSError as error:
        raise CommandError(
            f"The summary cannot be written to {path}: {error.strerror}.", ExitCode.CANNOT_OBSERVE
        ) from error


def _say(words: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(words, err=True)
