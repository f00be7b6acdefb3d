"""All holders of all of a database's locks at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from sqlwatch.metrics.observations import READ_LOCKS, LockKind, LockName
from sqlwatch.observe.locks import (
    MAIN_BYTES,
    PENDING,
    RESERVED,
    SHARED_BYTES,
    SHARED_FIRST,
    FileKey,
    ListedLock,
    Lock,
    LockProbe,
    ShmByte,
    SpanProbe,
    read_proc_locks,
)

SHM_LOCKS: Final = {
    LockName.WRITE: ShmByte.WRITE, LockName.CHECKPOINT: ShmByte.CHECKPOINT, LockName.RECOVER: ShmByte.RECOVER,
    **dict(zip(READ_LOCKS, tuple(ShmByte)[3:8], strict=True)), LockName.DMS: ShmByte.DMS,
}  # fmt: skip
"""The byte of each lock in the -shm file."""

_MAIN_RANGES: Final = {
    LockName.PENDING: (PENDING, 1), LockName.RESERVED: (RESERVED, 1), LockName.SHARED: (SHARED_FIRST, SHARED_BYTES)
}  # fmt: skip


_LASTING: Final = frozenset({LockName.DMS, LockName.SHARED})
"""Locks that connections keep for long: one on the -shm, one on the main file."""

_UNPROVEN_LOOKS: Final = 5
"""Looks in a row after which /proc/locks that never showed a holder is taken for one that cannot."""

_PROOFS: Final = 3
"""Times in one look that /proc/locks is read again as long as it has never shown a holder."""

_SHM_RANGES: Final = {name: (int(byte), 1) for name, byte in SHM_LOCKS.items()}


class Held(msgspec.Struct, frozen=True):
    """One process holding one lock."""

    lock: LockName
    kind: LockKind
    pid: int


class LockTable(msgspec.Struct, frozen=True):
    """Who holds what.

    `is_complete`: /proc/locks is there, has shown these files under the keys we use, and F_GETLK names nobody whom it
    does not list for living in another PID namespace; so nobody is missing.  `hides_holders`: one of these is not so,
    for certain (a single look at short-lived connections proves neither).
    `main_listed` and `shm_listed` are its lines on the two files.
    """

    held: tuple[Held, ...]
    is_complete: bool
    hides_holders: bool
    main_listed: tuple[ListedLock, ...] = ()
    shm_listed: tuple[ListedLock, ...] = ()


class LockLooker:
    """Asks for every lock of a database: F_GETLK for the first holder of each, /proc/locks for all."""

    def __init__(self) -> None:
        self._shm = SpanProbe(ShmByte.WRITE, len(ShmByte))
        self._main = [(name, LockProbe(*where)) for name, where in _MAIN_RANGES.items()]
        self._proven: set[LockName] = set()
        self._unproven_looks = 0

    def look(self, main: int, main_key: FileKey, shm: int | None, shm_key: FileKey | None) -> LockTable:
        """Look through descriptors of the main file and, if there is one, the -shm; raise OSError if we cannot ask."""
        asked = self._ask(main, shm)
        listed = list_locks(main_key, shm_key)
        main_listed, shm_listed = listed if listed is not None else ((), ())
        named = _name_both(main_listed, shm_listed)
        self._proven |= {held.lock for held in named} & _LASTING
        unlisted = [held for held in asked if held.lock in _LASTING and held not in named]
        for _ in range(_PROOFS if listed is not None else 0):
            if all(held.lock in self._proven for held in unlisted):
                break
            again = list_locks(main_key, shm_key)  # whoever comes and goes may be here now
            self._proven |= {held.lock for held in _name_both(*(again or ((), ())))} & _LASTING
        is_foreign = any(held.pid == 0 for held in unlisted)
        unproven = [held for held in unlisted if held.lock not in self._proven]
        # Whoever holds it before and after the list was read, and is not in it, is hidden from it.
        stays = bool(unproven) and not set(unproven).isdisjoint(self._ask(main, shm))
        self._unproven_looks = self._unproven_looks + 1 if stays else 0
        return LockTable(
            held=_merge(asked, named),
            is_complete=listed is not None and not is_foreign and not unproven,
            hides_holders=listed is None or is_foreign or self._unproven_looks >= _UNPROVEN_LOOKS,
            main_listed=main_listed,
            shm_listed=shm_listed,
        )

    def _ask(self, main: int, shm: int | None) -> list[Held]:
        """Return the first holder of each lock that is held."""
        answers = ((name, probe.ask(main)) for name, probe in self._main)
        asked = [_held(name, lock) for name, lock in answers if lock is not None]
        if shm is not None:
            found = self._shm.ask(shm)
            asked += [_held(name, found[byte]) for name, byte in SHM_LOCKS.items() if byte in found]
        return asked


_Listed = tuple[ListedLock, ...]


def list_locks(main_key: FileKey, shm_key: FileKey | None) -> tuple[_Listed, _Listed] | None:
    """Return the lines of /proc/locks on (main file, -shm); None where there is no /proc/locks."""
    listed = read_proc_locks([key for key in (main_key, shm_key) if key is not None])
    if listed is None:
        return None
    return tuple(listed[main_key]), tuple(listed[shm_key]) if shm_key is not None else ()


def _name(listed: Iterable[ListedLock], ranges: Mapping[LockName, tuple[int, int]]) -> list[Held]:
    """Turn listed ranges into SQLite's locks; ranges merge, so one line may stand for several."""
    held = [line.lock for line in listed if not line.waiting]
    return [
        _held(name, lock) for name, (start, length) in ranges.items() for lock in held if lock.overlaps(start, length)
    ]


def _name_both(main_listed: Iterable[ListedLock], shm_listed: Iterable[ListedLock]) -> list[Held]:
    return [*_name(main_listed, _MAIN_RANGES), *_name(shm_listed, _SHM_RANGES)]


def _held(name: LockName, lock: Lock) -> Held:
    """Name a lock; on the main file an exclusive one that reaches into the SHARED range is EXCLUSIVE."""
    is_exclusive = name is LockName.SHARED and lock.kind is LockKind.EXCLUSIVE
    return Held(LockName.EXCLUSIVE if is_exclusive else name, lock.kind, lock.pid)


def _merge(asked: list[Held], listed: list[Held]) -> tuple[Held, ...]:
    """Join both sources.  An exclusive lock has one holder: where two are named, it changed hands; keep the first."""
    merged: dict[tuple[LockName, int], Held] = {}
    exclusive: set[LockName] = set()
    for held in (*asked, *listed):
        if held.lock in exclusive:
            continue
        merged.setdefault((held.lock, held.pid), held)
        if held.kind is LockKind.EXCLUSIVE:
            exclusive.add(held.lock)
    return tuple(merged.values())


def whole_main_probe() -> LockProbe:
    """Return a probe for exclusive locks anywhere on the main file's lock bytes."""
    return LockProbe(PENDING, MAIN_BYTES, LockKind.SHARED)
