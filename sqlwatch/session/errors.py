"""Why a session could not run."""

from __future__ import annotations

from typing import Final

USAGE_EXIT: Final = 2
CANNOT_EXIT: Final = 3


class SessionError(Exception):
    """A session that could not run: one or two sentences and the exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
