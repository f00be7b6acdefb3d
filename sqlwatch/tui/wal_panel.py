"""The write-ahead log over time: its file, the frames in use, checkpoints and resets."""

from __future__ import annotations

from sqlwatch.charts import axis, units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.series import Series, time_chart, time_row
from sqlwatch.metrics.snapshot import Timeline
from sqlwatch.tui.panel import Panel
from sqlwatch.tui.phases import wal_marks
from sqlwatch.tui.view import View

_ROWS_FOR_FRAMES = 9


class WalPanel(Panel):
    """WAL size."""

    TITLE = "WAL"
    EXPLANATION = "size of the -wal file; a checkpoint copies its frames into the database, a reset starts it again"

    def facts(self, view: View) -> list[Row]:
        """Give the sizes now."""
        if view.snapshot is None:
            return []
        wal, glyphs = view.snapshot.wal, view.glyphs
        size = units.size(wal.file_bytes).rjust(units.SIZE_WIDTH)
        facts: list[Row] = [(Segment("file ", Ink.MUTED), Segment(size, Ink.STRONG))]
        if wal.pins:
            facts.append((Segment(f"PINNED by {len(wal.pins)} reader{'s' * (len(wal.pins) != 1)}", Ink.WARNING),))
        facts += [
            _count(wal.live_frames, "live frames"),
            (Segment(f"{glyphs.checkpoint} ", Ink.MARK), *_count(wal.checkpoints, "checkpoints")),
            (Segment(f"{glyphs.reset} ", Ink.MARK), *_count(wal.resets, "resets")),
            _count(wal.backlog_frames, "not yet copied"),
        ]
        return facts

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the size of the file over time and, where there is room, the live frames above it."""
        if view.snapshot is None:
            return []
        timeline, glyphs = view.snapshot.timeline, view.glyphs
        size = _series(timeline, timeline.wal_bytes)
        if height == 1:
            now = (Segment(units.size(view.snapshot.wal.file_bytes).rjust(units.SIZE_WIDTH), Ink.STRONG),)
            return [time_row(size, width, glyphs, "WAL   ", [now])]
        rows: list[Row] = []
        if height >= _ROWS_FOR_FRAMES:
            frames = _series(timeline, timeline.live_frames)
            upper = (height - 2) // 2
            rows = time_chart(frames, width, upper, glyphs, write=_frames, bare=True)
        marks = wal_marks(timeline, glyphs)
        lower = height - len(rows)
        return rows + time_chart(
            size, width, lower, glyphs, write=units.size, happenings=marks, limit=axis.nice_binary_limit
        )


def _series(timeline: Timeline, values: tuple[int | None, ...]) -> Series:
    end = timeline.end_ns // max(timeline.period_ns, 1)
    return Series(values, timeline.period_ns, [Ink.SERIES] * len(values), end, peaks=True)


def _frames(value: float) -> str:
    return units.count(value) if value else "frames"


def _count(value: int | None, name: str) -> Row:
    return (Segment(units.count(value).rjust(units.COUNT_WIDTH), Ink.STRONG), Segment(f" {name}", Ink.MUTED))
