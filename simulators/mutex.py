"""Mutexes around a transaction: between processes, and between the threads of one.

The one between processes survives its holder's death, for it is a flock on a file of its own: the kernel drops it when
its holder dies, however it dies; a multiprocessing.Lock would stay taken for ever.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Protocol

from simulators.orders import Inbox
from simulators.slots import Slot

_NUDGE_S = 0.05

_LOOK_S = 0.05
"""How often a thread that waits for the mutex looks for an order."""


class Withdrawn(Exception):  # noqa: N818  # not an error: the fleet wants the wait given up
    """The wait for the mutex was given up because an order wanted the worker to park."""


class AnyMutex(Protocol):
    """What a writer needs of a mutex, be it between processes or between threads."""

    def acquire(self, asked_ns: int) -> None:
        """Take it, waiting since `asked_ns`; raise Withdrawn if an order came first."""

    def release(self) -> None:
        """Give it back; harmless if it is not held."""


class Mutex:
    """An exclusive flock; waiting for it ends when an order wants the worker to park."""

    def __init__(self, path: Path, inbox: Inbox, slot: Slot) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._inbox = inbox
        self._slot = slot
        self._waiting = False
        self._closed = threading.Event()
        signal.signal(signal.SIGUSR1, self._interrupt)
        self._main = threading.get_ident()
        threading.Thread(target=self._nudge, daemon=True, name="mutex").start()

    def acquire(self, asked_ns: int) -> None:
        """Take the mutex, showing in the slot that we wait since `asked_ns`; raise Withdrawn if an order came first."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._slot.waiting_since_ns = asked_ns
            self._wait()
            self._slot.waiting_since_ns = 0

    def _wait(self) -> None:
        try:
            self._waiting = True
            self._interrupt()
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._waiting = False
        except Withdrawn:
            self._waiting = False
            self.release()  # the signal may have come between getting the lock and noting it
            raise

    def release(self) -> None:
        """Give the mutex back; harmless if it is not held."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the mutex back for good."""
        self._closed.set()
        os.close(self._file)

    def _interrupt(self, number: int = 0, frame: FrameType | None = None) -> None:
        if self._waiting and self._inbox.parks:
            self._waiting = False
            raise Withdrawn

    def _nudge(self) -> None:
        # A signal that arrives just before flock starts to wait does not end the wait, so it is sent until it did.
        while not self._closed.wait(_NUDGE_S):
            if self._waiting:
                self._inbox.look()
            if self._waiting and self._inbox.parks:
                signal.pthread_kill(self._main, signal.SIGUSR1)


class ThreadMutex:
    """One thread's use of a lock between threads; waiting for it ends when an order wants the worker to park."""

    def __init__(self, lock: threading.Lock, inbox: Inbox, slot: Slot) -> None:
        self.is_held = False
        """Whether this thread has it."""
        self._lock = lock
        self._inbox = inbox
        self._slot = slot

    def acquire(self, asked_ns: int) -> None:
        """Take the lock, showing in the slot that we wait since `asked_ns`; raise Withdrawn if an order came first."""
        if not self._lock.acquire(blocking=False):
            self._slot.waiting_since_ns = asked_ns
            while not self._lock.acquire(timeout=_LOOK_S):
                self._inbox.look()
                if self._inbox.parks:
                    raise Withdrawn
            self._slot.waiting_since_ns = 0
        self.is_held = True

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self.is_held:
            self.is_held = False
            self._lock.release()
