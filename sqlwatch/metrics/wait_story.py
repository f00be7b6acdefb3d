"""One transaction's wait, told from the lanes of all workers: who held the lock meanwhile, and when it was free."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from simulators.events import Mode, Role, Transaction, is_busy
from sqlwatch.metrics.ladder import looks_ns, looks_until_got_ns, sleeps_ns
from sqlwatch.metrics.lanes import Doing, Lanes, WorkerLane, intervals, transactions_of, wait_end_ns


class Sleep(msgspec.Struct, frozen=True):
    """One rung of the ladder: how long it slept, and how long after asking it looked at the lock again."""

    slept_ns: int
    looked_ns: int


class MeanwhileHeld(msgspec.Struct, frozen=True):
    """Holds of another worker within the wait."""

    worker: int
    label: str
    times: int
    held_ns: int


class WaitStory(msgspec.Struct, frozen=True):
    """All that is known of one transaction and its wait; the three times of the lock add up to the wait."""

    worker: int
    label: str
    database: int
    mode: Mode
    transaction: Transaction
    waited_ns: int
    sleeps: tuple[Sleep, ...] | None
    """None where the delays were drawn at random."""
    holders: tuple[MeanwhileHeld, ...]
    """Longest first."""
    held_ns: int
    free_ns: int
    """Nobody held the lock, and this worker did not take it."""
    unknown_ns: int
    """Somebody may have held it: transactions that were only counted, or a time that is forgotten."""


def wait_story(lanes: Lanes, worker: int, number: int) -> WaitStory | None:
    """Return the story of a worker's transaction; None if its event is not kept (any more)."""
    lane = lanes.lane(worker)
    if lane is None:
        return None
    found = next((pair for pair in transactions_of(lane, 0, lanes.now_ns) if pair[0].number == number), None)
    if found is None:
        return None
    transaction, mode = found
    asked_ns, until_ns = transaction.asked_ns, max(wait_end_ns(transaction, mode), transaction.asked_ns)
    if mode is Mode.SINGLE_WRITER and transaction.got_ns:
        until_ns = max(transaction.got_ns, asked_ns)
    exact, vague = [], []
    for other in lanes.lanes:
        if other.database == lane.database and other.role is Role.WRITER and other is not lane:
            holds, counted = _of(other, lanes, asked_ns, until_ns)
            exact += [(begin, end, other) for begin, end in holds]
            vague += counted
    exact.sort(key=lambda hold: hold[:2])
    holders: dict[int, MeanwhileHeld] = {}
    cursor = asked_ns
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
    waited_ns = until_ns - asked_ns
    return WaitStory(
        worker=worker,
        label=lane.label,
        database=lane.database,
        mode=mode,
        transaction=transaction,
        waited_ns=waited_ns,
        sleeps=_sleeps(lanes, transaction, mode, waited_ns),
        holders=tuple(sorted(holders.values(), key=lambda holder: -holder.held_ns)),
        held_ns=held_ns,
        free_ns=waited_ns - held_ns - unknown_ns,
        unknown_ns=unknown_ns,
    )


def _of(
    lane: WorkerLane, lanes: Lanes, from_ns: int, until_ns: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return another worker's holds within a stretch, and when it may have held without our knowing."""
    holds, vague = [], []
    for piece in intervals(lane, lanes.mode, from_ns, until_ns):
        if piece.doing is Doing.HOLDING:
            holds.append((piece.from_ns, piece.until_ns))
        elif piece.doing is Doing.MIXED or (piece.doing is Doing.IDLE and not piece.is_exact):
            vague.append((piece.from_ns, piece.until_ns))
    for transaction, mode in transactions_of(lane, from_ns, until_ns):
        begin, end = max(transaction.got_ns, from_ns), min(transaction.released_ns, until_ns)
        if mode is Mode.SINGLE_WRITER and transaction.got_ns and begin < end:
            holds.append((begin, end))
    if lane.chunks and lane.chunks[0].since_ns > from_ns and lane.runs and lane.runs[0].from_ns < from_ns:
        vague.append((from_ns, min(lane.chunks[0].since_ns, until_ns)))
    return holds, vague


def _common_ns(free: Iterable[tuple[int, int]], vague: list[tuple[int, int]]) -> int:
    """Return how much of the free time is vague.

    >>> _common_ns([(0, 10), (20, 30)], [(5, 22), (6, 8)])
    7
    """
    total = 0
    for begin, end in free:
        cursor = begin
        for start, stop in sorted(vague):
            common = min(stop, end) - max(start, cursor)
            if common > 0:
                total += common
                cursor = min(stop, end)
    return total


def _sleeps(lanes: Lanes, transaction: Transaction, mode: Mode, waited_ns: int) -> tuple[Sleep, ...] | None:
    """Return the rungs that were slept; the last one of a wait without the lock was the busy error itself."""
    if not transaction.retries or mode is Mode.SINGLE_WRITER:
        return ()
    if lanes.delays_ns is None:
        return None
    delays = sleeps_ns(lanes.delays_ns, transaction.retries)
    if transaction.got_ns:
        looks = looks_until_got_ns(lanes.delays_ns, transaction.retries, waited_ns) if delays else []
    else:
        looks = looks_ns(lanes.delays_ns, min(waited_ns, lanes.limit_ns))[: transaction.retries]
        left_ns = lanes.limit_ns - sum(delays[: len(looks)])
        if is_busy(transaction.outcome) and len(looks) < transaction.retries - 1 and 0 < left_ns <= waited_ns:
            delays[len(looks)] = left_ns  # the last sleep is what is left of the limit
            looks.append(lanes.limit_ns)
    return tuple(Sleep(slept, look) for slept, look in zip(delays, looks, strict=False))
