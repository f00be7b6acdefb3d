"""Signals that end a session in good order instead of ending the program."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """What can be asked to end in good order."""

    def stop(self) -> None:
        """Ask it to end; return at once."""


@dataclass
class EndedBy:
    """The first signal that asked for the end; None while there was none."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """128 + the signal, as shells say it; 0 without one."""
        return 0 if self.signal is None else 128 + self.signal


@contextlib.contextmanager
def ending_on_signals(session: Stoppable) -> Iterator[EndedBy]:
    """Have SIGINT, SIGTERM and SIGHUP stop the session; one that was ignored before (nohup, &) stays ignored."""
    ended_by = EndedBy()

    def stop(number: int, frame: FrameType | None) -> None:
        ended_by.signal = ended_by.signal or number
        session.stop()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    taken = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield ended_by
    finally:
        for number in taken:
            signal.signal(number, before[number])
