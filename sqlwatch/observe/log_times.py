"""The time that a line of a log gives for itself, in the forms that loggers write."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_TIME = r"(?P<time>\d\d:\d\d:\d\d)(?P<fraction>[.,]\d{1,9})?"
_ZONE = r"(?P<zone> ?(?:Z\b|UTC\b|[+-]\d\d:?\d\d\b))?"
_NAMES: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_NAME = rf"(?P<name>{'|'.join(_NAMES)})"
_FORMS: Final = (
    re.compile(rf"(?<!\d)(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T _]{_TIME}{_ZONE}"),
    re.compile(rf"(?<!\d)(?P<day>\d\d)/{_NAME}/(?P<year>\d{{4}})[: ]{_TIME}{_ZONE}"),
    re.compile(rf"(?<!\d)(?P<day>\d\d?)[ -]{_NAME}[ -](?P<year>\d{{4}}) {_TIME}{_ZONE}"),
    re.compile(rf"\b{_NAME} (?P<day>[ \d]\d) {_TIME}(?: (?P<year>\d{{4}})\b)?"),
    re.compile(rf"\b(?P<month>\d\d)-(?P<day>\d\d) {_TIME}"),
    re.compile(rf"^[IWEF](?P<month>\d\d)(?P<day>\d\d) {_TIME}"),
    re.compile(rf"(?<![\d:]){_TIME}(?![\d:])"),
)
"""ISO 8601 and Go, Apache, RFC 2822, syslog and asctime, Android, glog, and the time of day alone."""

_KEYED: Final = re.compile(
    r"(?:^|[\s{,\"])@?(?:timestamp|time|ts|asctime|datetime)\"?\s{0,2}[=:]\s{0,2}\"?(?P<value>[^\"{}]{8,40})"
)
_SECONDS: Final = re.compile(r"(?:\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?!\d)")
_EARLY: Final = 120
_VERY_EARLY: Final = 40


def stamp_of(line: str, before: int | None = None) -> str | None:
    """Return the time that a line bears, as it stands there: early in the line and before that place, or under a key.

    >>> stamp_of('level=error time="2026-01-02T03:04:05Z" msg="..."', 10)
    '2026-01-02T03:04:05Z'
    >>> stamp_of("Jan  2 03:04:05 host app[7]: ...")
    'Jan  2 03:04:05'
    """
    for keyed in _KEYED.finditer(line):
        value = keyed["value"]
        found = _SECONDS.match(value) or next(filter(None, (form.match(value) for form in _FORMS)), None)
        if found is not None:
            return found[0].strip()
    head = line[: _EARLY if before is None else min(before, _EARLY)]
    return next((found[0].strip() for form in _FORMS if (found := form.search(head))), None)


def has_stamp(line: str) -> bool:
    """Tell whether a line begins with its time, or is a JSON object: it is no continuation of the line before."""
    return line.startswith("{") or any(form.search(line[:_VERY_EARLY]) for form in _FORMS)


def age_of(stamp: str | None, now: datetime) -> timedelta | None:
    """Return how long ago a line's own time was; None if it cannot be read.

    What the stamp does not say (the zone, the year, the date) is taken to be what brings it nearest to now, a zone
    being ours or UTC.  `now` must have a zone.
    """
    if stamp is None:
        return None
    if _SECONDS.fullmatch(stamp):
        whole = stamp.partition(".")[0]
        return abs(now - datetime.fromtimestamp(float(stamp) / 10 ** (len(whole) - 10), UTC))
    found = next(filter(None, (form.fullmatch(stamp) for form in _FORMS)), None)
    if found is None:
        return None
    parts = found.groupdict()
    zones = _zones(parts["zone"]) if parts.get("zone") else (now.tzinfo, UTC)
    ages = []
    for zone in zones:
        there = now.astimezone(zone)
        for guess in (there - timedelta(days=1), there, there + timedelta(days=1)):
            try:
                moment = guess.replace(
                    year=int(parts.get("year") or guess.year), month=_month(parts) or guess.month,
                    day=int(parts.get("day") or guess.day),
                    hour=int(parts["time"][:2]), minute=int(parts["time"][3:5]), second=int(parts["time"][6:]),
                    microsecond=0,
                )  # fmt: skip
            except ValueError:  # 29 February in another year, a leap second, or no time at all
                continue
            ages.append(abs(now - moment))
    return min(ages, default=None)


def _month(parts: dict[str, str]) -> int | None:
    if parts.get("name"):
        return _NAMES.index(parts["name"]) + 1
    return int(parts["month"]) if parts.get("month") else None


def _zones(text: str) -> tuple[tzinfo, ...]:
    """Return the zone that is named, or nothing if there is none such."""
    text = text.strip()
    if text in ("Z", "UTC"):
        return (UTC,)
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return (timezone(offset if text[0] == "+" else -offset),) if offset < timedelta(days=1) else ()
