"""Writers that are threads of one process, each with its own connection or all on one: how many web servers write.

What they do is what writer processes do (`writer.write_directly`); only what lies between them differs: their mutex is
a lock in memory, and their single writer is one more thread.  Python's interpreter lock is released while SQLite works
and while a busy handler sleeps, so one thread's wait does not stop the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial

from simulators import database
from simulators.crew import Member, run_crew
from simulators.events import Mode, Role
from simulators.handover import Handover, MemoryDesk, ThreadLink
from simulators.mutex import ThreadMutex
from simulators.queue_client import write_through_queue
from simulators.shared_connection import CommonConnection, SharedConnection
from simulators.single_writer import own_the_write_connection
from simulators.slots import Slots
from simulators.worker import Worker, run_to_the_end
from simulators.writer import run_checkpoint_if_due, write_directly


def main(members: Sequence[Member], slots: Slots) -> None:
    """Run all writers of a fleet, and a single writer for each database, as threads of this process."""
    run_crew(members, slots, run_threads)


def run_threads(workers: Sequence[Worker]) -> None:
    """Run every worker in a thread until all have ended."""
    databases = range(workers[0].workload.databases)
    locks = [threading.Lock() for _ in databases]
    handovers = [Handover() for _ in databases]
    paths = {worker.setup.database: worker.setup.path for worker in workers}
    common = [CommonConnection(partial(database.connect, paths[number], workers[0].workload)) for number in databases]
    threads = []
    for worker in workers:
        number = worker.setup.database
        work: Callable[[Worker], None]
        if worker.setup.role is Role.SINGLE_WRITER:
            work = partial(own_the_write_connection, make_desk=partial(MemoryDesk, handovers[number]))
        else:
            work = partial(write, lock=locks[number], handover=handovers[number], common=common[number])
        threads.append(threading.Thread(target=run_to_the_end, args=(worker, work)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write(worker: Worker, *, lock: threading.Lock, handover: Handover, common: CommonConnection) -> None:
    """Work through the fleet's orders, in whichever mode they say."""
    for order in worker.orders():
        if order.mode is Mode.SINGLE_WRITER:
            write_through_queue(worker, order, ThreadLink(handover, worker))
        elif worker.workload.shared_connection:
            with common.used() as connection:
                end_turn = partial(run_checkpoint_if_due, worker, connection)
                shared = SharedConnection(connection, ThreadMutex(lock, worker.inbox, worker.slot), end_turn)
                write_directly(worker, order, shared, shared)
        else:
            with ExitStack() as open_things:
                connection = open_things.enter_context(closing(database.connect(worker.setup.path, worker.workload)))
                open_things.enter_context(worker.recorder.counting_cache(partial(database.cache_status, connection)))
                mutex = ThreadMutex(lock, worker.inbox, worker.slot) if order.mode is Mode.MUTEX else None
                write_directly(worker, order, connection, mutex)
