"""What was seen of a database as JSON, schema `sqlwatch.why/1`: every level is a type, so the schema stands here.

Durations are seconds, shares are 0..1, and what is unknown is null and named in `not_visible`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sqlwatch.diagnose import Finding
from sqlwatch.diagnose.hidden import ALWAYS_HIDDEN, hidden_words
from sqlwatch.metrics.observations import READ_LOCKS, JournalMode, LockKind, LockName, Look
from sqlwatch.metrics.observed import HeldLock, Observed, Participant
from sqlwatch.metrics.snapshot import Snapshot

SCHEMA: Final = "sqlwatch.why/1"


class HolderReport(msgspec.Struct, frozen=True):
    """A process that holds an exclusive lock; `pid` is null where the kernel does not name it."""

    pid: int | None
    command: str | None
    user: str | None
    state: str | None
    held_s: float
    held_is_lower_bound: bool
    doing: str | None
    peer: str | None


class ReaderReport(msgspec.Struct, frozen=True):
    """A process that reads a snapshot: the number of its read mark and the newest frame it sees (WAL mode)."""

    pid: int | None
    command: str | None
    slot: int | None
    frame: int | None
    held_s: float
    held_is_lower_bound: bool


class LocksReport(msgspec.Struct, frozen=True):
    """Who holds what now; null is nobody.  In rollback mode `write` is RESERVED, PENDING or EXCLUSIVE."""

    write: HolderReport | None
    checkpoint: HolderReport | None
    recover: HolderReport | None
    readers: tuple[ReaderReport, ...]
    exclusive: HolderReport | None


class WaiterReport(msgspec.Struct, frozen=True):
    """A process that seems to wait for a lock."""

    pid: int
    command: str | None
    waiting_s: float
    inferred: bool = True


class WalReport(msgspec.Struct, frozen=True):
    """The write-ahead log now; `uncommitted_frames` is null while nobody writes."""

    file_bytes: int | None
    live_frames: int | None
    backfilled_frames: int | None
    uncommitted_frames: int | None
    resets: int | None


class ProcessShare(msgspec.Struct, frozen=True):
    """A process and the share of looks in which it held the write lock."""

    pid: int
    command: str | None
    utilisation: float


class RatesReport(msgspec.Struct, frozen=True):
    """Rates of the last seconds; shares are sampled, and `utilisation_floor` is the smallest that can be told."""

    window_s: float
    commits_per_s: float | None
    frames_per_s: float | None
    write_lock_utilisation: float | None
    utilisation_floor: float | None
    looks: int
    missed_looks: int
    by_process: tuple[ProcessShare, ...]


class BusyErrorsReport(msgspec.Struct, frozen=True):
    """Busy errors found in logs; not visible without one."""

    visible: bool
    count: int | None
    source: str | None
    by_kind: dict[str, int] | None


class WhyReport(msgspec.Struct, frozen=True):
    """The whole; all but the first fields are null or empty where there is no database, and `absent` says why."""

    schema: str
    database: str
    time: str
    absent: str | None
    journal_mode: str | None
    page_size: int | None
    locks: LocksReport | None
    waiters: tuple[WaiterReport, ...] | None
    wal: WalReport | None
    rates: RatesReport
    busy_errors: BusyErrorsReport
    findings: tuple[Finding, ...]
    not_visible: tuple[str, ...]


def why_report(snapshot: Snapshot, findings: Sequence[Finding], time: str) -> WhyReport:
    """Return the report on an observed database; `time` is the wall-clock time in ISO 8601."""
    observed = snapshot.observation
    assert observed is not None, "only observations have such a report"
    look = observed.look
    return WhyReport(
        schema=SCHEMA,
        database=observed.database,
        time=time,
        absent=observed.absent.sentence if observed.absent is not None else None,
        journal_mode=look.facts.journal_mode.value if look is not None else None,
        page_size=look.facts.page_size if look is not None else None,
        locks=_locks(observed, look) if look is not None else None,
        waiters=_waiters(observed) if look is not None and look.waiters is not None else None,
        wal=_wal(snapshot, look) if look is not None and look.facts.journal_mode is JournalMode.WAL else None,
        rates=_rates(snapshot, observed),
        busy_errors=_busy_errors(observed),
        findings=tuple(findings),
        not_visible=(*hidden_words(observed), ALWAYS_HIDDEN),
    )


def why_json(snapshot: Snapshot, findings: Sequence[Finding], time: str) -> str:
    """Return the report as indented JSON text."""
    return msgspec.json.format(why_line(snapshot, findings, time), indent=1).decode()


def why_line(snapshot: Snapshot, findings: Sequence[Finding], time: str) -> bytes:
    """Return the report as JSON on one line, without a line end."""
    return msgspec.json.encode(why_report(snapshot, findings, time))


def _locks(observed: Observed, look: Look) -> LocksReport:
    is_wal = look.facts.journal_mode is JournalMode.WAL
    write = (LockName.WRITE,) if is_wal else (LockName.EXCLUSIVE, LockName.PENDING, LockName.RESERVED)
    return LocksReport(
        write=_holder(observed, look, *write),
        checkpoint=_holder(observed, look, LockName.CHECKPOINT),
        recover=_holder(observed, look, LockName.RECOVER),
        readers=_readers(observed, look, is_wal=is_wal),
        exclusive=_holder(observed, look, LockName.EXCLUSIVE),
    )


def _holder(observed: Observed, look: Look, *names: LockName) -> HolderReport | None:
    held = max(observed.held(*names), key=lambda lock: lock.held_ns, default=None)
    if held is None:
        return None
    process = look.process(held.pid)
    activity = process.activity if process is not None else None
    return HolderReport(
        pid=_pid(held),
        command=process.command if process is not None else None,
        user=process.user if process is not None else None,
        state=process.state if process is not None else None,
        held_s=held.held_ns / 1e9,
        held_is_lower_bound=held.is_lower_bound,
        doing=activity.doing if activity is not None else None,
        peer=activity.peer if activity is not None else None,
    )


def _readers(observed: Observed, look: Look, *, is_wal: bool) -> tuple[ReaderReport, ...]:
    names = READ_LOCKS if is_wal else (LockName.SHARED,)
    return tuple(
        ReaderReport(
            pid=_pid(held),
            command=_command(look, held.pid),
            slot=READ_LOCKS.index(held.lock) if is_wal else None,
            frame=held.frame,
            held_s=held.held_ns / 1e9,
            held_is_lower_bound=held.is_lower_bound,
        )
        for held in observed.held(*names)
        if held.kind is LockKind.SHARED
    )


def _waiters(observed: Observed) -> tuple[WaiterReport, ...]:
    return tuple(
        WaiterReport(one.pid, _own_command(one), one.waiting_for_ns / 1e9)
        for one in observed.participants
        if one.waiting_for_ns is not None
    )


def _wal(snapshot: Snapshot, look: Look) -> WalReport:
    wal = snapshot.wal
    return WalReport(wal.file_bytes, wal.live_frames, wal.backfilled_frames, look.uncommitted_frames, wal.resets)


def _rates(snapshot: Snapshot, observed: Observed) -> RatesReport:
    return RatesReport(
        window_s=observed.window_ns / 1e9,
        commits_per_s=snapshot.commits_per_s,
        frames_per_s=observed.frames_per_s,
        write_lock_utilisation=observed.write_utilisation,
        utilisation_floor=observed.utilisation_floor,
        looks=observed.looks,
        missed_looks=observed.missed,
        by_process=tuple(
            ProcessShare(one.pid, _own_command(one), one.utilisation)
            for one in observed.participants
            if one.utilisation
        ),
    )


def _busy_errors(observed: Observed) -> BusyErrorsReport:
    busy = observed.busy
    if busy is None:
        return BusyErrorsReport(visible=False, count=None, source=None, by_kind=None)
    counts = {kind.value: count for kind, count in busy.counts.items()}
    return BusyErrorsReport(
        bool(busy.sources), busy.busy_errors if busy.sources else None, ", ".join(busy.sources), counts
    )


def _pid(held: HeldLock) -> int | None:
    return held.pid if held.pid > 0 else None


def _command(look: Look, pid: int) -> str | None:
    process = look.process(pid)
    return process.command if process is not None else None


def _own_command(participant: Participant) -> str | None:
    return participant.process.command if participant.process is not None else None
