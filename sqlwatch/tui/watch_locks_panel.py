"""Who holds which lock now, since when, what it is doing, and who seems to wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.metrics.observations import READ_LOCKS, Hidden, JournalMode, LockName, Process
from sqlwatch.metrics.observed import HeldLock, Observed
from sqlwatch.tui.panel import Panel, clipped, cut
from sqlwatch.tui.text import clean, wrapped
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import LASTING_NS, age_words, doing_words, holder_words, lasting_pins, waited_words

_NAME_WIDTH: Final = 11
_AGE_WIDTH: Final = 7
_FREE: Final = "free"
_WAL_LOCKS: Final = (
    ("write", LockName.WRITE), ("checkpoint", LockName.CHECKPOINT), ("exclusive", LockName.EXCLUSIVE),
    ("recover", LockName.RECOVER),
)  # fmt: skip
_ROLLBACK_LOCKS: Final = (
    ("exclusive", LockName.EXCLUSIVE), ("pending", LockName.PENDING), ("reserved", LockName.RESERVED),
)  # fmt: skip


_TOLD_RANK: Final = 12
"""Of a lock that says nothing new: it has a row where all others have one."""
_WRITING: Final = (LockName.WRITE, LockName.RESERVED, LockName.PENDING, LockName.EXCLUSIVE)
"""A writer holds a read lock, too: that makes it no reader."""


@dataclass(frozen=True)
class _Line:
    """One row: a lock, how long, who, and what the holder does; the lowest `rank` stays where rows are few."""

    name: str
    age: str
    who: str
    doing: str
    ink: Ink
    rank: int
    stays: bool = False
    """Whether it has been so for a second or more."""


class LocksPanel(Panel):
    """Locks now."""

    TITLE = "Locks now"
    EXPLANATION = "since when, who, what it does; > means longer than we have been looking"

    def facts(self, view: View) -> list[Row]:
        """Count who has the database open."""
        observed = view.observation
        if observed is None or observed.look is None:
            return []
        users = sum(one.is_open for one in observed.participants)
        return [
            (Segment(f"open in {users} process{'es' * (users != 1)}", Ink.MUTED),),
            (Segment("> longer than we have looked", Ink.MUTED),),
        ]

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return a row for each lock as far as they fit: held ones first."""
        observed = view.observation
        if observed is None:
            return [_plain("starting: nothing has been seen yet")]
        if observed.absent is not None:
            return _absent_rows(clean(observed.absent.sentence), width, height)
        if observed.look is None:
            return [_plain("starting: nothing has been seen yet")]
        if Hidden.LOCKS in observed.look.hidden and not observed.locks:
            return [_plain(f"not visible; {clean(Hidden.LOCKS.value)}")]
        lines = _joined(_lines(observed), width, height)
        kept = sorted(lines, key=lambda line: line.rank)[:height]
        return [_row(line, width) for line in lines if line in kept]


def _absent_rows(sentence: str, width: int, height: int) -> list[Row]:
    """Return why there is no database, and that we wait for it."""
    waiting = "waiting for it to appear"
    if height == 1:
        return [_plain(cut(f"{waiting}: {sentence}", width - 1), Ink.WARNING)]
    rows = [_plain(text, Ink.WARNING) for text in wrapped(sentence, max(width - 1, 1), height - 1)]
    return [*rows, _plain(waiting)]


def _lines(observed: Observed) -> list[_Line]:
    """Return the rows in the order in which they are shown."""
    look = observed.look
    is_wal = look is None or look.facts.journal_mode is JournalMode.WAL
    locks = _WAL_LOCKS if is_wal else _ROLLBACK_LOCKS
    lines = []
    stronger: set[int] = set()
    for index, (name, lock) in enumerate(locks):
        held = observed.held(lock)
        line = _lock_line(observed, name, held, index)
        if lock is LockName.WRITE and not held and observed.held(LockName.EXCLUSIVE):
            line = replace(line, who="shut out by the exclusive lock")
        told = held and all(one.pid in stronger for one in held)  # RESERVED and PENDING of whoever has EXCLUSIVE
        lines.append(replace(line, rank=_TOLD_RANK + index) if told and not is_wal else line)
        stronger.update(one.pid for one in held)
    lines.insert(1 if is_wal else len(lines), _waiting_line(observed))
    pinning = {pin.pid for pin in lasting_pins(observed)}
    writing = {held.pid for held in observed.held(*_WRITING)} - pinning
    reading = observed.held(*READ_LOCKS) if is_wal else observed.held(LockName.SHARED)
    readers = [held for held in reading if held.pid not in writing]
    lines.insert(2 if is_wal else len(lines), _readers_line(observed, readers))
    return lines


def _joined(lines: list[_Line], width: int, height: int) -> list[_Line]:
    """Join the free locks below the first into one row, and let the doing of a writer that stays have its own.

    A row that came and went with every short hold would make all rows below it jump.
    """
    free = [line for line in lines[1:] if line.who == _FREE]
    result = [line for line in lines if line not in free]
    if free:
        names = ", ".join(line.name for line in free)
        result.append(_Line(_FREE, "", names, "", Ink.MUTED, min(line.rank for line in free)))
    first = result[0]
    needed = len(first.who) + len(first.doing) + 2
    if first.doing and first.stays and len(result) < height and needed > _room(width):
        result[:1] = [replace(first, doing=""), _Line("", "", first.doing, "", Ink.TEXT, first.rank)]
    return result


def _room(width: int) -> int:
    """Return the cells right of name and age."""
    return max(width - _NAME_WIDTH - _AGE_WIDTH - 2, 0)


def _lock_line(observed: Observed, name: str, held: Sequence[HeldLock], index: int) -> _Line:
    if not held:
        return _Line(name, "", _FREE, "", Ink.MUTED, 10 + index if index else 4)
    first = max(held, key=lambda lock: lock.held_ns)
    process = _process_of(observed, first.pid)
    who = holder_words(first.pid, process)
    if len(held) > 1:
        who = f"{who} and {len(held) - 1} more"
    doing = doing_words(process)
    stays = first.held_ns >= LASTING_NS
    return _Line(
        name, age_words(first, brief=True), who, "" if doing == units.UNKNOWN else doing, Ink.STRONG, index, stays
    )


def _waiting_line(observed: Observed) -> _Line:
    """Say who seems to wait, the longest first; unknown where sleeps cannot be read."""
    waiting = [one for one in observed.participants if one.waiting_for_ns is not None]
    if not waiting:
        unseen = observed.look is not None and observed.look.waiters is None
        return _Line("waiting", "", "not visible" if unseen else "nobody", "", Ink.MUTED, 9)
    waiting.sort(key=lambda one: -(one.waiting_for_ns or 0))
    names = ", ".join(holder_words(one.pid, one.process, brief=True) for one in waiting)
    words = f"{names} (inferred)" if len(waiting) == 1 else f"{len(waiting)} (inferred): {names}"
    return _Line("waiting", waited_words(waiting[0].waiting_for_ns), words, "", Ink.WAITS, 5)


def _readers_line(observed: Observed, readers: Sequence[HeldLock]) -> _Line:
    """Count the readers, and name the one that holds back most, or the oldest."""
    if not readers:
        return _Line("readers", "", "none", "", Ink.MUTED, 8)
    count = f"{len(readers)} reader{'s' * (len(readers) != 1)}"
    if pins := lasting_pins(observed):
        pin = pins[0]
        who = holder_words(pin.pid, _process_of(observed, pin.pid), brief=True)
        pinned = f"{who} PINS {units.count(pin.frames_held_back)} frame{'s' * (pin.frames_held_back != 1)}"
        return _Line("readers", age_words(pin, brief=True), f"{count}; {pinned}", "", Ink.STRONG, 6)
    oldest = max(readers, key=lambda lock: lock.held_ns)
    who = holder_words(oldest.pid, _process_of(observed, oldest.pid), brief=True)
    words = f"{count}: {who}" if len(readers) == 1 else f"{count}, the oldest {who}"
    return _Line("readers", age_words(oldest, brief=True), words, "", Ink.TEXT, 6)


def _process_of(observed: Observed, pid: int) -> Process | None:
    participant = observed.participant(pid)
    return participant.process if participant is not None else None


def _row(line: _Line, width: int) -> Row:
    """Return name, age and who; what it does stands at the right of a column of its own where there is room."""
    room = _room(width)
    name = Segment(f" {line.name:<{_NAME_WIDTH}}", Ink.MUTED)
    age = Segment(f"{line.age:>{_AGE_WIDTH}} ", line.ink)
    if not line.doing or room < 24:
        return (name, age, Segment(clipped(line.who, room), line.ink))
    doing = clipped(line.doing, max(room - len(line.who) - 2, room // 2))
    who = clipped(line.who, room - len(doing) - 2)
    return fitted((name, age, Segment(who, line.ink), Segment(f"  {doing}", Ink.TEXT)), width)


def _plain(text: str, ink: Ink = Ink.MUTED) -> Row:
    return (Segment(f" {text}", ink),)
