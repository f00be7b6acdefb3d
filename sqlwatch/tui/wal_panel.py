"""The write-ahead log over time: its file, the frames in use, checkpoints and resets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, ClassVar

from sqlwatch.charts import axis, units
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.series import Series, time_chart, time_row
from sqlwatch.metrics.snapshot import Timeline, Wal
from sqlwatch.tui.kept import Kept
from sqlwatch.tui.panel import Panel, not_yet, row_label
from sqlwatch.tui.phases import wal_marks
from sqlwatch.tui.text import wrapped
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from sqlwatch.tui.inks import Inks

_ROWS_FOR_FRAMES = 9
_ROWS_FOR_BACKLOG = 10


class WalPanel(Panel):
    """WAL size."""

    TITLE = "WAL"
    EXPLANATION = (
        "file size; {checkpoint} checkpoint, {reset} reset, {both} both; a checkpoint copies frames into the database, "
        "a reset begins anew"
    )
    _marks: Collection[str] = ()
    """Signs of the marks in sight."""
    SHOWS_BACKLOG: ClassVar[bool] = False
    """Whether frames not copied yet get a chart of their own where there is room."""

    def __init__(self, inks: Inks, view: View, *, id: str) -> None:
        super().__init__(inks, view, id=id)
        self._charts: Kept[list[Row]] = Kept()

    def facts(self, view: View) -> list[Row]:
        """Give the sizes now."""
        if view.snapshot is None or self.sentence(view):
            return []
        wal = view.snapshot.wal
        size = units.size(wal.file_bytes).rjust(units.SIZE_WIDTH)
        facts: list[Row] = [(Segment("file ", Ink.MUTED), Segment(size, Ink.STRONG))]
        if (pinned := self.pinned(view)) is not None:
            facts.append(pinned)
        facts += [
            counted(wal.live_frames, "frames"),
            *self.signs(view),
            counted(wal.checkpoints, "checkpoints"),
            counted(wal.resets, "resets"),
            counted(wal.backlog_frames, "not yet copied"),
        ]
        return facts

    def signs(self, view: View) -> list[Row]:
        """Name the marks in sight."""
        glyphs = view.glyphs
        named = (
            (glyphs.checkpoint, "checkpoint"), (glyphs.reset, "reset"), (glyphs.both, "checkpoint+reset"),
        )  # fmt: skip
        return [
            (Segment(sign, Ink.MARK), Segment(f" {words}", Ink.MUTED)) for sign, words in named if sign in self._marks
        ]

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title line and the charts; the title names the marks in sight, so the charts come first."""
        titled = height >= self.LEAST_TITLED
        body = self.body(view, width, height - titled)
        self._marks = {sign for row in body for part in row if part.ink is Ink.MARK for sign in part.text}
        return [self._title_row(view, width), *body] if titled else body

    def pinned(self, view: View) -> Row | None:
        """Say that the WAL is pinned, if it is."""
        pins = view.snapshot.wal.pins if view.snapshot is not None else ()
        return (Segment(f"PINNED by {len(pins)} reader{'s' * (len(pins) != 1)}", Ink.WARNING),) if pins else None

    def sentence(self, view: View) -> str:
        """Say why there is nothing to draw; empty where there is."""
        has_none = view.simulation is not None and view.snapshot is not None and view.snapshot.wal.resets is None
        return "no WAL: this workload runs with a rollback journal" if has_none else ""

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the size of the file over time and, where there is room, the live frames above it."""
        if sentence := self.sentence(view):
            return [(Segment(f" {line}", Ink.MUTED),) for line in wrapped(sentence, max(width - 1, 1), height)]
        if view.snapshot is None:
            return not_yet("WAL", height)
        timeline, wal, glyphs = view.snapshot.timeline, view.snapshot.wal, view.glyphs
        if height == 1:
            size = _series(timeline, timeline.wal_bytes, wal.file_bytes)
            now = (Segment(units.size(wal.file_bytes).rjust(units.SIZE_WIDTH), Ink.STRONG),)
            return [time_row(size, width, glyphs, row_label("WAL"), [now])]
        reach = (
            axis.nice_binary_limit(wal.file_bytes or 0), axis.nice_limit(wal.live_frames or 0),
            axis.nice_limit(wal.backlog_frames or 0),
        )  # fmt: skip
        parts = timeline, reach, width, height, glyphs
        return self._charts.made_of(parts, lambda: self._drawn(timeline, wal, width, height, glyphs))

    def _drawn(self, timeline: Timeline, wal: Wal, width: int, height: int, glyphs: GlyphSet) -> list[Row]:
        uppers = [(timeline.live_frames, wal.live_frames, "frames")] if height >= _ROWS_FOR_FRAMES else []
        if self.SHOWS_BACKLOG and height >= _ROWS_FOR_BACKLOG:
            uppers.append((timeline.backlog_frames, wal.backlog_frames, "to do"))
        upper = (height - 2) // (len(uppers) + 1)
        rows: list[Row] = []
        for values, newest, name in uppers:
            rows += time_chart(_series(timeline, values, newest), width, upper, glyphs, write=_named(name), bare=True)
        return rows + time_chart(
            _series(timeline, timeline.wal_bytes, wal.file_bytes), width, height - len(rows), glyphs,
            write=units.size, happenings=wal_marks(timeline, glyphs), limit=axis.nice_binary_limit,
        )  # fmt: skip


def _series(timeline: Timeline, values: tuple[int | None, ...], now: int | None) -> Series:
    end = timeline.end_ns // max(timeline.period_ns, 1)
    return Series(values, timeline.period_ns, [Ink.SERIES] * len(values), end, peaks=True, now=now)


def _named(name: str) -> Callable[[float], str]:
    """Return a way to write counts in which 0, at the foot of the axis, says what is counted."""
    return lambda value: units.count(value) if value else name


def counted(value: int | None, name: str) -> Row:
    """Return a number of things with their name, in a place of its own."""
    return (Segment(units.count(value).rjust(units.COUNT_WIDTH), Ink.STRONG), Segment(f" {name}", Ink.MUTED))
