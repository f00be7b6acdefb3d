"""Writers that are asyncio tasks of one process and share a pool of connections: how SQLx and aiosqlite write.

Read `Transactor.run` from top to bottom.  A task takes a connection, begins, and then awaits every statement: while it
holds the write lock the event loop runs the other tasks, which ask for it in vain.  Lock wait is counted from asking
for a connection to having the write lock, for both are waited for before the first statement can be run.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.connection_pool import Pool, PooledConnection
from simulators.crew import Member, run_crew
from simulators.events import Mode, Outcome, Role
from simulators.handover import RETRY_NS, WITHDRAWN, Handover, MemoryDesk
from simulators.mutex import Withdrawn
from simulators.orders import Order
from simulators.shape import insert_statement
from simulators.single_writer import own_the_write_connection
from simulators.slots import Slots
from simulators.task_worker import TaskPace, TaskWorker
from simulators.telemetry import BATCH_NS
from simulators.transactions import Transaction
from simulators.wire import Kind, Reply, Request
from simulators.worker import StopHolding, Worker, fail, run_to_the_end
from simulators.workload import Begin, Statement
from simulators.writer import outcome_of, run_checkpoint_if_due

_RETRY_NS: Final = 10_000_000


def main(members: Sequence[Member], slots: Slots) -> None:
    """Run all writers of a fleet as tasks of this process, and a single writer for each database as a thread."""
    run_crew(members, slots, run_tasks)


def run_tasks(workers: Sequence[Worker]) -> None:
    """Run every worker until all have ended."""
    handovers = [Handover() for _ in range(workers[0].workload.databases)]
    threads = []
    for worker in workers:
        if worker.setup.role is Role.SINGLE_WRITER:
            desk = partial(MemoryDesk, handovers[worker.setup.database])
            work = partial(own_the_write_connection, make_desk=desk)
            threads.append(threading.Thread(target=run_to_the_end, args=(worker, work)))
    for thread in threads:
        thread.start()
    try:
        asyncio.run(_run_writers([worker for worker in workers if worker.setup.role is Role.WRITER], handovers))
    except Exception:  # noqa: BLE001  # the last line of its stderr tells the fleet why a worker ended
        fail(workers[0])
    for thread in threads:
        thread.join()


async def _run_writers(workers: Sequence[Worker], handovers: Sequence[Handover]) -> None:
    if not workers:
        return
    workload = workers[0].workload
    tasks = Counter((worker.setup.database, worker.setup.path) for worker in workers)
    pools = {  # more connections than tasks would never be taken
        number: Pool(path, workload, min(workload.pool, count)) for (number, path), count in tasks.items()
    }
    mutexes = {number: asyncio.Lock() for number in pools}

    async def run(task: TaskWorker) -> None:
        worker, number = task.worker, task.worker.setup.database
        async for order in task.orders():
            if order.mode is Mode.SINGLE_WRITER:
                await write_through_handover(task, order, handovers[number])
            else:
                await write_on_pool(task, order, pools[number], mutexes[number] if order.mode is Mode.MUTEX else None)
        worker.end()

    async def report_waits() -> None:
        while True:
            await asyncio.sleep(BATCH_NS / 1e9)
            for task in all_tasks:
                task.report_wait()

    all_tasks = [TaskWorker(worker) for worker in workers]
    reporting = asyncio.create_task(report_waits())
    await asyncio.gather(*(run(task) for task in all_tasks))
    reporting.cancel()
    for pool in pools.values():
        pool.close()


async def write_on_pool(task: TaskWorker, order: Order, pool: Pool, mutex: asyncio.Lock | None) -> None:
    """Write on connections of the pool until an order says otherwise; behind a mutex if there is one."""
    worker, pace = task.worker, TaskPace(task, order)
    slot, recorder = worker.slot, worker.recorder
    transactor = Transactor(task, pool, mutex)
    with recorder.counting_cache(transactor.cache_status):
        due_ns, asked_ns = await pace.start()
        while not worker.inbox.parks and pace.has_next(slot.done + 1):
            transaction = await transactor.run(slot.done + 1, due_ns, asked_ns)
            recorder.add(transaction, started_ns=asked_ns if pace.is_open else None)
            recorder.send_if_due()
            worker.follow_phase()
            due_ns, asked_ns = await pace.next(due_ns)


async def write_through_handover(task: TaskWorker, order: Order, handover: Handover) -> None:
    """Hand over transactions, one at a time, and await each commit's acknowledgement, until an order says otherwise."""
    worker, pace = task.worker, TaskPace(task, order)
    slot, recorder, setup = worker.slot, worker.recorder, worker.setup
    payload = database.make_payload(worker.workload, setup.worker) * worker.workload.rows
    due_ns, asked_ns = await pace.start()
    while not worker.inbox.parks and pace.has_next(number := slot.done + 1):
        slot.waiting_since_ns = asked_ns
        reply = await _ask(worker, handover, Request(Kind.WRITE, setup.worker, setup.slot, number, payload))
        done_ns = time.monotonic_ns()
        slot.done = number
        slot.waiting_since_ns = 0
        worker.follow_phase()
        recorder.add(
            Transaction(
                number, due_ns, asked_ns, reply.got_ns, reply.released_ns, done_ns, retries=0, outcome=reply.outcome
            ),
            holds=False,
            started_ns=asked_ns if pace.is_open else None,
        )
        recorder.send_if_due()
        if reply.outcome == Outcome.WITHDRAWN:
            await task.think(_RETRY_NS)  # until the order to park is here too
        due_ns, asked_ns = await pace.next(due_ns)


async def _ask(worker: Worker, handover: Handover, request: Request) -> Reply:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Reply] = loop.create_future()

    def answer(reply: Reply) -> None:
        loop.call_soon_threadsafe(future.set_result, reply)

    while not handover.ask(request, answer):
        await asyncio.sleep(RETRY_NS / 1e9)
        if worker.inbox.parks:
            return WITHDRAWN
    return await future


class Transactor:
    """Runs the transactions of one task, each on whichever connection of the pool it gets."""

    def __init__(self, task: TaskWorker, pool: Pool, mutex: asyncio.Lock | None) -> None:
        worker = task.worker
        workload = worker.workload
        self._task, self._pool, self._mutex = task, pool, mutex
        self._worker, self._slot = worker, worker.slot
        self._handler = BusyHandler(
            workload.busy, worker.slot, worker.inbox, worker.random, worker.recorder.count_retry,
            keeps_interpreter=workload.keep_interpreter,
        )  # fmt: skip
        self._begin_sql, self._begins_unlocked = database.BEGIN[workload.begin], workload.begin is Begin.DEFERRED
        self._reads = workload.statement is Statement.READ_THEN_WRITE
        self._insert_sql, self._rows_per_statement = insert_statement(workload)
        self._statements = workload.rows // self._rows_per_statement
        self._payload = database.make_payload(workload, worker.setup.worker)
        self._cache_hits = self._cache_misses = 0
        self._number = self._got_ns = self._released_ns = self._read_ns = 0
        self._checkpoint_is_due = False

    async def run(self, number: int, due_ns: int, asked_ns: int) -> Transaction:
        """Run one transaction, whatever becomes of it, and return its times."""
        slot, task = self._slot, self._task
        self._number, self._got_ns, self._released_ns, self._read_ns = number, 0, 0, 0
        self._handler.begin()
        slot.waiting_since_ns = asked_ns
        connection = None
        has_mutex = False
        outcome = 0
        try:
            if self._mutex is not None:
                has_mutex = await task.unless_parked(self._mutex.acquire)
            connection = await task.unless_parked(self._pool.take)
            await self._run_statements(connection)
        except (apsw.Error, Withdrawn, StopHolding) as error:
            outcome = outcome_of(error, self._handler)
            if connection is not None:
                await connection.call(self._roll_back, connection)
        done_ns = time.monotonic_ns()
        slot.done = number
        slot.waiting_since_ns = 0
        if self._mutex is not None and has_mutex:
            self._mutex.release()
        if connection is not None:
            if self._checkpoint_is_due:
                self._checkpoint_is_due = False
                await connection.call(run_checkpoint_if_due, self._worker, connection.connection)
            self._pool.give_back(connection)
        return Transaction(
            number, due_ns, asked_ns + self._read_ns, self._got_ns, self._released_ns, done_ns, self._handler.retries,
            outcome,
        )  # fmt: skip

    def cache_status(self) -> tuple[int, int]:
        """Return the page cache's hits and misses in this task's transactions, since the order began."""
        return self._cache_hits, self._cache_misses

    async def _run_statements(self, connection: PooledConnection) -> None:
        """Run the transaction from BEGIN to COMMIT, awaiting each statement; the hold is a wait among them."""
        await connection.call(self._begin, connection)
        if self._reads:
            started_ns = time.monotonic_ns()
            value = await connection.execute(database.READ_COUNTER)
            await self._hold()
            if self._begins_unlocked:  # reading before the lock is asked for is no wait for it
                self._read_ns = time.monotonic_ns() - started_ns
            first: tuple[str, tuple[object, ...]] = (database.WRITE_COUNTER, (value + 1,))
            inserts = self._statements
        else:
            first = self._insert()
            inserts = self._statements - 1
        await connection.call(self._write_first, connection, *first)
        for _ in range(inserts):
            await connection.execute(*self._insert())
        if not self._reads:
            await self._hold()
        await connection.call(self._commit, connection)

    def _insert(self) -> tuple[str, tuple[object, ...]]:
        row = (self._worker.setup.worker, self._number, self._payload)
        return self._insert_sql, row * self._rows_per_statement

    async def _hold(self) -> None:
        await self._task.hold(self._worker.draw(self._worker.workload.hold))

    # In the connection's thread, so that the lock's times do not depend on when the event loop comes to this task.

    def _begin(self, connection: PooledConnection) -> None:
        connection.connection.set_busy_handler(self._handler)
        connection.cursor.execute(self._begin_sql)
        if not self._begins_unlocked:
            self._note_lock()

    def _write_first(self, connection: PooledConnection, sql: str, bindings: tuple[object, ...]) -> None:
        connection.cursor.execute(sql, bindings)
        if self._begins_unlocked:
            self._note_lock()

    def _note_lock(self) -> None:
        self._got_ns = time.monotonic_ns()
        self._slot.got = self._number
        self._slot.waiting_since_ns = 0

    def _commit(self, connection: PooledConnection) -> None:
        connection.cursor.execute("COMMIT")
        self._note_release()
        hits, misses = connection.cache_since_last_call()
        self._cache_hits += hits
        self._cache_misses += misses
        frames = self._worker.checkpoint_frames
        self._checkpoint_is_due = database.checkpoint_is_due(connection.connection, frames)

    def _roll_back(self, connection: PooledConnection) -> None:
        if connection.connection.in_transaction:
            connection.cursor.execute("ROLLBACK")
        if self._got_ns:
            self._note_release()

    def _note_release(self) -> None:
        self._released_ns = time.monotonic_ns()
        self._slot.done = self._number
