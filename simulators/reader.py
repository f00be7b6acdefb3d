"""A reader: opens a snapshot, reads some rows, keeps the snapshot open for a while, closes it, thinks, starts again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.slots import Slots
from simulators.worker import Setup, StopHolding, Worker, run

NEWEST_ID = "SELECT max(id) FROM entry"
READ_ROWS = "SELECT id, payload FROM entry WHERE id >= ? ORDER BY id LIMIT ?"


def main(setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
    """Run a reader process."""
    run(setup, slots, queue, pipe, read)


def read(worker: Worker) -> None:
    """Read on a read-only connection of our own, in every mode."""
    for _order in worker.orders():
        with read_connection(worker) as connection:
            read_rows(worker, connection)


@contextmanager
def read_connection(worker: Worker) -> Iterator[apsw.Connection]:
    """Open a read-only connection, whose page cache is reported while it is open."""
    with (
        closing(database.connect(worker.setup.path, worker.workload, read_only=True)) as connection,
        worker.recorder.counting_cache(partial(database.cache_status, connection)),
    ):
        yield connection


def read_rows(worker: Worker, connection: apsw.Connection) -> None:
    """Run read transactions until an order says otherwise; the latency is from BEGIN to the last row."""
    slot, inbox, recorder, workload = worker.slot, worker.inbox, worker.recorder, worker.workload
    handler = BusyHandler(workload.busy, slot, inbox, worker.random, recorder.count_retry)
    connection.set_busy_handler(handler)
    execute = connection.cursor().execute
    while not inbox.parks:
        started_ns = time.monotonic_ns()
        slot.got += 1
        handler.begin()
        try:
            execute("BEGIN")
            newest = execute(NEWEST_ID).get or 0
            first = worker.random.randint(1, max(newest - workload.read_rows, 1))
            execute(READ_ROWS, (first, workload.read_rows)).fetchall()
            latency_ns = time.monotonic_ns() - started_ns
            worker.hold(worker.draw(workload.read_hold))
            execute("COMMIT")
            recorder.add_read(latency_ns)
        except StopHolding:
            execute("ROLLBACK")
        except (apsw.BusyError, apsw.FullError, apsw.IOError) as error:
            if not handler.withdrawn:
                recorder.add_error(database.code_of(error))
            if connection.in_transaction:
                execute("ROLLBACK")
        slot.done = slot.got
        slot.waiting_since_ns = 0
        recorder.send_if_due()
        worker.follow_phase()
        worker.think(worker.draw(workload.read_think))
