"""The lock timeline of `simulate`: the write lock, and below it what each worker does."""

from __future__ import annotations

from collections.abc import Collection, Set
from functools import lru_cache
from typing import Final

from simulators.events import Mode, Role
from sqlwatch.charts import units
from sqlwatch.charts.lanes import Axis, Lane, lane_rows, margins
from sqlwatch.charts.segment import Ink, Row, Segment, fitted, whole_parts
from sqlwatch.metrics.lane_columns import Column, LaneColumns
from sqlwatch.metrics.lane_events import EventKey, event_of
from sqlwatch.metrics.lane_picture import Picture, picture
from sqlwatch.metrics.lanes import Lanes, WorkerLane
from sqlwatch.metrics.lock_columns import looks_within
from sqlwatch.metrics.snapshot import Simulation
from sqlwatch.metrics.stretches import Stretch
from sqlwatch.tui.precedence import precedence
from sqlwatch.tui.timeline_mouse import LaneClicked, LaneRowsPanel
from sqlwatch.tui.view import View

_ROWS_FOR_LEGEND: Final = 9
"""From this height on there is a legend below the lanes in any case, in fewer rows where the lanes leave one over."""
_CAPTION_WIDTH: Final = units.SHARE_WIDTH
"""Of all captions, so that the lanes stand still while the shares change."""
_LEAST_GAP_NS: Final = 450_000_000
_LEAST_WASTED: Final = 1 / 16
"""From this share of a column on wasted time is drawn: the moment between two holders would be a line of dots."""


class LanesPanel(LaneRowsPanel):
    """Who waited, slept, looked and held, over the last seconds."""

    TITLE = "Lock timeline"
    EXPLANATION = "a lane a worker; wasted: nobody holds the lock while somebody waits for it, asleep"

    _drawn: tuple[Lanes, Stretch, Picture] | None = None
    _shown: View | None = None
    _modes: Set[Mode] = frozenset()
    """Of the time in sight, which may be that before a change."""
    _has_legend = False
    _plot = range(0)
    """Columns of the screen in which the lanes' time is."""

    def show(self, view: View) -> None:
        """Show another View, but the live lanes not more often than twice a second: more than that nobody can read."""
        if self._shown is None or not _is_soon_after(self._shown, view):
            self._shown = view
            super().show(view)

    def facts(self, view: View) -> list[Row]:
        """Say how much of the stretch in sight was wasted, how that is known, and how long the stretch is."""
        if self._drawn is None or view.simulation is None:
            return []
        lanes, stretch, picture = self._drawn
        wasted = picture.wasted
        is_exact = all(lock.is_exact for lock in picture.locks)
        share = _share(wasted, is_exact=is_exact, looks=looks_within(lanes, stretch))
        ink = Ink.WARNING if wasted is not None and wasted >= 0.1 else Ink.STRONG
        facts: list[Row] = [
            (Segment("wasted ", Ink.MUTED), Segment(share, ink)),
            (Segment(f"{units.duration(view.window_ns)} {'exact' if picture.is_exact else 'sampled'}", Ink.MUTED),),
        ]
        facts.append((Segment("[ ]", Ink.KEY), Segment(" zoom", Ink.MUTED)))
        if view.frozen:
            facts.append((Segment("left right", Ink.KEY), Segment(" the past", Ink.MUTED)))
        return facts if self._has_legend else [*facts, *_signs(view, self._modes)]

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title line and the lanes; the title tells of what is in sight, so the lanes come first."""
        titled = height >= self.LEAST_TITLED
        body = self.body(view, width, height - titled)
        return [self._title_row(view, width), *body] if titled else body

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return the lock, the lanes, the time, and a legend where there is room."""
        simulation = view.simulation
        if simulation is None or not simulation.lanes.lanes:
            self._drawn, self._owners = None, ()
            return [(Segment(" nobody works yet", Ink.MUTED),)]
        lanes = simulation.lanes
        self._modes = modes_in_sight(lanes, view)
        present = present_lanes(simulation, self._modes)
        room, locks = _room(height, lanes.databases)
        self._has_legend = legend = height >= _ROWS_FOR_LEGEND or 2 < room > 2 * locks + len(present)
        rows = height - legend
        room, locks = _room(rows, lanes.databases)
        chosen = chosen_lanes(simulation, max(room - 2 * locks, 0), self._modes, view.followed, self._owners)
        labels = [*_lock_labels(locks - 1, lanes.databases), *(lane.label for lane in chosen)]
        before, plot, _ = margins(labels, [" " * _CAPTION_WIDTH], width)
        self._plot = range(before, before + plot)
        self._owners = (*[None] * 2 * locks, *(lane.worker for lane in chosen))
        if plot < 4:
            return [(Segment(" too narrow", Ink.MUTED),)]
        stretch = stretch_of(lanes, view, plot * view.glyphs.columns)
        seen = self._picture(lanes, stretch, {lane.worker for lane in chosen})
        drawn = [lane for number in range(locks) for lane in _lock_lanes(number, seen, lanes)]
        drawn += [_lane(lanes, lane, seen.lanes[lane.worker], view, stretch) for lane in chosen]
        time = Axis(stretch.until_ns - stretch.from_ns, lanes.now_ns - stretch.until_ns)
        hidden = len(present) - len(chosen)
        result = lane_rows(drawn, time, width, min(len(drawn) + 1, rows), view.glyphs, hidden)
        if legend:
            result.append(fitted((Segment(" "), *whole_parts(_signs(view, self._modes), width - 1)), width))
        return result

    @property
    def sight_ns(self) -> int | None:
        """When the picture ends that is drawn; None while there is none."""
        return self._drawn[1].until_ns if self._drawn is not None else None

    def clicked(self, who: int, x: int) -> LaneClicked:
        """Return whose lane it is and which moment."""
        if self._drawn is None or x not in self._plot:
            return LaneClicked(who)
        stretch, cell_ns = self._drawn[1], self._drawn[1].column_ns * self._view.glyphs.columns
        at_ns = stretch.from_ns + (x - self._plot.start) * cell_ns + cell_ns // 2
        return LaneClicked(who, at_ns, cell_ns, stretch.until_ns)

    def _picture(self, lanes: Lanes, stretch: Stretch, workers: set[int]) -> Picture:
        """Return what is known of the stretch and these workers; it is worked out once for a Snapshot."""
        drawn = self._drawn
        if drawn is None or drawn[0] is not lanes or drawn[1] != stretch or drawn[2].lanes.keys() != workers:
            before = drawn[2] if drawn is not None else None
            self._drawn = drawn = lanes, stretch, picture(lanes, stretch, before, workers=workers)
        return drawn[2]


def _is_soon_after(shown: View, view: View) -> bool:
    """Tell whether a View has nothing new but half a second's lanes."""
    if shown.snapshot is None or view.snapshot is None or view.status is not shown.status:
        return False
    same = (shown.window_ns, shown.past, shown.cursor, shown.frozen, shown.glyphs) == (
        view.window_ns, view.past, view.cursor, view.frozen, view.glyphs,
    )  # fmt: skip
    return same and 0 <= view.snapshot.at_ns - shown.snapshot.at_ns < _LEAST_GAP_NS


def stretch_of(lanes: Lanes, view: View, columns: int) -> Stretch:
    """Return the stretch in sight; it begins at a whole cell, so that bars do not shimmer while time goes on."""
    column_ns = max(view.window_ns // max(columns, 1), 1)
    cell_ns = column_ns * view.glyphs.columns
    until_ns = (lanes.newest_ns - view.past.back_ns) // cell_ns * cell_ns
    return Stretch(until_ns - columns * column_ns, column_ns, columns)


def _room(rows: int, databases: int) -> tuple[int, int]:
    """Return for how many lanes there is room above the time, and of how many locks those are first."""
    room = rows if rows <= 2 else rows - 1
    return room, max(min(databases, room // 6), 1)


def modes_in_sight(lanes: Lanes, view: View) -> Set[Mode]:
    """Return the modes of the time in sight."""
    until_ns = lanes.newest_ns - view.past.back_ns
    return lanes.modes_in(until_ns - view.window_ns, until_ns)


def present_lanes(simulation: Simulation, modes: Set[Mode]) -> list[WorkerLane]:
    """Return the lanes of those who take part, or after the end took part: the single writer first, then by number.

    The single writer takes part where `modes` have its own.
    """
    alive = {worker.id for worker in simulation.phase.workers if worker.exit is None}
    serves = Mode.SINGLE_WRITER in modes
    lanes = [lane for lane in simulation.lanes.lanes if lane.worker in alive or not alive]
    lanes = [lane for lane in lanes if serves or lane.role is not Role.SINGLE_WRITER]
    return sorted(lanes, key=lambda lane: (lane.role is not Role.SINGLE_WRITER, lane.worker))


def chosen_lanes(
    simulation: Simulation, room: int, modes: Set[Mode], followed: int | None = None,
    in_sight: Collection[int | None] = (),
) -> list[WorkerLane]:  # fmt: skip
    """Return the lanes to draw; where not all have room: the cursor's, who wins now, who won, who starves, the writers.

    Of equals those stay that are in sight.
    """
    lanes = present_lanes(simulation, modes)
    if len(lanes) <= room:
        return lanes
    ranks = precedence(simulation)
    starved_ns = {worker.id: worker.current_wait_ns for worker in simulation.phase.workers if worker.starved}
    ranked = sorted(
        lanes,
        key=lambda lane: (
            lane.worker != followed, ranks.get(lane.worker, len(ranks)), -starved_ns.get(lane.worker, 0),
            lane.worker not in in_sight, lane.worker,
        ),
    )  # fmt: skip
    kept = {lane.worker for lane in ranked[:room]}
    return [lane for lane in lanes if lane.worker in kept]


def _lock_lanes(number: int, seen: Picture, lanes: Lanes) -> list[Lane]:
    """Return two lanes for a write lock: when it was held, and when it was free while somebody waited."""
    lock, looks = seen.locks[number], looks_within(lanes, seen.stretch)
    telling = [share if share is None or share >= _LEAST_WASTED else 0.0 for share in lock.wasted]
    held, wasted = _lock_labels(number, lanes.databases)
    parts = (
        (held, lock.held, seen.held_share(number), Ink.HOLDS),
        (wasted, telling, lock.wasted_share, Ink.WARNING),
    )
    return [
        Lane(
            label, [_lock_column(share) for share in shares],
            _share(total, is_exact=lock.is_exact, looks=looks), True, ink,
        )
        for label, shares, total, ink in parts
    ]  # fmt: skip


@lru_cache(maxsize=1024)
def _lock_column(share: float | None) -> Column:
    """Return a column of a lock's lane; there are hundreds in each picture, and few kinds of them."""
    return Column(held=share or 0.0, is_known=share is not None)


def _share(share: float | None, *, is_exact: bool, looks: int | None = None) -> str:
    """Write a share as wide as all captions are; one that was sampled, by so many looks or by none, with its mark."""
    text = units.share(share)
    return (text if is_exact else units.marked(text, looks=looks)).rjust(_CAPTION_WIDTH)


def _lock_labels(number: int, databases: int) -> tuple[str, str]:
    """Return the labels of a lock's two lanes, with the number of its database where there are several."""
    suffix = str(number + 1) if databases > 1 else ""
    return f"held{suffix}", f"wasted{suffix}"


def _lane(lanes: Lanes, lane: WorkerLane, seen: LaneColumns, view: View, stretch: Stretch) -> Lane:
    """Return a worker's lane, with the cells of the event under the cursor."""
    event = view.past.event
    is_chosen = event is not None and event.worker == lane.worker
    share = "" if seen.held is None else _share(seen.held, is_exact=seen.is_exact)
    label = f"{view.glyphs.cursor if is_chosen else ' '}{lane.label}"
    selected = _cells_of(lanes, event, stretch, view.glyphs.columns) if event is not None and is_chosen else None
    return Lane(label, seen.columns, share, is_chosen, selected=selected)


def _cells_of(lanes: Lanes, event: EventKey, stretch: Stretch, each: int) -> range | None:
    """Return the cells from asking to the end of an event."""
    found = event_of(lanes, event)
    if found is None:
        return None
    cell_ns = stretch.column_ns * each
    first = (found.from_ns - stretch.from_ns) // cell_ns
    last = (max(found.until_ns - 1, found.from_ns) - stretch.from_ns) // cell_ns
    return range(max(first, 0), min(last + 1, stretch.columns // each))


def _signs(view: View, modes: Set[Mode]) -> list[Row]:
    """Say what the signs mean, in an order that depends on the modes alone: so the legend stands still."""
    glyphs = view.glyphs
    polls, queues = Mode.CONTENDED in modes, modes != {Mode.CONTENDED}
    asleep = (glyphs.partly_asleep + glyphs.waiting, Ink.WAITS, "asleep")
    queued = (glyphs.partly_queued + glyphs.queued, Ink.WAITS, "queued" if queues else "awake")
    signs = [
        (f"{glyphs.hold_signs} {glyphs.shades}", Ink.HOLDS, "holds"),
        *([asleep, (glyphs.rung, Ink.RUNG, "looks")] if polls else []),
        *([queued] if queues else []),
        (glyphs.idle, Ink.FAINT, "idle"),
        (glyphs.error, Ink.WARNING, "busy error"),
        *([] if queues else [queued]),
        (glyphs.checkpoint, Ink.MARK, "checkpoint"),
        (glyphs.partly_reading + glyphs.reading, Ink.SERIES, "reads"),
    ]
    return [(Segment(sign, ink), Segment(f" {words}", Ink.MUTED)) for sign, ink, words in signs]
