"""A writer: asks for the write lock, writes, holds, commits, thinks, and starts again.

Read `write_directly` from top to bottom: it is what every application does that opens a SQLite database and writes.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.events import Mode, Outcome
from simulators.mutex import AnyMutex, Mutex, Withdrawn
from simulators.orders import Order
from simulators.pace import Pace
from simulators.queue_client import write_through_queue
from simulators.shape import Shape
from simulators.shared_connection import SharedConnection
from simulators.slots import Activity, Slots
from simulators.transactions import Transaction
from simulators.worker import Setup, StopHolding, Worker, run
from simulators.workload import Begin


def main(setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
    """Run a writer process."""
    run(setup, slots, queue, pipe, write)


def write(worker: Worker) -> None:
    """Work through the fleet's orders, in whichever mode they say."""
    for order in worker.orders():
        if order.mode is Mode.SINGLE_WRITER:
            write_through_queue(worker, order)
            continue
        with ExitStack() as open_things:
            connection = open_things.enter_context(closing(database.connect(worker.setup.path, worker.workload)))
            open_things.enter_context(worker.recorder.counting_cache(partial(database.cache_status, connection)))
            mutex = None
            if order.mode is Mode.MUTEX:
                mutex = open_things.enter_context(closing(Mutex(worker.setup.mutex, worker.inbox, worker.slot)))
            write_directly(worker, order, connection, mutex)


def write_directly(
    worker: Worker, order: Order, connection: apsw.Connection | SharedConnection, mutex: AnyMutex | None
) -> None:
    """Write, on a connection of our own or a shared one, until an order says otherwise; behind a mutex if given one."""
    slot, inbox, recorder, workload = worker.slot, worker.inbox, worker.recorder, worker.workload
    handler = BusyHandler(
        workload.busy, slot, inbox, worker.random, recorder.count_retry, keeps_interpreter=workload.keep_interpreter
    )
    connection.set_busy_handler(handler)
    cursor = connection.cursor()
    shape, pace = Shape(worker, cursor), Pace(worker, order)
    begin, begins_unlocked = database.BEGIN[workload.begin], workload.begin is Begin.DEFERRED
    insert, is_plain = shape.insert_sql, shape.is_plain and not begins_unlocked
    identity, payload = worker.setup.worker, database.make_payload(workload, worker.setup.worker)
    execute, watch = cursor.execute, recorder.stopwatch
    got, done = watch.got, watch.done
    number = slot.done

    watch.start(*pace.start())
    while not inbox.parks and (burst := pace.burst(number)):
        outcome, is_short = 0, False
        handler.begin()
        try:
            for number in burst:
                if mutex:
                    mutex.acquire(watch.asked_ns)
                execute(begin)
                if begins_unlocked:
                    shape.read()
                    watch.ask()
                    shape.first_write(identity, number, payload)
                got(number)
                if is_plain:
                    execute(insert, (identity, number, payload))
                elif begins_unlocked:
                    shape.finish(identity, number, payload)
                else:
                    shape.run(identity, number, payload)
                execute("COMMIT")
                is_short = done(number)
                if mutex:
                    mutex.release()
                if not is_short:
                    break
            got_ns, released_ns = watch.got_ns, watch.released_ns
        except (apsw.Error, Withdrawn, StopHolding) as error:
            outcome, is_short = outcome_of(error, handler), False
            got_ns = watch.got_ns if slot.got == number else 0
            if connection.in_transaction:
                execute("ROLLBACK")
            released_ns = time.monotonic_ns()
            slot.done = number
            if mutex:
                mutex.release()
        due_ns = watch.due_ns
        if not is_short:
            slot.waiting_since_ns = 0
            worker.follow_phase()
            recorder.add(
                Transaction(number, due_ns, watch.asked_ns, got_ns, released_ns, released_ns, handler.retries, outcome),
                started_ns=pace.started_ns,
            )
        if not isinstance(connection, SharedConnection):  # on that one it is done within a turn
            run_checkpoint_if_due(worker, connection)
        recorder.send_if_due()
        worker.follow_phase()
        watch.start(*pace.next(due_ns))
    pace.end()


def outcome_of(error: Exception, handler: BusyHandler) -> int:
    """Return the outcome of a transaction that raised: withdrawn, or SQLite's extended result code.

    Raises `error` again if it is neither.
    """
    if isinstance(error, Withdrawn | StopHolding) or handler.withdrawn:
        return Outcome.WITHDRAWN
    if not isinstance(error, apsw.Error):
        raise error
    return database.code_of(error)


def run_checkpoint_if_due(worker: Worker, connection: apsw.Connection) -> None:
    """Run a passive checkpoint if the WAL is long enough, and report it."""
    if database.checkpoint_is_due(connection, worker.checkpoint_frames):
        worker.slot.activity = Activity.CHECKPOINTING
        worker.recorder.add_checkpoint(database.run_checkpoint(connection))
        worker.slot.activity = Activity.WORKING
