"""Series over time in cells of equal length, and the marks that belong on their axis; both are rings."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

from sqlwatch.metrics.snapshot import Mark, MarkKind, Pause, Timeline

PERIOD_NS: Final = 500_000_000
CELLS: Final = 1200
"""Cells kept: ten minutes."""

MARKS: Final = 500
LATENESS_NS: Final = 200_000_000
"""A cell is complete when its end is this long past: batches come up to 150 ms after what they tell of."""


class _Cell:
    """One period's values."""

    __slots__ = ("backlog_frames", "busy_errors", "commits", "live_frames", "reads", "wal_bytes")

    def __init__(self) -> None:
        self.commits = self.reads = self.busy_errors = 0
        self.wal_bytes: int | None = None
        self.live_frames: int | None = None
        self.backlog_frames: int | None = None

    def add_wal(self, file_bytes: int | None, live_frames: int | None, backlog_frames: int | None) -> None:
        """Keep the largest values."""
        self.wal_bytes = _larger(self.wal_bytes, file_bytes)
        self.live_frames = _larger(self.live_frames, live_frames)
        self.backlog_frames = _larger(self.backlog_frames, backlog_frames)


class TimelineBuilder:
    """The mutable side of `Timeline`."""

    def __init__(self) -> None:
        self._first = 0
        self._cells: deque[_Cell] = deque()
        self._marks: deque[Mark] = deque(maxlen=MARKS)
        self._last_mark_cell: dict[MarkKind, int] = {}
        self._pauses: deque[Pause] = deque(maxlen=MARKS)
        self._wal: tuple[int | None, int | None, int | None] = (None, None, None)
        """What the newest look at the WAL saw."""
        self._wal_ns = 0
        self._frozen: Timeline | None = None
        """What was returned last, until something in it changes."""

    def add_batch(self, since_ns: int, until_ns: int, commits: int, reads: int, busy_errors: int) -> None:
        """Add what a batch counted, a share of it to the cell in which it began.

        A batch longer than a cell tells little of when that was: its counts go where it ended.
        """
        begin_ns, length_ns = until_ns - until_ns % PERIOD_NS, until_ns - since_ns
        before = 0.0 if length_ns > PERIOD_NS else max(begin_ns - since_ns, 0) / max(length_ns, 1)
        if not before:
            self.add_counts(until_ns, commits, reads, busy_errors)
            return
        parts = round(commits * before), round(reads * before), round(busy_errors * before)
        self.add_counts(since_ns, *parts)
        self.add_counts(until_ns, commits - parts[0], reads - parts[1], busy_errors - parts[2])

    def add_counts(self, at_ns: int, commits: int, reads: int, busy_errors: int) -> None:
        """Add what happened at a moment."""
        cell = self._cell(at_ns)
        cell.commits += commits
        cell.reads += reads
        cell.busy_errors += busy_errors

    def add_wal(self, at_ns: int, file_bytes: int | None, live_frames: int | None, backlog_frames: int | None) -> None:
        """Add one look at the WAL; a cell keeps the largest values."""
        if self._is_paused:
            self._keep_wal(at_ns)
        self._wal, self._wal_ns = (file_bytes, live_frames, backlog_frames), at_ns
        self._cell(at_ns).add_wal(*self._wal)

    def note_pause(self, at_ns: int, *, begins: bool, ends: bool) -> None:
        """Note that a pause of the workload begins, or ends if there is one."""
        self._frozen = None
        if self._is_paused and ends:
            self._keep_wal(at_ns)
            self._pauses[-1] = self._pauses[-1]._replace(until_ns=at_ns)
        elif begins and not self._is_paused:
            self._pauses.append(Pause(at_ns))

    @property
    def _is_paused(self) -> bool:
        return bool(self._pauses) and self._pauses[-1].until_ns is None

    def _keep_wal(self, until_ns: int) -> None:
        """Fill the cells before a moment with what was seen last: in a pause looks are rare, and nobody writes."""
        since_ns = max(self._wal_ns, self._pauses[-1].since_ns)
        for number in range(since_ns // PERIOD_NS + 1, until_ns // PERIOD_NS):
            self._cell(number * PERIOD_NS).add_wal(*self._wal)

    def mark(self, at_ns: int, kind: MarkKind, text: str, worker: int | None = None) -> None:
        """Mark a moment; of checkpoints and resets at most one a cell is kept, since there may be hundreds a second."""
        self._cell(at_ns)
        cell = at_ns // PERIOD_NS
        if kind in (MarkKind.CHECKPOINT, MarkKind.WAL_RESET) and self._last_mark_cell.get(kind) == cell:
            return
        self._last_mark_cell[kind] = cell
        self._frozen = None
        self._marks.append(Mark(at_ns, kind, text, worker))

    def freeze(self, now_ns: int) -> Timeline:
        """Return all complete cells; the same Timeline as before, where nothing in it has changed."""
        self._cell(now_ns)
        complete = max((now_ns - LATENESS_NS) // PERIOD_NS - self._first, 0)
        end_ns = (self._first + min(complete, len(self._cells))) * PERIOD_NS
        if self._frozen is None or self._frozen.end_ns != end_ns:
            self._frozen = self._freeze(end_ns)
        return self._frozen

    def _freeze(self, end_ns: int) -> Timeline:
        oldest_ns = self._first * PERIOD_NS
        cells = list(islice(self._cells, end_ns // PERIOD_NS - self._first))
        return Timeline(
            period_ns=PERIOD_NS,
            end_ns=end_ns,
            commits=tuple(cell.commits for cell in cells),
            reads=tuple(cell.reads for cell in cells),
            busy_errors=tuple(cell.busy_errors for cell in cells),
            wal_bytes=tuple(cell.wal_bytes for cell in cells),
            live_frames=tuple(cell.live_frames for cell in cells),
            backlog_frames=tuple(cell.backlog_frames for cell in cells),
            marks=tuple(mark for mark in self._marks if mark.at_ns >= oldest_ns),
            pauses=tuple(one for one in self._pauses if one.until_ns is None or one.until_ns > oldest_ns),
        )

    def _cell(self, at_ns: int) -> _Cell:
        """Return the cell for a moment, with empty cells up to it; one before the ring's start counts for the first.

        Whoever asks for it changes it.
        """
        number = at_ns // PERIOD_NS
        if self._frozen is not None and at_ns < self._frozen.end_ns:
            self._frozen = None
        if not self._cells:
            self._first = number
        while self._first + len(self._cells) <= number:
            self._cells.append(_Cell())
            if len(self._cells) > CELLS:
                self._cells.popleft()
                self._first += 1
                self._frozen = None
        return self._cells[max(number - self._first, 0)]


def _larger(first: int | None, second: int | None) -> int | None:
    return second if first is None else first if second is None else max(first, second)
