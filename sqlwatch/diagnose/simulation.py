"""What is wrong in the phases of a simulation: Findings, one small rule each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from simulators.events import BUSY_SNAPSHOT_CODE, Mode, Role
from sqlwatch.charts import units
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.thresholds import DEFAULT, Thresholds
from sqlwatch.metrics.snapshot import Period, Snapshot, Status, Worker


def findings(phases: Iterable[Period], thresholds: Thresholds = DEFAULT) -> tuple[Finding, ...]:
    """Return what is wrong in each phase, the gravest first; `evidence` names the phase and gives the figures."""
    measured = [phase for phase in phases if phase.elapsed_ns > 0]
    found = [finding for phase in measured for rule in _RULES for finding in rule(phase, thresholds)]
    found += _deaths(measured)
    return tuple(sorted(found, key=lambda finding: _GRAVEST_FIRST.index(finding.severity)))


def current_findings(snapshot: Snapshot, thresholds: Thresholds = DEFAULT) -> tuple[Finding, ...]:
    """Return what is wrong in the phase that runs now; nothing during the warm-up, which is in no figure."""
    simulation = snapshot.simulation
    if simulation is None or snapshot.status in (Status.STARTING, Status.WARMING_UP):
        return ()
    return findings([simulation.phase], thresholds)


_GRAVEST_FIRST: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)

Rule = Callable[[Period, Thresholds], Iterable[Finding]]


def _hog(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Name who starved, and who took the turns."""
    starved = [worker for worker in _writers(phase) if worker.was_starved]
    if not starved:
        return
    top = max(_writers(phase), key=lambda worker: worker.committed)
    share = top.share or 0.0
    has_hog = share >= limits.hog_share
    writers = _all_writers_words(_writers(phase))
    taker = f"; worker {top.id} made {units.share(share)} of the commits" if has_hog else ""
    yield _finding(
        "write-lock-hog",
        Severity.WARNING,
        phase,
        f"{len(starved)} of {writers} starved ({_named(starved)}){taker}",
        "Connections that wait for the write lock poll, they do not queue: whoever has just committed finds it free "
        "again. Let all writes go through one writer (mode single-writer shows the effect), or give each transaction "
        "its turn with a mutex around it.",
        pid=top.pid if has_hog else None,
        starved_workers=[worker.id for worker in starved],
        top_worker=top.id,
        top_share=share,
        jain=phase.fairness.jain,
        longest_wait_ms=phase.fairness.longest_wait_ns / 1e6,
    )


def _busy_errors(phase: Period, _limits: Thresholds) -> Iterable[Finding]:
    """Report busy errors that reached the application."""
    if not phase.busy_errors:
        return
    share = phase.busy_errors / phase.finished if phase.finished else None
    of_all = f" ({units.share(share)} of all)" if share is not None else ""
    remedies = []
    if phase.busy_snapshot_errors:
        remedies.append(
            "SQLITE_BUSY_SNAPSHOT comes at once, whatever the timeout, when a transaction has read and then wants to "
            "write after another has committed: begin it with BEGIN IMMEDIATE."
        )
    if phase.busy_errors > phase.busy_snapshot_errors:
        remedies.append(
            "Begin writing transactions with BEGIN IMMEDIATE and give every connection a busy timeout longer than "
            "the longest wait; an error that still comes means that the waits are too long: see the lock waits."
        )
    yield _finding(
        "busy-errors",
        Severity.WARNING,
        phase,
        f"{phase.busy_errors:,} transaction{_s(phase.busy_errors)}{of_all} failed: database is locked",
        " ".join(remedies),
        busy_errors=phase.busy_errors,
        busy_snapshot_errors=phase.errors.get(BUSY_SNAPSHOT_CODE, 0),
        busy_retries=phase.busy_retries,
        share=share,
    )


def _saturated(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Report a write lock without room."""
    held = phase.lock_utilisation
    if held is None or phase.looks < limits.least_looks or held < limits.saturated_utilisation:
        return
    yield _finding(
        "write-lock-saturated",
        Severity.WARNING,
        phase,
        f"the write lock was held {units.share(held)} of the time",
        "More writers only add waiting. Do nothing slow between BEGIN and COMMIT, put more rows into a transaction, "
        "or spread the data over several database files.",
        lock_utilisation=held,
        lock_hold_p50_ms=_ms(phase.lock_hold.percentile_ns(50)),
        commits_per_s=phase.per_second(phase.committed),
    )


def _wasted(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Report a lock that was free while somebody waited for it."""
    wasted = phase.wasted_lock_time
    polls = phase.mode is Mode.CONTENDED  # the other modes have nobody asleep beside a free lock
    if not polls or wasted is None or phase.looks < limits.least_looks or wasted < limits.wasted_info:
        return
    yield _finding(
        "wasted-lock-time",
        Severity.WARNING if wasted >= limits.wasted_warning else Severity.INFO,
        phase,
        f"the write lock was free {units.share(wasted)} of the time while somebody waited for it",
        "Waiters sleep up to 100 ms between two looks and miss the moment at which the lock is released. A queue in "
        "front of one writer (mode single-writer) wakes the next one at once; shorter holds make it rarer.",
        wasted_lock_time=wasted,
        lock_utilisation=phase.lock_utilisation,
        lock_wait_p99_ms=_ms(phase.all_waits.percentile_ns(99)),
    )


def _long_hold(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Report a write lock that was held long, by the p99 of the holds."""
    p99_ns = phase.lock_hold.percentile_ns(99)
    if p99_ns is None or p99_ns < limits.long_hold_ns:
        return
    yield _finding(
        "long-hold",
        Severity.WARNING,
        phase,
        f"the write lock was held for {units.duration(p99_ns)} at a time (p99), "
        f"at most for {units.duration(phase.lock_hold.max_ns)}",
        "Everybody else waits that long. Take whatever is slow (network, computation, a large read) out of the "
        "transaction, and commit in smaller pieces.",
        lock_hold_p99_ms=_ms(p99_ns),
        lock_hold_max_ms=_ms(phase.lock_hold.max_ns),
    )


def _pinned_wal(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Report a reader that kept the checkpoint from going on."""
    pinned_ns = phase.wal.pinned_ns
    if pinned_ns is None or pinned_ns < limits.pinned_ns or pinned_ns < limits.pinned_share * phase.elapsed_ns:
        return
    yield _finding(
        "pinned-wal",
        Severity.WARNING,
        phase,
        f"a reader kept the WAL from being checkpointed for {units.duration(pinned_ns)}; "
        f"it grew to {units.size(phase.wal.peak_bytes)}",
        "A checkpoint stops at the oldest snapshot that is still read. Keep read transactions short: finish or reset "
        "every statement, and do not wait for anything while a cursor is open.",
        pinned_s=pinned_ns / 1e9,
        wal_peak_bytes=phase.wal.peak_bytes,
        resets=phase.wal.resets,
    )


def _no_checkpoints(phase: Period, limits: Thresholds) -> Iterable[Finding]:
    """Report a long WAL that nobody checkpoints."""
    final = phase.wal.final_bytes
    if phase.wal.checkpoints or final is None or final < limits.unchecked_wal_bytes:
        return
    yield _finding(
        "no-checkpoints",
        Severity.WARNING,
        phase,
        f"no checkpoint was run, and the WAL is {units.size(final)} long",
        "Reads become slower as the WAL grows, and the disk fills. Leave automatic checkpoints on (PRAGMA "
        "wal_autocheckpoint), or run PRAGMA wal_checkpoint from time to time.",
        wal_final_bytes=final,
    )


def _deaths(phases: Iterable[Period]) -> Iterable[Finding]:
    """Name workers that ended by themselves or were killed, each once, with the last phase that knew it."""
    dead = {
        worker.id: (phase, worker) for phase in phases for worker in phase.workers if worker.exit not in (None, "ok")
    }
    for phase, worker in dead.values():
        on_demand = worker.exit == "killed"
        yield _finding(
            "worker-died",
            Severity.INFO if on_demand else Severity.WARNING,
            phase,
            f"{worker.role.value} {worker.id} ended: {worker.exit}",
            "It was killed on demand; its open transaction was rolled back."
            if on_demand
            else "What it had begun was rolled back by the next process that wrote. Its exit says why it ended.",
            pid=worker.pid,
            worker=worker.id,
            exit=worker.exit,
        )


_RULES: Final[tuple[Rule, ...]] = (
    _hog, _busy_errors, _long_hold, _saturated, _wasted, _pinned_wal, _no_checkpoints,
)  # fmt: skip


def _finding(
    code: str,
    severity: Severity,
    phase: Period,
    summary: str,
    remedy: str,
    *,
    pid: int | None = None,
    **evidence: Any,
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        summary=f"{phase.name}: {summary}",
        pid=pid,
        since_s=None,
        evidence={"phase": phase.name, **evidence},
        remedy=remedy,
    )


def _writers(phase: Period) -> list[Worker]:
    return [worker for worker in phase.workers if worker.role is Role.WRITER]


def _all_writers_words(writers: list[Worker]) -> str:
    """Count the writers of a phase; where some have gone while others work, say that they are counted, too."""
    gone = sum(worker.exit is not None for worker in writers)
    return f"{len(writers)} writers" if gone in (0, len(writers)) else f"all {len(writers)} writers so far"


def _named(workers: list[Worker], most: int = 8) -> str:
    """Name workers by number, the first ones if they are many."""
    numbers = ", ".join(str(worker.id) for worker in workers[:most])
    return f"worker{_s(len(workers))} {numbers}{' ...' if len(workers) > most else ''}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6
