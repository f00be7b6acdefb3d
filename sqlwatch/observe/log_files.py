"""Following application logs: from their end on, through rotation and truncation, with watchfiles to wake us up."""

from __future__ import annotations

import errno
import glob
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import watchfiles

from sqlwatch.metrics.log_messages import LogLine, LogMessage, LogSources
from sqlwatch.observe.log_lines import LONGEST, LineReader, Meaning, age_of
from sqlwatch.observe.text import printable

MOST_BYTES: Final = 1 << 20
"""Bytes read from one log at a time; the rest comes next."""
MOST_LOGS: Final = 200
LONGEST_LINE: Final = 64 * 1024
"""A line is cut here: what has no line end in so many bytes is no log."""
TEXT_LENGTH: Final = 300
IDLE_S: Final = 1.0
"""Without any notification the logs are looked at this often."""

_NOT_LOGS: Final = {b"SQLite format 3\x00": "is a database", b"\x1f\x8b": "is compressed"}
_WAL_MAGIC: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_SUFFIXES: Final = ("-wal", "-shm", "-journal")

_Identity = tuple[int, int]


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """A file that cannot be read as a log; the sentence says why."""


class _Log:
    """One open log, whatever its name is by now."""

    def __init__(self, path: str, descriptor: int, offset: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._offset = offset
        self._rest = b""
        self._is_cut = offset > 0 and os.pread(descriptor, 1, offset - 1) != b"\n"
        self._reader = LineReader()

    def read(self) -> Iterable[tuple[str, Meaning]]:
        """Yield the lines that have been completed and mean something."""
        size = os.fstat(self.descriptor).st_size
        if size < self._offset:
            self._offset, self._rest, self._is_cut = 0, b"", False
        data = os.pread(self.descriptor, MOST_BYTES, self._offset)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line[:LONGEST].decode(errors="replace")
            meaning = None if self._is_cut else self._reader.read(text)
            self._is_cut = False
            if meaning is not None:
                yield text, meaning
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._is_cut = b"", True

    @property
    def has_more(self) -> bool:
        """Whether there is something that was not read yet."""
        return os.fstat(self.descriptor).st_size > self._offset

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)


class LogFollower:
    """Follows the logs that patterns (paths, or globs) lead to.

    What a log holds at the start is history and left out, but for its last `history_bytes` and therein for what is not
    older than `history_s`, as far as its lines tell their time.  Logs that appear later are read from their beginning.
    """

    def __init__(
        self, patterns: Sequence[str], *, history_bytes: int = 0, history_s: float = 600,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._patterns = tuple(patterns)
        self._history_bytes = history_bytes
        self._history = timedelta(seconds=history_s)
        self._clock = clock
        self._logs: dict[_Identity, _Log] = {}
        self._told: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._is_first = True

    def poll(self) -> list[LogMessage]:
        """Return what is new; never waits."""
        messages = self._find()
        for log in self._logs.values():
            messages += self._read(log)
        self._is_first = False
        return messages

    @property
    def has_more(self) -> bool:
        """Whether a log has more than one `poll` reads."""
        return any(log.has_more for log in self._logs.values())

    def run(self, emit: Callable[[LogMessage], object], stop: threading.Event) -> None:
        """Follow until `stop` is set, which ends it within half a second; woken by watchfiles where that works."""
        while not stop.is_set():
            for message in self.poll():
                emit(message)
            if self.has_more:
                continue
            directories = self._directories()
            if not directories:
                stop.wait(IDLE_S)
                continue
            try:
                self._run_woken(directories, emit, stop)
            except (OSError, RuntimeError):  # no notification here: too many watches, or a file system without
                stop.wait(IDLE_S)

    def close(self) -> None:
        """Let go of all files."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    def _run_woken(self, directories: list[str], emit: Callable[[LogMessage], object], stop: threading.Event) -> None:
        """Look whenever something happens in the directories, and once a second; return if these are others by now."""
        changes = watchfiles.watch(
            *directories, watch_filter=None, debounce=200, step=50, stop_event=stop,
            rust_timeout=round(IDLE_S * 1000), yield_on_timeout=True, raise_interrupt=False, recursive=False,
            ignore_permission_denied=True,
        )  # fmt: skip
        for _ in changes:
            for message in self.poll():
                emit(message)
            while self.has_more and not stop.is_set():
                for message in self.poll():
                    emit(message)
            if self._directories() != directories:
                return

    def _directories(self) -> list[str]:
        found = {os.path.realpath(Path(path).parent) for path in self._paths() or self._patterns}
        found |= {os.path.realpath(Path(pattern).parent) for pattern in self._patterns if not _is_glob(pattern)}
        return sorted(directory for directory in found if os.path.isdir(directory))  # noqa: PTH112 - a str already

    def _paths(self) -> list[str]:
        paths: dict[str, None] = {}
        for pattern in self._patterns:
            if _is_glob(pattern) and not os.path.lexists(pattern):
                paths |= dict.fromkeys(sorted(_matches(pattern)))
            else:
                paths[pattern] = None
        return list(paths)

    # Finding.

    def _find(self) -> list[LogMessage]:
        """Open what is new, drain and close what is gone; tell if the sources are others now."""
        trouble: list[str] = []
        present: dict[_Identity, str] = {}
        globs = [pattern for pattern in self._patterns if _is_glob(pattern) and not _matches(pattern)]
        trouble += [f"Nothing matches {printable(pattern)} yet." for pattern in globs]
        for path in self._paths():
            try:
                status = os.stat(path)  # noqa: PTH116 - a path with surrogates stays what it is
                identity = status.st_dev, status.st_ino
                if identity not in present:
                    self._open(path, identity, status)
                    present[identity] = path
            except _Refused as refusal:
                trouble.append(str(refusal))
            except OSError as error:
                trouble.append(_sentence(path, error))
        messages: list[LogMessage] = []
        for identity in [identity for identity in self._logs if identity not in present]:
            messages += self._read(self._logs[identity])
            self._logs.pop(identity).close()
        told = tuple(printable(path) for path in present.values()), tuple(trouble)
        if told != self._told:
            self._told = told
            messages.append(LogSources(self._clock(), *told))
        return messages

    def _open(self, path: str, identity: _Identity, status: os.stat_result) -> None:
        known = self._logs.get(identity)
        if known is not None:
            known.path = path
            return
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no file"
            raise _Refused(f"{printable(path)} is {kind}; name a log, or write a glob.")
        if path.endswith(_SUFFIXES):
            raise _Refused(f"{printable(path)} is a file of a database, not a log.")
        if len(self._logs) >= MOST_LOGS:
            raise _Refused(f"{printable(path)} is left out: there are more than {MOST_LOGS} logs.")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        try:
            _check_content(path, os.pread(descriptor, 16, 0))
        except BaseException:
            os.close(descriptor)
            raise
        offset = max(status.st_size - self._history_bytes, 0) if self._is_first else 0
        self._logs[identity] = _Log(path, descriptor, offset)

    # Reading.

    def _read(self, log: _Log) -> list[LogMessage]:
        try:
            return [self._line(log, text, meaning) for text, meaning in log.read() if self._is_recent(meaning)]
        except OSError as error:
            return [LogSources(self._clock(), self._told[0] if self._told else (), (_sentence(log.path, error),))]

    def _is_recent(self, meaning: Meaning) -> bool:
        """Tell whether a line counts: what is read at the start may be old."""
        if not self._is_first:
            return True
        age = age_of(meaning.logged_at, datetime.now(UTC).astimezone())
        return age is None or age <= self._history

    def _line(self, log: _Log, text: str, meaning: Meaning) -> LogLine:
        return LogLine(
            at_ns=self._clock(), kind=meaning.kind, source=printable(log.path),
            text=printable(text.strip(), TEXT_LENGTH), logged_at=meaning.logged_at, took_ns=meaning.took_ns,
        )  # fmt: skip


def _check_content(path: str, head: bytes) -> None:
    for magic, words in _NOT_LOGS.items():
        if head.startswith(magic):
            raise _Refused(f"{printable(path)} {words}, not a log.")
    if head.startswith(_WAL_MAGIC):
        raise _Refused(f"{printable(path)} is a file of a database, not a log.")


def _matches(pattern: str) -> list[str]:
    # pathlib's glob would have to be told a root, and raises for an absolute pattern.
    return [pattern] if os.path.lexists(pattern) else glob.glob(pattern, recursive=True)  # noqa: PTH207


def _is_glob(pattern: str) -> bool:
    return glob.has_magic(pattern)


def _sentence(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"There is no log {printable(path)} yet."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"No permission to read the log {printable(path)}."
    return f"The log {printable(path)} cannot be read: {error.strerror}."
