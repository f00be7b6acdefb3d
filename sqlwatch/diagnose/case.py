"""An observed database as the rules see it: who is who, in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlwatch.charts import units
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.thresholds import Limits
from sqlwatch.metrics.observations import JournalMode, LockName, Look, Process
from sqlwatch.metrics.observed import HeldLock, Observed, ReaderPin
from sqlwatch.metrics.snapshot import Snapshot


@dataclass(frozen=True)
class Case:
    """One Snapshot of a database that is there, and what the rules ask of it more than once."""

    snapshot: Snapshot
    observed: Observed
    look: Look
    limits: Limits

    @cached_property
    def is_wal(self) -> bool:
        """Whether the database is in WAL mode."""
        return self.look.facts.journal_mode is JournalMode.WAL

    @cached_property
    def writer(self) -> HeldLock | None:
        """Who has the right to write now: byte 120 of the -shm, or RESERVED and more on the main file."""
        names = (LockName.WRITE,) if self.is_wal else (LockName.EXCLUSIVE, LockName.PENDING, LockName.RESERVED)
        return next((held for name in names for held in self.observed.held(name)), None)

    @cached_property
    def checkpointer(self) -> HeldLock | None:
        """Who holds the checkpoint lock now."""
        return next(iter(self.observed.held(LockName.CHECKPOINT)), None)

    @cached_property
    def writes_for_checkpoint(self) -> bool:
        """Whether the write lock is held by a checkpoint (FULL, RESTART or TRUNCATE), not by a transaction."""
        writer, checkpointer = self.writer, self.checkpointer
        return writer is not None and checkpointer is not None and writer.pid == checkpointer.pid

    @cached_property
    def pins(self) -> tuple[ReaderPin, ...]:
        """Readers that hold back more frames than a checkpoint leaves behind, and have for some time."""
        limits = self.limits
        return tuple(
            pin
            for pin in self.observed.pins
            if pin.frames_held_back >= limits.pinned_frames and pin.held_ns >= limits.pinned_ns
        )

    @cached_property
    def waiting(self) -> tuple[int, ...]:
        """Pids that seem to wait for a lock."""
        return tuple(one.pid for one in self.observed.participants if one.waiting_for_ns is not None)

    def process(self, pid: int) -> Process | None:
        """Return what is known of a process, or was when it was last seen."""
        participant = self.observed.participant(pid)
        return self.look.process(pid) or (participant.process if participant is not None else None)

    def named(self, pid: int) -> str:
        """Name a process: `python3 import.py (pid 4711)`."""
        if pid <= 0:
            return "a process that is not visible from here"
        process = self.process(pid)
        return f"{process.title} (pid {pid})" if process is not None and process.title else f"process {pid}"

    def listed(self, pids: tuple[int, ...], most: int = 4) -> str:
        """Name some processes, the first ones if they are many."""
        words = [self.named(pid) for pid in pids[:most]]
        more = len(pids) - len(words)
        return ", ".join(words) + (f" and {more} more" if more > 0 else "")

    def wait_words(self, holder: int) -> str:
        """Say who seems to wait for a lock, as the end of a sentence."""
        others = tuple(pid for pid in self.waiting if pid != holder)
        if not others:
            return ""
        if len(others) == 1:
            return f"; {self.named(others[0])} seems to wait for it"
        return f"; {count(len(others), 'process')} seem to wait for it: {self.listed(others)}"

    def age(self, lock: HeldLock | ReaderPin) -> str:
        """Say how long a lock has been held."""
        return f"{'at least ' if lock.is_lower_bound else ''}{units.duration(lock.held_ns)}"

    def about(self, pid: int) -> dict[str, Any]:
        """Return what is known of a process, as evidence; what is not known is None."""
        process = self.process(pid)
        activity = process.activity if process is not None else None
        return {
            "command": process.command if process is not None else None,
            "user": process.user if process is not None else None,
            "state": process.state if process is not None else None,
            "doing": activity.doing if activity is not None else None,
            "peer": activity.peer if activity is not None else None,
        }

    def finding(
        self, code: str, severity: Severity, summary: str, remedy: str,
        *, pid: int | None = None, since_ns: int | None = None, **evidence: Any,
    ) -> Finding:  # fmt: skip
        """Return a finding about this database."""
        return Finding(
            code=code,
            severity=severity,
            summary=summary,
            pid=pid if pid is None or pid > 0 else None,
            since_s=None if since_ns is None else since_ns / 1e9,
            evidence=evidence,
            remedy=remedy,
        )


def state_words(process: Process | None) -> str:
    """Say what somebody who is in the way does, where that explains it, as a part of a sentence."""
    if process is None:
        return ""
    if process.state == "T":
        return " while it is stopped (state T)"
    if process.state == "t":
        return " while a debugger holds it (state t)"
    activity = process.activity
    if activity is not None and activity.peer is not None:
        return f" while it waits for {activity.peer} ({activity.doing or 'socket'})"
    return ""


def release_words(pid: int, process: Process | None) -> str:
    """Begin a remedy with what frees a lock at once: the end of its holder, or that it goes on if it was stopped.

    >>> release_words(41, None)
    'Now: end process 41 (kill 41)'
    >>> release_words(41, Process(41, None, None, None, "T", None, None, None))
    'Now: let it go on (kill -CONT 41), or end process 41 (kill -KILL 41)'
    """
    if process is None or process.state not in ("T", "t"):
        return f"Now: end process {pid} (kill {pid})"
    return f"Now: let it go on (kill -CONT {pid}), or end process {pid} (kill -KILL {pid})"


def count(number: int, name: str) -> str:
    """Write a number of things.

    >>> count(1, "process"), count(2, "reader"), count(3, "process")
    ('1 process', '2 readers', '3 processes')
    """
    plural = "es" if name.endswith("s") else "s"
    return f"{number:,} {name}{'' if number == 1 else plural}"
