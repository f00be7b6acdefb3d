"""What reading application logs tells the fold: busy errors that an application wrote down itself.

Times are CLOCK_MONOTONIC ns of our reading the line; what time the line itself gives is kept as it stands there.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class LogKind(StrEnum):
    """What a line of a log means."""

    BUSY = "busy"
    """SQLITE_BUSY (5) or SQLITE_BUSY_TIMEOUT (773) reached the application: `database is locked`."""
    BUSY_SNAPSHOT = "busy snapshot"
    """SQLITE_BUSY_SNAPSHOT (517): a transaction read first and may not write any more."""
    BUSY_RECOVERY = "busy recovery"
    """SQLITE_BUSY_RECOVERY (261): another process was recovering the WAL."""
    TABLE_LOCKED = "table locked"
    """SQLITE_LOCKED (6): a conflict within one process, through a shared cache; no lock of the file."""
    SLOW = "slow"
    """A statement that took about as long as a common busy timeout: probably a wait for the lock."""


BUSY_KINDS = (LogKind.BUSY, LogKind.BUSY_SNAPSHOT, LogKind.BUSY_RECOVERY)
"""The kinds that are SQLITE_BUSY, in its extended codes."""


class LogLine(msgspec.Struct, frozen=True, tag="log-line"):
    """A line that means something for us.  `text` is printable and cut; `logged_at` is the line's own time, if any."""

    at_ns: int
    kind: LogKind
    source: str
    """Path of the log, printable."""
    text: str
    logged_at: str | None = None
    took_ns: int | None = None
    """How long the slow statement took, where the line says so."""

    @property
    def words(self) -> str:
        """What the line says, without the time that stands at its beginning.

        >>> LogLine(0, LogKind.BUSY, "app.log", "[2026-01-02 03:04:05] database is locked", "2026-01-02 03:04:05").words
        'database is locked'
        """
        text = self.text.lstrip("[")
        if self.logged_at is None or not text.startswith(self.logged_at):
            return self.text
        return text.removeprefix(self.logged_at).lstrip(" ],;:-")


class LogSources(msgspec.Struct, frozen=True, tag="log-sources"):
    """The logs that are followed now; `trouble` is a sentence for each that cannot be read."""

    at_ns: int
    paths: tuple[str, ...]
    trouble: tuple[str, ...] = ()


LogMessage = LogLine | LogSources
"""What a log follower sends."""
