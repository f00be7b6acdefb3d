"""The columns of the worker table: what each shows, and which stay when the terminal is narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from simulators.events import Role, WorkerState
from sqlwatch.charts import units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink
from sqlwatch.metrics.snapshot import Worker
from sqlwatch.tui.text import clean

_SHORT_STATE: Final = {WorkerState.CHECKPOINTING: "chkpoint", WorkerState.STARTING: "starting"}
_LONG_STATE: Final = {WorkerState.CHECKPOINTING: "checkpoint"}
_SHORT_ROLE: Final = {Role.SINGLE_WRITER: "single", Role.PINNED_READER: "pinned", Role.CHECKPOINTER: "chkpnt"}
_READERS: Final = (Role.READER, Role.PINNED_READER)
_BAR_FULL_SHARE: Final = 4.0
"""A share bar is full at this many times the fair share."""


Item = TypeVar("Item")


@dataclass(frozen=True)
class Column(Generic[Item]):
    """One column: `rank` says how early it goes when there is no room (0 never goes)."""

    heading: str
    width: int
    rank: int
    write: Callable[[Item], str]
    left: bool = False


def state_of(worker: Worker, *, short: bool = False, serves: bool = False) -> str:
    """Say what a worker is doing in one word; where a single writer serves, it alone holds the lock."""
    if worker.exit is not None:
        return "ended" if worker.exit == "ok" else "dead"
    if serves and worker.role is Role.WRITER and worker.state is WorkerState.HOLDING:
        return "served"
    return (_SHORT_STATE if short else _LONG_STATE).get(worker.state, worker.state.value)


def is_working(worker: Worker) -> bool:
    """Tell whether a worker takes part: not ended, and not put aside."""
    return worker.exit is None and worker.state not in (WorkerState.PARKED, WorkerState.ENDED, WorkerState.DEAD)


def note_of(worker: Worker) -> str:
    """Say what is remarkable about a worker: how it ended, that it starves, who waits for it."""
    if worker.exit is not None and worker.exit != "ok":
        return clean(worker.exit)
    if worker.starved:
        return "STARVED"
    if worker.role is Role.SINGLE_WRITER and is_working(worker):
        return f"queue {worker.queue_depth}"
    if worker.other_errors:
        return f"{units.count(worker.other_errors)} errors"
    return "was starved" if worker.was_starved else ""


def ink_of(worker: Worker) -> Ink:
    """Return the ink of a worker's row; the note says the same in words."""
    if worker.starved or (worker.exit is not None and worker.exit != "ok"):
        return Ink.WARNING
    if not is_working(worker):
        return Ink.MUTED
    if worker.role is Role.SINGLE_WRITER:
        return Ink.SINGLE_WRITER
    return Ink.STRONG if worker.state is WorkerState.HOLDING else Ink.TEXT


def _waiting(worker: Worker) -> str:
    return units.duration(worker.current_wait_ns) if worker.current_wait_ns > 0 and worker.exit is None else ""


def _commits(worker: Worker) -> str:
    done = {Role.READER: worker.reads, Role.PINNED_READER: worker.snapshots, Role.CHECKPOINTER: worker.checkpoints}
    return units.count(done.get(worker.role, worker.committed))


def _longest(worker: Worker) -> str:
    return units.duration(worker.longest_wait_ns) if worker.role is Role.WRITER else ""


def _share(worker: Worker) -> str:
    return units.share(worker.share) if worker.role is Role.WRITER else ""


def _busy(worker: Worker) -> str:
    return units.count(worker.busy_errors) if worker.role not in _READERS or worker.busy_errors else ""


def _role(worker: Worker) -> str:
    return _SHORT_ROLE.get(worker.role, worker.role.value)


NUMBER: Final = Column[Worker]("#", 3, 0, lambda worker: str(worker.id))
ROLE: Final = Column[Worker]("role", 6, 0, _role, left=True)
LONG_ROLE: Final = Column[Worker]("role", 13, 5, lambda worker: worker.role.value, left=True)
STATE: Final = Column[Worker]("state", 10, 0, state_of, left=True)
SHORT_STATE: Final = Column[Worker]("state", 8, 0, lambda worker: state_of(worker, short=True), left=True)
WAITING: Final = Column[Worker]("waits", 6, 0, _waiting)
COMMITS: Final = Column[Worker]("done", 4, 0, _commits)
SHARE: Final = Column[Worker]("share", 5, 2, _share)
LONGEST: Final = Column[Worker]("longest", 7, 1, _longest)
BUSY: Final = Column[Worker]("busy", 4, 3, _busy)
_SERVED: Final[dict[Column[Worker], Callable[[Worker], str]]] = {
    STATE: lambda worker: state_of(worker, serves=True),
    SHORT_STATE: lambda worker: state_of(worker, short=True, serves=True),
}
"""What the state says where a single writer serves."""
NOTE_WIDTH: Final = 7
NOTE_WIDE: Final = 11
BAR_LEAST: Final = 8


@dataclass(frozen=True)
class Layout:
    """The columns that fit, the width of the share bar (0: none), and of the note at the end."""

    columns: tuple[Column[Worker], ...]
    bar: int
    note: int


def columns_for(width: int, *, serves: bool = False) -> Layout:
    """Choose the columns for a table of `width` cells; one blank stands between columns and before the first.

    `serves` tells that a single writer serves the others.

    >>> [column.heading for column in columns_for(40).columns], columns_for(40).note
    (['#', 'role', 'state', 'waits', 'done'], 7)
    >>> [column.heading for column in columns_for(62).columns]
    ['#', 'role', 'state', 'waits', 'done', 'share', 'longest', 'busy']
    """
    columns = [NUMBER, ROLE, SHORT_STATE, WAITING, COMMITS]
    for column, before in ((LONGEST, None), (SHARE, LONGEST), (BUSY, None)):
        wider = [*columns]
        wider.insert(wider.index(before) if before in wider else len(wider), column)
        if _needed(wider) + NOTE_WIDTH + 1 > width:
            break
        columns = wider
    for short, wide in ((SHORT_STATE, STATE), (ROLE, LONG_ROLE)):
        wider = [wide if column is short else column for column in columns]
        if _needed(wider) + NOTE_WIDE + 1 <= width:
            columns = wider
    if serves:
        columns = [replace(column, write=_SERVED[column]) if column in _SERVED else column for column in columns]
    left = width - _needed(columns)
    bar = min(left - NOTE_WIDE - 2, 30) if left - NOTE_WIDE - 2 >= BAR_LEAST else 0
    return Layout(tuple(columns), bar, max(left - 1 - (bar + 1 if bar else 0), 0))


def _needed(columns: Sequence[Column[Worker]]) -> int:
    return 1 + sum(column.width + 1 for column in columns) - 1


def share_bar(worker: Worker, writers: int, width: int, glyphs: GlyphSet) -> str:
    """Draw a writer's share; the bar is full at four times the fair share."""
    if worker.share is None or worker.role is not Role.WRITER or not writers:
        return " " * width
    return glyphs.bar(min(worker.share * writers / _BAR_FULL_SHARE, 1.0), width)
