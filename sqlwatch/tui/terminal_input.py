"""What a terminal says, read without waking up while it says nothing: Textual's own reader looks ten times a second."""

from __future__ import annotations

import codecs
import errno
import os
import select
import termios
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Final

from textual import constants
from textual._xterm_parser import XTermParser
from textual.message import Message

_PIECE: Final = 4096
_SEQUENCE_S: Final = constants.ESCAPE_DELAY + 0.01
"""Silence after which the parser has given up waiting for more of a sequence, by whichever clock."""


class RingingEvent(Event):
    """An event that can be waited for as a descriptor, beside others; it lasts as long as the process."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        """Let it happen."""
        super().set()
        with suppress(BlockingIOError):  # it has been set often, and can be read
            os.write(self._writer, b"!")

    def clear(self) -> None:
        """Let it not have happened."""
        super().clear()
        with suppress(BlockingIOError):
            os.read(self._reader, _PIECE)

    def fileno(self) -> int:
        """Return a descriptor that can be read once it has happened."""
        return self._reader


def read_messages(descriptor: int, over: RingingEvent, take: Callable[[Message], None]) -> None:
    """Hand on what the terminal says until it is over.

    Raises OSError if the terminal cannot be read any more, and ValueError or ArithmeticError for bytes that no terminal
    sends; then it can be called again.
    """
    parser = XTermParser()
    decode = codecs.getincrementaldecoder("utf-8")().decode
    is_new = False
    while not over.is_set():
        # An escape key is told from the beginning of a sequence by what follows within a time, if anything.
        ready, _, _ = select.select([descriptor, over.fileno()], [], [], _SEQUENCE_S if is_new else None)
        is_new = descriptor in ready
        if is_new:
            data = os.read(descriptor, _PIECE)
            if not data and not _is_file(descriptor):
                raise OSError(errno.EIO, "the terminal is closed")
            if not data:  # there will be no keys
                over.wait()
                return
            text = decode(data)
            for message in parser.feed(text) if text else ():  # half a character is no text, which would be the end
                take(message)
        for message in parser.tick():
            take(message)


def _is_file(descriptor: int) -> bool:
    """Tell /dev/null or a file, which end, from a terminal, there or gone (then it has another error: EIO)."""
    try:
        termios.tcgetattr(descriptor)
    except termios.error as error:
        return bool(error.args[0] == errno.ENOTTY)
    return False
