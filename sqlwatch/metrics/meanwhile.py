"""Who held a write lock while somebody waited for it, when it was free, and when nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec

from simulators.events import Mode, Role
from sqlwatch.metrics.lane_intervals import intervals
from sqlwatch.metrics.lanes import Doing, Lanes, WorkerLane, transactions_of
from sqlwatch.metrics.stretches import union


class MeanwhileHeld(msgspec.Struct, frozen=True):
    """Holds of another worker within the wait."""

    worker: int
    label: str
    times: int
    held_ns: int


class Meanwhile(msgspec.Struct, frozen=True):
    """The write lock within a wait; the three times add up to its length."""

    holders: tuple[MeanwhileHeld, ...]
    """Longest first."""
    held_ns: int
    free_ns: int
    """Nobody held the lock, and this worker did not take it."""
    unknown_ns: int
    """Somebody may have held it: transactions only counted or not told yet, or a time that is forgotten."""


def meanwhile(lanes: Lanes, own: WorkerLane, from_ns: int, until_ns: int, *, is_told: bool = True) -> Meanwhile:
    """Return what is known of the lock that a worker waited for.

    Where its own transaction is not told yet, the single writer may have worked for it at any time.
    """
    exact, vague = [], []
    for other in lanes.lanes:
        if other.database == own.database and other.role is Role.WRITER and other is not own:
            holds, unsure = _of(other, lanes, from_ns, until_ns)
            exact += [(begin, end, other) for begin, end in holds]
            vague += unsure
    if not is_told and lanes.mode is Mode.SINGLE_WRITER:
        vague.append((from_ns, until_ns))
    exact.sort(key=lambda hold: hold[:2])
    holders: dict[int, MeanwhileHeld] = {}
    cursor = from_ns
    free: list[tuple[int, int]] = []
    for begin, end, other in exact:
        if cursor < begin:
            free.append((cursor, begin))
        held_ns = end - max(begin, cursor)
        if held_ns > 0:
            known = holders.get(other.worker, MeanwhileHeld(other.worker, other.label, 0, 0))
            holders[other.worker] = msgspec.structs.replace(
                known, times=known.times + 1, held_ns=known.held_ns + held_ns
            )
            cursor = end
    if cursor < until_ns:
        free.append((cursor, until_ns))
    unknown_ns = _common_ns(free, vague)
    held_ns = sum(holder.held_ns for holder in holders.values())
    return Meanwhile(
        holders=tuple(sorted(holders.values(), key=lambda holder: -holder.held_ns)),
        held_ns=held_ns,
        free_ns=until_ns - from_ns - held_ns - unknown_ns,
        unknown_ns=unknown_ns,
    )


def _of(
    lane: WorkerLane, lanes: Lanes, from_ns: int, until_ns: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return another worker's holds within a stretch, and when it may have held without our knowing."""
    holds, vague = [], []
    for piece in intervals(lane, lanes.mode, from_ns, until_ns):
        is_untold = piece.doing is Doing.QUEUED and piece.transaction is None and lanes.mode is Mode.SINGLE_WRITER
        if piece.doing is Doing.HOLDING:
            holds.append((piece.from_ns, piece.until_ns))
        elif piece.doing is Doing.MIXED or (piece.doing is Doing.IDLE and not piece.is_exact) or is_untold:
            vague.append((piece.from_ns, piece.until_ns))
    for transaction, mode in transactions_of(lane, from_ns, until_ns):
        begin, end = max(transaction.got_ns, from_ns), min(transaction.released_ns, until_ns)
        if mode is Mode.SINGLE_WRITER and transaction.got_ns and begin < end:
            holds.append((begin, end))
    if lane.chunks and lane.chunks[0].since_ns > from_ns and lane.runs and lane.runs[0].from_ns < from_ns:
        vague.append((from_ns, min(lane.chunks[0].since_ns, until_ns)))
    return holds, vague


def _common_ns(free: Iterable[tuple[int, int]], vague: Iterable[tuple[int, int]]) -> int:
    """Return how much of the free time is vague.

    >>> _common_ns([(0, 10), (20, 30)], [(5, 22), (6, 8)])
    7
    """
    total = 0
    ordered = union(sorted(vague))
    first = 0
    for begin, end in free:
        while first < len(ordered) and ordered[first][1] <= begin:
            first += 1
        for start, stop in islice(ordered, first, None):
            if start >= end:
                break
            total += min(stop, end) - max(start, begin)
    return total
