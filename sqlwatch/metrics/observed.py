"""The part of a Snapshot that only an observed database has: who holds, who waits, who pins, what errors were logged.

The figures of the window cover the last seconds (`window_ns`); below its floor a sampled share says nothing.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sqlwatch.metrics.lock_spans import LockSpan
from sqlwatch.metrics.log_messages import BUSY_KINDS, LogKind, LogLine
from sqlwatch.metrics.observations import Absent, HeldRun, LockKind, LockName, Look, Process

SILENT_NS: Final = 1_500_000_000
"""Many times the time between two messages of the sampler; a thorough look of a large system takes a part of it."""


class HeldLock(msgspec.Struct, frozen=True):
    """A lock that is held now, with how long it has been; if `is_lower_bound`, longer than we have been looking.

    `pid` is 0 where the kernel does not name the holder and -1 for open file description locks.
    """

    lock: LockName
    kind: LockKind
    pid: int
    held_ns: int
    is_lower_bound: bool
    frame: int | None = None
    """Read locks: the newest frame that this reader sees."""


class ReaderPin(msgspec.Struct, frozen=True):
    """A reader whose snapshot keeps a checkpoint from copying all frames, or a writer from starting the WAL anew."""

    pid: int
    slot: int
    """Number of its read mark; 0 is a reader that needs nothing of the WAL and yet stops all copying."""
    frame: int
    held_ns: int
    is_lower_bound: bool
    frames_held_back: int
    """Frames written since its snapshot: live frames - frame; for slot 0 the frames not copied yet."""


class Participant(msgspec.Struct, frozen=True):
    """A process that holds a lock, waits for one, or has the database open."""

    pid: int
    process: Process | None
    """What was last known of it; None for holders that the kernel does not name."""
    utilisation: float | None
    """Share of the window's looks in which it held the write lock, 0..1; None without looks."""
    longest_hold_ns: int
    """Longest run of looks of the whole observation that found it holding the write lock, with no commit between."""
    longest_is_lower_bound: bool
    last_held_ns: int | None
    """Moment at which it was last seen holding the write lock."""
    waiting_for_ns: int | None
    """How long it has seemed to wait for a lock (inferred); None if it does not, or it cannot be told."""
    cpu: float | None
    """CPU time it used between the two newest looks, as a share of one core; None where it cannot be told."""
    is_open: bool
    """Whether it has the database open now, as far as can be seen."""
    hold_lengths: tuple[int, ...] = ()
    """How many of its holds a single look found, then how many fell between `LENGTH_EDGES_NS`; empty without one."""


class Lane(msgspec.Struct, frozen=True):
    """One process on the write-lock timeline: a value for each cell of `Observed.lane_period_ns`, oldest first."""

    pid: int
    held: tuple[float | None, ...]
    """Share of the cell's looks in which it held the write lock; None where nobody looked."""
    waiting: tuple[bool, ...]
    """Whether it seemed to wait for a lock (inferred from looks four times a second)."""
    process: Process | None = None
    """What was last known of it, also after it is gone."""


class BusyLog(msgspec.Struct, frozen=True):
    """Busy errors found in application logs since the observation began."""

    sources: tuple[str, ...]
    trouble: tuple[str, ...]
    """A sentence for each log that cannot be read."""
    counts: dict[LogKind, int]
    """Lines by meaning; busy errors are all but `slow` and `table locked`."""
    window_count: int
    """Busy errors of the window."""
    newest: tuple[LogLine, ...]
    """The newest lines, oldest first; a ring of bounded length."""

    @property
    def is_read(self) -> bool:
        """Whether there is a log to read, or was: only then a count of 0 means none."""
        return bool(self.sources or self.counts)

    @property
    def busy_errors(self) -> int:
        """SQLITE_BUSY in all its extended codes."""
        return sum(self.counts.get(kind, 0) for kind in BUSY_KINDS)


class Observed(msgspec.Struct, frozen=True):
    """What was seen of one database from outside."""

    database: str
    """Its path as it was given, printable."""
    sample_rate_hz: float
    absent: Absent | None = None
    """Why there is nothing to observe now; None if there is."""
    gone_since_ns: int | None = None
    """Moment since which a database that was there is missing; None if it is there or never was."""
    look: Look | None = None
    """The newest thorough look; None before the first one and while there is no database."""
    unheard_ns: int = 0
    """How old the newest thing is that was seen: the sampler says something ten times a second if it can."""
    window_ns: int = 0
    """How much time the window covers by now."""
    looks: int = 0
    """Looks of the window."""
    missed: int = 0
    """Looks of the window that were due and not taken because we were behind."""
    locks: tuple[HeldLock, ...] = ()
    pins: tuple[ReaderPin, ...] = ()
    """Readers that hold frames back now, the most frames first."""
    participants: tuple[Participant, ...] = ()
    """Those with the highest utilisation first, then by pid."""
    write_utilisation: float | None = None
    """Share of the window's looks in which anybody held the write lock, 0..1; None without looks, and while
    locking_mode=EXCLUSIVE keeps a WAL database for one process, which then takes no lock for a write."""
    utilisation_floor: float | None = None
    """The smallest share that the window's looks can tell from nothing: one look."""
    commits: int = 0
    """Commits of the whole observation."""
    commits_are_exact: bool = True
    """False if the counter began anew meanwhile, so that there may have been more."""
    window_commits: int = 0
    frames_per_s: float | None = None
    """WAL frames written a second in the window; None in rollback mode."""
    frames_per_commit: float | None = None
    """Pages that a commit of the window wrote on average; None without one."""
    least_backlog_frames: int | None = None
    """Fewest frames that were not copied into the database, over the last second; None before a second was seen."""
    backlog_growth_frames: int | None = None
    """Frames by which the backlog has grown since it last shrank or a reader was far behind; None if not known."""
    longest_hold: HeldRun | None = None
    """The longest hold of the write lock of the window that is not a mere run of short ones."""
    lane_period_ns: int = 0
    lane_end_ns: int = 0
    lanes: tuple[Lane, ...] = ()
    spans: tuple[LockSpan, ...] = ()
    """Holds and waits on the lanes, those that have ended first; a ring of bounded length."""
    busy: BusyLog | None = None
    """None if no log is read: busy errors are not visible then."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing has been seen for so long that the sampler must be stopped or starved."""
        return self.unheard_ns >= SILENT_NS

    @property
    def is_behind(self) -> bool:
        """Whether more than a tenth of the looks that were due were missed, once half a second of them was due."""
        due = self.looks + self.missed
        return self.absent is None and due * 2 >= self.sample_rate_hz and self.missed * 10 > due > 0

    def held(self, *names: LockName) -> tuple[HeldLock, ...]:
        """Return who holds any of these locks now."""
        return tuple(lock for lock in self.locks if lock.lock in names)

    def process(self, pid: int) -> Process | None:
        """Return what is known of a process that is at the database, or still has a lane."""
        participant = self.participant(pid)
        if participant is not None and participant.process is not None:
            return participant.process
        return next((lane.process for lane in self.lanes if lane.pid == pid), None)

    def participant(self, pid: int) -> Participant | None:
        """Return what is known of a process."""
        return next((participant for participant in self.participants if participant.pid == pid), None)
