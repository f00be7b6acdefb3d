"""One worker seen from the parent: its process, its pipe, its queue, its slot, its totals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from simulators.events import Batch, Mode, Role, WorkerExited, WorkerSample, WorkerState
from simulators.orders import Order, encode
from simulators.slots import Activity, Slot, Slots, committed, in_flight, is_holding, sample
from simulators.spawning import start_process
from simulators.worker import Setup
from simulators.workload import WorkerKind

_MODULES: Final = {
    Role.WRITER: "simulators.writer",
    Role.READER: "simulators.reader",
    Role.SINGLE_WRITER: "simulators.single_writer",
    Role.PINNED_READER: "simulators.pinned_reader",
    Role.CHECKPOINTER: "simulators.checkpointer",
}


_CREW_MODULES: Final = {
    WorkerKind.THREAD: "simulators.thread_writers",
    WorkerKind.TASK: "simulators.task_writers",
}


class WorkerProcess:
    """A process in which one worker lives, or all writers of a fleet of threads or tasks."""

    def __init__(self, process: SpawnProcess, stderr: Path, *, is_shared: bool = False) -> None:
        self.process = process
        self.stderr = stderr
        self.is_shared = is_shared
        self.was_killed = False

    def kill(self) -> None:
        """Kill it with SIGKILL, on demand."""
        self.was_killed = True
        self.process.kill()


class _Channel(NamedTuple):
    """The queue that a worker sends its batches on, and both ends of the pipe that its orders come through."""

    queue: SimpleQueue[bytes]
    receiver: Connection
    sender: Connection


def start_alone(context: SpawnContext, setup: Setup, slots: Slots) -> Handle:
    """Start a worker in a process of its own."""
    channel = _open_channel(context)
    process = start_process(context, _MODULES[setup.role], "main", (setup, slots, channel.queue, channel.receiver))
    return Handle(setup, slots, WorkerProcess(process, setup.stderr), channel)


def start_together(context: SpawnContext, setups: Sequence[Setup], slots: Slots) -> list[Handle]:
    """Start several workers in one process, as the kind of worker says that their workload has."""
    channels = [_open_channel(context) for _ in setups]
    members = [(setup, channel.queue, channel.receiver) for setup, channel in zip(setups, channels, strict=True)]
    module = _CREW_MODULES[setups[0].workload.worker_kind]
    process = WorkerProcess(start_process(context, module, "main", (members, slots)), setups[0].stderr, is_shared=True)
    return [Handle(setup, slots, process, channel) for setup, channel in zip(setups, channels, strict=True)]


def _open_channel(context: SpawnContext) -> _Channel:
    receiver, sender = context.Pipe(duplex=False)
    return _Channel(context.SimpleQueue(), receiver, sender)


class Handle:
    """The parent's end of one worker, made once its process has started."""

    def __init__(self, setup: Setup, slots: Slots, process: WorkerProcess, channel: _Channel) -> None:
        self.id = setup.worker
        self.role = setup.role
        self.database = setup.database
        self.slot_number = setup.slot
        self.slot: Slot = slots[setup.slot]
        self.exit: WorkerExited | None = None
        self.is_leaving = False
        """It was told to end for good (removed, or the run is over)."""
        self._decoder = msgspec.msgpack.Decoder(Batch)
        self._host = process
        self.process: SpawnProcess = process.process
        self._queue, self._pipe = channel.queue, channel.sender
        channel.receiver.close()
        self.queue_descriptor: int = vars(self._queue)["_reader"].fileno()
        """Can be read when a batch has arrived, or no more will."""
        # Only the worker may hold the writing end: if it is killed in the middle of a message, reading must end.
        vars(self._queue)["_writer"].close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid or 0

    @property
    def is_alive(self) -> bool:
        """Whether its end has not been noticed yet."""
        return self.exit is None

    @property
    def has_left(self) -> bool:
        """Whether it works no more, one of many in a process that may go on."""
        return self._host.is_shared and self.slot.activity == Activity.ENDED

    @property
    def has_ended(self) -> bool:
        """Whether it works no more, noticed or not: its process has ended, or it has left that."""
        return self.process.exitcode is not None or self.has_left

    @property
    def is_running(self) -> bool:
        """Whether its end has not been noticed yet, or its process still runs."""
        return self.is_alive or self.process.exitcode is None

    @property
    def was_killed(self) -> bool:
        """Whether its process was killed on demand."""
        return self._host.was_killed

    @property
    def is_ready(self) -> bool:
        """Whether it has started and waits for its first order, or has got further."""
        return self.slot.activity != Activity.STARTING

    def has_parked(self, epoch: int) -> bool:
        """Tell whether it has taken up the order `epoch` and come to rest."""
        return self.slot.epoch >= epoch and self.slot.activity in (Activity.PARKED, Activity.ENDED)

    def is_working(self, epoch: int) -> bool:
        """Tell whether it has taken up the order `epoch` and begun."""
        return self.slot.epoch >= epoch and self.slot.activity == Activity.WORKING

    def order(self, order: Order) -> None:
        """Send an order; a worker that has died meanwhile will be noticed by its exit."""
        self.is_leaving = self.is_leaving or order.stop
        try:
            self._pipe.send_bytes(encode(order))
        except OSError:
            return

    def sample(self) -> WorkerSample:
        """Describe what it is doing now."""
        if self.exit is not None:
            state = WorkerState.ENDED if self.exit.exit == "ok" else WorkerState.DEAD
            return WorkerSample(self.id, state, 0)
        return sample(self.id, self.role, self.slot)

    def next_batch(self) -> Batch | None:
        """Return a batch, waiting for it; None if the worker closed its end, or was killed in the middle of one."""
        try:
            return self._decoder.decode(self._queue.get())
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """Kill its process with SIGKILL, on demand."""
        self._host.kill()

    def notice_exit(self) -> WorkerExited | None:
        """Return its exit, once, when it has ended; call only after its last batches were read."""
        if not self.has_ended or self.exit is not None:
            return None
        code = 0 if self.has_left else self.process.exitcode or 0
        is_abnormal = code != 0
        self.slot.expected = 0
        self.exit = WorkerExited(
            at_ns=time.monotonic_ns(),
            worker=self.id,
            exit=self._describe(code),
            finished=self.slot.done if self.role is Role.WRITER else 0,
            committed=committed(self.slot) if self.role is Role.WRITER else 0,
            in_doubt=in_flight(self.slot) if is_abnormal and self.role is Role.WRITER else 0,
        )
        return self.exit

    def close(self) -> None:
        """Give the pipe, the queue and the process object back."""
        self._pipe.close()
        self._queue.close()
        self.process.close()

    def _describe(self, code: int) -> str:
        if code == 0:
            return "ok"
        if code < 0:
            return "killed" if self.was_killed else f"signal {-code}"
        try:
            lines = self._host.stderr.read_text(errors="replace").split("\n")
        except OSError:
            lines = []
        said = [line.strip() for line in lines if line.strip()]
        return f"exit {code}: {said[-1][:200]}" if said else f"exit {code}"


def is_held(handle: Handle, mode: Mode) -> bool:
    """Tell whether this worker holds the write lock now, in a fleet that works in `mode`."""
    return handle.role is owner_of(mode) and is_holding(handle.slot)


def owner_of(mode: Mode) -> Role:
    """Return the role of those who take the write lock in a fleet that works in `mode`."""
    return Role.SINGLE_WRITER if mode is Mode.SINGLE_WRITER else Role.WRITER
