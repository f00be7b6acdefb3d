"""Following application logs: from their end on, through rotation and truncation, with watchfiles to wake us up."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlwatch.metrics.log_messages import LogLine, LogMessage, LogSources
from sqlwatch.observe.log_lines import Meaning, Sighting
from sqlwatch.observe.log_patterns import Pattern
from sqlwatch.observe.log_refusal import Refused, open_log, sentence_about
from sqlwatch.observe.log_tail import Tail
from sqlwatch.observe.log_times import age_of
from sqlwatch.observe.log_wake import wake_ups
from sqlwatch.observe.text import printable

MOST_LOGS: Final = 200
LONG_NS: Final = 100_000_000
"""After so long a `poll` ends, whatever there is still to read."""
MOST_TROUBLE: Final = 20
TEXT_LENGTH: Final = 300
QUIET_NS: Final = 60_000_000_000
"""A log that lost its name is read until it got nothing new for so long: its writer may not have noticed yet."""

CHEAP_NS: Final = 50_000_000
"""Looking for logs may take so long at every call; what takes longer is done at a twentieth of the time."""

_Identity = tuple[int, int]


class LogFollower:
    """Follows the logs that patterns (paths, or globs) lead to.

    What a log holds at the first `poll` is history and left out, but for its last `history_bytes` and therein for what
    is not older than `history_s`, as far as its lines tell their time.  Logs that appear later are read from their
    beginning.  A log is its file, not its name: one that is renamed is neither lost nor read twice.
    """

    def __init__(
        self, patterns: Sequence[str], *, history_bytes: int = 0, history_s: float = 600,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._patterns = tuple(Pattern(text) for text in patterns)
        self._history_bytes = history_bytes
        self._history = timedelta(seconds=history_s)
        self._clock = clock
        self._tails: dict[_Identity, Tail] = {}
        self._refused: dict[tuple[str, _Identity], Refused] = {}
        self._unread: dict[_Identity, int] = {}
        """Sizes, at the first look, of files that could not be opened then."""
        self._paths: tuple[str, ...] = ()
        self._trouble: tuple[str, ...] = ()
        self._unreadable: dict[str, str] = {}
        self._told: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._is_first = True
        self._next_find_ns = self._clock()
        self._turn = 0

    def poll(self) -> list[LogMessage]:
        """Return what is new, up to a piece of each log; never waits.  The first message of all is a LogSources."""
        self._find()
        lines: list[LogMessage] = []
        began_ns = self._clock()
        tails = [tail for tail in self._tails.values() if _has_more(tail)]
        first = self._turn % len(tails) if tails else 0
        for tail in tails[first:] + tails[:first]:
            lines += self._read(tail)
            self._turn += 1
            if self._clock() - began_ns >= LONG_NS:
                break
        trouble = (*self._trouble, *self._unreadable.values())
        if len(trouble) > MOST_TROUBLE:
            trouble = (*trouble[:MOST_TROUBLE], f"{len(trouble) - MOST_TROUBLE} more paths have such trouble.")
        told = tuple(printable(path) for path in self._paths), trouble
        if told == self._told:
            return lines
        self._told = told
        return [LogSources(self._clock(), *told), *lines]

    @property
    def has_more(self) -> bool:
        """Whether the logs hold more than one `poll` reads."""
        return any(_has_more(tail) for tail in self._tails.values())

    def run(self, emit: Callable[[LogMessage], object], stop: threading.Event) -> None:
        """Follow until `stop` is set, which ends it within half a second; woken by watchfiles where that works."""
        self._pass_on(emit, stop)
        for _ in wake_ups(self._patterns, lambda: list(self._tails.values()), stop):
            self._pass_on(emit, stop)
        for message in self.poll():
            emit(message)

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    def _pass_on(self, emit: Callable[[LogMessage], object], stop: threading.Event) -> None:
        while not stop.is_set():
            for message in self.poll():
                emit(message)
            if not self.has_more:
                return

    # Finding.

    def _find(self) -> None:
        """Open what is new, let go of what is gone and quiet; where that takes long, it is not done at every call."""
        began_ns = self._clock()
        if began_ns < self._next_find_ns:
            return
        present: dict[_Identity, str] = {}
        refused: dict[tuple[str, _Identity], Refused] = {}
        trouble: list[str] = []
        left_out = 0
        for pattern in self._patterns:
            paths = pattern.paths()
            trouble += [pattern.sentence_about_nothing()] if not paths else []
            quiet = 0
            for path in paths:
                try:
                    status = os.stat(path)  # noqa: PTH116 - a path with surrogates stays what it is
                    identity = status.st_dev, status.st_ino
                    if identity in present:
                        continue
                    if (path, identity) in self._refused:
                        raise self._refused[path, identity]  # it is not opened again
                    if identity not in self._tails and len(self._tails) >= MOST_LOGS:
                        left_out += 1
                        self._remember(identity, status.st_size)
                        continue
                    self._open(path, identity, status.st_size)
                    present[identity] = path
                except Refused as refusal:
                    refused[path, identity] = refusal
                    is_quiet = refusal.is_quiet and pattern.is_glob
                    quiet += is_quiet
                    trouble += [str(refusal)] if not is_quiet else []
                except OSError as error:
                    trouble.append(sentence_about(path, error))
            if quiet and quiet == len(paths):
                trouble.append(f"{printable(pattern.text)} matches nothing but directories and compressed files.")
        if left_out:
            trouble.append(f"{left_out} more files match: no more than {MOST_LOGS} logs are followed.")
        self._refused, self._trouble = refused, tuple(dict.fromkeys(trouble))
        self._paths = tuple(present.values())
        self._let_go(present, began_ns)
        self._is_first = False
        cost_ns = self._clock() - began_ns
        self._next_find_ns = began_ns + 20 * cost_ns if cost_ns > CHEAP_NS else began_ns

    def _open(self, path: str, identity: _Identity, size: int) -> None:
        known = self._tails.get(identity)
        if known is not None:
            known.path, known.quiet_since_ns = path, None
            return
        try:
            descriptor = open_log(path)
        except OSError:
            self._remember(identity, size)
            raise
        start = max(size - self._history_bytes, 0) if self._is_first else self._unread.pop(identity, 0)
        history_end = size if self._is_first else 0
        self._tails[identity] = Tail(path, descriptor, start if start <= size else 0, history_end=history_end)

    def _remember(self, identity: _Identity, size: int) -> None:
        if self._is_first:
            self._unread[identity] = size

    def _let_go(self, present: dict[_Identity, str], now_ns: int) -> None:
        for identity, tail in list(self._tails.items()):
            if identity in present:
                continue
            if tail.quiet_since_ns is None or _has_more(tail):
                tail.quiet_since_ns = now_ns
            elif now_ns - tail.quiet_since_ns >= QUIET_NS:
                self._tails.pop(identity).close()
        names = {tail.path for tail in self._tails.values()}
        self._unreadable = {path: words for path, words in self._unreadable.items() if path in names}

    # Reading.

    def _read(self, tail: Tail) -> list[LogLine]:
        is_history = tail.is_in_history
        try:
            sightings = tail.read()
        except Refused as refusal:
            identity = next(identity for identity, one in self._tails.items() if one is tail)
            self._tails.pop(identity).close()
            self._refused[tail.path, identity] = refusal
            self._paths = tuple(path for path in self._paths if path != tail.path)
            self._trouble = (*self._trouble, str(refusal))
            return []
        except OSError as error:
            self._unreadable[tail.path] = sentence_about(tail.path, error)
            return []
        self._unreadable.pop(tail.path, None)
        return [self._line(tail, seen) for seen in sightings if not is_history or self._is_recent(seen.meaning)]

    def _is_recent(self, meaning: Meaning) -> bool:
        age = age_of(meaning.logged_at, datetime.now(UTC).astimezone())
        return age is None or age <= self._history

    def _line(self, tail: Tail, seen: Sighting) -> LogLine:
        meaning = seen.meaning
        return LogLine(
            at_ns=self._clock(), kind=meaning.kind, source=printable(tail.path), text=printable(seen.text, TEXT_LENGTH),
            logged_at=meaning.logged_at, took_ns=meaning.took_ns,
        )  # fmt: skip


def _has_more(tail: Tail) -> bool:
    try:
        return tail.has_more
    except OSError:
        return False
