"""A program in a terminal of its own: what it draws is kept as a screen of characters, and keys can be sent to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

_PATIENCE_S = 60
_KEYS = {"enter": "\r", "escape": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A", "space": " "}


class Terminal:
    """Runs a command in a folder and a pseudo-terminal of `size` = (columns, rows) and follows what it draws."""

    def __init__(
        self, command: Sequence[str], size: tuple[int, int], environment: Mapping[str, str], folder: Path
    ) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env={**os.environ, **environment},
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program, and wait until it has."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        while self._process.poll() is None:
            self.follow(0.1)
        os.close(self._master)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.screen.display)

    def press(self, key: str) -> None:
        """Send a key by its name, or any text."""
        os.write(self._master, _KEYS.get(key, key).encode())

    def follow(self, seconds: float) -> bool:
        """Take in what is drawn during some seconds; return False once the program has ended."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the kernel's way to say that the other side was closed
                return False
            # pyte takes `CSI > ... m` and `CSI ? ... m`, which set modes of the keyboard, for colours.
            self._stream.feed(re.sub(rb"\x1b\[[>?][0-9;]*m", b"", data))
        return True

    def wait_for(self, holds: Callable[[str], bool], words: str) -> None:
        """Follow until something holds of the text; raise TimeoutError, which names it by `words`, if it never does."""
        deadline = time.monotonic() + _PATIENCE_S
        while not holds(self.text):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{words}: it never came. The screen:\n{self.text}")
            self.follow(0.1)
