"""Commands from other threads to the one that owns a fleet."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Final

from simulators.fleet import Fleet

Command = Callable[[Fleet], object]

_RINGS: Final = 4096
"""Rings of the bell that are heard at once; more than that many are heard one after the other."""


class Commands:
    """A queue, and a bell that its reader hears where it waits for other descriptors too."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._lock = Lock()
        self._bell: tuple[int, int] | None = None

    def put(self, command: Command) -> None:
        """Leave a command; from any thread, at any time."""
        self._queue.put(command)
        self.ring()

    def ring(self) -> None:
        """Have the reader look up; from any thread."""
        with self._lock:
            if self._bell is not None:
                with suppress(BlockingIOError):  # it is full of rings that have not been heard yet
                    os.write(self._bell[1], b"!")

    @contextmanager
    def heard(self) -> Iterator[int]:
        """Have a bell meanwhile, and yield the descriptor that can be read when it has been rung."""
        self._bell = reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        try:
            yield reader
        finally:
            with self._lock:
                self._bell = None
            os.close(reader)
            os.close(writer)

    def quieten(self) -> bool:
        """Take note of the bell, and look whether something waits only then; return whether it had been rung."""
        if self._bell is not None:
            with suppress(BlockingIOError):
                return bool(os.read(self._bell[0], _RINGS))
        return False

    def take(self) -> list[Command]:
        """Return what was left, oldest first."""
        commands = []
        with suppress(queue.Empty):
            while True:
                commands.append(self._queue.get_nowait())
        return commands

    @property
    def waiting(self) -> bool:
        """Whether there is a command to take."""
        return not self._queue.empty()
