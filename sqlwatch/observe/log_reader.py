"""The lines of one log in order: an error counts once, though the traceback below it names it again and again.

A line belongs to the error above it if it is indented or opens as the lines of tracebacks do (`at ...`, `Caused by:`,
`During handling of ...`, the exception that ends a traceback), or if it has no time of its own while the line that
opened the record had one.  The very same words twice are two errors.  Of what is said about one error, the most
specific kind counts: a bare `database is locked` above `code: 'SQLITE_BUSY_SNAPSHOT'` is BUSY_SNAPSHOT.  If that line
comes in a later piece of the log than the first, it counts as an error of its own, for nobody can call a message back.
Records of several processes that mingle line by line cannot be told apart so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.observe.log_lines import Sighting, is_more_specific, plain, sighting_of
from sqlwatch.observe.log_times import has_stamp, stamp_of

LONGEST_TRACEBACK: Final = 200
"""Lines; what comes later is another error."""

_BEGINNING: Final = 500
_PREFIX: Final = re.compile(
    r"(?:[\w.-]{1,40} {1,20}\| ?)?"
    r"(?:(?:\d{4}-\d\d-\d\dT[\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
    r"(?: [\w.-]{1,64} [\w./@-]{1,64}(?:\[\d{1,10}\])?:)? )?"
)
"""What Docker Compose, Docker, syslog and journalctl write before every line, be it part of a traceback or not."""
_LEVEL: Final = re.compile(r" {1,3}(?:TRACE|DEBUG|INFO|NOTICE|WARN|ERROR|FATAL|CRITICAL)")
_TRACEBACK: Final = "Traceback (most recent call last)"
_CHAIN: Final = re.compile(r"During handling of the above|The above exception was|Caused by:|Causes?:|Suppressed:")
_GOES_ON: Final = re.compile(
    r"\s|$|at |from |\.\.\. \d|[}\])]|\^|File \"|--- End of|stack backtrace|note: "
    r"|\[SQL: |\[parameters: |\(Background on |(?:errno|code|rawCode|extended_?code): "
)


class LineReader:
    """Reads the lines of one log, piece by piece."""

    def __init__(self) -> None:
        self._record = ""
        """The newest line that is no part of a traceback: its time is that of what stands below."""
        self._kind: LogKind | None = None
        """What the error above says that is still going on."""
        self._said: set[str] = set()
        self._lines_left = 0
        self._is_stamped = False
        self._place: int | None = None
        self._in_traceback = False
        self._may_go_on = False
        """Whether a traceback that begins now would belong to the error above."""

    def read(self, lines: Iterable[str]) -> list[Sighting]:
        """Return what the lines mean, in order."""
        found: list[Sighting] = []
        self._place = None
        for line in lines:
            self._read(line, found)
        return found

    def _read(self, line: str, found: list[Sighting]) -> None:
        was_in_traceback = self._in_traceback
        goes_on = self._goes_on(line)
        seen = sighting_of(line)
        if seen is None:
            return
        kind = seen.meaning.kind
        if kind is LogKind.SLOW:
            found.append(seen)
        elif goes_on and self._kind is not None and seen.text not in self._said:
            self._add(seen, found)
        else:
            if seen.meaning.logged_at is None and goes_on:
                meaning = msgspec.structs.replace(seen.meaning, logged_at=stamp_of(self._record[:_BEGINNING]))
                seen = Sighting(meaning, seen.text)
            self._kind, self._said, self._lines_left = kind, {seen.text}, LONGEST_TRACEBACK
            self._is_stamped = has_stamp(self._record)
            self._may_go_on = not was_in_traceback
            self._place = len(found)
            found.append(seen)

    def _add(self, again: Sighting, found: list[Sighting]) -> None:
        """Take in what a further line says about the error above."""
        self._said.add(again.text)
        kind = again.meaning.kind
        if self._kind is None or not is_more_specific(kind, self._kind):
            return
        self._kind = kind
        if self._place is None:
            found.append(again)
            self._place = len(found) - 1
        else:
            first = found[self._place]
            found[self._place] = Sighting(msgspec.structs.replace(first.meaning, kind=kind), first.text)

    def _goes_on(self, line: str) -> bool:
        """Tell whether a line belongs to the record above it."""
        if self._kind is None and not self._in_traceback and _TRACEBACK not in line:
            if line[:1] not in ("", " ", "\t"):
                self._record = line
                return False
            return True
        if self._kind is not None:
            self._lines_left -= 1
            if self._lines_left <= 0:
                self._kind = None
        start = plain(line[:_BEGINNING])
        body = start[_PREFIX.match(start).end() :]  # type: ignore[union-attr]  # it matches nothing, too
        if body.startswith(_TRACEBACK):
            if not self._may_go_on:
                self._kind = None
            self._in_traceback, self._may_go_on = True, False
            return True
        if _CHAIN.match(body):
            self._may_go_on = True
            return True
        if _GOES_ON.match(body) and not _LEVEL.match(body):
            return True
        if self._in_traceback:  # the exception that ends it
            self._in_traceback = False
            return True
        if self._kind is not None and self._is_stamped and not has_stamp(start):
            return True
        self._record, self._kind = line, None
        return False
