"""The fold of an observation: what samplers and log followers say in, Snapshots out.  Time comes with the messages."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from simulators.events import Tick
from sqlwatch.metrics.lock_spans import LockSpan, SpanKind
from sqlwatch.metrics.lock_story import LANE_PERIOD_NS, WINDOW_NS, LockStory
from sqlwatch.metrics.log_messages import BUSY_KINDS, LogKind, LogLine, LogMessage, LogSources
from sqlwatch.metrics.observations import (
    READ_LOCKS,
    Absent,
    Commits,
    Holder,
    JournalMode,
    LockKind,
    LockName,
    LockSample,
    Look,
    Message,
    Process,
    WalObservation,
)
from sqlwatch.metrics.observed import BusyLog, HeldLock, Observed, Participant, ReaderPin
from sqlwatch.metrics.snapshot import MarkKind, Snapshot, Status
from sqlwatch.metrics.timeline import CELLS, PERIOD_NS, TimelineBuilder
from sqlwatch.metrics.wal import WalStory

DEFAULT_CHECKPOINT_FRAMES: Final = 1000
"""SQLite's default for PRAGMA wal_autocheckpoint, in frames: what another process has set cannot be seen."""

NEWEST_LINES: Final = 200
BUSY_CELL_NS: Final = 100_000_000
"""Busy errors of the window are counted in cells of this length: a program may log any number of them."""
BACKLOG_NS: Final = 800_000_000
"""For so long a backlog must last to be one: a checkpoint that is under way needs some time too."""

ObservationInput = Message | LogMessage | Tick


class ObservationFold:
    """Folds the messages about one database, which may come and go."""

    def __init__(self, database: str, rate_hz: float, started_ns: int) -> None:
        self._database = database
        self._rate_hz = rate_hz
        self._own_cpu: float | None = None
        self._absent: Absent | None = None
        self._look: Look | None = None
        self._gone_since_ns: int | None = None
        self._sources: LogSources | None = None
        self._now_ns = self._heard_ns = started_ns
        self.restart(started_ns)

    def restart(self, at_ns: int) -> None:
        """Begin all statistics anew."""
        self._started_ns = at_ns
        self._locks = LockStory()
        self._wal = WalStory(DEFAULT_CHECKPOINT_FRAMES)
        self._timeline = TimelineBuilder()
        self._commits = 0
        self._commits_are_exact = True
        self._window: deque[Commits] = deque()
        self._copied_frames: int | None = None
        self._backlogs: deque[tuple[int, int | None]] = deque()
        self._backlog_at_first: int | None = None
        self._cpu: dict[int, tuple[int, int, float | None]] = {}
        self._known: dict[int, Process] = {}
        self._log_counts: dict[LogKind, int] = {}
        self._lines: deque[LogLine] = deque(maxlen=NEWEST_LINES)
        self._busy_cells: deque[tuple[int, int]] = deque()
        """Number and count of each cell with busy errors."""

    def add(self, message: ObservationInput) -> None:
        """Take in one message."""
        self._now_ns = max(self._now_ns, message.at_ns)
        if isinstance(message, LockSample | Look | Absent):
            self._heard_ns = max(self._heard_ns, message.at_ns)
        match message:
            case LockSample():
                if self._absent is None:  # looks at what is no database tell nothing
                    self._locks.add(message)
            case WalObservation():
                self._add_wal(message)
            case Commits():
                self._add_commits(message)
            case Look():
                self._add_look(message)
            case Absent():
                self._add_absent(message)
            case LogLine():
                self._add_line(message)
            case LogSources():
                self._sources = message
            case Tick():
                self._own_cpu = message.own_cpu if message.own_cpu is not None else self._own_cpu
        self._forget_old()

    def snapshot(self, status: Status, message: str | None = None) -> Snapshot:
        """Return all that is known at the time of the newest message."""
        now_ns = self._now_ns
        observed = self._observed(now_ns)
        passed_ns = observed.window_ns
        return Snapshot(
            at_ns=now_ns,
            status=status,
            elapsed_ns=now_ns - self._started_ns,
            commits_per_s=observed.window_commits * 1e9 / passed_ns if passed_ns else None,
            wal=self._wal.freeze(now_ns),
            timeline=self._timeline.freeze(now_ns),
            own_cpu=self._own_cpu,
            message=message,
            observation=observed,
            started_ns=self._started_ns,
        )

    # Messages.

    def _forget_old(self) -> None:
        """Let go of what the window has left behind, however seldom a Snapshot is asked for."""
        while self._window and self._window[0].since_ns < self._heard_ns - WINDOW_NS:
            self._window.popleft()
        since_ns = self._now_ns - WINDOW_NS
        while self._busy_cells and (self._busy_cells[0][0] + 1) * BUSY_CELL_NS <= since_ns:
            self._busy_cells.popleft()

    def _add_wal(self, observation: WalObservation) -> None:
        resets, _ = self._wal.add(observation)
        if resets:
            self._timeline.mark(observation.at_ns, MarkKind.WAL_RESET, "the WAL starts again from its beginning")
        before, copied = self._copied_frames, observation.backfilled_frames
        self._copied_frames = copied
        if before is not None and copied is not None and copied > before:
            words = f"checkpoint {copied} of {observation.live_frames} frames"
            self._timeline.mark(observation.at_ns, MarkKind.CHECKPOINT, words)
        wal = self._wal
        self._backlogs.append((observation.at_ns, wal.backlog_frames))
        while len(self._backlogs) > 1 and self._backlogs[1][0] <= observation.at_ns - BACKLOG_NS:
            self._backlogs.popleft()
        self._note_growth(observation)
        self._timeline.add_wal(observation.at_ns, wal.file_bytes, wal.live_frames, wal.backlog_frames)

    def _add_commits(self, message: Commits) -> None:
        self._commits += message.commits
        self._commits_are_exact = self._commits_are_exact and message.is_exact
        self._window.append(message)
        span_ns = message.at_ns - message.since_ns
        steps = min(max(span_ns // PERIOD_NS, 1), CELLS)
        for step in range(1, steps + 1):  # what came while nobody looked had its rate on average
            commits = message.commits * step // steps - message.commits * (step - 1) // steps
            self._timeline.add_counts(message.since_ns + span_ns * step // steps, commits, 0, 0)

    def _add_look(self, look: Look) -> None:
        if self._absent is not None:
            self._timeline.mark(look.at_ns, MarkKind.DATABASE, "the database is there")
        self._absent, self._look, self._gone_since_ns = None, look, None
        self._locks.add_waiters(look.at_ns, look.waiters)
        seen_lately = self._locks.on_lanes | self._locks.waiters.keys()
        self._known = {pid: process for pid, process in self._known.items() if pid in seen_lately}
        before, self._cpu = self._cpu, {}
        for process in look.processes:
            self._known[process.pid] = process
            if process.cpu_ns is not None:
                at_ns, used_ns, _ = before.get(process.pid, (look.at_ns, process.cpu_ns, None))
                passed_ns = look.at_ns - at_ns
                share = max(process.cpu_ns - used_ns, 0) / passed_ns if passed_ns else None
                self._cpu[process.pid] = (look.at_ns, process.cpu_ns, share)

    def _add_absent(self, absent: Absent) -> None:
        if self._look is not None:
            self._timeline.mark(absent.at_ns, MarkKind.DATABASE, "the database is gone")
            self._gone_since_ns = absent.at_ns
        self._absent, self._look = absent, None
        self._copied_frames = None
        self._window.clear()
        self._backlogs.clear()
        self._backlog_at_first = None
        self._cpu.clear()
        self._locks.forget_now()
        self._wal.forget_now()

    def _add_line(self, line: LogLine) -> None:
        self._log_counts[line.kind] = self._log_counts.get(line.kind, 0) + 1
        self._lines.append(line)
        if line.kind in BUSY_KINDS:
            cell = line.at_ns // BUSY_CELL_NS
            before = self._busy_cells.pop()[1] if self._busy_cells and self._busy_cells[-1][0] == cell else 0
            self._busy_cells.append((cell, before + 1))
            self._timeline.add_counts(line.at_ns, 0, 0, 1)

    # Views.

    def _observed(self, now_ns: int) -> Observed:
        seen_ns = self._heard_ns
        locks, look = self._locks, self._look
        commits = sum(message.commits for message in self._window)
        frames = [message.frames for message in self._window if message.frames is not None]
        window_ns = locks.window_ns
        lane_end_ns, lanes = locks.lanes(now_ns, self._known)
        is_wal_known = bool(frames) or (look is not None and look.wal.live_frames is not None)
        return Observed(
            database=self._database,
            sample_rate_hz=self._rate_hz,
            absent=self._absent,
            gone_since_ns=self._gone_since_ns,
            look=look,
            unheard_ns=max(now_ns - seen_ns, 0),
            window_ns=window_ns,
            looks=locks.looks,
            missed=locks.missed,
            locks=_held_locks(look) if look is not None else (),
            pins=_pins(look) if look is not None else (),
            participants=self._participants(seen_ns),
            write_utilisation=locks.utilisation if look is None or not _is_shut(look) else None,
            utilisation_floor=1 / locks.looks if locks.looks else None,
            commits=self._commits,
            commits_are_exact=self._commits_are_exact,
            window_commits=commits,
            frames_per_s=sum(frames) * 1e9 / window_ns if window_ns and is_wal_known else None,
            frames_per_commit=sum(frames) / commits if commits and frames else None,
            least_backlog_frames=self._least_backlog(),
            backlog_growth_frames=self._backlog_growth(),
            longest_hold=locks.longest_of_window(seen_ns),
            lane_period_ns=LANE_PERIOD_NS,
            lane_end_ns=lane_end_ns,
            lanes=lanes,
            spans=_as_looked_at(locks.spans(now_ns), look),
            busy=self._busy_log(),
        )

    def _least_backlog(self) -> int | None:
        if not self._backlogs or self._backlogs[-1][0] - self._backlogs[0][0] < BACKLOG_NS:
            return None
        known = [frames for _, frames in self._backlogs if frames is not None]
        return min(known) if len(known) == len(self._backlogs) else None

    def _note_growth(self, observation: WalObservation) -> None:
        """Count from here where a checkpoint has run (the backlog shrank), or where a reader kept it from running."""
        now = self._wal.backlog_frames
        before = self._backlogs[-2][1] if len(self._backlogs) > 1 else None
        has_shrunk = before is not None and now is not None and now < before
        live = observation.live_frames or 0
        is_kept = any(mark.held and live - mark.frame >= DEFAULT_CHECKPOINT_FRAMES for mark in observation.marks)
        if now is None or has_shrunk or is_kept or self._backlog_at_first is None:
            self._backlog_at_first = now

    def _backlog_growth(self) -> int | None:
        now = self._wal.backlog_frames
        return None if now is None or self._backlog_at_first is None else now - self._backlog_at_first

    def _participants(self, seen_ns: int) -> tuple[Participant, ...]:
        look, locks = self._look, self._locks
        open_by = {file.pid for file in (look.open_files or ())} if look is not None else set()
        present = {process.pid for process in look.processes} if look is not None else set()
        waiters = locks.waiters
        pids = {*present, *locks.holders, *waiters, *open_by}
        participants = []
        for pid in pids:
            longest = locks.longest_of(pid)
            since_ns = waiters.get(pid)
            participants.append(
                Participant(
                    pid=pid,
                    process=self._known.get(pid),
                    utilisation=locks.utilisation_of(pid),
                    longest_hold_ns=longest.until_ns - longest.since_ns if longest is not None else 0,
                    longest_is_lower_bound=longest is not None and longest.is_lower_bound,
                    last_held_ns=locks.last_held_ns(pid),
                    waiting_for_ns=seen_ns - since_ns if since_ns is not None else None,
                    cpu=self._cpu[pid][2] if pid in self._cpu else None,
                    is_open=pid in open_by or pid in present,
                    hold_lengths=locks.lengths_of(pid),
                )
            )
        return tuple(sorted(participants, key=lambda one: (-(one.utilisation or 0.0), one.pid)))

    def _busy_log(self) -> BusyLog | None:
        if self._sources is None:
            return None
        return BusyLog(
            sources=self._sources.paths,
            trouble=self._sources.trouble,
            counts=dict(self._log_counts),
            window_count=sum(count for _, count in self._busy_cells),
            newest=tuple(self._lines),
        )


def _as_looked_at(spans: tuple[LockSpan, ...], look: Look | None) -> tuple[LockSpan, ...]:
    """End a hold that goes on where a newer look at all locks did not find it: both stand in one picture."""
    if look is None:
        return spans
    now = {one.pid for one in look.holders}
    return tuple(
        msgspec.structs.replace(span, goes_on=False)
        if span.goes_on and span.kind is SpanKind.HELD and span.until_ns < look.at_ns and span.pid not in now
        else span
        for span in spans
    )


def _is_shut(look: Look) -> bool:
    """Tell whether somebody keeps a WAL database to himself, so that his writes take no lock that could be seen."""
    is_wal = look.facts.journal_mode is JournalMode.WAL
    return is_wal and any(one.lock is LockName.EXCLUSIVE for one in look.holders)


def _held_locks(look: Look) -> tuple[HeldLock, ...]:
    return tuple(
        HeldLock(one.lock, one.kind, one.pid, look.at_ns - one.since_ns, one.is_lower_bound, one.frame)
        for one in look.holders
    )


def _pins(look: Look) -> tuple[ReaderPin, ...]:
    """Return who holds frames back: a read mark pins only while its lock is held."""
    live, copied = look.wal.live_frames, look.wal.backfilled_frames
    if live is None or copied is None:
        return ()
    pins = []
    for one in look.holders:
        if one.kind is LockKind.SHARED and one.lock in READ_LOCKS:
            slot = READ_LOCKS.index(one.lock)
            pin = _pin(one, slot, copied if slot == 0 else one.frame, live, look.at_ns)
            pins += [pin] if pin is not None else []
    return tuple(sorted(pins, key=lambda pin: (-pin.frames_held_back, pin.pid)))


def _pin(holder: Holder, slot: int, frame: int | None, live: int, at_ns: int) -> ReaderPin | None:
    if frame is None or frame >= live:
        return None
    held_ns = at_ns - holder.since_ns
    return ReaderPin(holder.pid, slot, frame, held_ns, holder.is_lower_bound, live - frame)
