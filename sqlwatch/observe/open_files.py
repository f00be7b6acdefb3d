"""Who has the database's files open, which of those files nobody can find by name any more, and who lost its locks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import psutil

from sqlwatch.metrics.observations import FileRole, LockName, LostLocks, OpenFile
from sqlwatch.observe.locks import SHARED_BYTES, SHARED_FIRST, ListedLock, ShmByte

SUFFIXES: Final = {
    FileRole.DATABASE: "", FileRole.WAL: "-wal", FileRole.SHM: "-shm", FileRole.JOURNAL: "-journal"
}  # fmt: skip

_DELETED: Final = " (deleted)"


class Scan(msgspec.Struct, frozen=True):
    """All descriptors found on the database's files, and the processes whose descriptors we may not list."""

    files: tuple[OpenFile, ...]
    hidden_pids: frozenset[int]


Foreign = dict[int, set[str]]
"""pid -> the numbers of its descriptors that pointed at other files."""


def scan_descriptors(real: str, only: Iterable[int] | None = None, foreign: Foreign | None = None) -> Scan | None:
    """Look through /proc/*/fd, of all processes or some, for descriptors on a database's files; None without /proc.

    A descriptor counts by its file's name, then by device and inode against the file that now has that path: a
    " (deleted)" in the name alone proves nothing.  Processes in another mount namespace may know the file by another
    directory, so only the last part of the name must agree; a foreign file of the same name has another inode and is
    taken for a deleted one only if it has no name left.

    Descriptors in `foreign` are taken to point still at other files, and it learns those of this scan: reading them all
    makes most of its cost.
    """
    roles = {os.path.basename(real) + suffix: role for role, suffix in SUFFIXES.items()}  # noqa: PTH119 - plain text, thousands a scan
    current = {role: _identity(real + suffix) for role, suffix in SUFFIXES.items()}
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if only is None else only  # noqa: PTH208 - plain text, thousands a scan
    except OSError:
        return None
    files: list[OpenFile] = []
    hidden: set[int] = set()
    for pid in pids:
        if pid == os.getpid():
            continue
        try:
            files += _files_of(pid, real, roles, current, {} if foreign is None else foreign)
        except PermissionError:
            hidden.add(pid)
        except OSError:
            continue  # it has ended
    return Scan(tuple(files), frozenset(hidden))


def _files_of(
    pid: int, real: str, roles: Mapping[str, FileRole], current: Mapping[FileRole, tuple[int, int] | None],
    foreign: Foreign,
) -> list[OpenFile]:  # fmt: skip
    found: dict[OpenFile, None] = {}
    base = real.rpartition("/")[2]
    directory = f"/proc/{pid}/fd"
    known, others = foreign.get(pid, _NONE), set()
    for name in os.listdir(directory):  # noqa: PTH208 - plain text, thousands a scan
        if name in known:
            others.add(name)
            continue
        link = f"{directory}/{name}"
        try:
            target = os.readlink(link)  # noqa: PTH115 - plain text, thousands a scan
        except OSError:
            continue
        if base not in target:  # nearly all
            others.add(name)
            continue
        role = roles.get(target.rpartition("/")[2].removesuffix(_DELETED))
        if role is None:
            continue
        try:
            status = os.stat(link)  # noqa: PTH116 - plain text, thousands a scan
        except OSError:
            continue
        is_current = (status.st_dev, status.st_ino) == current[role]
        if is_current or (status.st_nlink == 0 and _is_same_place(target, real)):
            file = OpenFile(pid, role, is_current, status.st_nlink == 0, _is_writable(pid, name))
            found[file] = None
    foreign[pid] = others
    return list(found)


_NONE: Final[frozenset[str]] = frozenset()


def _is_same_place(target: str, real: str) -> bool:
    """Tell whether a deleted file lay in the database's directory, as far as its path tells."""
    return target.rpartition("/")[0] == real.rpartition("/")[0]


def _is_writable(pid: int, descriptor: str) -> bool | None:
    try:
        text = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "flags":
            return int(value, 8) & os.O_ACCMODE != os.O_RDONLY
    return None


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - plain text, thousands a scan
    except OSError:
        return None
    return status.st_dev, status.st_ino


def find_lost_locks(
    files: Iterable[OpenFile], main_locks: Iterable[ListedLock], shm_locks: Iterable[ListedLock]
) -> tuple[LostLocks, ...]:
    """Return who has the current -shm open for writing without DMS, or without SHARED on the main file.

    SQLite takes both when it opens the -shm and keeps them until it closes it (unixOpenSharedMemory, unixShmUnmap in
    src/os_unix.c; pagerOpenWal in src/pager.c).  One look may fall between opening and locking: see `FileWatch`.
    """
    shared = {listed.lock.pid for listed in main_locks if _holds(listed, SHARED_FIRST, SHARED_BYTES)}
    dms = {listed.lock.pid for listed in shm_locks if _holds(listed, ShmByte.DMS, 1)}
    lost = []
    openers = {file.pid for file in files if file.role is FileRole.SHM and file.is_current and file.is_writable}
    for pid in sorted(openers):
        lacks = [(LockName.DMS, dms), (LockName.SHARED, shared)]
        missing = tuple(name for name, holders in lacks if pid not in holders)
        if missing:
            lost.append(LostLocks(pid, missing, _opener_above(pid, openers)))
    return tuple(lost)


def _opener_above(pid: int, openers: set[int]) -> int | None:
    """Return the parent of a process if that, too, has the file open, as after a fork."""
    try:
        parent = psutil.Process(pid).ppid()
    except psutil.Error:
        return None
    return parent if parent in openers else None


def _holds(listed: ListedLock, start: int, length: int) -> bool:
    return not listed.waiting and listed.lock.overlaps(start, length)
