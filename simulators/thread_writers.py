"""Writers that are threads of one process, each with its own connection: how many web servers and job runners write.

What they do is what writer processes do (`writer.write_directly`); only what lies between them differs: their mutex is
a lock in memory, and their single writer is one more thread.  Python's interpreter lock is released while SQLite works
and while a busy handler sleeps, so one thread's wait does not stop the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Final

from simulators import database
from simulators.crew import Member, run_crew
from simulators.events import Mode, Role
from simulators.handover import Handover, MemoryDesk, ThreadLink
from simulators.mutex import Withdrawn
from simulators.queue_client import write_through_queue
from simulators.single_writer import own_the_write_connection
from simulators.slots import Slots
from simulators.worker import Worker, run_to_the_end
from simulators.writer import write_directly

_LOOK_S: Final = 0.05
"""How often a thread that waits for the mutex looks for an order."""


def main(members: Sequence[Member], slots: Slots) -> None:
    """Run all writers of a fleet, and a single writer for each database, as threads of this process."""
    run_crew(members, slots, run_threads)


def run_threads(workers: Sequence[Worker]) -> None:
    """Run every worker in a thread until all have ended."""
    databases = range(workers[0].workload.databases)
    locks = [threading.Lock() for _ in databases]
    handovers = [Handover() for _ in databases]
    threads = []
    for worker in workers:
        number = worker.setup.database
        work: Callable[[Worker], None]
        if worker.setup.role is Role.SINGLE_WRITER:
            work = partial(own_the_write_connection, make_desk=partial(MemoryDesk, handovers[number]))
        else:
            work = partial(write, lock=locks[number], handover=handovers[number])
        threads.append(threading.Thread(target=run_to_the_end, args=(worker, work)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write(worker: Worker, *, lock: threading.Lock, handover: Handover) -> None:
    """Work through the fleet's orders, in whichever mode they say."""
    for order in worker.orders():
        if order.mode is Mode.SINGLE_WRITER:
            write_through_queue(worker, order, ThreadLink(handover, worker))
            continue
        with ExitStack() as open_things:
            connection = open_things.enter_context(closing(database.connect(worker.setup.path, worker.workload)))
            open_things.enter_context(worker.recorder.counting_cache(partial(database.cache_status, connection)))
            mutex = ThreadMutex(lock, worker) if order.mode is Mode.MUTEX else None
            write_directly(worker, order, connection, mutex)


class ThreadMutex:
    """One thread's use of a lock between threads; waiting for it ends when an order wants the worker to park."""

    def __init__(self, lock: threading.Lock, worker: Worker) -> None:
        self._lock = lock
        self._slot, self._inbox = worker.slot, worker.inbox
        self._is_held = False

    def acquire(self, asked_ns: int) -> None:
        """Take the lock, showing in the slot that we wait since `asked_ns`; raise Withdrawn if an order came first."""
        if not self._lock.acquire(blocking=False):
            self._slot.waiting_since_ns = asked_ns
            while not self._lock.acquire(timeout=_LOOK_S):
                self._inbox.look()
                if self._inbox.parks:
                    raise Withdrawn
            self._slot.waiting_since_ns = 0
        self._is_held = True

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._is_held:
            self._is_held = False
            self._lock.release()
