"""What one line of an application's log means: a busy error in any language's words, or a suspiciously slow statement.

A line can only be judged by its words: whoever logs `database is locked` about something else is counted too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from sqlwatch.metrics.log_messages import LogKind

LONGEST: Final = 4_000
"""Characters of a line that are looked at."""

TIMEOUTS_S: Final = (5.0, 30.0)
"""Common busy timeouts: Python, SQLx and Rails 5 s, many others 30 s."""

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SUBJECT: Final = re.compile(r"sqlite|sqlx|database")
_SNAPSHOT: Final = re.compile(r"sqlite_busy_snapshot|busysnapshot|code:? ?517\b|\berror:? ?517\b|\(517\)")
_RECOVERY: Final = re.compile(r"sqlite_busy_recovery|busyrecovery|code:? ?261\b|\berror:? ?261\b|\(261\)")
_TABLE: Final = re.compile(
    r"database table is locked|database schema is locked|sqlite_locked|\btable [\w.\"'`]+ is locked"
)
_BUSY: Final = re.compile(
    r"database is locked|database file is locked|sqlite_busy|busyexception|databaselocked|databasebusy|database busy"
    r"|sqlite error:? ?5\b|sqlite[^\n]{0,80}general error: 5\b|general error: 5 database"
)
_NUMBERED: Final = re.compile(r"\bcode:? ?(?:5|773)\b|\(773\)")
"""Only beside a word for the subject: `(code: 5) database is locked`, `error code 5: SQLite ...`."""

_CHAIN: Final = re.compile(
    r"the above exception was the direct cause|during handling of the above|caused by:|^\s*cause:"
)
_CHAIN_LINES: Final = 200
"""Lines after which an exception is no longer part of the same traceback."""

_STATEMENT: Final = re.compile(
    r"\b(?:insert into|insert or|update|delete from|replace into|begin|commit|create|savepoint)\b"
    r"|\bslow (?:query|statement|sql)\b|\bsqlite\b"
)
_DURATION: Final = re.compile(
    r"(?<![\w.:-])(?P<number>\d{1,6}(?:\.\d{1,9})?) ?(?P<unit>ms|milliseconds?|s|secs?|seconds?)\b"
    r"|(?:duration|elapsed|took|time)\w*[=: ]{1,3}(?P<bare>\d{1,6}(?:\.\d{1,9})?)(?P<bare_unit>ms|s)?\b"
    r"|^\W{0,3}\((?P<django>\d{1,4}\.\d{3})\) "
)

_TIMES: Final = (
    re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?"),
    re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"),
    re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"),
    re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"),
    re.compile(r"(?<![\d:])\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\d:])"),
)
_TIME_WITHIN: Final = 300


class Meaning(msgspec.Struct, frozen=True):
    """What a line says; `logged_at` is its own time as it stands there, `took_ns` a slow statement's duration."""

    kind: LogKind
    logged_at: str | None = None
    took_ns: int | None = None


def meaning_of(line: str) -> Meaning | None:
    """Return what a line means; None for all the others.

    >>> meaning_of("2026-01-02 03:04:05 sqlite3.OperationalError: database is locked")
    Meaning(kind=<LogKind.BUSY: 'busy'>, logged_at='2026-01-02 03:04:05', took_ns=None)
    >>> meaning_of("error returned from database: (code: 517) database is locked").kind
    <LogKind.BUSY_SNAPSHOT: 'busy snapshot'>
    >>> meaning_of("the line is busy, try again (5)") is None
    True
    """
    line = _ANSI.sub("", line[:LONGEST])
    text = line.lower()
    kind = _kind_of(text)
    if kind is not None:
        return Meaning(kind, _time_of(line))
    took_ns = _slow_ns(text)
    return Meaning(LogKind.SLOW, _time_of(line), took_ns) if took_ns is not None else None


class LineReader:
    """Reads the lines of one log in order and counts an error once, though a traceback may name it again as a cause."""

    def __init__(self) -> None:
        self._last: LogKind | None = None
        self._lines = 0
        self._is_chained = False

    def read(self, line: str) -> Meaning | None:
        """Return what a line means, None if nothing, or nothing new."""
        self._lines += 1
        if self._lines > _CHAIN_LINES:
            self._last, self._is_chained = None, False
        self._is_chained = self._is_chained or _CHAIN.search(line[:LONGEST].lower()) is not None
        meaning = meaning_of(line)
        if meaning is None or meaning.kind is LogKind.SLOW:
            return meaning
        is_again = self._is_chained and meaning.kind is self._last
        self._last, self._lines, self._is_chained = meaning.kind, 0, False
        return None if is_again else meaning


def age_of(logged_at: str | None, now: datetime) -> timedelta | None:
    """Return how long ago a line's own time was; None if it cannot be read.

    A time without a zone may be local or UTC: the one that is nearer counts.  `now` must have a zone.
    """
    if logged_at is None:
        return None
    moment = _parsed(logged_at, now)
    if moment is None:
        return None
    if moment.tzinfo is not None:
        return abs(now - moment)
    return min(abs(now - moment.replace(tzinfo=zone)) for zone in (now.tzinfo, UTC))


def _kind_of(text: str) -> LogKind | None:
    if _SUBJECT.search(text) is None and "busyexception" not in text:
        return None
    if _SNAPSHOT.search(text):
        return LogKind.BUSY_SNAPSHOT
    if _RECOVERY.search(text):
        return LogKind.BUSY_RECOVERY
    if _TABLE.search(text):
        return LogKind.TABLE_LOCKED
    return LogKind.BUSY if _BUSY.search(text) or ("locked" in text and _NUMBERED.search(text)) else None


def _slow_ns(text: str) -> int | None:
    """Return the duration of a statement that took about as long as a common busy timeout."""
    if _STATEMENT.search(text) is None:
        return None
    for match in _DURATION.finditer(text):
        seconds = _seconds(match)
        if any(0.99 * timeout <= seconds <= 1.1 * timeout for timeout in TIMEOUTS_S):
            return round(seconds * 1e9)
    return None


def _seconds(match: re.Match[str]) -> float:
    if match["django"] is not None:
        return float(match["django"])
    number = float(match["number"] if match["number"] is not None else match["bare"])
    unit = match["unit"] or match["bare_unit"] or ("ms" if number >= 1000 else "s")
    return number / 1000 if unit.startswith("m") else number


def _time_of(line: str) -> str | None:
    head = line[:_TIME_WITHIN]
    return next((match[0] for pattern in _TIMES if (match := pattern.search(head)) is not None), None)


def _parsed(text: str, now: datetime) -> datetime | None:
    plain = text.replace(",", ".")
    for form in ("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y:%H:%M:%S"):
        try:
            return datetime.strptime(plain, form)
        except ValueError:
            continue
    if plain[:1].isalpha():
        plain = f"{now.year} {plain}"
        try:
            return datetime.strptime(plain, "%Y %b %d %H:%M:%S")
        except ValueError:
            return None
    if len(plain) > 2 and plain[2] == ":":
        plain = f"{now.date()} {plain}"
    try:
        return datetime.fromisoformat(plain.replace("/", "-"))
    except ValueError:
        return None
