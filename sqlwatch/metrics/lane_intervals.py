"""What one worker did between two moments: intervals that do not overlap, from its chunks and from its samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final

from simulators.events import Checkpoint, Mode, WorkerState
from sqlwatch.metrics.lanes import Chunk, Doing, Interval, Run, WorkerLane, chunks_in, wait_end_ns


def intervals(lane: WorkerLane, mode: Mode, from_ns: int, until_ns: int, *, in_detail: bool = True) -> list[Interval]:
    """Return what a worker did between two moments: intervals that do not overlap, oldest first, cut to the stretch.

    `mode` is the present one: a wait that goes on is a sleep only where workers poll.  Without `in_detail` a chunk is
    one interval with its shares.
    """
    result: list[Interval] = []
    cursor = from_ns
    ongoing_ns = _waiting_since_ns(lane)
    for chunk in chunks_in(lane, from_ns, until_ns):
        since_ns, end_ns = chunk.since_ns, chunk.until_ns
        if since_ns > cursor:
            result += _from_runs(lane.runs, mode, cursor, since_ns)
            cursor = since_ns
        if chunk is lane.chunks[-1] and ongoing_ns >= _last_told_ns(chunk):
            end_ns = min(end_ns, ongoing_ns)
        if in_detail or chunk.checkpoints or cursor > since_ns or end_ns > until_ns:
            result += _cut(_pieces(chunk, end_ns, in_detail=in_detail), cursor, min(end_ns, until_ns))
        else:
            result.append(_mean(chunk, end_ns))
        cursor = max(cursor, end_ns)
    if cursor < until_ns:
        result += _from_runs(lane.runs, mode, cursor, until_ns)
    return result


def _waiting_since_ns(lane: WorkerLane) -> int:
    """Return since when the worker waits at the newest sample; 0 if it does not."""
    newest = lane.runs[-1] if lane.runs else None
    return newest.from_ns if newest is not None and newest.state is WorkerState.WAITING else 0


def _last_told_ns(chunk: Chunk) -> int:
    """Return until when the chunk's own events reach: a wait that goes on began later, if at all."""
    return chunk.transactions[-1].done_ns if chunk.transactions else chunk.since_ns


def _cut(pieces: Iterable[Interval], from_ns: int, until_ns: int) -> Iterator[Interval]:
    for piece in pieces:
        begin, end = max(piece.from_ns, from_ns), min(piece.until_ns, until_ns)
        if begin < end:
            yield piece if (begin, end) == piece[1:3] else piece._replace(from_ns=begin, until_ns=end)


def _pieces(chunk: Chunk, until_ns: int, *, in_detail: bool) -> Iterator[Interval]:
    if not chunk.has_events or not in_detail:
        pieces: Iterator[Interval] = iter([_mean(chunk, until_ns)])
    else:
        pieces = _exact_pieces(chunk, until_ns)
    return _with_checkpoints(pieces, chunk.checkpoints) if chunk.checkpoints else pieces


def _mean(chunk: Chunk, until_ns: int) -> Interval:
    """Return a whole chunk as one interval."""
    length = max(until_ns - chunk.since_ns, 1)
    held = min((chunk.held_ns + chunk.counted_hold_ns) / length, 1.0)
    asleep = min(chunk.asleep_ns / length, 1.0 - held)
    queued = min(chunk.queued_ns / length, 1.0 - held - asleep)
    return Interval(Doing.MIXED, chunk.since_ns, until_ns, False, held, asleep, queued)


def _exact_pieces(chunk: Chunk, until_ns: int) -> Iterator[Interval]:
    """Yield waits and holds of the events, and what lies between them."""
    mean_hold_ns = chunk.counted_hold_ns / chunk.counted if chunk.counted > 0 else 0.0
    cursor, number = chunk.since_ns, chunk.number_before
    is_client = chunk.mode is Mode.SINGLE_WRITER
    for transaction in chunk.transactions:
        asked_ns = max(transaction.asked_ns, cursor)
        if cursor < asked_ns:
            yield _gap(cursor, asked_ns, transaction.number - number - 1, mean_hold_ns)
        waited_until_ns = max(wait_end_ns(transaction, chunk.mode), asked_ns)
        if asked_ns < waited_until_ns:
            if transaction.retries and not is_client:
                yield Interval(Doing.ASLEEP, asked_ns, waited_until_ns, True, 0.0, 1.0, 0.0, transaction, asked_ns)
            else:
                yield Interval(Doing.QUEUED, asked_ns, waited_until_ns, True, 0.0, 0.0, 1.0, transaction, asked_ns)
        cursor, number = waited_until_ns, transaction.number
        if transaction.got_ns and not is_client and transaction.released_ns > cursor:
            yield Interval(Doing.HOLDING, cursor, transaction.released_ns, True, 1.0, 0.0, 0.0, transaction)
            cursor = transaction.released_ns
    if cursor < until_ns:
        yield _gap(cursor, until_ns, chunk.number_before + chunk.finished - number, mean_hold_ns)


def _gap(from_ns: int, until_ns: int, counted: int, mean_hold_ns: float) -> Interval:
    """Return what lies between two events: nothing, or transactions that were only counted."""
    if counted <= 0:
        return Interval(Doing.IDLE, from_ns, until_ns, True)
    return Interval(Doing.MIXED, from_ns, until_ns, False, min(counted * mean_hold_ns / (until_ns - from_ns), 1.0))


def _with_checkpoints(pieces: Iterable[Interval], checkpoints: Iterable[Checkpoint]) -> Iterator[Interval]:
    """Cut a worker's checkpoints out of what is not a wait or hold of its own."""
    for piece in pieces:
        cursor = piece.from_ns
        if piece.transaction is None:
            for ran in checkpoints:
                begin, end = max(ran.started_ns, cursor), min(ran.ended_ns, piece.until_ns)
                if begin < end:
                    if cursor < begin:
                        yield piece._replace(from_ns=cursor, until_ns=begin)
                    yield Interval(Doing.CHECKPOINTING, begin, end, True)
                    cursor = end
        if cursor < piece.until_ns:
            yield piece if cursor == piece.from_ns else piece._replace(from_ns=cursor)


_DOING: Final = {
    WorkerState.IDLE: Doing.IDLE, WorkerState.HOLDING: Doing.HOLDING, WorkerState.READING: Doing.READING,
    WorkerState.CHECKPOINTING: Doing.CHECKPOINTING,
}  # fmt: skip


_END: Final = attrgetter("until_ns")


def _from_runs(runs: Sequence[Run], mode: Mode, from_ns: int, until_ns: int) -> Iterator[Interval]:
    """Yield what the slot's samples say; before the first one the worker was not there.

    Between two waits it did something that no sample saw.
    """
    cursor = from_ns
    first = bisect_right(runs, from_ns, key=_END)
    between = Doing.IDLE if first else Doing.ABSENT
    for run in islice(runs, first, None):
        if run.from_ns >= until_ns:
            break
        begin, end = max(run.from_ns, cursor), min(run.until_ns, until_ns)
        if begin >= end:
            continue
        if cursor < begin:
            yield Interval(between, cursor, begin, False)
        between = Doing.IDLE
        if run.state is WorkerState.WAITING:
            polls = mode is Mode.CONTENDED
            doing = Doing.ASLEEP if polls else Doing.QUEUED
            shares = (0.0, 1.0, 0.0) if polls else (0.0, 0.0, 1.0)
            yield Interval(doing, begin, end, True, *shares, None, run.from_ns)
        else:
            doing = _DOING.get(run.state, Doing.ABSENT)
            yield Interval(doing, begin, end, False, float(doing is Doing.HOLDING))
        cursor = end
    if cursor < until_ns:
        yield Interval(Doing.ABSENT, cursor, until_ns, False)
