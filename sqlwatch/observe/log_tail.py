"""One open log, read from a place on: complete lines only, through truncation, in pieces of bounded size."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Final

from sqlwatch.observe.filesystems import file_system_of
from sqlwatch.observe.log_lines import Sighting
from sqlwatch.observe.log_reader import LineReader
from sqlwatch.observe.log_refusal import HEAD_BYTES, check_head

PIECE: Final = 1 << 18
"""Bytes read from one log at a time; the rest comes next."""
LONGEST_LINE: Final = 64 * 1024
"""Bytes kept of a line; what follows up to its end is left out."""
_REMEMBERED: Final = 64


class LineSplitter:
    r"""Cuts a stream of bytes into lines of bounded length; what has no line end yet is kept until it has.

    >>> splitter = LineSplitter()
    >>> splitter.feed(b"one\ntw"), splitter.feed(b"o\n")
    (['one'], ['two'])
    """

    def __init__(self, *, in_a_line: bool = False) -> None:
        """`in_a_line`: the stream begins in the middle of a line, whose rest is no line."""
        self._rest = b""
        self._is_skipping = in_a_line

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that are complete now, without their ends; bytes that are not UTF-8 are escaped."""
        first, *others = data.split(b"\n")
        if not others:
            self._keep(first)
            return []
        lines = [] if self._is_skipping and not self._rest else [self._rest + first]
        lines += others[:-1]
        self._rest, self._is_skipping = b"", False
        self._keep(others[-1])
        return [line[:LONGEST_LINE].strip(b"\r\0").decode(errors="backslashreplace") for line in lines]

    def _keep(self, piece: bytes) -> None:
        if not self._is_skipping:
            self._rest += piece
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._is_skipping = self._rest[:LONGEST_LINE], True


class Tail:
    """An open log, whatever its name is by now.  It owns the descriptor."""

    def __init__(self, path: str, descriptor: int, offset: int, *, history_end: int = 0) -> None:
        self.path = path
        self.descriptor = descriptor
        self.quiet_since_ns: int | None = None
        """Since when a log that has lost its name got nothing new; None while it has one."""
        self._history_end = history_end
        self._changed_ns = 0
        self._before = b""
        self._lines = LineSplitter()
        self._reader = LineReader()
        self._begin(offset)

    @cached_property
    def is_on_a_network(self) -> bool:
        """Whether another machine may write it, of which nobody notifies us."""
        system = file_system_of(self.descriptor, self.path)
        return system is not None and system.is_network

    @property
    def is_in_history(self) -> bool:
        """Whether what is read next was there before the log was opened."""
        return self._offset < self._history_end

    @property
    def has_more(self) -> bool:
        """Whether there may be something that was not read yet; raise OSError."""
        status = os.fstat(self.descriptor)
        return status.st_size != self._offset or status.st_mtime_ns != self._changed_ns

    def read(self) -> list[Sighting]:
        """Return what the next piece means; raise OSError, or Refused if the file is no log after all."""
        status = os.fstat(self.descriptor)
        self._changed_ns = status.st_mtime_ns
        if status.st_size < self._offset or not self._is_the_same():
            self._begin(0)
            self._history_end = 0
        if status.st_size == self._offset:
            return []
        if self._offset < HEAD_BYTES:
            check_head(self.path, os.pread(self.descriptor, HEAD_BYTES, 0))
        data = os.pread(self.descriptor, PIECE, self._offset)
        self._offset += len(data)
        self._before = (self._before + data[-_REMEMBERED:])[-_REMEMBERED:]
        return self._reader.read(self._lines.feed(data))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)

    def _begin(self, offset: int) -> None:
        self._offset = offset
        self._before = os.pread(self.descriptor, min(_REMEMBERED, offset), max(offset - _REMEMBERED, 0))
        self._lines = LineSplitter(in_a_line=offset > 0 and self._before[-1:] != b"\n")
        self._reader = LineReader()

    def _is_the_same(self) -> bool:
        """Tell whether what was read last still stands there: a log may be truncated and grow again before we look.

        Zeros do not count: a program that does not append goes on writing behind a hole where it was.
        """
        there = os.pread(self.descriptor, len(self._before), self._offset - len(self._before))
        return there == self._before or not there.strip(b"\0")
