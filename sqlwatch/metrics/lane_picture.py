"""The lock timeline for a stretch of time, in columns of equal length: event by event, or from the sums of batches.

A picture takes from the one before it what has settled since, so it costs what is new, however long the stretch is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from simulators.events import Mode, Role
from sqlwatch.metrics.lane_columns import Column, LaneColumns, lane_columns
from sqlwatch.metrics.lane_intervals import intervals
from sqlwatch.metrics.lanes import Lanes, WorkerLane, chunks_in
from sqlwatch.metrics.lock_columns import (
    LockColumns,
    holds_of,
    is_all_told,
    lock_from_events,
    lock_from_looks,
    mean_of,
    served,
    untold_waits,
)
from sqlwatch.metrics.stretches import Stretch

MOST_EVENTS: Final = 1_200
"""Up to this many events a stretch is drawn event by event; that takes a few milliseconds."""


class Picture(NamedTuple):
    """The whole timeline for a stretch of time."""

    stretch: Stretch
    lanes: dict[int, LaneColumns]
    """By worker, of those that were asked for."""
    locks: tuple[LockColumns, ...]
    """By database."""
    mode: Mode
    in_detail: bool
    """Whether it was drawn event by event."""
    writers: dict[int, int]
    """Whose lanes tell of the locks, asked for or not, and which database's lock they take."""

    @property
    def wasted(self) -> float | None:
        """Share of the known time in which a lock was free while somebody waited; databases count alike."""
        return mean_of([lock.wasted_share for lock in self.locks])

    def held_share(self, database: int) -> float | None:
        """Share of the known time in which a lock was held; not less than its writers' lanes here tell of.

        Few looks miss most short holds, while the sums of the holds miss none.
        """
        lock = self.locks[database]
        share = lock.held_share
        if share is None or lock.is_exact:
            return share
        known = [number for number, held in enumerate(lock.held) if held is not None]
        takers = (lane for worker, lane in self.lanes.items() if self.writers.get(worker) == database)
        told = sum(lane.columns[number].held for lane in takers if lane.held is not None for number in known)
        return max(share, min(told / len(known), 1.0))

    @property
    def is_exact(self) -> bool:
        """Whether all that was asked for is known from events."""
        return all(lock.is_exact for lock in self.locks) and all(lane.is_exact for lane in self.lanes.values())


def picture(
    lanes: Lanes, stretch: Stretch, before: Picture | None = None, *, workers: Collection[int] | None = None
) -> Picture:
    """Return what is known of a stretch of time; what had settled in an earlier picture is taken from there.

    Only the lanes of these `workers` are worked out, or all; the locks are the same in any case.
    """
    wanted = frozenset(lane.worker for lane in lanes.lanes if workers is None or lane.worker in workers)
    in_detail = _has_few_events(lanes, stretch)
    is_alike = before is not None and before.mode is lanes.mode and before.in_detail is in_detail
    settled = _Settled(stretch, before if is_alike else None, wanted)
    drawn: dict[int, LaneColumns] = {}
    locks = []
    for database in range(lanes.databases):
        writing = [lane for lane in lanes.lanes if lane.database == database and lane.role in _WRITING]
        exact = _from_events(lanes, database, writing, settled) if in_detail else None
        lock, columns = exact or _from_sums(lanes, database, writing, settled, in_detail=in_detail)
        locks.append(lock)
        drawn |= columns
    for lane in lanes.lanes:
        if lane.worker in wanted and lane.worker not in drawn:
            drawn[lane.worker] = _lane(lanes, lane, settled, in_detail=in_detail)
    writers = {lane.worker: lane.database for lane in lanes.lanes if lane.role in _WRITING}
    return Picture(stretch, drawn, tuple(locks), lanes.mode, in_detail, writers)


_WRITING: Final = (Role.WRITER, Role.SINGLE_WRITER)


def _has_few_events(lanes: Lanes, stretch: Stretch) -> bool:
    """Tell whether a stretch can be drawn event by event; a batch without events counts as one."""
    left = MOST_EVENTS
    for lane in lanes.lanes:
        for chunk in chunks_in(lane, stretch.from_ns, stretch.until_ns):
            left -= len(chunk.transactions) or 1
            if left < 0:
                return False
    return True


class _Settled:
    """What an earlier picture knows for good of a stretch: the first columns of each lane and lock."""

    def __init__(self, stretch: Stretch, before: Picture | None, wanted: Collection[int]) -> None:
        self.stretch, self.wanted = stretch, wanted
        after = stretch.columns_after(before.stretch) if before is not None else None
        self._before = before if after is not None else None
        self._first = after or 0

    def lane(self, worker: int) -> tuple[Column, ...]:
        """Return the first columns of a worker's lane; at least one column is always left over."""
        seen = self._before.lanes.get(worker) if self._before is not None else None
        return seen.columns[self._first : seen.settled][: self.stretch.columns - 1] if seen is not None else ()

    def lock(self, database: int, writing: Sequence[WorkerLane], *, is_exact: bool) -> LockColumns | None:
        """Return the first columns of a lock, where they are of this kind, and no writer or wanted lane is new."""
        before = self._before
        if before is None or any(lane.worker not in before.writers for lane in writing):
            return None
        if any(lane.worker in self.wanted and lane.worker not in before.lanes for lane in writing):
            return None
        seen = before.locks[database]
        if seen.is_exact is not is_exact:
            return None
        part = slice(self._first, max(min(seen.settled, self._first + self.stretch.columns - 1), self._first))
        return seen._replace(held=seen.held[part], wasted=seen.wasted[part])


def _from_events(
    lanes: Lanes, database: int, writing: Sequence[WorkerLane], settled: _Settled
) -> tuple[LockColumns, dict[int, LaneColumns]] | None:
    """Return a lock and its writers' lanes as far as wanted, where each transaction is an event; else None."""
    stretch = settled.stretch
    known = settled.lock(database, writing, is_exact=True)
    count = len(known.held) if known is not None else 0
    rest = stretch.without_first(count)
    told = {lane.worker: intervals(lane, lanes.mode, rest.from_ns, rest.until_ns) for lane in writing}
    if not is_all_told(writing, told):
        return None
    holds = holds_of(writing, told, rest)
    columns = {}
    for lane in writing:
        if lane.role is Role.SINGLE_WRITER and lanes.mode is not Mode.SINGLE_WRITER:
            continue  # it decides nothing now
        if lane.worker not in settled.wanted:
            continue
        pieces = told[lane.worker]
        if lane.role is Role.SINGLE_WRITER:
            pieces = served(pieces, holds, untold_waits(writing, told))
        columns[lane.worker] = lane_columns(lanes, lane, pieces, stretch, settled.lane(lane.worker)[:count])
    return lock_from_events(lanes.mode, writing, told, holds, stretch, known), columns


def _from_sums(
    lanes: Lanes, database: int, writing: Sequence[WorkerLane], settled: _Settled, *, in_detail: bool
) -> tuple[LockColumns, dict[int, LaneColumns]]:
    """Return a lock as the looks found it, and its writers' lanes as far as they are wanted and told."""
    lock = lock_from_looks(lanes, database, settled.stretch, settled.lock(database, writing, is_exact=False))
    columns = {}
    for lane in writing:
        if lane.worker not in settled.wanted:
            continue
        # Event by event, the single writer's lane may have been drawn from its clients' events.
        is_new = in_detail and lane.role is Role.SINGLE_WRITER
        columns[lane.worker] = _lane(lanes, lane, settled, in_detail=in_detail, is_new=is_new)
    return lock, columns


def _lane(lanes: Lanes, lane: WorkerLane, settled: _Settled, *, in_detail: bool, is_new: bool = False) -> LaneColumns:
    known = () if is_new else settled.lane(lane.worker)
    rest = settled.stretch.without_first(len(known))
    pieces = intervals(lane, lanes.mode, rest.from_ns, rest.until_ns, in_detail=in_detail)
    return lane_columns(lanes, lane, pieces, settled.stretch, known)
