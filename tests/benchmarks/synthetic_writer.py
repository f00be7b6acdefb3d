"""A writer that touches no database: it sends the batches that a share of so many transactions/s would make."""

from __future__ import annotations

import os
import random
import time
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue

from simulators.events import Outcome
from simulators.slots import Slots, words_of
from simulators.stopwatch import PlainStopwatch
from simulators.transactions import Transaction
from simulators.worker import Setup, Worker, run

TRANSACTIONS_PER_S = int(os.environ.get("SYNTHETIC_TRANSACTIONS_PER_S", "150000"))
EVENTS_PER_S = int(os.environ.get("SYNTHETIC_EVENTS_PER_S", "4000"))
"""Of all writers together; how many of the transactions are events."""


class InventedTimes(PlainStopwatch):
    """A stopwatch that is told the times."""

    def count(self, wait: int, hold: int) -> None:
        """Count a transaction by the numbers of its bins."""
        self._waits[wait] += 1
        self._holds[hold] += 1
        self._latencies[wait + hold] += 1


def main(setup: Setup, slots: Slots, queue: Queue[bytes], pipe: Connection) -> None:
    """Run a synthetic writer process."""
    run(setup, slots, queue, pipe, write)


def write(worker: Worker) -> None:
    """Count transactions that never were, and report some waits, when a batch is due."""
    rng = random.Random(worker.setup.worker)
    worker.recorder.stopwatch = watch = InventedTimes(words_of(worker.slot), counts=True)
    recorder, writers = worker.recorder, worker.workload.writers
    for _order in worker.orders():
        sent_ns = time.monotonic_ns()
        while not worker.inbox.parks:
            worker.inbox.rest(max(recorder.next_batch_ns - time.monotonic_ns(), 0))
            since_s, sent_ns = (time.monotonic_ns() - sent_ns) / 1e9, time.monotonic_ns()
            waits = round(EVENTS_PER_S / writers * since_s)
            for _ in range(round(TRANSACTIONS_PER_S / writers * since_s) - waits):
                worker.slot.got = worker.slot.done = worker.slot.done + 1
                watch.count(min(int(rng.expovariate(0.1)), 60), min(int(rng.expovariate(0.03)), 400))
            for _ in range(waits):
                _wait(worker, rng)
            recorder.send()
            worker.follow_phase()


def _wait(worker: Worker, rng: random.Random) -> None:
    worker.slot.got = worker.slot.done = worker.slot.done + 1
    done_ns = time.monotonic_ns()
    got_ns = done_ns - 2_000_000
    asked_ns = got_ns - round(rng.choice([1, 3, 8, 18, 33, 53, 78, 103]) * 1e6)
    worker.recorder.add(
        Transaction(worker.slot.done, asked_ns, asked_ns, got_ns, done_ns, done_ns, 3, Outcome.COMMITTED)
    )
