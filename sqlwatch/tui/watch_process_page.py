"""All that is known of one process at the database, as a page of detail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.lanes import lane_cells
from sqlwatch.charts.segment import Ink
from sqlwatch.metrics.observations import JournalMode, LockName, LostLocks, OpenFile, Process
from sqlwatch.metrics.observed import HeldLock, Observed, Participant
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.findings_panel import INKS, WORDS, since_words
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import NEWEST, View
from sqlwatch.tui.watch_hold_lines import length_lines, newest_lines
from sqlwatch.tui.watch_timeline_panel import WRITING, lane_of
from sqlwatch.tui.watch_words import age_words, command_of, doing_words, holder_words, longest_words, state_words

_LANE_CELLS: Final = 60
_MEANINGS: Final = {
    LockName.WRITE: "may append to the WAL: the only writer",
    LockName.CHECKPOINT: "copies frames from the WAL into the database",
    LockName.RECOVER: "rebuilds the -shm after a crash",
    LockName.READ0: "a reader that needs nothing of the WAL",
    LockName.DMS: "has the -shm open",
    LockName.PENDING: "lets no new reader in, and waits for the last ones",
    LockName.RESERVED: "will write; others may still read",
    LockName.EXCLUSIVE: "nobody else may read or write",
}


def process_page(pid: int) -> Callable[[View], Page]:
    """Return a way to make the page of a process from a View."""
    return partial(_page, pid)


def _page(pid: int, view: View) -> Page:
    observed = view.observation
    participant = observed.participant(pid) if observed is not None else None
    if observed is None or participant is None:
        gone = line("", "It is not at the database any more: it has closed it, or ended.")
        return (Section(f"Process {pid}", Ink.STRONG, (gone,)),)
    process = participant.process
    is_gone = observed.look is not None and not participant.is_open and pid > 0
    sections = [
        Section(
            f"Process {holder_words(pid, process, brief=True)}", Ink.STRONG, _identity(participant, is_gone=is_gone)
        ),
        Section("What it did last" if is_gone else "What it is doing", Ink.STRONG, _activity(process)),
        Section("The write lock", Ink.STRONG, _write_lock(view, observed, participant)),
        Section(
            "How long its holds were at least, since we look", Ink.STRONG, length_lines(participant, observed, view)
        ),
        Section("Its newest holds and waits", Ink.STRONG, newest_lines(pid, observed, view)),
        Section("Locks it holds now", Ink.STRONG, _locks(observed, pid)),
        Section("Its open files of this database", Ink.STRONG, _files(observed, pid)),
    ]
    lost = [one for one in observed.look.lost_locks if one.pid == pid] if observed.look is not None else []
    if lost:
        sections.insert(1, Section("LOST LOCKS", Ink.WARNING, tuple(_lost(one) for one in lost)))
    found: list[Line] = []
    for one in view.findings:
        if one.pid == pid:
            age = f"{since_words(one)}  " if one.since_s is not None else ""
            found.append(line(WORDS[one.severity], f"{age}{clean(one.summary)}", INKS[one.severity]))
            found += [line("", clean(step)) for step in one.remedy.splitlines()]
    if found:
        sections.insert(1, Section("Findings about it, and what to do", Ink.STRONG, tuple(found)))
    return tuple(sections)


def _identity(one: Participant, *, is_gone: bool) -> tuple[Line, ...]:
    process = one.process
    if process is None:
        return (line("", "Nothing more is known: it is gone, or the kernel does not name it."),)
    started = process.started_at_s
    when = datetime.fromtimestamp(started).strftime("%Y-%m-%d %H:%M:%S") if started is not None else units.UNKNOWN
    state = f"{state_words(process)} ({clean(process.state)})" if process.state else units.UNKNOWN
    if is_gone:
        state = f"gone; it was {state_words(process)}"
    warning = process.state in ("T", "t", "Z")
    return (
        line("command", command_of(process)),
        line("user", clean(process.user or units.UNKNOWN)),
        line("state", state, Ink.WARNING if warning else Ink.TEXT),
        line("threads", units.count(process.threads)),
        line("CPU", f"{units.share(one.cpu)} of a core now, {units.duration(process.cpu_ns)} since it started"),
        line("started", when),
    )


def _activity(process: Process | None) -> tuple[Line, ...]:
    activity = process.activity if process is not None else None
    if activity is None:
        return (line("", "Not visible."),)
    if activity.is_denied:
        lines = [line("now", "not visible: needs root or the same user")]
    else:
        lines = [line("now", doing_words(process), Ink.STRONG)]
        lines.append(line("system calls", clean(", ".join(activity.calls)) or units.UNKNOWN))
    for label, value in (
        ("other end", activity.peer), ("file", activity.target), ("kernel function", activity.wait_channel),
    ):  # fmt: skip
        if value is not None:
            lines.append(line(label, clean(value)))
    return tuple(lines)


def _write_lock(view: View, observed: Observed, one: Participant) -> tuple[Line, ...]:
    now_ns = view.snapshot.at_ns if view.snapshot is not None else 0
    held = f"{units.duration(now_ns - one.last_held_ns)} ago" if one.last_held_ns is not None else "never seen"
    if any(lock.pid == one.pid for lock in observed.held(*WRITING)):
        held = "now"
    share = f"{units.share(one.utilisation)} of the last {units.duration(observed.window_ns)}"
    floor = units.share(observed.utilisation_floor)
    waiting = f"for {units.duration(one.waiting_for_ns)}, it seems (inferred from how it sleeps)"
    lines = [
        line("held", f"{share} ({units.count(observed.looks)} looks; {floor} is the least that can be told)"),
        line("longest hold", longest_words(one).replace(">", "at least ")),
        line("last held", held),
        line("waiting", waiting if one.waiting_for_ns is not None else _not_waiting(observed)),
    ]
    lane = next((lane for lane in observed.lanes if lane.pid == one.pid), None)
    if lane is not None:
        columns = _LANE_CELLS * view.glyphs.columns
        cells = lane_cells(lane_of(observed, lane, columns, replace(view, past=NEWEST)), view.glyphs)
        signs = view.glyphs
        key = f"{signs.hold_signs} holds  {signs.waiting} waits  {signs.idle} neither; now is at the right"
        lines += [Line("lately", cells), line("", key, Ink.MUTED)]
    return tuple(lines)


def _not_waiting(observed: Observed) -> str:
    if observed.look is None or observed.look.waiters is None:
        return "not visible: needs root or the same user"
    return "no, as far as can be inferred"


def _locks(observed: Observed, pid: int) -> tuple[Line, ...]:
    lines = [
        line(held.lock.value, f"{held.kind.value}, for {age_words(held)}; {_meaning(held, observed)}")
        for held in observed.locks
        if held.pid == pid
    ]
    for pin in observed.pins:
        if pin.pid == pid:
            words = (
                f"holds back {pin.frames_held_back:,} frames (it sees up to frame {pin.frame:,}), for {age_words(pin)}"
            )
            lines.append(line("PINS", words, Ink.WARNING))
    return tuple(lines) or (line("", "None."),)


def _meaning(held: HeldLock, observed: Observed) -> str:
    if held.lock is LockName.SHARED:
        is_wal = observed.look is None or observed.look.facts.journal_mode is JournalMode.WAL
        return "has the database open" if is_wal else "reads the database"
    if held.lock in _MEANINGS:
        return _MEANINGS[held.lock]
    frame = f"sees the WAL up to frame {held.frame:,}" if held.frame is not None else "frame unknown"
    return f"a reader: {frame}"


def _files(observed: Observed, pid: int) -> tuple[Line, ...]:
    files = observed.look.open_files if observed.look is not None else None
    if files is None:
        return (line("", "Not visible here."),)
    return tuple(_file(one) for one in files if one.pid == pid) or (line("", "None that can be seen."),)


def _file(one: OpenFile) -> Line:
    how = {True: "open for writing", False: "open for reading", None: "open"}[one.is_writable]
    if one.is_deleted:
        return line(one.role.value, f"DELETED, yet {how}: what it writes there is lost", Ink.WARNING)
    if not one.is_current:
        return line(one.role.value, f"REPLACED, yet {how}: another file has this name now", Ink.WARNING)
    return line(one.role.value, how)


def _lost(one: LostLocks) -> Line:
    missing = ", ".join(lock.value for lock in one.missing)
    if one.forked_from is not None:
        words = f"It was forked from process {one.forked_from}, which has the connection; using it here does harm."
    else:
        words = "It opened and closed one of the database's files by itself, which dropped its locks."
    return line("", f"Without {missing} though it has the -shm open. {words}", Ink.WARNING)
