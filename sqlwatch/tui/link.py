"""The link to the terminal, which may be slow or stall: nothing waits for it, but for a moment at the very end.

A terminal answers a question (DSR 6 of ECMA-48) when it has drawn all that came before it.  So a picture goes out only
when the one before has arrived: what lies between here and the screen is never more than one picture old.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

if sys.platform != "win32":
    import fcntl
    import termios

QUESTION: Final = b"\x1b[6n"
"""Where is the cursor?  Every terminal knows it; one that does not answer is never waited for."""

PATIENCE_S: Final = 10.0
"""After so long without an answer a picture goes out all the same; then after twice the time, and so on."""

MOST_PATIENCE_S: Final = 320.0

MOST_WAITING: Final = 1 << 20
"""Bytes that may wait for the terminal to take them; a text that finds no room is dropped."""

ANSWER_S: Final = 0.8
"""How long the last answer is waited for: one that comes later would be typed into the shell."""

REST_S: Final = 0.4
"""How long the terminal may take no byte at the end."""

_CANCEL: Final = b"\x18"
"""Ends a control sequence that was cut off in its middle (CAN of ECMA-48)."""

_PIECE: Final = 1 << 14
_SMALL_PIECE: Final = 256
"""Bytes at a time where a write may wait: a terminal that says it has room has at least about so much."""


class Link:
    """Writes to a terminal without ever waiting for it; belongs to the thread of the event loop."""

    def __init__(
        self, descriptor: int, loop: asyncio.AbstractEventLoop, *, on_free: Callable[[], None],
        on_gone: Callable[[], None],
    ) -> None:  # fmt: skip
        """`on_free` is called when the next picture may go out, `on_gone` once, when the terminal is closed."""
        self._loop = loop
        self._output = _Output(descriptor)
        self._on_free, self._on_gone = on_free, on_gone
        self._waiting = bytearray()
        self._is_watched = self._is_gone = self._is_leaving = False
        self._answers = False
        self._asked_s: float | None = None
        self._heard = threading.Event()
        self._overdue: asyncio.TimerHandle | None = None
        self._patience_s = PATIENCE_S
        self._least_s = float("inf")
        self.load_s = 0.0
        """How much longer the newest picture took to arrive than the fastest of all."""

    @property
    def is_busy(self) -> bool:
        """Whether the terminal has not taken, or not answered for, what was written last."""
        return bool(self._waiting) or (self._answers and self._asked_s is not None)

    def write(self, text: str) -> None:
        """Write what the terminal takes now, and keep the rest for later."""
        data = text.encode()
        if self._is_gone or len(self._waiting) + len(data) > MOST_WAITING:
            return
        self._waiting += data
        if not self._is_watched:
            self._push()

    def end_picture(self) -> None:
        """Ask whether the picture has arrived, unless a question is open or the terminal is being left."""
        if self._asked_s is None and not self._is_leaving and not self._is_gone:
            self._asked_s = time.monotonic()
            self._heard.clear()
            self.write(QUESTION.decode())
            if self._answers:
                self._overdue = self._loop.call_later(self._patience_s, self._give_up)

    def hear(self) -> None:
        """Take an answer; from any thread."""
        self._heard.set()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._take_answer)

    def hear_key(self) -> None:
        """Take a key; from any thread.  Who presses one and is not shown an answer may have changed the terminal."""
        asked_s = self._asked_s
        if self._answers and asked_s is not None and time.monotonic() - asked_s > PATIENCE_S:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._give_up)

    def leave(self) -> None:
        """Drop what has not gone out, and see to it that nothing that was asked or drawn arrives later."""
        self._is_leaving = True
        self._cancel_overdue()
        was_cut = bool(self._waiting) or not self._output.has_room()
        self._waiting.clear()
        is_open = self._answers and self._asked_s is not None and not self._is_gone
        if was_cut or (is_open and not self._heard.wait(ANSWER_S)):
            self._output.discard()
            self._waiting += _CANCEL

    def close(self) -> None:
        """Write what still waits, if the terminal takes it, and let go of it."""
        self._watch(is_needed=False)
        if self._waiting and not self._is_gone:
            with contextlib.suppress(OSError):
                self._output.write_all(bytes(self._waiting), REST_S)
        self._waiting.clear()
        self._is_gone = True
        self._output.close()

    def _push(self) -> None:
        has_waited = self._is_watched
        try:
            while self._waiting and (written := self._output.write(self._waiting)):
                del self._waiting[:written]
        except OSError:  # EIO: the other side of the terminal is closed
            self._waiting.clear()
            self._is_gone = True
            self._loop.call_soon(self._on_gone)
        self._watch(is_needed=bool(self._waiting))
        if has_waited and not self.is_busy:
            self._on_free()

    def _watch(self, *, is_needed: bool) -> None:
        if is_needed and not self._is_watched:
            self._loop.add_writer(self._output.descriptor, self._push)
        elif self._is_watched and not is_needed:
            self._loop.remove_writer(self._output.descriptor)
        self._is_watched = is_needed

    def _take_answer(self) -> None:
        if self._asked_s is not None:
            took_s = time.monotonic() - self._asked_s
            self._least_s = min(self._least_s, took_s)
            self.load_s = took_s - self._least_s
        self._answers, self._patience_s = True, PATIENCE_S
        self._close_question()

    def _give_up(self) -> None:
        """Let a picture out without an answer: it may have been lost, or another terminal may be there now."""
        self._patience_s = min(self._patience_s * 2, MOST_PATIENCE_S)
        self._close_question()

    def _close_question(self) -> None:
        self._cancel_overdue()
        self._asked_s = None
        if not self.is_busy:
            self._on_free()

    def _cancel_overdue(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def print_patiently(descriptor: int, text: str, patience_s: float = REST_S) -> bool:
    """Print on a terminal that may be slow; return False, with a part unwritten, if it takes nothing for so long.

    Raises OSError if it cannot be written at all.
    """
    output = _Output(descriptor)
    try:
        return output.write_all(text.encode(errors="replace"), patience_s)
    finally:
        output.close()


class LossyFile(io.TextIOBase):
    """A terminal to show progress on: what it has no room for now is dropped, since newer progress follows."""

    def __init__(self, descriptor: int) -> None:
        self._output = _Output(descriptor)

    def write(self, text: str) -> int:
        """Write as much as the terminal takes; raise OSError if it is closed."""
        self._output.write(text.encode(errors="replace"))
        return len(text)

    def isatty(self) -> bool:
        """Say yes: it is one."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._output.descriptor

    def close(self) -> None:
        """Let go of the terminal."""
        if not self.closed:
            self._output.close()
        super().close()


class _Output:
    """A terminal opened once more, so that not to wait is a property of this file alone: the other is the shell's too.

    Where it cannot be opened again (another user's, as after su), the file given is written in small pieces.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self._piece = descriptor, _SMALL_PIECE
        for path in _names_of(descriptor):
            with contextlib.suppress(OSError):
                self.descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
                self._piece = _PIECE
                break
        self._is_own = self.descriptor != descriptor

    def write(self, data: bytes | bytearray) -> int:
        """Write the first bytes and return how many: 0 if the terminal takes none now.  Raises OSError."""
        if not self._is_own and not self.has_room():
            return 0
        try:
            return os.write(self.descriptor, data[: self._piece])
        except BlockingIOError:
            return 0

    def write_all(self, data: bytes, patience_s: float) -> bool:
        """Write everything; return False, with a part unwritten, if the terminal takes nothing for so long."""
        while data:
            written = self.write(data)
            data = data[written:]
            queued = self._queued()
            is_stuck = not written and not select.select([], [self.descriptor], [], patience_s)[1]
            if is_stuck and self._queued() >= queued:
                return False
        return True

    def has_room(self) -> bool:
        """Return whether the terminal takes anything now; a closed one does, to say that it is closed."""
        return bool(select.select([], [self.descriptor], [], 0)[1])

    def discard(self) -> None:
        """Drop what the terminal has been given and has not taken yet."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self.descriptor, termios.TCOFLUSH)

    def close(self) -> None:
        """Close what was opened here."""
        if self._is_own:
            os.close(self.descriptor)

    def _queued(self) -> int:
        """Return how many bytes the system still has to give to the terminal: on a serial line these pass slowly."""
        with contextlib.suppress(OSError):
            return int.from_bytes(fcntl.ioctl(self.descriptor, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return 0


def _names_of(descriptor: int) -> list[str]:
    """Return paths under which a terminal can be opened again; the second is that of the controlling one."""
    names = []
    with contextlib.suppress(OSError):
        names.append(os.ttyname(descriptor))
    with contextlib.suppress(OSError):
        os.tcgetpgrp(descriptor)  # fails unless it is the controlling terminal
        names.append("/dev/tty")
    return names
