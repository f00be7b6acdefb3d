"""The columns of the process table: what each shows, and which stay when the terminal is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlwatch.charts import units
from sqlwatch.metrics.observations import JournalMode, LockName
from sqlwatch.metrics.observed import Observed, Participant
from sqlwatch.tui.columns import Column
from sqlwatch.tui.panel import clipped
from sqlwatch.tui.text import clean
from sqlwatch.tui.watch_words import (
    doing_words,
    holder_words,
    lasting_pins,
    lock_word,
    longest_words,
    pid_words,
    short_command,
    state_words,
    waited_words,
)

_SHORT: Final = {"checkpoint": "chkpt", "exclusive": "excl"}


@dataclass(frozen=True)
class ProcessRow:
    """A process at the database, with what the table shows of it beside the participant."""

    one: Participant
    holds: str
    pinned_frames: int | None
    can_see_waiters: bool
    is_looked_at: bool
    """Whether it was looked at just now; nobody is while there is no database."""

    @property
    def is_gone(self) -> bool:
        """Whether it has left the database."""
        return self.is_looked_at and not self.one.is_open and self.one.pid > 0


def process_rows(observed: Observed) -> list[ProcessRow]:
    """Return the processes: by share of the write lock in tenths, so that equals keep their places, then waiters."""
    sees = observed.look is not None and observed.look.waiters is not None
    is_wal = observed.look is not None and observed.look.facts.journal_mode is JournalMode.WAL
    rows = []
    for one in observed.participants:
        held = [lock.lock for lock in observed.locks if lock.pid == one.pid]
        held.sort(key=lambda lock: lock is not LockName.EXCLUSIVE)  # the strongest one first
        told = [lock for lock in held if lock is not LockName.DMS and not (lock is LockName.SHARED and is_wal)]
        words = dict.fromkeys(_SHORT.get(lock_word(lock), lock_word(lock)) for lock in told)
        pins = [pin.frames_held_back for pin in lasting_pins(observed) if pin.pid == one.pid]
        rows.append(ProcessRow(one, " ".join(words), max(pins, default=None), sees, observed.look is not None))
    return sorted(rows, key=_rank)


def _rank(row: ProcessRow) -> tuple[int, bool, bool, bool, int]:
    share = row.one.utilisation or 0.0
    return (-round(share * 10), row.one.waiting_for_ns is None, row.pinned_frames is None, row.is_gone, row.one.pid)


def _command(row: ProcessRow) -> str:
    return short_command(row.one.process) if row.one.pid > 0 else holder_words(row.one.pid, None)


def _waits(row: ProcessRow) -> str:
    if row.one.waiting_for_ns is not None:
        return waited_words(row.one.waiting_for_ns)
    return "" if row.can_see_waiters else units.UNKNOWN


def _user(row: ProcessRow) -> str:
    process = row.one.process
    return clean(process.user) if process is not None and process.user else units.UNKNOWN


def _state(row: ProcessRow) -> str:
    if row.is_gone:
        return "gone"
    return state_words(row.one.process) if row.is_looked_at else units.UNKNOWN


def _does(row: ProcessRow) -> str:
    return doing_words(row.one.process) if row.is_looked_at and not row.is_gone else ""


def _pins(row: ProcessRow) -> str:
    return units.count(row.pinned_frames) if row.pinned_frames is not None else ""


PID: Final = Column[ProcessRow]("pid", 7, 0, lambda row: pid_words(row.one.pid))
COMMAND: Final = Column[ProcessRow]("command", 9, 0, _command, left=True)
SHARE: Final = Column[ProcessRow]("lock", 5, 0, lambda row: units.share(row.one.utilisation))
WAITS: Final = Column[ProcessRow]("waits", 7, 1, _waits)
HOLDS: Final = Column[ProcessRow]("holds", 10, 2, lambda row: row.holds, left=True)
LONGEST: Final = Column[ProcessRow]("longest", 7, 3, lambda row: longest_words(row.one))
PINS: Final = Column[ProcessRow]("pins", 4, 4, _pins)
STATE: Final = Column[ProcessRow]("state", 8, 5, _state, left=True)
DOES: Final = Column[ProcessRow]("does", 14, 7, _does, left=True)
CPU: Final = Column[ProcessRow]("cpu", 5, 6, lambda row: units.share(row.one.cpu))
USER: Final = Column[ProcessRow]("user", 8, 8, _user, left=True)
_ALL: Final = (PID, COMMAND, USER, STATE, CPU, HOLDS, SHARE, LONGEST, WAITS, PINS, DOES)


@dataclass(frozen=True)
class Cell:
    """A column with the width it got."""

    column: Column[ProcessRow]
    width: int

    def text(self, row: ProcessRow) -> str:
        """Write the value of a row, cut or filled to the width."""
        value = clipped(self.column.write(row), self.width)
        return f"{value:<{self.width}}" if self.column.left else f"{value:>{self.width}}"

    @property
    def heading(self) -> str:
        """Name of the column, at the side of its values."""
        name = self.column.heading[: self.width]
        return f"{name:<{self.width}}" if self.column.left else f"{name:>{self.width}}"


def cells_for(width: int) -> list[Cell]:
    """Choose the columns for a table of `width` cells; a blank stands before each.  What is left over goes to words.

    >>> [cell.column.heading for cell in cells_for(40)]
    ['pid', 'command', 'lock', 'waits']
    >>> sum(cell.width + 1 for cell in cells_for(120))
    120
    """
    columns: Sequence[Column[ProcessRow]] = _ALL
    while len(columns) > 3 and _needed(columns) > width:
        last = max(columns, key=lambda column: column.rank)
        columns = [column for column in columns if column is not last]
    left = max(width - _needed(columns), 0)
    wordy = [column for column in (COMMAND, DOES) if column in columns]
    widths = {column.heading: column.width for column in columns}
    for index, column in enumerate(wordy):
        widths[column.heading] += left // len(wordy) + (left % len(wordy) if index == 0 else 0)
    return [Cell(column, widths[column.heading]) for column in columns]


def _needed(columns: Sequence[Column[ProcessRow]]) -> int:
    return sum(column.width + 1 for column in columns)
