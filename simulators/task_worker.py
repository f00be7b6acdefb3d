"""A worker that is an asyncio task: orders, think times and holds are awaited, so that other tasks run meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar

from simulators.mutex import Withdrawn
from simulators.orders import Order
from simulators.slots import Activity
from simulators.worker import StopHolding, Worker

Result = TypeVar("Result")

_LOOK_NS: Final = 50_000_000
"""How often a long hold looks whether the worker must end."""


class TaskWorker:
    """One worker task from the inside; what it shares with other kinds of worker is in `worker`."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._has_news = asyncio.Event()
        self._waiting: asyncio.Task[Any] | None = None
        asyncio.get_running_loop().add_reader(worker.inbox.fileno(), self._notice)

    async def orders(self) -> AsyncIterator[Order]:
        """Yield each order to work, parking in between, until one says stop."""
        slot, inbox, recorder = self.worker.slot, self.worker.inbox, self.worker.recorder
        slot.activity = Activity.PARKED
        while not inbox.has_ended:
            while not inbox.has_news:
                self._has_news.clear()
                await self._has_news.wait()
            order = inbox.next()
            if order.run and not order.stop:  # first, for parked with this epoch means done with this order
                slot.activity = Activity.WORKING
            slot.epoch = order.epoch
            if order.run and not order.stop:
                recorder.phase = order.phase
                yield order
                slot.since_ns = time.monotonic_ns()
                recorder.send()
                slot.activity = Activity.PARKED
        asyncio.get_running_loop().remove_reader(inbox.fileno())

    async def unless_parked(self, wait: Callable[[], Awaitable[Result]]) -> Result:
        """Await `wait()`; raise Withdrawn if an order wants the worker to park meanwhile."""
        if self.worker.inbox.parks:
            raise Withdrawn
        self._waiting = task = asyncio.current_task()
        try:
            return await wait()
        except asyncio.CancelledError:
            assert task is not None
            task.uncancel()
            raise Withdrawn from None
        finally:
            self._waiting = None

    async def think(self, duration_ns: int) -> None:
        """Spend time outside of any transaction; batches go out meanwhile, and an order to park ends it."""
        worker = self.worker
        worker.slot.since_ns = time.monotonic_ns()
        deadline_ns = worker.slot.since_ns + duration_ns
        try:
            while (now_ns := time.monotonic_ns()) < deadline_ns:
                worker.follow_phase()
                worker.recorder.send_if_due()
                pause_s = max(min(deadline_ns, worker.recorder.next_batch_ns) - now_ns, 0) / 1e9
                await self.unless_parked(partial(asyncio.sleep, pause_s))
        except Withdrawn:
            pass  # an order to park ends the thinking, too
        worker.slot.since_ns = 0

    async def hold(self, duration_ns: int) -> None:
        """Spend time inside a transaction; raise StopHolding if the worker is told to end meanwhile.

        Up to a millisecond more than asked for: epoll, which asyncio's event loop sleeps in, counts whole milliseconds.
        """
        if not duration_ns:
            return
        worker = self.worker
        worker.slot.since_ns = time.monotonic_ns()
        deadline_ns = worker.slot.since_ns + duration_ns
        if duration_ns > _LOOK_NS:
            worker.recorder.send()
        while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            await asyncio.sleep(min(left_ns, _LOOK_NS) / 1e9)
            if worker.inbox.must_end and time.monotonic_ns() < deadline_ns:
                raise StopHolding
        worker.slot.since_ns = 0

    def report_wait(self) -> None:
        """Send what was counted before a wait that lasts; not while a connection's thread may be counting retries."""
        if self._waiting is not None:
            self.worker.recorder.send_if_due()

    def _notice(self) -> None:
        """Take in an order that has arrived, and cut a wait short if it wants the worker to park."""
        inbox = self.worker.inbox
        inbox.look()
        if inbox.has_news:
            self._has_news.set()
        if inbox.parks and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class TaskPace:
    """When the next transaction of a task starts: `pace.Pace`, awaited."""

    def __init__(self, task: TaskWorker, order: Order) -> None:
        workload = task.worker.workload
        self._task = task
        self._think = workload.think
        self._per_s = (workload.arrival.per_s or 0) / max(workload.writers, 1)
        self._last = task.worker.slot.done + order.transactions if order.transactions else None

    @property
    def is_open(self) -> bool:
        """Whether transactions are due at times of their own, so that one may start later than it is due."""
        return self._per_s > 0

    def has_next(self, number: int) -> bool:
        """Tell whether transaction `number` belongs to the worker's share."""
        return self._last is None or number <= self._last

    async def start(self) -> tuple[int, int]:
        """Return when the first transaction is due and when it asks, in ns."""
        now_ns = time.monotonic_ns()
        if not self._per_s:
            return now_ns, now_ns
        return await self._wait_until(now_ns + round(self._task.worker.random.uniform(0, 1e9 / self._per_s)))

    async def next(self, due_ns: int) -> tuple[int, int]:
        """Pause after a transaction that was due at `due_ns`; return when the next is due and when it asks, in ns."""
        worker = self._task.worker
        if self._per_s:
            return await self._wait_until(due_ns + round(worker.random.expovariate(self._per_s) * 1e9))
        if self._think.mean_ns:
            await self._task.think(worker.draw(self._think))
        now_ns = time.monotonic_ns()
        return now_ns, now_ns

    async def _wait_until(self, due_ns: int) -> tuple[int, int]:
        await self._task.think(max(due_ns - time.monotonic_ns(), 0))
        return due_ns, time.monotonic_ns()
