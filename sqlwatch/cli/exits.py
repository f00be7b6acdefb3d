"""The exit codes, a promise to scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    FOUND = 1
    """A finding, or a threshold of `--fail-on` was crossed."""
    USAGE = 2
    CANNOT_OBSERVE = 3
    """The database or file is missing, not readable, full or no database."""
    HANG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class CommandError(Exception):
    """Ends a command with one or two plain sentences on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
