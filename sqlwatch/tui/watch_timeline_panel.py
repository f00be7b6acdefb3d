"""The write-lock timeline: a lane for each process that held the lock or seemed to wait for it."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.lanes import Axis, Cells, Lane, columns_of, lane_rows, margins
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics import observed as seen
from sqlwatch.metrics.observations import LockName
from sqlwatch.metrics.observed import Observed
from sqlwatch.tui.timeline_mouse import LaneRowsPanel
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import holder_words, is_unseen

WRITING = (LockName.WRITE, LockName.RESERVED, LockName.PENDING, LockName.EXCLUSIVE)
"""Whoever holds one of these has the right to write: WRITE in WAL mode, the others with a rollback journal."""


class TimelinePanel(LaneRowsPanel):
    """Who held the write lock, over the last seconds."""

    TITLE = "Write lock"
    EXPLANATION = "a lane a process; height: share of the looks that found it holding; right: its share of the last 10s"

    def facts(self, view: View) -> list[Row]:
        """Give the share of time in which it was held, and say how to read the lanes."""
        observed, glyphs = view.observation, view.glyphs
        if observed is None or not observed.window_ns:
            return []
        held = units.share(observed.write_utilisation).rjust(units.SHARE_WIDTH)
        return [
            (
                Segment("held ", Ink.MUTED),
                Segment(held, Ink.STRONG),
                Segment(f" of {units.duration(observed.window_ns)}", Ink.MUTED),
            ),
            (
                Segment(glyphs.fills[-1], Ink.HOLDS),
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
        chosen = chosen_lanes(observed, room)
        self._owners = tuple(lane.pid for lane in chosen)
        labels, shares = [label_of(observed, lane) for lane in chosen], [share_of(observed, lane) for lane in chosen]
        columns = margins(labels, shares, width)[1] * view.glyphs.columns
        lanes = [lane_of(observed, lane, columns, view.window_ns) for lane in chosen]
        time = Axis(cells_of(observed).shown_ns(columns, view.window_ns))
        rows = lane_rows(lanes, time, width, height if len(lanes) == room else len(lanes) + 1, view.glyphs)
        if len(chosen) < len(observed.lanes) and height > 2:
            more = f" +{len(observed.lanes) - len(chosen)} more"
            rows[-1] = (Segment(more, Ink.MUTED), *_without(rows[-1], len(more)))
        return rows


def cells_of(observed: Observed) -> Cells:
    """Return the length of the lanes' cells and where they end."""
    return Cells(observed.lane_period_ns, observed.lane_end_ns // max(observed.lane_period_ns, 1))


def lane_of(observed: Observed, lane: seen.Lane, columns: int, window_ns: int) -> Lane:
    """Return a lane with its label and its share of the window."""
    holds = any(lock.pid == lane.pid for lock in observed.held(*WRITING))
    drawn = columns_of(lane.held, lane.waiting, cells_of(observed), columns, window_ns)
    return Lane(label_of(observed, lane), drawn, share_of(observed, lane), holds)


def label_of(observed: Observed, lane: seen.Lane) -> str:
    """Return the name of a lane's process."""
    participant = observed.participant(lane.pid)
    return " " + holder_words(lane.pid, participant.process if participant is not None else None, brief=True)


def share_of(observed: Observed, lane: seen.Lane) -> str:
    """Return the share of the window in which a lane's process held the write lock."""
    participant = observed.participant(lane.pid)
    share = units.share(participant.utilisation) if participant is not None else units.UNKNOWN
    return share.rjust(units.SHARE_WIDTH)


def chosen_lanes(observed: Observed, room: int) -> list[seen.Lane]:
    """Return the lanes by pid; where not all have room, those that hold now, then by share, then by waiting."""
    lanes = list(observed.lanes)
    if len(lanes) <= room:
        return lanes
    now = {lock.pid for lock in observed.held(*WRITING)}
    shares = {one.pid: (one.utilisation or 0.0, one.waiting_for_ns or 0) for one in observed.participants}
    ranked = sorted(lanes, key=lambda lane: (lane.pid in now, *shares.get(lane.pid, (0.0, 0))), reverse=True)
    kept = {lane.pid for lane in ranked[:room]}
    return [lane for lane in lanes if lane.pid in kept]


def _longest(observed: Observed) -> str:
    run = observed.longest_hold
    if run is None:
        return units.UNKNOWN
    held_ns = run.until_ns - run.since_ns
    if not held_ns:
        return f"<{units.duration(1e9 / observed.sample_rate_hz)}"  # a single look found it held
    return (">" if run.is_lower_bound else "") + units.duration(held_ns)


def _without(row: Row, cells: int) -> Row:
    """Return a row without its first cells."""
    result = []
    for text, ink in row:
        if cells < len(text):
            result.append(Segment(text[max(cells, 0) :], ink))
        cells -= len(text)
    return tuple(result)
