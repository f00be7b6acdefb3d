"""A pool of connections for tasks of an event loop, as SQLx and aiosqlite have it.

SQLite's calls block, so every connection has a thread that executes its statements one at a time, and the event loop
only awaits them: each statement is a round trip to that thread.  SQLite must never be called on the event loop's own
thread: a task that waits for the lock there would keep the task that holds it from going on.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from simulators import database
from simulators.workload import Workload

Result = TypeVar("Result")


class PooledConnection:
    """One connection and its thread."""

    def __init__(self, path: Path, workload: Workload) -> None:
        self.connection: apsw.Connection = database.connect(path, workload)
        self.cursor = self.connection.cursor()
        self._loop = asyncio.get_running_loop()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._cache = (0, 0)
        self._thread = threading.Thread(target=self._work, name="connection")
        self._thread.start()

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Have the connection's thread call a function, and await what it returns or raises.

        Must not be cancelled: the thread would go on with a transaction that nobody ends.
        """
        future: asyncio.Future[Result] = self._loop.create_future()

        def run() -> None:
            try:
                result = function(*arguments)
            except Exception as error:  # noqa: BLE001  # raised again where it is awaited
                self._loop.call_soon_threadsafe(future.set_exception, error)
            else:
                self._loop.call_soon_threadsafe(future.set_result, result)

        self._calls.put(run)
        return await future

    async def execute(self, sql: str, bindings: tuple[Any, ...] = ()) -> Any:
        """Execute one statement and return the first value of its first row, None if it has none."""
        return await self.call(self._execute, sql, bindings)

    def cache_since_last_call(self) -> tuple[int, int]:
        """Return how many page look-ups the cache has answered, and how many not, since this was last asked."""
        before, self._cache = self._cache, database.cache_status(self.connection)
        return self._cache[0] - before[0], self._cache[1] - before[1]

    def close(self) -> None:
        """End the thread, then close the connection; nobody may use it any more."""
        self._calls.put(None)
        self._thread.join()
        self.connection.close()

    def _execute(self, sql: str, bindings: tuple[Any, ...]) -> Any:
        return self.cursor.execute(sql, bindings).get

    def _work(self) -> None:
        while (run := self._calls.get()) is not None:
            run()


class Pool:
    """Connections that tasks take and give back; who asks first is served first, as in SQLx.

    A connection goes straight to the first who waits: if it only became free, the task that has just given it back
    would take it again before the event loop comes to anyone else.
    """

    def __init__(self, path: Path, workload: Workload, size: int) -> None:
        self._all = [PooledConnection(path, workload) for _ in range(size)]
        self._free = deque(self._all)
        self._waiting: deque[asyncio.Future[PooledConnection]] = deque()

    async def take(self) -> PooledConnection:
        """Return a connection for this task alone, once there is one."""
        if self._free:
            return self._free.popleft()
        turn: asyncio.Future[PooledConnection] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the connection came at the very moment that it was no longer wanted
                self.give_back(turn.result())
            raise

    def give_back(self, connection: PooledConnection) -> None:
        """Let the next task have the connection."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        self._free.append(connection)

    def close(self) -> None:
        """Close all connections; all must have been given back."""
        for connection in self._all:
            connection.close()
