"""Rules about who holds a lock now: idle, stopped, waiting for somebody, not visible, or owning everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose.case import Case, release_words, state_words
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.metrics.observations import READ_LOCKS, LockKind, LockName, Process
from sqlwatch.metrics.observed import HeldLock

_ROLLED_BACK: Final = "ending it rolls its open transaction back, and nothing else is lost."
_DISK_CALLS: Final = frozenset({
    "fsync", "fdatasync", "sync_file_range", "pwrite64", "pread64", "write", "writev", "pwritev", "ftruncate",
    "fallocate", "unlink", "unlinkat",
})  # fmt: skip
"""System calls of a process that works on files; `read` of a pipe or terminal is told apart by its target."""


def long_holder(case: Case) -> Iterable[Finding]:
    """Name who has held the write lock for long, and why: idle, waiting for a peer, stopped, or at work."""
    writer = case.writer
    if writer is None or writer.held_ns < case.limits.long_hold_ns or writer.pid <= 0:
        return
    if case.writes_for_checkpoint or _is_exclusive(case, writer):
        return
    if _waits_for_readers(case, writer):
        yield from _reader_in_the_way(case, writer)
        return
    process = case.process(writer.pid)
    activity = process.activity if process is not None else None
    who, age = case.named(writer.pid), case.age(writer)
    if process is not None and process.state in ("T", "t"):
        yield _stopped(case, writer, who, age)
    elif activity is not None and activity.peer is not None:
        yield _found(
            case, writer, "writer-blocked-on-network", Severity.CRITICAL,
            f"{who} has held the write lock for {age} while it waits for {activity.peer} "
            f"({activity.doing or 'socket'}){case.wait_words(writer.pid)}",
            f"{release_words(writer.pid, process)}, or let {activity.peer} answer; {_ROLLED_BACK}\n"
            "For good: talk to the other side before BEGIN or after COMMIT, never in between.",
        )  # fmt: skip
    elif process is not None and _is_idle(case, writer, process):
        yield _found(
            case, writer, "idle-writer", Severity.CRITICAL,
            f"{who} has held the write lock for {age} and is asleep inside its "
            f"transaction{_in_words(process)}{case.wait_words(writer.pid)}",
            f"{release_words(writer.pid, process)}; {_ROLLED_BACK}\n"
            "For good: commit or roll back before anything slow, with no sleep, no prompt and no request between "
            "BEGIN and COMMIT, and see that every error path ends the transaction.",
        )  # fmt: skip
    else:
        yield _found(
            case, writer, "long-hold", Severity.WARNING,
            f"{who} has held the write lock for {age} and is at "
            f"work{_in_words(process)}{case.wait_words(writer.pid)}",
            f"Now: let it finish, or end process {writer.pid} (kill {writer.pid}); {_ROLLED_BACK}\n"
            "For good: do what is slow (reading, computing, calling others) before BEGIN, and commit large changes "
            "in pieces of a few hundred rows, since everybody else waits that long.",
        )  # fmt: skip


def _waits_for_readers(case: Case, writer: HeldLock) -> bool:
    """Tell whether a rollback-journal writer holds PENDING: it wants to commit and waits for the last readers."""
    return not case.is_wal and writer.lock is LockName.PENDING and bool(_readers_but(case, writer.pid))


def _reader_in_the_way(case: Case, writer: HeldLock) -> Iterable[Finding]:
    """Name the reader that keeps a rollback-journal writer from committing, and everybody else out."""
    held = [one for one in case.observed.held(LockName.SHARED) if one.pid not in (writer.pid, 0)]
    reader = max(held, key=lambda one: one.held_ns)
    if reader.held_ns < case.limits.long_hold_ns:
        return
    yield _found(
        case, reader, "long-hold", Severity.WARNING,
        f"{case.named(reader.pid)} has been reading for {case.age(reader)}{state_words(case.process(reader.pid))} "
        f"and keeps {case.named(writer.pid)} from committing, which by now keeps everybody else out (rollback "
        "journal)",
        f"{release_words(reader.pid, case.process(reader.pid))}: it only reads.\n"
        "For good: finish that read: fetch all rows or close the cursor, commit the read transaction. In WAL mode "
        "(PRAGMA journal_mode=WAL) readers and writers do not wait for each other.",
        blocks=writer.pid,
    )  # fmt: skip


def past_hold(case: Case) -> Iterable[Finding]:
    """Report a long hold of the last seconds that is over."""
    run, writer = case.observed.longest_hold, case.writer
    if run is None or run.is_ongoing or run.pid <= 0 or run.until_ns - run.since_ns < case.limits.long_hold_ns:
        return
    if writer is not None and writer.held_ns >= case.limits.long_hold_ns:
        return
    ago_ns = case.snapshot.at_ns - run.until_ns
    held_ns = run.until_ns - run.since_ns
    yield case.finding(
        "long-hold", Severity.WARNING,
        f"{case.named(run.pid)} held the write lock for "
        f"{'at least ' if run.is_lower_bound else ''}{units.duration(held_ns)}, until {units.duration(ago_ns)} ago",
        "Do what is slow before BEGIN, and commit large changes in pieces: everybody else waited that long. To "
        "see what it was doing, keep `sqlwatch watch` open, or run `sqlwatch why --wait`, while it happens again.",
        pid=run.pid, since_ns=ago_ns + held_ns, held_s=held_ns / 1e9, ended_s_ago=ago_ns / 1e9, **case.about(run.pid),
    )  # fmt: skip


def exclusive(case: Case) -> Iterable[Finding]:
    """Name a process that owns the whole database: PRAGMA locking_mode=EXCLUSIVE."""
    how = f"{'' if case.is_wal else 'an idle BEGIN EXCLUSIVE, or '}locking_mode=EXCLUSIVE"
    for lock in case.observed.held(LockName.EXCLUSIVE):
        if lock.pid > 0 and lock.held_ns >= case.limits.exclusive_ns and _is_exclusive(case, lock):
            yield _found(
                case, lock, "exclusive-locking", Severity.CRITICAL,
                f"{case.named(lock.pid)} has locked the whole database for {case.age(lock)} ({how})"
                f"{state_words(case.process(lock.pid))}: nobody else can even read",
                f"{release_words(lock.pid, case.process(lock.pid))}, which frees it.\n"
                "For good: have the application use PRAGMA locking_mode=NORMAL (and then read something, which "
                "gives the lock back), or use the database from that process alone.",
                shm_bytes=case.look.facts.shm_bytes,
            )  # fmt: skip


def hidden_holder(case: Case) -> Iterable[Finding]:
    """Say that somebody holds a lock whom the kernel does not name to us."""
    names = (LockName.WRITE, LockName.CHECKPOINT, LockName.RESERVED, LockName.PENDING, LockName.EXCLUSIVE)
    held = [one for one in case.observed.held(*names) if one.pid <= 0 and one.held_ns >= case.limits.long_hold_ns]
    if not held:
        return
    lock = max(held, key=lambda one: one.held_ns)
    if lock.pid == 0:
        why = "it lives in another PID namespace (a container) or on another machine"
        remedy = (
            "Look from where it lives: run sqlwatch on the host as root, or inside that container, or with "
            "--pid=host. Until then it is only known that the database is locked, not by whom."
        )
    else:
        why = "it uses open file description locks, whose owner the kernel does not tell"
        remedy = "Run sqlwatch as root: /proc/PID/fdinfo of all processes names who has the lock."
    yield case.finding(
        "holder-not-visible", Severity.WARNING,
        f"the {lock.lock.value} lock has been held for {case.age(lock)} by a process that is not visible from "
        f"here: {why}{case.wait_words(lock.pid)}",
        remedy, since_ns=lock.held_ns, lock=lock.lock.value, held_s=lock.held_ns / 1e9,
        held_is_lower_bound=lock.is_lower_bound,
    )  # fmt: skip


def checkpoint_with_write_lock(case: Case) -> Iterable[Finding]:
    """Name a FULL, RESTART or TRUNCATE checkpoint that waits for a reader while it keeps all writers out."""
    writer = case.writer
    if writer is None or not case.writes_for_checkpoint or writer.held_ns < case.limits.long_hold_ns:
        return
    readers = _readers_but(case, writer.pid)
    if not readers and case.look.waiters is not None and writer.pid not in case.waiting:
        yield _copying(case, writer)
        return
    pids = " ".join(map(str, readers))
    blocked = (
        f"for {case.listed(readers)}, which still read{'s' if len(readers) == 1 else ''}" if readers else "for a reader"
    )
    yield _found(
        case, writer, "checkpoint-holding-write-lock", Severity.CRITICAL,
        f"{case.named(writer.pid)} has held the write lock for {case.age(writer)} in a checkpoint (FULL, RESTART "
        f"or TRUNCATE) that waits {blocked}{case.wait_words(writer.pid)}",
        f"Now: end the reader that it waits for{f': {case.listed(readers)}; kill {pids}' if readers else ''}.\n"
        "For good: use PRAGMA wal_checkpoint(PASSIVE), which never keeps writers out, and run the blocking kinds "
        "only when nobody reads.",
        blocked_by=list(readers),
    )  # fmt: skip


def _copying(case: Case, writer: HeldLock) -> Finding:
    return _found(
        case, writer, "long-hold", Severity.WARNING,
        f"{case.named(writer.pid)} has held the write lock for {case.age(writer)} in a checkpoint (FULL, RESTART "
        f"or TRUNCATE) that is copying frames{case.wait_words(writer.pid)}",
        "Use PRAGMA wal_checkpoint(PASSIVE), which never keeps writers out, and run the blocking kinds only when "
        "nobody writes. Checkpoint more often, so that there is less to copy at a time.",
    )  # fmt: skip


def checkpoint_blocked(case: Case) -> Iterable[Finding]:
    """Name a checkpoint that cannot go on because somebody else holds the write lock."""
    checkpointer, writer, limit = case.checkpointer, case.writer, case.limits.long_hold_ns
    if checkpointer is None or writer is None or checkpointer.pid == writer.pid or checkpointer.pid <= 0:
        return
    if checkpointer.held_ns < limit or writer.held_ns < limit:
        return
    if case.look.waiters is not None and checkpointer.pid not in case.waiting:
        return  # it copies frames, and takes its time
    yield _found(
        case, checkpointer, "checkpoint-blocked", Severity.WARNING,
        f"{case.named(checkpointer.pid)} has waited for {case.age(checkpointer)} to run a checkpoint (FULL, "
        f"RESTART or TRUNCATE): {case.named(writer.pid)} holds the write lock",
        f"See to {case.named(writer.pid)} first. A PASSIVE checkpoint would not wait for it.",
        blocked_by=[writer.pid],
    )  # fmt: skip


def _stopped(case: Case, writer: HeldLock, who: str, age: str) -> Finding:
    process = case.process(writer.pid)
    traced = process is not None and process.state == "t"
    return _found(
        case, writer, "writer-stopped", Severity.CRITICAL,
        f"{who} has held the write lock for {age} and is {'held by a debugger' if traced else 'stopped'} (state "
        f"{process.state if process else 'T'}): it cannot commit{case.wait_words(writer.pid)}",
        f"{release_words(writer.pid, process)}; {_ROLLED_BACK}\n"
        + ("A debugger holds it: continue it there." if traced else "It was stopped by a signal, as ctrl+z sends one."),
    )  # fmt: skip


def _is_idle(case: Case, writer: HeldLock, process: Process) -> bool:
    """Tell whether the holder sleeps: by its system call, else by its state and CPU time."""
    activity = process.activity
    doing = activity.doing if activity is not None else None
    if doing is not None:
        if doing in ("read", "readv") and activity is not None and activity.target is not None:
            return not activity.target.startswith("/")
        return doing != "running" and doing not in _DISK_CALLS
    participant = case.observed.participant(writer.pid)
    cpu = participant.cpu if participant is not None else None
    return process.state == "S" and cpu is not None and cpu < case.limits.idle_cpu_share


def _is_exclusive(case: Case, lock: HeldLock) -> bool:
    """Tell locking_mode=EXCLUSIVE from a rollback-journal transaction at work: that one has a journal."""
    if lock.lock is not LockName.EXCLUSIVE:
        return False
    return case.is_wal or not case.look.facts.has_journal


def _in_words(process: Process | None) -> str:
    activity = process.activity if process is not None else None
    if activity is None or activity.doing is None or activity.doing == "running":
        return ""
    on = f" of {activity.target}" if activity.target else ""
    return f" ({activity.doing}{on})"


def _readers_but(case: Case, pid: int) -> tuple[int, ...]:
    names = READ_LOCKS if case.is_wal else (LockName.SHARED,)
    held = [one for one in case.observed.held(*names) if one.kind is LockKind.SHARED and one.pid not in (pid, 0)]
    held.sort(key=lambda one: (one.frame if one.frame is not None else 0, -one.held_ns))
    return tuple(dict.fromkeys(one.pid for one in held))


def _found(
    case: Case, lock: HeldLock, code: str, severity: Severity, summary: str, remedy: str, **more: object
) -> Finding:
    waiting = [pid for pid in case.waiting if pid != lock.pid]
    return case.finding(
        code, severity, summary, remedy, pid=lock.pid, since_ns=lock.held_ns,
        held_s=lock.held_ns / 1e9, held_is_lower_bound=lock.is_lower_bound,
        **case.about(lock.pid), waiting=waiting, **more,
    )  # fmt: skip


RULES: Final = (
    long_holder, past_hold, exclusive, hidden_holder, checkpoint_with_write_lock, checkpoint_blocked,
)  # fmt: skip
