"""Snapshots of observed databases, built by feeding the fold with what a sampler would have said."""

from __future__ import annotations

from typing import Any

import msgspec

from sqlwatch.metrics.log_messages import LogMessage
from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import (
    READ_LOCKS,
    Activity,
    Commits,
    Database,
    FileRole,
    HeldLooks,
    HeldRun,
    Holder,
    JournalMode,
    LockKind,
    LockName,
    LockSample,
    Look,
    OpenFile,
    Process,
    WalObservation,
)
from sqlwatch.metrics.snapshot import Snapshot, Status

MS = 1_000_000
S = 1_000 * MS
START_NS = 50 * S
END_NS = START_NS + S

FACTS = Database(
    path="/srv/app.db", journal_mode=JournalMode.WAL, page_size=4096, file_bytes=81920, change_counter=7,
    sqlite_version=3_045_001, wal_bytes=41_232, shm_bytes=32768, journal_bytes=None, has_journal=False,
    file_system="ext4", mount_point="/",
    is_network_file_system=False, is_mounted_read_only=False, in_nested_pid_namespace=False,
)  # fmt: skip


def process(pid: int, *, state: str = "S", name: str = "python3", **activity: Any) -> Process:
    return Process(
        pid=pid, name=name, command=f"{name} worker.py {pid}", user="app", state=state, threads=1, cpu_ns=0,
        started_at_s=1.0, activity=Activity(**activity) if activity else None,
    )  # fmt: skip


def holder(lock: LockName, pid: int, held_ns: int = S, *, frame: int | None = None, lower: bool = True) -> Holder:
    kind = LockKind.SHARED if lock in READ_LOCKS or lock is LockName.SHARED else LockKind.EXCLUSIVE
    return Holder(lock, kind, pid, END_NS - held_ns, lower, frame)


def opened(*pids: int, role: FileRole = FileRole.DATABASE, current: bool = True) -> tuple[OpenFile, ...]:
    return tuple(OpenFile(pid, role, current, not current, True) for pid in pids)


def wal(at_ns: int, live: int | None = 10, copied: int | None = 10, size: int | None = 41_232) -> WalObservation:
    return WalObservation(at_ns, 0, size, live, copied, 1)


def look(**changes: Any) -> Look:
    plain = Look(
        at_ns=END_NS, database=0, since_ns=START_NS, facts=FACTS, holders=(), processes=(), waiters=(),
        wal=wal(END_NS), uncommitted_frames=None, recoverable_frames=None, open_files=(), lost_locks=(), hidden=(),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def facts(**changes: Any) -> Database:
    return msgspec.structs.replace(FACTS, **changes)


def seen(
    newest: Look,
    *,
    held: dict[int, float] | None = None,
    runs: tuple[HeldRun, ...] = (),
    commits: int = 0,
    waiting: int = 1,
    logs: tuple[LogMessage, ...] = (),
    growing: int = 0,
) -> Snapshot:
    """Return what a second of looks ends with; `held`: pid -> share of looks with the write lock.

    `growing`: frames that come to the WAL each tenth of the second.
    """
    fold = ObservationFold("app.db", 200, START_NS)
    for tenth in range(1, 11):
        at_ns = START_NS + tenth * S // 10
        looks = tuple(HeldLooks(LockName.WRITE, pid, round(share * 20)) for pid, share in (held or {}).items())
        fold.add(LockSample(at_ns, at_ns - S // 10, 0, 20, 0, looks, runs if tenth == 10 else ()))
        live = newest.wal.live_frames
        live = live - growing * (10 - tenth) if live is not None else None
        fold.add(msgspec.structs.replace(newest.wal, at_ns=at_ns, live_frames=live))
    if commits:
        fold.add(Commits(END_NS, START_NS, 0, commits, commits * 2, is_exact=True))
    for number in range(waiting, 0, -1):
        fold.add(msgspec.structs.replace(newest, at_ns=newest.at_ns - (number - 1) * S // 4))
    for message in logs:
        fold.add(message)
    return fold.snapshot(Status.RUNNING)
