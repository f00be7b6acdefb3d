"""The fleet: starts the workers behind a barrier, orders them about, reads what they send, notices who dies.

Nothing here waits.  `step` is called often and carries operations that take time (starting, switching, stopping) a
little further each time, so that the caller can go on sampling and drawing meanwhile.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from simulators.arrivals import READ_INTERVAL_NS, Arrivals
from simulators.batch_length import BatchLength
from simulators.events import (
    Batch,
    Mode,
    PhaseStarted,
    Role,
    Running,
    SlotSample,
    WorkerExited,
    WorkerStarted,
)
from simulators.handle import Handle, is_held
from simulators.looks import NO_BELL, Looks
from simulators.orders import Order, share_of
from simulators.place import Place
from simulators.slots import SLOT_COUNT, board_of, committed, create_slots
from simulators.starting import Starter
from simulators.workload import MAX_WORKERS, Workload

Message = Batch | PhaseStarted | Running | SlotSample | WorkerExited | WorkerStarted

PARK_PATIENCE_NS: Final = 500_000_000
"""How long a switch waits, once nobody holds the lock, for workers that do not park (a stopped one, for example)."""

STOP_PATIENCE_NS: Final = 1_300_000_000
"""How long workers may take to end before they are killed."""

SHORT_REST_S: Final = 0.01
"""How long a fleet rests at most while an operation is under way."""


class FleetState(StrEnum):
    """What the fleet as a whole is doing."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    SWITCHING = "switching"
    STOPPING = "stopping"
    ENDED = "ended"


class Fleet:
    """All workers of one simulation."""

    def __init__(self, workload: Workload, place: Place) -> None:
        self.workload = workload
        self.mode = self.asked_mode = workload.mode
        """The mode now, and that of the newest phase that was asked for."""
        self.state = FleetState.STARTING
        self.phase = -1
        self.handles: list[Handle] = []
        """Every worker ever started, in order of id."""
        context = multiprocessing.get_context("spawn")
        self._slots = create_slots(context)
        self._board = board_of(self._slots)
        self.batch_length = BatchLength(self._board)
        self._starter = Starter(workload, place, self._slots, context)
        self._epoch = 0
        self._paused = False
        self._has_told_idle = False
        self._order = Order(0, run=False, mode=self.mode, phase=0)
        self._joining: list[Handle] = []
        self._operations: deque[Iterator[None]] = deque([self._start()])
        self._arrivals = Arrivals()
        self._messages: list[Message] = []
        self._next_read_ns = 0
        self._looks = Looks(workload, self._slots)

    # What the caller asks for: each returns at once and takes effect in later steps.

    def begin_phase(self, name: str, mode: Mode | None = None, *, warm_up: bool = False) -> None:
        """Count for a new phase from now on, in `mode` if given; a change of mode first lets everyone come to rest."""
        self.asked_mode = mode or self.asked_mode
        self._operations.append(self._begin_phase(name, mode, warm_up))

    def pause(self) -> None:
        """Have everyone come to rest; waits for the lock are withdrawn."""
        self._operations.append(self._set_paused(True))

    def resume(self) -> None:
        """Go on after a pause."""
        self._operations.append(self._set_paused(False))

    def add(self, role: Role) -> bool:
        """Start one more writer or reader; return False if there are too many, or a writer cannot join its process."""
        if role is Role.WRITER and self.has_crew:
            return False
        if len(self.living(role)) >= MAX_WORKERS or len(self.handles) >= SLOT_COUNT:
            return False
        writers = sum(handle.role is Role.WRITER for handle in self.handles)
        self._spawn(role, writers % self.workload.databases if role is Role.WRITER else 0)
        return True

    def remove(self, role: Role) -> bool:
        """End the newest writer or reader once its transaction is done; return False if there is none."""
        candidates = [handle for handle in self.living(role) if not handle.is_leaving]
        if candidates:
            self._send(candidates[-1], stop=True)
        return bool(candidates)

    def kill(self, worker: int) -> bool:
        """Kill a worker's process with SIGKILL, whoever else lives in it; return False if it does not live."""
        for handle in self.handles:
            if handle.id == worker and handle.is_alive:
                handle.kill()
                return True
        return False

    def stop(self) -> None:
        """End all workers, kill those that do not end, and forget what else was asked for."""
        if self.state not in (FleetState.STOPPING, FleetState.ENDED):
            self.state = FleetState.STOPPING
            self._operations = deque([self._stop()])

    # What the caller sees.

    def step(self) -> list[Message]:
        """Carry on; return what has happened since the last step, in order."""
        if self._operations:
            try:
                next(self._operations[0])
            except StopIteration:
                self._operations.popleft()
        self._tell_idle()
        now_ns = time.monotonic_ns()
        if now_ns >= self._next_read_ns:
            self._next_read_ns = now_ns + READ_INTERVAL_NS
            self._read()
            self._admit()
        messages, self._messages = self._messages, []
        return messages

    def look_until(self, until_ns: int, period_ns: int, bell: int = NO_BELL) -> bool:
        """Sample who holds and who waits each `period_ns`, if the workload runs, and return at `until_ns`.

        Where it runs that is cut short by something to read from the descriptor `bell`, or by a queue that fills up
        before it would be read.  Returns whether it was.
        """
        if self.state is FleetState.RUNNING:
            return self._looks.look_until(self.handles, self.mode, period_ns=period_ns, until_ns=until_ns, bell=bell)
        time.sleep(max(until_ns - time.monotonic_ns(), 0) / 1e9)
        return False

    def rest(self, timeout_s: float, bell: int) -> bool:
        """Wait until a worker has sent something or ended, or there is something to read from the descriptor `bell`.

        Returns whether there is.  That a worker's slot has changed is not noticed, so what waits for that rests little.
        """
        self._next_read_ns = 0
        is_changing = self._operations or self._joining
        return self._arrivals.wait(min(timeout_s, SHORT_REST_S) if is_changing else timeout_s, bell)

    def slot_sample(self, weight: int = 1) -> SlotSample:
        """Return everyone's state now and what the looks since the last call have counted, each worth `weight`."""
        looks, held, wasted = self._looks.take()
        return SlotSample(
            at_ns=time.monotonic_ns(),
            phase=self.phase,
            looks=looks,
            held=held,
            wasted=wasted,
            workers=tuple(handle.sample() for handle in self.handles if handle.exit is None),
            weight=weight,
            late_ns=self.batch_length.late_ns(),
        )

    def living(self, role: Role) -> list[Handle]:
        """Return the workers of a role that have not ended."""
        return [handle for handle in self.handles if handle.role is role and handle.is_alive]

    @property
    def is_idle(self) -> bool:
        """Whether every writer has done its share of the phase's transactions."""
        writers = self.living(Role.WRITER)
        return self.state is FleetState.RUNNING and all(handle.has_parked(self._order.epoch) for handle in writers)

    @property
    def has_operations(self) -> bool:
        """Whether something that was asked for is still under way."""
        return bool(self._operations)

    @property
    def has_crew(self) -> bool:
        """Whether all writers live in one process."""
        return self._starter.has_crew

    def ready_words(self) -> str:
        """Say how far starting has come."""
        ready = sum(handle.is_ready for handle in self.handles)
        what = "workers" if self.has_crew else "processes"
        return f"starting {self._starter.count} {what}: {ready} ready"

    def attempted(self) -> tuple[int, int, int]:
        """Return (transactions attempted, committed, in doubt because of a kill) by the workers' own counters."""
        writers = [handle for handle in self.handles if handle.role is Role.WRITER]
        done = sum(handle.slot.done for handle in writers)
        in_doubt = sum(handle.exit.in_doubt for handle in writers if handle.exit)
        return done + in_doubt, sum(committed(handle.slot) for handle in writers), in_doubt

    def kill_all(self) -> None:
        """Kill whoever still lives and wait for their end: the way out when all else failed."""
        for handle in self.handles:
            handle.kill()
            handle.process.join()

    def close(self) -> None:
        """Give all pipes, queues and process objects back; every worker must have ended."""
        for handle in self.handles:
            handle.close()

    # Operations: generators that yield whenever there is nothing to do but wait.

    def _start(self) -> Iterator[None]:
        workload = self.workload
        for handle in self._starter.crew() if self.has_crew else []:
            self._welcome(handle)
        for number in range(workload.writers if not self.has_crew else 0):
            self._spawn(Role.WRITER, number % workload.databases)
            yield
        for number in range(workload.readers):
            self._spawn(Role.READER, number % workload.databases)
            yield
        for role in self._starter.attendants:
            for number in range(workload.databases):
                self._spawn(role, number)
                yield
        while not all(handle.is_ready or not handle.is_alive for handle in self.handles):
            yield

    def _begin_phase(self, name: str, mode: Mode | None, warm_up: bool) -> Iterator[None]:
        changes_mode = mode is not None and mode is not self.mode
        # A share of transactions counts from a worker's first order in a phase, so there everyone starts anew.
        if self._order.run and (changes_mode or self.workload.transactions):
            self._begin_rest(FleetState.SWITCHING)
            yield from self._wait_until_parked()
        self.mode = mode or self.mode
        self.phase += 1
        self._messages.append(PhaseStarted(time.monotonic_ns(), self.phase, name, self.mode, warm_up))
        if self._paused:
            self.state = FleetState.PAUSED
        else:
            yield from self._run(transactions=0 if warm_up else self.workload.transactions)

    def _set_paused(self, paused: bool) -> Iterator[None]:
        if paused == self._paused:
            return
        self._paused = paused
        if paused:
            self._begin_rest(FleetState.PAUSED)
        else:
            yield from self._run(transactions=self.workload.transactions)

    def _stop(self) -> Iterator[None]:
        self._broadcast(run=False, stop=True)
        self._messages.append(Running(time.monotonic_ns(), False))
        deadline_ns = time.monotonic_ns() + STOP_PATIENCE_NS
        while any(handle.is_running for handle in self.handles):
            if time.monotonic_ns() > deadline_ns:
                for handle in self.handles:
                    if handle.is_running:
                        handle.kill()
            yield
        self.state = FleetState.ENDED

    def _begin_rest(self, state: FleetState) -> None:
        self.state = state
        self._broadcast(run=False)
        self._messages.append(Running(time.monotonic_ns(), False, state is FleetState.PAUSED))

    def _wait_until_parked(self) -> Iterator[None]:
        deadline_ns = time.monotonic_ns() + PARK_PATIENCE_NS
        while True:
            moving = [h for h in self.handles if h.is_alive and h.is_ready and not h.has_parked(self._order.epoch)]
            if not moving:
                return
            now_ns = time.monotonic_ns()
            if any(is_held(handle, self.mode) for handle in moving):
                deadline_ns = now_ns + PARK_PATIENCE_NS
            elif now_ns > deadline_ns:
                return
            yield

    def _run(self, transactions: int) -> Iterator[None]:
        """Have everyone work; the single writer first, so that it listens before anyone asks."""
        self._epoch += 1
        self._order = Order(self._epoch, run=True, mode=self.mode, phase=self.phase, transactions=transactions)
        owners = [h for h in self.living(Role.SINGLE_WRITER) if h.is_ready]
        for handle in owners:
            self._send(handle)
        if self.mode is Mode.SINGLE_WRITER:
            deadline_ns = time.monotonic_ns() + PARK_PATIENCE_NS
            while time.monotonic_ns() < deadline_ns and not all(
                handle.is_working(self._epoch) for handle in owners if handle.is_alive
            ):
                yield
        workers = [h for h in self.handles if h.is_alive and h.is_ready and h.role is not Role.SINGLE_WRITER]
        for handle in workers:  # all before any, or the first would not wait for the others
            self._expect(handle)
        self._messages.append(Running(time.monotonic_ns(), True))
        for handle in workers:
            self._send(handle)
        self.state = FleetState.RUNNING
        self._has_told_idle = False

    # Parts.

    def _tell_idle(self) -> None:
        """Say once when the last writer had done its share, which is earlier than anybody has noticed it.

        The time that fixed work takes ends there; whoever is in no hurry to begin the next phase does not lengthen it.
        """
        if self._order.transactions and not self._has_told_idle and self.is_idle:
            self._has_told_idle = True
            ended_ns = max((handle.slot.since_ns for handle in self.living(Role.WRITER)), default=time.monotonic_ns())
            self._messages.append(Running(ended_ns, False))

    def _broadcast(self, *, run: bool, stop: bool = False) -> None:
        self._epoch += 1
        self._order = Order(self._epoch, run=run, mode=self.mode, phase=max(self.phase, 0), stop=stop)
        for handle in self.handles:
            if handle.is_alive:
                self._send(handle, stop=stop)

    def _send(self, handle: Handle, *, stop: bool = False) -> None:
        """Send the current order to one worker; its share of the transactions is its own."""
        order = self._order
        share = self._share_of(handle)
        stop = stop or handle.is_leaving
        self._expect(handle, stop=stop)
        run = order.run and not stop and share != 0
        handle.order(Order(order.epoch, run, order.mode, order.phase, stop, share or 0))

    def _share_of(self, handle: Handle) -> int | None:
        """Return a writer's share of the order's transactions; None for no limit."""
        order = self._order
        if not order.transactions or handle.role is not Role.WRITER:
            return None
        return share_of(order.transactions, handle.id, [writer.id for writer in self.living(Role.WRITER)])

    def _expect(self, handle: Handle, *, stop: bool = False) -> None:
        """Say in a worker's slot whether the rounds of a burst wait for it."""
        takes_part = handle.role is Role.WRITER and self._order.run and not (stop or handle.is_leaving)
        takes_part = takes_part and self._share_of(handle) != 0
        handle.slot.expected = self._order.epoch if takes_part and handle.is_alive else 0

    def _spawn(self, role: Role, database: int) -> None:
        number = len(self.handles) + 1
        self._welcome(self._starter.one(number, role, database))

    def _welcome(self, handle: Handle) -> None:
        self.handles.append(handle)
        self._arrivals.add(handle)
        self._board.slots_in_use = len(self.handles)
        self._fit_batches()
        self._messages.append(WorkerStarted(time.monotonic_ns(), handle.id, handle.pid, handle.role, handle.database))
        if self._order.epoch:
            self._joining.append(handle)

    def _fit_batches(self) -> None:
        self.batch_length.fit(sum(handle.is_alive for handle in self.handles))

    def _admit(self) -> None:
        """Give the current order to workers that have joined a running fleet and are ready."""
        for handle in [handle for handle in self._joining if handle.is_ready or not handle.is_alive]:
            self._joining.remove(handle)
            self._send(handle)

    def _read(self) -> None:
        """Read all queues, then notice who has ended; a worker's last batches are read before its exit is told."""
        left = [handle for handle in self.handles if handle.is_alive and handle.has_left] if self.has_crew else []
        batches, ended = self._arrivals.read()
        self._messages += batches
        for handle in (*left, *ended):
            exited = handle.notice_exit()
            if exited is None:
                continue
            self._arrivals.forget(handle)
            self._messages.append(exited)
            self._fit_batches()
            may_restart = not self.has_crew and not handle.is_leaving and len(self.handles) < SLOT_COUNT
            if handle.role is Role.SINGLE_WRITER and may_restart:
                self._spawn(Role.SINGLE_WRITER, handle.database)
