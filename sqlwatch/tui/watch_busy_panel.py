"""Busy errors that applications logged; without a log they are not visible, which is not the same as none."""

from __future__ import annotations

import re

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, width_of
from sqlwatch.metrics.log_messages import LogLine
from sqlwatch.metrics.observed import BusyLog
from sqlwatch.tui.panel import Panel, clipped, cut
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import short_path

_KIND_WIDTH = 13
_SOURCE_WIDTH = 18
_ROOM_FOR_KIND = 60
_ROOM_FOR_LINE = 48
_ERROR_WORD = re.compile("locked|busy", re.IGNORECASE)

_HINT = "not visible: start with --log FILE"


class BusyPanel(Panel):
    """Counts by kind and the newest lines."""

    TITLE = "Busy errors"
    LEAST_TITLED = 2
    EXPLANATION = "lines of the application's logs that mean SQLITE_BUSY, and slow statements; the newest first"

    def facts(self, view: View) -> list[Row]:
        """Count the lines by what they mean."""
        busy = _busy(view)
        return _counts(busy) if busy is not None and busy.is_read else []

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return what cannot be read, then the newest lines; in a single row also the counts."""
        busy = _busy(view)
        if busy is None:
            unseen = view.observation is None
            prefix = " " if self.size.height >= self.LEAST_TITLED else " busy errors: "
            return [(Segment(prefix + ("nothing has been seen yet" if unseen else _HINT), Ink.MUTED),)]
        now_ns = view.snapshot.at_ns if view.snapshot is not None else 0
        rows: list[Row] = [(Segment(f" {cut(clean(text), width - 1)}", Ink.WARNING),) for text in busy.trouble[:height]]
        if self.size.height < self.LEAST_TITLED:
            if rows and not busy.is_read:
                return [(Segment(" busy errors: ", Ink.MUTED), *rows[0])]
            head = (Segment(" busy errors ", Ink.MUTED), *_counts(busy)[0])
            if not busy.newest or width < _ROOM_FOR_LINE:
                return [head]
            ago = f"; {_ago(busy.newest[-1], now_ns).strip()}: "
            left = width - width_of(head) - len(ago)
            return [(*head, Segment(ago, Ink.MUTED), Segment(telling(clean(busy.newest[-1].words), left), Ink.STRONG))]
        rows += [_line(line, now_ns, width) for line in reversed(busy.newest)]
        return rows or [(Segment(f" none so far in {_sources(busy)}", Ink.MUTED),)]


def _busy(view: View) -> BusyLog | None:
    return view.observation.busy if view.observation is not None else None


def _counts(busy: BusyLog) -> list[Row]:
    errors = busy.busy_errors
    counts: list[Row] = [
        (
            Segment(f"{units.count(errors)}", Ink.WARNING if errors else Ink.STRONG),
            Segment(" so far", Ink.MUTED),
        ),
        (Segment(units.count(busy.window_count), Ink.STRONG), Segment(" in 10s", Ink.MUTED)),
    ]
    for kind, count in sorted(busy.counts.items(), key=lambda item: -item[1]):
        counts.append((Segment(units.count(count), Ink.STRONG), Segment(f" {kind.value}", Ink.MUTED)))
    return counts


def _sources(busy: BusyLog) -> str:
    count = len(busy.sources)
    return clean(busy.sources[0]) if count == 1 else f"{count} logs"


def _ago(line: LogLine, now_ns: int) -> str:
    return f"{units.duration(max(now_ns - line.at_ns, 0)):>{units.DURATION_WIDTH}} ago"


def telling(text: str, width: int) -> str:
    """Cut a line so that the word that makes it an error stays.

    >>> telling("worker 3: sqlite3.OperationalError: database is locked (5)", 22), telling("nothing of it", 8)
    ('…r: database is locked', 'nothing…')
    """
    word = _ERROR_WORD.search(text)
    if len(text) <= width or word is None or word.end() < width or width < 2:
        return clipped(text, width)
    return "…" + text[word.end() - width + 1 : word.end()]


def _line(line: LogLine, now_ns: int, width: int) -> Row:
    """Return how long ago, what it means, where from, and the line itself."""
    ago = _ago(line, now_ns)
    if width < _ROOM_FOR_KIND:
        return (Segment(f" {ago} ", Ink.TEXT), Segment(telling(clean(line.words), width - len(ago) - 2), Ink.STRONG))
    took = f"{units.duration(line.took_ns)} " if line.took_ns is not None else ""
    source = short_path(line.source, _SOURCE_WIDTH)
    head = f" {ago}  {line.kind.value:<{_KIND_WIDTH}} "
    wide = width >= 90
    text = telling(took + clean(line.words), max(width - len(head) - (_SOURCE_WIDTH + 1 if wide else 0), 0))
    where = f"{source:<{_SOURCE_WIDTH}} " if wide else ""
    return (Segment(head, Ink.TEXT), Segment(where, Ink.MUTED), Segment(text, Ink.STRONG))
