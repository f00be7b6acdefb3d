"""What every worker process has in common: its slot, its inbox, its recorder, and the loop over orders."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import NoReturn

import msgspec

from simulators.events import Role
from simulators.orders import Inbox, Order
from simulators.quantities import Pause
from simulators.slots import Activity, Slots, board_of, words_of
from simulators.spawning import GROUP_SIGNALS
from simulators.stopwatch import create_stopwatch
from simulators.telemetry import Recorder
from simulators.workload import Workload


class Setup(msgspec.Struct, frozen=True):
    """What a worker is told when it is started."""

    worker: int
    role: Role
    slot: int
    database: int
    path: Path
    """The database file."""
    socket: Path
    """Where the single writer of this database listens."""
    mutex: Path
    """The file whose flock is the mutex of this database."""
    rounds: Path
    """Where the gates of the rounds lie, a number to be added to the name (see `rounds`)."""
    stderr: Path
    workload: Workload


class Worker:
    """One worker process from the inside."""

    def __init__(self, setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
        self.setup = setup
        self.workload = setup.workload
        self.checkpoint_frames = setup.workload.autocheckpoint if setup.workload.has_wal else 0
        self.slots = slots
        self.slot = slots[setup.slot]
        self.inbox = Inbox(pipe)
        # Who came first in a round can only be told if every transaction of the round is an event.
        has_rounds = setup.workload.arrival.pause_ns is not None
        # Only in a closed loop is a transaction due, and asks, when the one before has ended.
        stopwatch = create_stopwatch(words_of(self.slot), counts=setup.workload.arrival.is_closed)
        self.recorder = Recorder(
            setup.worker, setup.role, setup.database, setup.workload.rows, self.slot, board_of(slots),
            stopwatch, queue, lists_all=has_rounds,
        )  # fmt: skip
        self.random = random.Random(f"{setup.workload.seed} worker {setup.worker}")

    def orders(self) -> Iterator[Order]:
        """Yield each order to work, parking in between, until one says stop."""
        self.slot.activity = Activity.PARKED
        while not self.inbox.has_ended:
            order = self.inbox.next()
            if order.run:  # first, for parked with this epoch means done with this order
                self.slot.activity = Activity.WORKING
            self.slot.epoch = order.epoch
            if order.stop:
                return
            if order.run:
                self.recorder.phase = order.phase
                self.slot.since_ns = 0  # it was parked since then, which says nothing of the work
                yield order
                self.slot.since_ns = time.monotonic_ns()
                self.recorder.send()
                self.slot.activity = Activity.PARKED

    def follow_phase(self) -> None:
        """Count for a new phase from here on, if an order said so: a transaction belongs to the phase it ends in."""
        self.inbox.look()
        if self.recorder.phase != self.inbox.phase:
            self.recorder.send()
            self.recorder.phase = self.inbox.phase

    def think(self, duration_ns: int) -> None:
        """Spend time outside of any transaction; batches go out meanwhile, and an order to park ends it."""
        self.slot.since_ns = time.monotonic_ns()
        deadline_ns = self.slot.since_ns + duration_ns
        self.follow_phase()
        while not self.inbox.parks:
            self.follow_phase()
            self.recorder.send_if_due()
            now_ns = time.monotonic_ns()
            if now_ns >= deadline_ns:
                break
            self.inbox.rest(min(deadline_ns, self.recorder.next_batch_ns) - now_ns)
        self.slot.since_ns = 0

    def hold(self, duration_ns: int) -> None:
        """Spend time inside a transaction; raise StopHolding if the worker is told to end meanwhile."""
        if not duration_ns:
            return
        self.slot.since_ns = began_ns = time.monotonic_ns()
        if duration_ns > _LONG_HOLD_NS:
            self.recorder.send()
            if not self.inbox.hold(duration_ns):
                raise StopHolding
        else:
            if duration_ns > _SENDING_NS:
                # Between two transactions, sending would keep the lock free for longer than the workload asks for.
                self.recorder.send_if_due()
            time.sleep(max(began_ns + duration_ns - time.monotonic_ns(), 0) / 1e9)
        self.slot.since_ns = 0

    def draw(self, pause: Pause) -> int:
        """Return a hold or think time in ns: fixed, or exponentially distributed."""
        return round(self.random.expovariate(1 / pause.mean_ns)) if pause.exponential else pause.mean_ns

    def end(self) -> None:
        """Send what is left."""
        self.recorder.send()
        self.slot.activity = Activity.ENDED


class StopHolding(Exception):  # noqa: N818  # not an error: the fleet wants the transaction given up
    """A long hold was cut short because the worker must end."""


_LONG_HOLD_NS = 50_000_000
_SENDING_NS = 2_000_000
"""A hold longer than this has room for sending a batch."""


def run(
    setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection, work: Callable[[Worker], None]
) -> None:
    """Run `work` in this process with its output in a file and the signals of the terminal ignored."""
    settle(setup.stderr)
    close_reading_end(queue)
    run_to_the_end(Worker(setup, slots, queue, pipe), work)


def settle(stderr: Path) -> None:
    """Make this a worker process: output into a file, the signals of the terminal ignored, no hurry to get the CPU."""
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    output = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    if hasattr(os, "SCHED_BATCH"):
        # Waking up must not interrupt whoever is at work: with few cores, sixteen clients would keep pushing the single
        # writer that answers them off its core.  All workers run so in every mode.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def close_reading_end(queue: SimpleQueue[bytes]) -> None:
    """Leave the reading end to the parent: when it is gone, writing must fail instead of waiting for ever."""
    vars(queue)["_reader"].close()


def run_to_the_end(worker: Worker, work: Callable[[Worker], None]) -> None:
    """Run `work`; an exception that it does not expect ends the whole process."""
    try:
        work(worker)
    except Exception:  # noqa: BLE001  # the last line of its stderr tells the fleet why a worker ended
        fail(worker)
    worker.end()


def fail(worker: Worker) -> NoReturn:
    """Say which exception is being handled, send what is left, and end the whole process."""
    traceback.print_exc()
    worker.recorder.send()
    os._exit(1)
