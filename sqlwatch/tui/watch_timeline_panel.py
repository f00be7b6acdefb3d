"""The write-lock timeline: a lane for each process that held the lock or seemed to wait for it."""

from __future__ import annotations

from collections.abc import Collection

from sqlwatch.charts import units
from sqlwatch.charts.lanes import Axis, Cells, Lane, columns_of, lane_rows, margins
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics import observed as seen
from sqlwatch.metrics.observations import LockName
from sqlwatch.metrics.observed import Observed
from sqlwatch.tui.timeline_mouse import LaneClicked, LaneRowsPanel
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_track import span_under
from sqlwatch.tui.watch_words import LASTING_NS, holder_words, is_unseen

WRITING = (LockName.WRITE, LockName.RESERVED, LockName.PENDING, LockName.EXCLUSIVE)
"""Whoever holds one of these has the right to write: WRITE in WAL mode, the others with a rollback journal."""


class TimelinePanel(LaneRowsPanel):
    """Who held the write lock, over the last seconds."""

    TITLE = "Write lock"
    EXPLANATION = "a lane a process; height: share of the looks that found it holding; right: its share of the last 10s"

    _plot = range(0)
    """Columns of the screen in which the lanes' time is."""

    def facts(self, view: View) -> list[Row]:
        """Give the share of time in which it was held, and say how to read the lanes."""
        observed, glyphs = view.observation, view.glyphs
        if observed is None or not observed.window_ns:
            return []
        held = units.share(observed.write_utilisation).rjust(units.SHARE_WIDTH)
        past = [(Segment("left right", Ink.KEY), Segment(" the past", Ink.MUTED))] if view.frozen else []
        return [
            (
                Segment("held ", Ink.MUTED),
                Segment(held, Ink.STRONG),
                Segment(f" of {units.duration(observed.window_ns)}", Ink.MUTED),
            ),
            *past,
            (
                Segment(glyphs.hold_signs, Ink.HOLDS),
                Segment(" holds  ", Ink.MUTED),
                Segment(glyphs.waiting * 2, Ink.WAITS),
                Segment(" waits", Ink.MUTED),
            ),
            (
                Segment("longest ", Ink.MUTED),
                Segment(_longest(observed).rjust(units.DURATION_WIDTH), Ink.STRONG),
            ),
        ]

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the lanes, those that matter most where rows are few; the last line says how many are left out."""
        observed = view.observation
        if observed is None or not observed.lanes:
            self._owners = ()
            words = "nothing has been seen yet" if is_unseen(observed) else "nobody has held the write lock"
            if observed is not None and observed.absent is not None:
                words = "there is no database"
            return [(Segment(f" {words}", Ink.MUTED),)]
        room = height if height <= 2 else height - 1
        chosen = chosen_lanes(observed, room, view.followed, self._owners)
        self._owners = tuple(lane.pid for lane in chosen)
        labels = [label_of(observed, lane, view) for lane in chosen]
        shares = [share_of(observed, lane) for lane in chosen]
        before, plot, _ = margins(labels, shares, width)
        self._plot = range(before, before + plot)
        columns = plot * view.glyphs.columns
        lanes = [lane_of(observed, lane, columns, view) for lane in chosen]
        cells = cells_of(observed, view.past.back_ns)
        time = Axis(cells.shown_ns(columns, view.window_ns), observed.lane_end_ns - cells.end * cells.period_ns)
        hidden = len(observed.lanes) - len(chosen) if height > 2 else 0
        return lane_rows(lanes, time, width, height if len(lanes) == room else len(lanes) + 1, view.glyphs, hidden)

    def clicked(self, who: int, x: int) -> LaneClicked:
        """Return whose lane it is and which moment."""
        view, observed = self._view, self._view.observation
        if observed is None or x not in self._plot:
            return LaneClicked(who)
        each = view.glyphs.columns
        columns = len(self._plot) * each
        cells = cells_of(observed, view.past.back_ns)
        at_ns = cells.moment_of((x - self._plot.start) * each + each // 2, columns, view.window_ns)
        cell_ns = cells.shown_ns(columns, view.window_ns) * each // columns
        return LaneClicked(who, at_ns, cell_ns, cells.end * cells.period_ns)


def cells_of(observed: Observed, back_ns: int = 0) -> Cells:
    """Return the length of the lanes' cells and where they end, so long before the newest one."""
    return Cells(observed.lane_period_ns, observed.lane_end_ns // max(observed.lane_period_ns, 1)).before(back_ns)


def lane_of(observed: Observed, lane: seen.Lane, columns: int, view: View) -> Lane:
    """Return a lane with its label, its share of the window, and the cells of the event under the cursor."""
    holds = any(lock.pid == lane.pid for lock in observed.held(*WRITING))
    cells = cells_of(observed, view.past.back_ns)
    known = len(lane.held) - (cells_of(observed).end - cells.end)
    drawn = columns_of(lane.held[: max(known, 0)], lane.waiting[: max(known, 0)], cells, columns, view.window_ns)
    return Lane(
        label_of(observed, lane, view), drawn, share_of(observed, lane), holds,
        selected=_selected(observed, lane, cells, columns, view),
    )  # fmt: skip


def _selected(observed: Observed, lane: seen.Lane, cells: Cells, columns: int, view: View) -> range | None:
    event = view.past.event
    span = span_under(observed, event) if event is not None and event.worker == lane.pid else None
    if span is None:
        return None
    each = view.glyphs.columns
    first, last = (cells.column_of(at_ns, columns, view.window_ns) for at_ns in (span.since_ns, span.until_ns))
    return range(max(first // each, 0), min(last // each + 1, columns // each))


def label_of(observed: Observed, lane: seen.Lane, view: View) -> str:
    """Return the name of a lane's process, marked where the cursor is on an event of it."""
    event = view.past.event
    mark = view.glyphs.cursor if event is not None and event.worker == lane.pid else " "
    return mark + holder_words(lane.pid, observed.process(lane.pid), brief=True)


def share_of(observed: Observed, lane: seen.Lane) -> str:
    """Return the share of the window in which a lane's process held the write lock."""
    participant = observed.participant(lane.pid)
    share = units.share(participant.utilisation) if participant is not None else units.UNKNOWN
    return share.rjust(units.SHARE_WIDTH)


def chosen_lanes(
    observed: Observed, room: int, selected: int | None = None, in_sight: Collection[int | None] = ()
) -> list[seen.Lane]:
    """Return the lanes by pid; without room for all: the cursor's, who has long held, then by share, by waiting.

    Of those with about the same share those stay that are in sight.
    """
    lanes = list(observed.lanes)
    if len(lanes) <= room:
        return lanes
    lasting = {lock.pid for lock in observed.held(*WRITING) if lock.held_ns >= LASTING_NS}
    people = {one.pid: one for one in observed.participants}

    def rank(lane: seen.Lane) -> tuple[bool, bool, float, bool, bool]:
        one = people.get(lane.pid)
        share = one.utilisation or 0.0 if one is not None else 0.0
        waits = one is not None and (one.waiting_for_ns or 0) >= LASTING_NS
        return lane.pid == selected, lane.pid in lasting, round(share, 1), waits, lane.pid in in_sight

    ranked = sorted(lanes, key=rank, reverse=True)
    kept = {lane.pid for lane in ranked[:room]}
    return [lane for lane in lanes if lane.pid in kept]


def _longest(observed: Observed) -> str:
    run = observed.longest_hold
    if run is None:
        return units.UNKNOWN
    held_ns = run.until_ns - run.since_ns
    if not held_ns:
        return f"<{units.duration(2e9 / observed.sample_rate_hz)}"  # a single look found it held
    return (">" if run.is_lower_bound else "") + units.duration(held_ns)
