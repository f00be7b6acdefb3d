"""Orders from the fleet to a worker, and the worker's inbox.

An order says everything that is wanted now, so only the newest matters.  The inbox is a thread that sleeps in a read of
the pipe from the parent: it costs nothing while nothing is ordered, and when the pipe closes, because the parent died,
it ends the process at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

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


class Inbox:
    """The newest order, and waiting that an order cuts short."""

    def __init__(self, pipe: Connection) -> None:
        self.parks = True
        """True when the work at hand must end: waiting for the lock is withdrawn, thinking is cut short."""
        self.stopping = False
        self._pipe = pipe
        self._newest: Order | None = None
        self._current: Order | None = None
        self._arrived = threading.Condition()
        self._parked = threading.Event()
        self._parked.set()
        self._stopped = threading.Event()
        self._on_arrival: Callable[[], object] = int
        threading.Thread(target=self._listen, daemon=True, name="inbox").start()

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

    def next(self) -> Order:
        """Wait for an order newer than the last one taken and return it."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._newest is not self._current)
            order = self._current = self._newest
            assert order is not None
            self.parks = not order.run or order.stop
            (self._parked.set if self.parks else self._parked.clear)()
            return order

    def rest(self, duration_ns: int) -> None:
        """Sleep for `duration_ns`, less if an order wants the worker to park."""
        self._parked.wait(duration_ns / 1e9)

    def hold(self, duration_ns: int) -> bool:
        """Sleep for `duration_ns`; return False if the worker was told to end meanwhile."""
        return not self._stopped.wait(duration_ns / 1e9)

    def call_on_arrival(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, in the inbox's thread, whenever an order arrives."""
        self._on_arrival = wake

    def _listen(self) -> None:
        decoder = msgspec.msgpack.Decoder(Order)
        while True:
            try:
                order = decoder.decode(self._pipe.recv_bytes())
            except (EOFError, OSError):
                os._exit(ORPHANED_EXIT)
            with self._arrived:
                before = self._current
                self._newest = order
                if order.stop:
                    self.stopping = True
                    self._stopped.set()
                if order.stop or not order.run or before is None or order.mode is not before.mode:
                    self.parks = True
                    self._parked.set()
                self._arrived.notify_all()
            self._on_arrival()


def encode(order: Order) -> bytes:
    """Return an order as it crosses the pipe."""
    return msgspec.msgpack.encode(order)
