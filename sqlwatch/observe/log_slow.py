"""Slow statements in logs: one that took as long as a common busy timeout has probably waited for the lock."""

from __future__ import annotations

import re
from typing import Final

TIMEOUTS_S: Final = (5.0, 10.0, 30.0, 60.0)
"""Common busy timeouts: 5 s in Python, Rails, SQLx, rusqlite and Node; 10 and 30 s in others; 60 s in PHP."""
LEAST: Final = 0.99
MOST: Final = 1.05
"""Shares of a timeout.  SQLite sleeps at least as long as it was told, so a wait is hardly shorter; it is longer by
what its sleeps overran, about 60 of them in 5 s, and by the statement itself."""

_HINTS: Final = (
    "insert", "update", "delete", "replace", "begin", "commit", "savepoint", "create", "alter", "drop", "slow",
    "dbcommand", "sqlite",
)  # fmt: skip
_STATEMENT: Final = re.compile(
    r"""
      \b(?: insert\s{1,8}(?:or\s{1,8}\w{1,10}\s{1,8})?into | replace\s{1,8}into | delete\s{1,8}from
           | update\s{1,8}(?:or\s{1,8}\w{1,10}\s{1,8})?\S{1,120}\s{1,8}set
           | begin\s{1,8}(?:immediate|deferred|exclusive|concurrent|transaction) | commit\s{1,8}transaction
           | (?:create|drop|alter)\s{1,8}(?:(?:temp|temporary|unique|virtual)\s{1,8})?(?:table|index|view|trigger)
           | slow[\s_-]?(?:query|statement|sql) | dbcommand
           | sqlite\w{0,20}[^\n]{0,80}\b
             (?:query|statement|transaction|insert|update|delete|commit|begin|exec\w{0,5}|step)
      )\b
    """,
    re.VERBOSE,
)
_LOUD_STATEMENT: Final = re.compile(r"\b(?:BEGIN|COMMIT|SAVEPOINT)\b")
_CANDIDATE: Final = re.compile(r"(?<![\d.,])(?:4[.,]?9|5[.,]?[012]|5(?!\d)|9[.,]?9|10|29|3[01]|59|6[0-3]|1m)")
"""How a duration near a timeout begins, in whatever unit: few lines have such a number."""
_DURATION: Final = re.compile(
    r"(?<![\w.,-])(?<!\d:)(?:(?P<minutes>\d{1,2})m)?(?P<number>\d{1,3}(?:,\d{3}){1,2}|\d{1,9}(?:\.\d{1,9})?)\s?"
    r"(?P<unit>ns|us|µs|μs|ms|msecs?|millis|milliseconds?|s|secs?|seconds?)(?!\w)"
    r"|\b(?:\w{0,20}_)?(?:duration|elapsed|took|time|runtime|latency|cost)(?:_?(?P<key_unit>ns|us|ms|millis|s|secs?|seconds?))?"
    r"[\"']?\s{0,2}[=:]?\s{0,2}[\"']?(?P<bare>\d{1,12}(?:\.\d{1,9})?)(?![\w.:-])"
    r"|\((?P<django>\d{1,4}\.\d{3})\)\s",
    re.IGNORECASE,
)
"""`5003.2ms`, `5.002s`, `1m0.002s`, `30,012ms`; `elapsed_secs=5.01`, `"duration":5003`; and Django's `(5.003) `."""
_LIMIT: Final = re.compile(
    r"(?:time[ _-]?outs?|interval|every|limit|threshold|delay|sleep\w*|retry\w*|within|expires?|ttl|max\w*|[<>]=?)"
    r"[^\d,;|)\]]{0,12}$",
    re.IGNORECASE,
)
"""Before a duration that nothing took: a setting."""
_UNITS: Final = {"n": 1, "u": 1_000, "µ": 1_000, "μ": 1_000, "m": 1_000_000, "s": 1_000_000_000}


def slow_ns(text: str, lower: str) -> tuple[int, int] | None:
    """Return (duration, place of the statement) of a statement that took about a common busy timeout, or None.

    `lower` is `text` in small letters.  A line must look like a statement that writes, or speak of a slow one.
    """
    if _CANDIDATE.search(text) is None or not any(hint in lower for hint in _HINTS):
        return None
    statement = _STATEMENT.search(lower) or _LOUD_STATEMENT.search(text)
    if statement is None:
        return None
    for found in _DURATION.finditer(text):
        took_ns = _duration_ns(found)
        if took_ns is not None and is_near_a_timeout(took_ns) and not _is_a_setting(text, found.start()):
            return took_ns, min(statement.start(), found.start())
    return None


def is_near_a_timeout(took_ns: int) -> bool:
    """Tell whether something took as long as a wait for the lock that ended with a common busy timeout."""
    return any(LEAST <= took_ns / (timeout * 1e9) <= MOST for timeout in TIMEOUTS_S)


def _is_a_setting(text: str, start: int) -> bool:
    return _LIMIT.search(text[max(start - 48, 0) : start]) is not None


def _duration_ns(found: re.Match[str]) -> int | None:
    """Return the duration; a number without unit is in seconds if it has a fraction and below 1000, else in ms."""
    if found["django"] is not None:
        return round(float(found["django"]) * 1e9)
    if found["number"] is not None:
        minutes_ns = int(found["minutes"] or 0) * 60_000_000_000
        return minutes_ns + round(float(found["number"].replace(",", "")) * _UNITS[found["unit"][0].lower()])
    number, unit = float(found["bare"]), found["key_unit"]
    if unit is not None:
        return round(number * _UNITS[unit[0].lower()])
    if number >= 1000:
        return round(number * 1e6)
    return round(number * 1e9) if "." in found["bare"] else None
