"""A checkpointer: runs checkpoints of one kind at a fixed interval, as a maintenance thread or a cron job does."""

from __future__ import annotations

import time
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.slots import Activity, Slots
from simulators.worker import Setup, Worker, run


def main(setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
    """Run a checkpointer process."""
    run(setup, slots, queue, pipe, checkpoint)


def checkpoint(worker: Worker) -> None:
    """Run checkpoints on a connection of our own, in every mode."""
    for _order in worker.orders():
        with closing(database.connect(worker.setup.path, worker.workload)) as connection:
            run_checkpoints(worker, connection)


def run_checkpoints(worker: Worker, connection: apsw.Connection) -> None:
    """Start one every interval until an order says otherwise; one that lasts longer is followed by the next at once.

    The busy policy is the workload's, except that SQLite never waits for anybody in a passive checkpoint.
    """
    slot, inbox, recorder = worker.slot, worker.inbox, worker.recorder
    plan = worker.workload.checkpointer
    handler = BusyHandler(worker.workload.busy, slot, inbox, worker.random, recorder.send_if_due)
    connection.set_busy_handler(handler)
    due_ns = time.monotonic_ns() + plan.every_ns
    while True:
        worker.think(max(due_ns - time.monotonic_ns(), 0))
        if inbox.parks or plan.kind is None:
            return
        slot.since_ns = time.monotonic_ns()
        slot.activity = Activity.CHECKPOINTING
        handler.begin()
        ran = database.run_checkpoint(connection, plan.kind)
        slot.activity = Activity.WORKING
        slot.waiting_since_ns = slot.since_ns = 0
        worker.follow_phase()
        if not handler.withdrawn:
            recorder.add_checkpoint(ran)
        due_ns = max(due_ns + plan.every_ns, time.monotonic_ns())
