"""The shared memory through which a worker is seen while it works: one small slot each, written without a lock.

Each field is one aligned 64-bit word with one writer, so a reader never sees half a value.  The worker numbers its
transactions 1, 2, 3 ...; it holds the write lock exactly while `got` is larger than `done`.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from multiprocessing.context import SpawnContext
from typing import TYPE_CHECKING, Final, TypeAlias

from simulators.events import Role, WorkerSample, WorkerState

SLOT_COUNT = 1024
"""Slots of a fleet, one for each worker it ever starts: a late answer to a dead worker never hits its successor."""


class Activity(IntEnum):
    """What a worker is doing when it is not inside a transaction."""

    STARTING = 0
    WORKING = 1
    CHECKPOINTING = 2
    PARKED = 3
    ENDED = 4


class Slot(ctypes.Structure):
    """One worker's words; times are CLOCK_MONOTONIC ns, counts are totals since the worker started."""

    _fields_ = [
        ("got", ctypes.c_int64),  # number of the newest transaction that got the lock (reader: began)
        ("done", ctypes.c_int64),  # number of the newest transaction that ended, whatever its outcome
        ("waiting_since_ns", ctypes.c_int64),  # 0 while it does not wait for the write lock
        ("since_ns", ctypes.c_int64),  # start of the present hold, read, think or parked time, where it is long
        ("failed", ctypes.c_int64),
        ("withdrawn", ctypes.c_int64),
        ("in_doubt", ctypes.c_int64),
        ("activity", ctypes.c_int64),
        ("epoch", ctypes.c_int64),  # the newest order it has taken up
        ("queue_depth", ctypes.c_int64),  # single writer: requests that wait
        ("round", ctypes.c_int64),  # bursts: the round it waits for, 0 while it works (see `rounds`)
        ("expected", ctypes.c_int64),  # written by the fleet: epoch of the order to take part in rounds, 0 if none
    ]
    if TYPE_CHECKING:
        got: int
        done: int
        waiting_since_ns: int
        since_ns: int
        failed: int
        withdrawn: int
        in_doubt: int
        activity: int
        epoch: int
        queue_depth: int
        round: int
        expected: int


GOT: Final = 0
DONE: Final = 1
"""Indices of the two words that change with every transaction, in what `words_of` returns."""


class Board(ctypes.Structure):
    """What concerns all workers of a fleet; each word has one writer at a time."""

    _fields_ = [
        ("round", ctypes.c_int64),  # bursts: the newest round, written by whoever announces it
        ("round_ns", ctypes.c_int64),  # when that began
        ("slots_in_use", ctypes.c_int64),  # written by the fleet
        ("batch_ns", ctypes.c_int64),  # written by the fleet: how old a worker's last batch gets before the next goes
    ]
    if TYPE_CHECKING:
        round: int
        round_ns: int
        slots_in_use: int
        batch_ns: int


Slots: TypeAlias = "ctypes.Array[Slot]"
"""The slots of a fleet, shared by all its processes."""


def create_slots(context: SpawnContext) -> Slots:
    """Return zeroed slots in memory that spawned workers share, and one more, in the place of which is the board."""
    slots: Slots = context.RawArray(Slot, SLOT_COUNT + 1)
    return slots


def board_of(slots: Slots) -> Board:
    """Return the board, in the memory of the slots."""
    return Board.from_buffer(slots[SLOT_COUNT])


def words_of(slot: Slot) -> memoryview:
    """Return the slot's words by index, for a loop in which storing a field by its name is too slow."""
    return memoryview(slot).cast("B").cast("q")


def is_holding(slot: Slot) -> bool:
    """Tell whether the worker is between getting the write lock and releasing it (a reader: inside its read)."""
    return slot.got > slot.done


def committed(slot: Slot) -> int:
    """Return how many of the worker's transactions committed, by its own count."""
    return slot.done - slot.failed - slot.withdrawn - slot.in_doubt


def in_flight(slot: Slot) -> int:
    """Return 1 if a transaction had begun and not ended, else 0; for a killed worker, the one in doubt."""
    return 1 if is_holding(slot) or slot.waiting_since_ns else 0


def sample(worker: int, role: Role, slot: Slot) -> WorkerSample:
    """Describe what the worker is doing now."""
    waiting_since_ns = slot.waiting_since_ns
    activity = Activity(slot.activity)
    if activity in _RESTING:
        since_ns = slot.since_ns if role is Role.CHECKPOINTER and activity is Activity.CHECKPOINTING else 0
        return WorkerSample(worker, _RESTING[activity], since_ns, slot.queue_depth)
    if is_holding(slot):
        state = WorkerState.READING if role in (Role.READER, Role.PINNED_READER) else WorkerState.HOLDING
        return WorkerSample(worker, state, slot.since_ns, slot.queue_depth)
    if waiting_since_ns and role is not Role.CHECKPOINTER:
        return WorkerSample(worker, WorkerState.WAITING, waiting_since_ns, slot.queue_depth)
    return WorkerSample(worker, WorkerState.IDLE, slot.since_ns, slot.queue_depth)


_RESTING = {
    Activity.STARTING: WorkerState.STARTING,
    Activity.CHECKPOINTING: WorkerState.CHECKPOINTING,
    Activity.PARKED: WorkerState.PARKED,
    Activity.ENDED: WorkerState.ENDED,
}
