"""Busy errors that applications logged; without a log they are not visible, which is not the same as none."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.log_messages import LogLine
from sqlwatch.metrics.observed import BusyLog
from sqlwatch.tui.panel import Panel, cut
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import short_path

_KIND_WIDTH = 13
_SOURCE_WIDTH = 18

_HINT = "not visible: start with --log FILE"


class BusyPanel(Panel):
    """Counts by kind and the newest lines."""

    TITLE = "Busy errors"
    LEAST_TITLED = 2
    EXPLANATION = "lines of the application's logs that mean SQLITE_BUSY, and slow statements; the newest first"

    def facts(self, view: View) -> list[Row]:
        """Count the lines by what they mean."""
        busy = _busy(view)
        if busy is None or not busy.sources:
            return []
        return _counts(busy)

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return what cannot be read, then the newest lines; in a single row also the counts."""
        busy = _busy(view)
        if busy is None:
            unseen = view.observation is None
            prefix = " " if self.size.height >= self.LEAST_TITLED else " busy errors: "
            return [(Segment(prefix + ("nothing has been seen yet" if unseen else _HINT), Ink.MUTED),)]
        rows: list[Row] = [(Segment(f" {cut(clean(text), width - 1)}", Ink.WARNING),) for text in busy.trouble[:height]]
        if self.size.height < self.LEAST_TITLED and busy.sources:
            head: list[Segment] = [Segment(" busy errors ", Ink.MUTED)]
            for part in _counts(busy)[:1]:
                head += part
            return [tuple(head)]
        now_ns = view.snapshot.at_ns if view.snapshot is not None else 0
        rows += [_line(line, now_ns, width) for line in reversed(busy.newest)]
        return rows or [(Segment(f" none so far in {_sources(busy)}", Ink.MUTED),)]


def _busy(view: View) -> BusyLog | None:
    return view.observation.busy if view.observation is not None else None


def _counts(busy: BusyLog) -> list[Row]:
    errors = busy.busy_errors
    counts: list[Row] = [
        (
            Segment(f"{units.count(errors)}", Ink.WARNING if errors else Ink.STRONG),
            Segment(f" so far, {units.count(busy.window_count)} in the last 10s", Ink.MUTED),
        )
    ]
    for kind, count in sorted(busy.counts.items(), key=lambda item: -item[1]):
        counts.append((Segment(units.count(count), Ink.STRONG), Segment(f" {kind.value}", Ink.MUTED)))
    return counts


def _sources(busy: BusyLog) -> str:
    count = len(busy.sources)
    return clean(busy.sources[0]) if count == 1 else f"{count} logs"


def _line(line: LogLine, now_ns: int, width: int) -> Row:
    """Return how long ago, what it means, where from, and the line itself."""
    ago = f"{units.duration(max(now_ns - line.at_ns, 0)):>{units.DURATION_WIDTH}} ago"
    took = f"{units.duration(line.took_ns)} " if line.took_ns is not None else ""
    source = short_path(line.source, _SOURCE_WIDTH)
    head = f" {ago}  {line.kind.value:<{_KIND_WIDTH}} "
    wide = width >= 90
    text = cut(took + clean(line.text), max(width - len(head) - (_SOURCE_WIDTH + 1 if wide else 0), 0))
    where = f"{source:<{_SOURCE_WIDTH}} " if wide else ""
    return (Segment(head, Ink.TEXT), Segment(where, Ink.MUTED), Segment(text, Ink.STRONG))
