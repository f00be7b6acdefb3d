"""What one line of an application's log means: a busy error in any language's words, or a suspiciously slow statement.

A line can only be judged by its words: whoever logs `database is locked` about another kind of database is counted too.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.observe.log_slow import slow_ns
from sqlwatch.observe.log_times import stamp_of

LONGEST: Final = 8_000
"""Characters of a line that are looked at: those at its beginning and, of a longer line, also those at its end."""

_TEXT_BEFORE: Final = 120

_COLOUR: Final = re.compile(r"(?:\x1b|\\x1b|\\e|\\033|#033)\[[0-9;]{0,20}[A-Za-z]", re.IGNORECASE)
_CODE_POINT: Final = re.compile(r"\\u(00[0-9a-f]{2})", re.IGNORECASE)

_WORDS: Final = re.compile(
    r"""
      (?P<snapshot> \bSQLITE_BUSY_SNAPSHOT\b | \bSQLiteBusySnapshot\b )
    | (?P<recovery> \bSQLITE_BUSY_RECOVERY\b | \bSQLiteBusyRecovery\b )
    | (?P<busy>     \bSQLITE_BUSY(?:_TIMEOUT)?\b (?! ["']?\ {0,2}[=:]\ {0,2}["']?\d{2} )
                  | \bSQLite3::BusyException\b | \bSQLite(?:Database)?LockedException\b | \bSQLiteBusy\b
                  | \bDatabaseBusy\b | \bapsw\.BusyError\b
                  | (?i: \bdatabase (?:\ file)? \ is \ locked\b (?! \ (?:for|until|out|down)\b )
                       | \bdatabase \ busy\b (?! \ {0,2}[=:]?\ {0,2}\d | \ (?:timeout|handler|time|percent) ) ) )
    | (?P<table>    \bSQLITE_LOCKED(?:_SHAREDCACHE|_VTAB)?\b | \bSQLite3::LockedException\b
                  | \bSQLiteTableLockedException\b | \bapsw\.LockedError\b
                  | (?i: \bdatabase \ (?:table|schema) \ is \ locked\b ) )
    """,
    re.VERBOSE,
)
_NAMES_BESIDE_SQLITE: Final = re.compile(r"\b(?:BusyException|BusyError|ErrorBusy|DatabaseLocked)\b")
"""Names that other programs use too: they count only in a line that speaks of SQLite."""
_NUMBER: Final = re.compile(
    r"(?:\(|\[|\b(?:\w{0,9}_?code|error|errno|rc|result)\b[\"']?\ {0,2}[:=(]{0,2}\ {0,2})"
    r"(?P<code>5|6|261|262|517|773)(?![\w.%])",
    re.IGNORECASE,
)
_NUMBER_ALONE: Final = re.compile(
    r"sqlite3?(?P<between>[^\d\n]{0,60}?)\b(?:code|error|errno|rc|result|returned|exception)\b[\"']?[ :=(]{1,4}"
    r"(?P<code>5|6|261|262|517|773)\b(?!\.\d| ?(?:/|%|of\b|rows?\b|times?\b|lines?\b|errors?\b))"
)
"""A code without words for it must follow closely on the name: `sqlite error 5`, `sqlite3_step returned 5`."""
_BESIDE: Final = 80

_EXPLAINED: Final = re.compile(
    r"\b(?:if|when|whenever|whether|unless|in case)(?: (?:the|a|an|your|of|sqlite3?)){0,3}[ `'\"]{1,2}$"
    r"|\b(?:keepass\w*|keychain|password|wallet|rpm|pacman|alpm|mysql|postgres\w*|account|user) $",
    re.IGNORECASE,
)
"""Before the words: who explains what may happen, or speaks of another kind of database."""
_SQL: Final = re.compile(r"\b(?:insert|replace)\b.{0,60}\binto\b|\bselect\b|\bupdate\b|\bdelete from\b", re.IGNORECASE)
_OPENS_VALUE: Final = re.compile(r"(?:(?:\bvalues ?|\W|^)\(|[,\[]|\blike)$", re.IGNORECASE)
_ERROR_KEY: Final = re.compile(r"(?:err|error|exception|msg|message|cause|reason|detail|details)=$", re.IGNORECASE)

_RANKS: Final = (LogKind.TABLE_LOCKED, LogKind.BUSY, LogKind.BUSY_RECOVERY, LogKind.BUSY_SNAPSHOT)
_FINER: Final = (LogKind.BUSY_SNAPSHOT, LogKind.BUSY_RECOVERY)
_GROUPS: Final = {
    "table": LogKind.TABLE_LOCKED, "busy": LogKind.BUSY, "recovery": LogKind.BUSY_RECOVERY,
    "snapshot": LogKind.BUSY_SNAPSHOT,
}  # fmt: skip
_CODES: Final = {
    "5": LogKind.BUSY, "773": LogKind.BUSY, "261": LogKind.BUSY_RECOVERY, "517": LogKind.BUSY_SNAPSHOT,
    "6": LogKind.TABLE_LOCKED, "262": LogKind.TABLE_LOCKED,
}  # fmt: skip
"""https://sqlite.org/rescode.html"""


class Meaning(msgspec.Struct, frozen=True):
    """What a line says; `logged_at` is its own time as it stands there, `took_ns` a slow statement's duration."""

    kind: LogKind
    logged_at: str | None = None
    took_ns: int | None = None


class Sighting(msgspec.Struct, frozen=True):
    """A meaning, and the line as it can be shown: without colours, and from shortly before the words that count."""

    meaning: Meaning
    text: str


def meaning_of(line: str) -> Meaning | None:
    """Return what a line means; None for all the others.

    >>> meaning_of("2026-01-02 03:04:05 sqlite3.OperationalError: database is locked")
    Meaning(kind=<LogKind.BUSY: 'busy'>, logged_at='2026-01-02 03:04:05', took_ns=None)
    >>> meaning_of("error returned from database: (code: 517) database is locked").kind
    <LogKind.BUSY_SNAPSHOT: 'busy snapshot'>
    >>> meaning_of("the line is busy, try again (5)") is None
    True
    """
    seen = sighting_of(line)
    return seen.meaning if seen is not None else None


def sighting_of(line: str) -> Sighting | None:
    """Return what a line means together with the part of it that shows it; None for all lines that mean nothing."""
    if len(line) > LONGEST:
        line = line[: LONGEST // 2] + " … " + line[-LONGEST // 2 :]
    text = plain(line)
    lower = text.lower()
    error = _error(text, lower)
    if error is not None:
        kind, start = error
        return Sighting(Meaning(kind, stamp_of(text, start)), _shown(text, start))
    slow = slow_ns(text, lower)
    if slow is not None:
        took_ns, start = slow
        return Sighting(Meaning(LogKind.SLOW, stamp_of(text, start), took_ns), _shown(text, start))
    return None


def is_more_specific(one: LogKind, other: LogKind) -> bool:
    """Tell whether one kind of error says more than the other about the same failure."""
    return _RANKS.index(one) > _RANKS.index(other)


def plain(line: str) -> str:
    """Return a line without colours, and without the escapes of JSON that stand between words."""
    if "\\" in line or "\x1b[" in line or "#033[" in line:
        line = _COLOUR.sub("", line.replace("\\u001b", "\x1b").replace("\\u001B", "\x1b"))
    if "\\" in line and '"' in line:
        line = _CODE_POINT.sub(lambda found: chr(int(found[1], 16)), line)
        line = line.replace("\\n", " ").replace("\\r", " ").replace("\\t", " ").replace("\\", "")
    return line


def _error(text: str, lower: str) -> tuple[LogKind, int] | None:
    """Return the most specific error that is named, and where the first one is."""
    has_sqlite, has_words = "sqlite" in lower, "locked" in lower or "busy" in lower
    if not has_sqlite and not has_words:
        return None
    kinds, first = [], len(text)
    for found in _WORDS.finditer(text) if has_words else ():
        if found.lastgroup is not None and not _is_only_talk(text, found.start()):
            kinds.append(_GROUPS[found.lastgroup])
            first = min(first, found.start())
            beside = text[max(found.start() - _BESIDE, 0) : found.end() + _BESIDE]
            if kinds[-1] is LogKind.BUSY:
                kinds += [kind for number in _NUMBER.finditer(beside) if (kind := _CODES[number["code"]]) in _FINER]
    if not kinds and has_sqlite:
        if has_words and (name := _NAMES_BESIDE_SQLITE.search(text)) is not None:
            kinds, first = [LogKind.TABLE_LOCKED if name[0] == "DatabaseLocked" else LogKind.BUSY], name.start()
        elif (alone := _NUMBER_ALONE.search(lower)) is not None and "exit" not in alone["between"]:
            kinds, first = [_CODES[alone["code"]]], alone.start()
    return (max(kinds, key=_RANKS.index), first) if kinds else None


def _is_only_talk(text: str, start: int) -> bool:
    """Tell whether the words at that place explain something, or are a value in the text of an SQL statement."""
    before = text[max(start - 200, 0) : start]
    if _EXPLAINED.search(before[-40:]) is not None:
        return True
    quote = max(before.rfind("'"), before.rfind('"'))
    if quote < 0 or _SQL.search(text, 0, start) is None:
        return False
    opener = before[:quote].rstrip()
    if before[quote] == '"':
        return opener.endswith('",')  # Rails: [["body", "database is locked"]]
    if opener.endswith("="):
        return _ERROR_KEY.search(before[:quote]) is None
    return _OPENS_VALUE.search(opener) is not None


def _shown(text: str, start: int) -> str:
    return text.strip() if start <= _TEXT_BEFORE * 2 else f"…{text[start - _TEXT_BEFORE :].strip()}"
