"""One connection that several threads share, and what it takes for their transactions not to meet on it.

In serialized mode (https://sqlite.org/threadsafe.html) a connection may be used by several threads, but the mutex that
SQLite takes lasts for one call, not for one transaction: a second BEGIN on the connection is no request that waits but
an error (`cannot start a transaction within a transaction`), and a ROLLBACK undoes whatever is open, whoever began it.
So a program that shares a connection needs a lock of its own around the whole transaction, and that is built here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw

from simulators.mutex import ThreadMutex


class CommonConnection:
    """The connection of all writers of a database: opened by the first one that comes, closed by the last that goes."""

    def __init__(self, open_it: Callable[[], apsw.Connection]) -> None:
        self._open_it = open_it
        self._gate = threading.Lock()
        self._users = 0
        self._connection: apsw.Connection | None = None

    @contextmanager
    def used(self) -> Iterator[apsw.Connection]:
        """Keep it open in this context."""
        with self._gate:
            self._connection = connection = self._connection or self._open_it()
            self._users += 1
        try:
            yield connection
        finally:
            with self._gate:
                self._users -= 1
                if not self._users:
                    self._connection = None
                    connection.close()


class SharedConnection:
    """One thread's use of a common connection; it is also the mutex (`AnyMutex`) around a turn on it.

    What belongs to a connection and not to a thread is done within a turn: setting the busy handler at its beginning,
    and `end_turn` at its end.
    """

    def __init__(self, connection: apsw.Connection, mutex: ThreadMutex, end_turn: Callable[[], None]) -> None:
        self._connection = connection
        self._mutex = mutex
        self._end_turn = end_turn
        self._handler: Callable[[int], bool] | None = None

    def set_busy_handler(self, handler: Callable[[int], bool]) -> None:
        """Have `handler` called in this thread's turns, when another process has the lock."""
        self._handler = handler

    def cursor(self) -> apsw.Cursor:
        """Return a cursor of this thread's own, to be used in its turns."""
        return self._connection.cursor()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction of this thread is open; one of another thread is none of its business."""
        return self._mutex.is_held and self._connection.in_transaction

    def acquire(self, asked_ns: int) -> None:
        """Begin a turn, waiting since `asked_ns`; raise Withdrawn if an order to park came first."""
        self._mutex.acquire(asked_ns)
        self._connection.set_busy_handler(self._handler)

    def release(self) -> None:
        """End the turn; harmless if there is none."""
        if self._mutex.is_held:
            self._end_turn()
            self._mutex.release()
