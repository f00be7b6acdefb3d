"""Where results go: stdout, which carries data only, or a file; progress and narration go to stderr."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, TextIO

import click

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.tui.browser import is_in_browser

_NOBODY_READS: Final = (errno.EPIPE, errno.EIO, errno.EBADF)
"""A pipe whose reader has gone, a terminal that was closed, a descriptor that was never open."""

MOST_WAITING: Final = 60
"""Snapshots that may wait until their lines have been written; what comes then is left out."""

_LOOK_S: Final = 0.2

_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")


def has_terminal() -> bool:
    """Tell whether a dashboard could be drawn: in a browser, or on stderr (as Textual does) with keys from stdin."""
    if is_in_browser():
        return True
    streams = (sys.stdin, sys.stdout, sys.stderr)  # None where the descriptor was closed
    is_terminal = all(stream is not None and stream.isatty() for stream in streams)
    return is_terminal and os.environ.get("TERM", "dumb") != "dumb"


def is_terminal() -> bool:
    """Tell whether what is printed is seen at once: stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()  # None where the descriptor was closed


def check_output(output: Path | None, database: Path | None, option: str = "--output") -> None:
    """Find out beforehand whether the output can be written, and is none of the database's files; else CommandError."""
    if output is None:
        return
    parent = output.parent
    real = os.path.realpath(output)
    if database is not None and real in [os.path.realpath(database) + suffix for suffix in _SUFFIXES]:
        raise CommandError(f"{option} {output} is a file of the database; choose another one.", ExitCode.USAGE)
    if output.is_dir():
        raise CommandError(f"{option} {output} is a directory; name a file.", ExitCode.USAGE)
    if not parent.is_dir():
        raise CommandError(f"There is no directory {parent} for {option} {output.name}.", ExitCode.CANNOT_OBSERVE)
    if not os.access(output if output.exists() else parent, os.W_OK):
        raise CommandError(f"{option} {output} cannot be written; choose another file.", ExitCode.CANNOT_OBSERVE)


def print_text(text: str) -> None:
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
                f"The output cannot be written to standard output: {error.strerror}.", ExitCode.CANNOT_OBSERVE
            ) from error


def write_line(file: IO[bytes], line: bytes, is_hurried: Callable[[], bool]) -> bool:
    """Write a line; to a pipe in pieces for which it has room, so that its reader does not keep us from our end.

    Return False if it `is_hurried`, as by a signal, and the reader takes nothing any more; raise OSError if there is
    no reader.
    """
    if file.seekable() or sys.platform == "win32":
        file.write(line)
        file.flush()
        return True
    while line:
        if select.select([], [file], [], _LOOK_S)[1]:
            line = line[os.write(file.fileno(), line[: select.PIPE_BUF]) :]
        elif is_hurried():
            return False
    return True


class _ForTheTerminal(io.StringIO):
    """What is kept for a terminal is written as for one."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def not_waiting_for_the_terminal() -> Iterator[None]:
    """Print what is said within once it is complete, but leave a terminal that takes nothing any more behind.

    For what is said after a dashboard, or after a signal: the link to the terminal may have stalled.
    """
    descriptor = terminal_of(sys.stdout, sys.stderr)
    if descriptor is None or sys.platform == "win32":
        yield
        return
    from sqlwatch.tui.link import print_patiently

    said = _ForTheTerminal()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield
    finally:
        with contextlib.suppress(OSError):  # the terminal is closed
            print_patiently(descriptor, said.getvalue())


def terminal_of(*streams: TextIO) -> int | None:
    """Return the descriptor of the terminal that these streams are; None if one of them is none."""
    with contextlib.suppress(OSError, AttributeError):  # a stream may be missing, or have no descriptor
        descriptors = [stream.fileno() for stream in streams]
        return descriptors[0] if all(map(os.isatty, descriptors)) else None
    return None


def write_file(path: Path, text: str) -> None:
    """Write beside the file and rename, so that nobody ever reads half of it; raise CommandError if that fails."""
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
            f"The output cannot be written to {path}: {error.strerror}.", ExitCode.CANNOT_OBSERVE
        ) from error


def opened_bytes(output: Path | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    """Open a file that is written as time goes on, or stdout; raise CommandError if it cannot be written."""
    if output is None:
        return contextlib.nullcontext(sys.stdout.buffer)
    try:
        return output.open("wb")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.", ExitCode.CANNOT_OBSERVE) from error


def say(words: str) -> None:
    """Print a sentence on stderr, if anybody is there to read it."""
    with contextlib.suppress(OSError):
        click.echo(words, err=True)
