"""Looks at who holds the write lock and who waits for it, for lock utilisation and wasted lock time.

Compiled (`_looks.c`) two hundred looks a second cost a third less than in Python, and none waits for the interpreter's
lock while the dashboard draws.  Which of the two is in use depends on whether there was a compiler when sqlwatch was
installed; they count alike.
"""

from __future__ import annotations

import select
import time
from array import array
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from simulators.arrivals import READ_INTERVAL_NS
from simulators.events import CheckpointKind, Mode, Role
from simulators.handle import Handle, owner_of
from simulators.slots import Activity, Slots, is_holding
from simulators.workload import Workload

TAKES: Final = 1
ASKS: Final = 2
CHECKPOINTS: Final = 4
"""What a contender does: takes the write lock; waits for it, in the single writer's queue too; runs checkpoints that
take it for a part of their work, which part is not seen."""

Counted: TypeAlias = "tuple[int, int, list[int], list[int], bool]"
"""When the next look is due in ns, how many were taken, per database how many found its lock held, and how many found
it free though somebody waited, and whether something called: the bell, or a queue that fills up."""

LookUntil: TypeAlias = "Callable[[Slots, array[int], int, int, int, int, int, array[int]], Counted]"

NO_BELL: Final = -1

MUCH: Final = 44 * 1024
"""Bytes in a queue, of the 64 KiB that it holds, with which it calls: whoever sends to a full one waits."""


def look_until_in_python(
    slots: Slots, contenders: array[int], databases: int, next_ns: int, period_ns: int, until_ns: int, bell: int,
    queues: array[int], /,
) -> Counted:  # fmt: skip
    """Look at `next_ns`, then each `period_ns`, and return at `until_ns`; all on CLOCK_MONOTONIC.

    It returns earlier when there is something to read from the descriptor `bell`, which may be NO_BELL, or a look finds
    MUCH in one of `queues`, descriptors too.  `contenders` holds for each the number of its slot, its database, and
    what it does.
    """
    numbers = iter(contenders)
    is_called = False
    posts = [(slots[slot], database, does) for slot, database, does in zip(numbers, numbers, numbers, strict=True)]
    looks, held, wasted = 0, [0] * databases, [0] * databases
    while next_ns < until_ns and not is_called and not (is_called := _sleep_until(next_ns, bell)):
        looks += 1
        holding, waiting, unseen = set(), set(), set()
        for slot, database, does in posts:
            if does & CHECKPOINTS:
                if slot.activity == Activity.CHECKPOINTING:
                    unseen.add(database)
            elif is_holding(slot):
                if does & TAKES:
                    holding.add(database)
            elif does & ASKS and slot.waiting_since_ns:
                waiting.add(database)
        for database in holding:
            held[database] += 1
        for database in waiting - holding - unseen:
            wasted[database] += 1
        next_ns = max(next_ns + period_ns, time.monotonic_ns())
        is_called = any(_waiting_in(queue) >= MUCH for queue in queues)
    is_called = is_called or _sleep_until(until_ns, bell)
    return next_ns, looks, held, wasted, is_called


def _waiting_in(queue: int) -> int:
    """Return how many bytes can be read from a descriptor."""
    import fcntl  # these exist on POSIX only
    import termios

    waiting = array("i", [0])
    fcntl.ioctl(queue, termios.FIONREAD, waiting)
    return waiting[0]


def _sleep_until(at_ns: int, bell: int) -> bool:
    left_s = max(at_ns - time.monotonic_ns(), 0) / 1e9
    if bell == NO_BELL:
        time.sleep(left_s)
        return False
    return bool(select.select([bell], [], [], left_s)[0])


compiled_look_until: LookUntil | None
"""The same in C, or None if there was no compiler."""
try:
    from simulators import _looks
except ImportError:
    compiled_look_until = None
else:
    compiled_look_until = _looks.look_until


class Looks:
    """Counts, per database, the looks that found its lock held, and those that found it free though somebody waited."""

    def __init__(self, workload: Workload, slots: Slots) -> None:
        self._databases = workload.databases
        self._slots = slots
        self._checkpoints = workload.checkpointer.kind not in (None, CheckpointKind.PASSIVE)
        self._look_until = compiled_look_until or look_until_in_python
        self._next_ns = 0
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._held = [0] * self._databases
        self._wasted = [0] * self._databases

    def look_until(
        self, handles: Iterable[Handle], mode: Mode, *, period_ns: int, until_ns: int, bell: int
    ) -> bool:  # fmt: skip
        """Sample the workers' slots each `period_ns`, until `until_ns` or something calls; return whether it does.

        The bell does, and queues that would not be read for long.
        """
        next_ns = max(self._next_ns, time.monotonic_ns())
        minds_queues = until_ns - next_ns > READ_INTERVAL_NS
        contenders, queues = array("q"), array("i")
        for handle in handles:
            does = self._what_does(handle.role, mode) if handle.exit is None else 0
            if does:
                contenders.extend((handle.slot_number, handle.database, does))
            if minds_queues and does & ASKS:
                queues.append(handle.queue_descriptor)
        self._next_ns, looks, held, wasted, is_called = self._look_until(
            self._slots, contenders, self._databases, next_ns, period_ns, until_ns, bell, queues
        )
        self._count += looks
        self._held = [before + more for before, more in zip(self._held, held, strict=True)]
        self._wasted = [before + more for before, more in zip(self._wasted, wasted, strict=True)]
        return is_called

    def take(self) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        """Return (looks, held, wasted) since the last call, the last two per database, and begin again."""
        counted = self._count, tuple(self._held), tuple(self._wasted)
        self._begin()
        return counted

    def _what_does(self, role: Role, mode: Mode) -> int:
        if role is Role.CHECKPOINTER:
            return CHECKPOINTS if self._checkpoints else 0
        return (TAKES if role is owner_of(mode) else 0) | (ASKS if role is Role.WRITER else 0)
