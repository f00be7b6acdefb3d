"""A process in which several workers live: what it does first, whatever they are made of.

Each worker has its own pipe, queue and slot, as if it were a process, so the parent treats it like one; but when the
process dies, all of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from typing import TypeAlias

from simulators.slots import Slots
from simulators.worker import Setup, Worker, close_reading_end, settle

Member: TypeAlias = "tuple[Setup, SimpleQueue[bytes], Connection]"
"""What the parent gives each worker: its setup, the queue for its batches, the pipe that its orders come through."""


def run_crew(members: Sequence[Member], slots: Slots, work: Callable[[Sequence[Worker]], None]) -> None:
    """Settle this process and run `work` with all its workers; their common output is the first one's file."""
    settle(members[0][0].stderr)
    workers = []
    for setup, queue, pipe in members:
        close_reading_end(queue)
        workers.append(Worker(setup, slots, queue, pipe))
    work(workers)
