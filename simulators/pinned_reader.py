"""A pinned reader: keeps a snapshot open, as a forgotten cursor or a long report does, lets go and takes a new one."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from typing import Final

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.reader import NEWEST_ID, read_connection
from simulators.slots import Slots
from simulators.worker import Setup, Worker, run

LET_GO_NS: Final = 50_000_000
"""How long it is without a snapshot: time for a checkpoint to come through."""


def main(setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
    """Run a pinned reader process."""
    run(setup, slots, queue, pipe, pin)


def pin(worker: Worker) -> None:
    """Pin on a read-only connection of our own, in every mode; an order to park lets go at once."""
    for _order in worker.orders():
        with read_connection(worker) as connection:
            keep_snapshots(worker, connection)


def keep_snapshots(worker: Worker, connection: apsw.Connection) -> None:
    """Hold one snapshot after the other until an order says otherwise; it takes a read to open one, not only BEGIN."""
    slot, inbox, recorder, workload = worker.slot, worker.inbox, worker.recorder, worker.workload
    handler = BusyHandler(workload.busy, slot, inbox, worker.random, recorder.count_retry)
    connection.set_busy_handler(handler)
    execute = connection.cursor().execute
    while not inbox.parks:
        slot.got += 1
        handler.begin()
        try:
            execute("BEGIN")
            execute(NEWEST_ID).fetchall()
            worker.think(worker.draw(workload.pin_reader))
            execute("COMMIT")
            recorder.count_snapshot()
        except (apsw.BusyError, apsw.FullError, apsw.IOError) as error:
            if not handler.withdrawn:
                recorder.add_error(database.code_of(error))
            if connection.in_transaction:
                execute("ROLLBACK")
        slot.done = slot.got
        slot.waiting_since_ns = 0
        worker.think(LET_GO_NS)
