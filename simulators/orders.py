"""Orders from the fleet to a worker, and the worker's inbox.

An order says everything that is wanted now, so only the newest matters.  The inbox has no thread of its own: a second
thread, even asleep, made short transactions 3 % slower (malloc and mutexes are cheaper in a process with one thread).
Instead a worker sleeps in a read of its order pipe and looks into it between transactions; when the pipe closes,
because the parent died, the process ends at once.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import NoReturn

import msgspec

from simulators.events import Mode

ORPHANED_EXIT = 70
"""Exit status of a worker whose parent is gone."""


class Order(msgspec.Struct, frozen=True):
    """What a worker shall do now: work in `mode` and count for `phase`, park (`run` false), or end (`stop`)."""

    epoch: int
    run: bool
    mode: Mode
    phase: int
    stop: bool = False
    transactions: int = 0
    """How many transactions this worker runs in the phase; 0 is no limit."""


def share_of(transactions: int, worker: int, writers: Sequence[int]) -> int:
    """Return how many of the fixed transactions fall to a worker; the first ones get what is left over.

    >>> [share_of(10, worker, [1, 2, 5]) for worker in (1, 2, 5)]
    [4, 3, 3]
    """
    share, rest = divmod(transactions, len(writers))
    return share + (writers.index(worker) < rest)


def encode(order: Order) -> bytes:
    """Return an order as it crosses the pipe."""
    return msgspec.msgpack.encode(order)


def end_orphaned() -> NoReturn:
    """End this process at once: there is nobody left to work for or to tell."""
    os._exit(ORPHANED_EXIT)


class Inbox:
    """The newest order, and sleeping that an order cuts short."""

    def __init__(self, pipe: Connection) -> None:
        self.parks = True
        """True when the work at hand must end: waiting for the lock is withdrawn, thinking is cut short."""
        self._pipe = pipe
        self._descriptor = pipe.fileno()
        self._decode = msgspec.msgpack.Decoder(Order).decode
        self._newest: Order | None = None
        self._current: Order | None = None
        self._reading = threading.Lock()  # mode mutex looks from a thread while the main one is stuck in flock

    def fileno(self) -> int:
        """Return the pipe's descriptor, to wait for an order together with other things."""
        return self._descriptor

    @property
    def has_news(self) -> bool:
        """Tell whether there is an order that has not been taken; if `parks` is false it only changes the phase."""
        return self._newest is not self._current

    @property
    def phase(self) -> int:
        """The phase that a transaction ending now belongs to."""
        return self._newest.phase if self._newest is not None else 0

    @property
    def has_ended(self) -> bool:
        """Tell whether the order to end has been taken."""
        return self._current is not None and self._current.stop

    @property
    def must_end(self) -> bool:
        """Tell whether the newest order, taken or not, is to end."""
        return self._newest is not None and self._newest.stop

    def look(self, timeout_s: float = 0.0) -> None:
        """Take in the orders that have arrived, waiting up to `timeout_s` for the first."""
        while select.select((self._descriptor,), (), (), timeout_s)[0]:
            self._read()
            timeout_s = 0.0

    def wait_also(self, descriptor: int, timeout_s: float) -> None:
        """Wait up to `timeout_s` for an order, to be looked at next, or for something to read from `descriptor`."""
        select.select((self._descriptor, descriptor), (), (), timeout_s)

    def next(self) -> Order:
        """Wait for an order newer than the last one taken and return it."""
        while not self.has_news:
            self.look(_LONGEST_WAIT_S)
        order = self._current = self._newest
        assert order is not None
        self.parks = not order.run or order.stop
        return order

    def rest(self, duration_ns: int) -> None:
        """Sleep for `duration_ns`, less if an order wants the worker to park."""
        deadline_ns = time.monotonic_ns() + duration_ns
        self.look(max(duration_ns, 0) / 1e9)
        while not self.parks and (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            self.look(left_ns / 1e9)

    def hold(self, duration_ns: int) -> bool:
        """Sleep for `duration_ns`; return False if the worker was told to end meanwhile."""
        deadline_ns = time.monotonic_ns() + duration_ns
        while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            self.look(left_ns / 1e9)
            if self.must_end:
                return False
        return True

    def _read(self) -> None:
        with self._reading:
            try:
                if not self._pipe.poll():  # the other thread was quicker
                    return
                order = self._decode(self._pipe.recv_bytes())
            except (EOFError, OSError):
                end_orphaned()
            before = self._current
            self._newest = order
            if order.stop or not order.run or before is None or order.mode is not before.mode:
                self.parks = True


_LONGEST_WAIT_S = 3600.0
