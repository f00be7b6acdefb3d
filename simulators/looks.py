"""Looks at who holds the write lock and who waits for it, for lock utilisation and wasted lock time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from simulators.events import CheckpointKind, Mode, Role
from simulators.handle import Handle, owner_of
from simulators.slots import Activity, is_holding
from simulators.workload import Workload

_NEVER_WRITE: Final = (Role.READER, Role.PINNED_READER)


class Looks:
    """Counts, per database, the looks that found its lock held, and those that found it free though somebody waited."""

    def __init__(self, workload: Workload) -> None:
        self._databases = workload.databases
        self._checkpointer = workload.checkpointer.kind
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._held = [0] * self._databases
        self._wasted = [0] * self._databases

    def look(self, handles: Iterable[Handle], mode: Mode) -> None:
        """Take one sample of the workers' slots."""
        self._count += 1
        owner = owner_of(mode)
        held, waiting, unknown = set(), set(), set()
        for handle in handles:
            role = handle.role
            if role in _NEVER_WRITE or handle.exit is not None:
                continue
            slot = handle.slot
            if role is Role.CHECKPOINTER:
                # One that is not passive takes the write lock for a part of its work; which part is not seen.
                if slot.activity == Activity.CHECKPOINTING and self._checkpointer is not CheckpointKind.PASSIVE:
                    unknown.add(handle.database)
            elif is_holding(slot):
                if role is owner:
                    held.add(handle.database)
            elif role is Role.WRITER and slot.waiting_since_ns:  # in the single writer's queue, too
                waiting.add(handle.database)
        for database in held:
            self._held[database] += 1
        for database in waiting - held - unknown:
            self._wasted[database] += 1

    def take(self) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        """Return (looks, held, wasted) since the last call, the last two per database, and begin again."""
        counted = self._count, tuple(self._held), tuple(self._wasted)
        self._begin()
        return counted
