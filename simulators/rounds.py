"""Bursts: rounds that all writers of the fleet start together, a barrier that nobody's death or absence can block.

The truth is in shared memory.  A writer that has done with a round says in its slot for which round it waits; who sees
that everyone expected waits for the next one announces it on the board, under a flock, which its holder's death frees.
Two FIFOs only wake the others up: the gate of even rounds and the gate of odd ones, each readable, for all at once and
without anybody reading, from the announcement of its round to that of the next.  Waiters also look by themselves now
and then, so that a round comes although the last one missing, or the one that should have announced it, was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from simulators.slots import Activity, Slot, board_of
from simulators.worker import Worker

_GATE_BYTES = 4096


class Rounds:
    """One writer's part in the rounds, during one order."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._pause_ns = worker.workload.arrival.pause_ns or 0
        self._board = board_of(worker.slots)
        self._slots = list(worker.slots)
        self._gates = [_open_gate(f"{worker.setup.rounds}-{number}") for number in range(2)]

    def wait(self) -> tuple[int, int]:
        """Wait for the next round and return when it began and when we do, in ns; return early if an order parks us."""
        worker, board, inbox = self._worker, self._board, self._worker.inbox
        worker.slot.since_ns = time.monotonic_ns()
        number = worker.slot.round = board.round + 1
        worker.follow_phase()
        while board.round < number and not inbox.parks:
            if self._is_complete(number) and self._announce(number):
                break
            left_ns = worker.recorder.next_batch_ns - time.monotonic_ns()
            inbox.wait_also(self._gates[number % 2], max(left_ns, 1_000_000) / 1e9)
            worker.follow_phase()
            worker.recorder.send_if_due()
        began_ns = board.round_ns
        worker.think(max(began_ns - time.monotonic_ns(), 0))
        worker.slot.round = 0
        return began_ns, time.monotonic_ns()

    def close(self) -> None:
        """Close the gates."""
        self._worker.slot.round = 0
        for gate in self._gates:
            os.close(gate)

    def _is_complete(self, number: int) -> bool:
        """Tell whether everyone who is expected waits for round `number`, or has done its share."""
        return all(
            slot.round == number or not slot.expected or _has_done(slot)
            for slot in self._slots[: self._board.slots_in_use]
        )

    def _announce(self, number: int) -> bool:
        """Begin round `number` unless another has; return False if another is just about it."""
        board, gate, last_gate = self._board, self._gates[number % 2], self._gates[(number + 1) % 2]
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            if board.round < number:
                with contextlib.suppress(BlockingIOError):
                    while os.read(last_gate, _GATE_BYTES):
                        pass
                board.round_ns = time.monotonic_ns() + self._pause_ns
                board.round = number
                os.write(gate, b"!")
        finally:
            fcntl.flock(gate, fcntl.LOCK_UN)
        return True


def _has_done(slot: Slot) -> bool:
    """Tell whether a worker has taken up the order it is expected to work on and come to rest."""
    return slot.epoch >= slot.expected and slot.activity in (Activity.PARKED, Activity.ENDED)


def _open_gate(path: str) -> int:
    """Open a FIFO, made by whoever comes first, for both directions: so it never ends and never blocks."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
