"""One worker's lane in columns of equal length: what its intervals, or the sums of its batches, say of each."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from simulators.events import Mode, Role, is_busy
from sqlwatch.metrics.ladder import looks_ns, looks_until_got_ns
from sqlwatch.metrics.lanes import Doing, Interval, Lanes, WorkerLane, chunks_in
from sqlwatch.metrics.stretches import Stretch

LOOKS_UP_TO_NS: Final = 12_500_000
"""In longer columns nearly every one would have a look, which says nothing."""


class Column(NamedTuple):
    """What a worker did in one column: shares of its length, 0..1."""

    held: float = 0.0
    asleep: float = 0.0
    queued: float = 0.0
    reading: float = 0.0
    checkpointing: float = 0.0
    is_known: bool = True
    is_exact: bool = True
    """False where transactions were only counted or states sampled."""
    is_counted: bool = False
    """Whether it has transactions that were only counted."""
    looked: bool = False
    """Whether it woke up, looked at the lock, and found it taken."""
    failed: bool = False
    """Whether it got a busy error."""


_IS_COUNTED: Final = attrgetter("is_counted")

UNKNOWN: Final = Column(is_known=False)
IDLE: Final = Column()


class LaneColumns(NamedTuple):
    """A worker's columns; of these the first `settled` stay as they are."""

    columns: tuple[Column, ...]
    held: float | None
    """Share of the known time in which it held the lock; None for who does not take it itself."""
    is_exact: bool
    settled: int = 0


def lane_columns(
    lanes: Lanes, lane: WorkerLane, pieces: Sequence[Interval], stretch: Stretch, before: tuple[Column, ...] = ()
) -> LaneColumns:
    """Return a worker's columns; the first ones are known `before`, and the pieces begin where those end."""
    columns = (*before, *_columns_of(lanes, lane, pieces, stretch.without_first(len(before))))
    writes = lane.role is Role.SINGLE_WRITER or (lane.role is Role.WRITER and _takes_the_lock(lanes, lane, stretch))
    held = [column.held for column in columns if column.is_known] if writes else []
    return LaneColumns(
        columns,
        sum(held) / len(held) if held else None,
        not writes or not any(map(_IS_COUNTED, columns)),
        stretch.columns_before(lane.settled_ns),
    )


def _takes_the_lock(lanes: Lanes, lane: WorkerLane, stretch: Stretch) -> bool:
    """Tell whether a writer took the lock itself in any part of a stretch, or would have."""
    modes = {chunk.mode for chunk in chunks_in(lane, stretch.from_ns, stretch.until_ns)} or {lanes.mode}
    return modes != {Mode.SINGLE_WRITER}


def _columns_of(lanes: Lanes, lane: WorkerLane, pieces: Sequence[Interval], stretch: Stretch) -> list[Column]:
    """Intervals do not overlap, so a column that lies wholly within one shows only that; the others are added up."""
    begin_ns, column_ns, count = stretch
    columns = [IDLE] * count
    parts: dict[int, list[tuple[float, Column]]] = {}
    looked: set[int] = set()
    for piece in pieces:
        doing = piece.doing
        if doing is Doing.IDLE:
            continue
        column = _column_within(piece)
        begin, end = piece.from_ns - begin_ns, piece.until_ns - begin_ns
        first, last = begin // column_ns, (end - 1) // column_ns
        if first == last:
            parts.setdefault(first, []).append(((end - begin) / column_ns, column))
        else:
            parts.setdefault(first, []).append((((first + 1) * column_ns - begin) / column_ns, column))
            columns[first + 1 : last] = [column] * (last - first - 1)
            parts.setdefault(last, []).append(((end - last * column_ns) / column_ns, column))
        if doing is Doing.ASLEEP:
            looked.update(_looks(lanes, piece, stretch))
    for index, shares in parts.items():
        columns[index] = _sum_of(shares)
    for index in looked:
        columns[index] = columns[index]._replace(looked=True)
    for index in _failures(lane, stretch):
        columns[index] = columns[index]._replace(failed=True)
    return columns


_WHOLE: Final = {
    Doing.HOLDING: Column(held=1.0), Doing.ASLEEP: Column(asleep=1.0), Doing.QUEUED: Column(queued=1.0),
    Doing.READING: Column(reading=1.0), Doing.CHECKPOINTING: Column(checkpointing=1.0), Doing.ABSENT: UNKNOWN,
}  # fmt: skip
_SAMPLED_HOLD: Final = Column(held=1.0, is_exact=False)


def _column_within(piece: Interval) -> Column:
    """Return a column that lies wholly within an interval."""
    if piece.doing is Doing.HOLDING and not piece.is_exact:
        return _SAMPLED_HOLD
    return _WHOLE.get(piece.doing) or Column(piece.held, piece.asleep, piece.queued, is_exact=False, is_counted=True)


def _sum_of(shares: Sequence[tuple[float, Column]]) -> Column:
    """Add up what shares of a column say of it; the rest of it was idle."""
    if len(shares) == 1 and shares[0][0] == 1.0:
        return shares[0][1]
    held = asleep = queued = reading = checkpointing = absent = 0.0
    is_exact, is_counted = True, False
    for share, column in shares:
        if not column.is_known:
            absent += share
            continue
        held += column.held * share
        asleep += column.asleep * share
        queued += column.queued * share
        reading += column.reading * share
        checkpointing += column.checkpointing * share
        is_exact = is_exact and column.is_exact
        is_counted = is_counted or column.is_counted
    if absent > 0.5:
        return UNKNOWN
    return Column(
        min(held, 1.0), min(asleep, 1.0), min(queued, 1.0), reading, checkpointing, True, is_exact, is_counted
    )


def _failures(lane: WorkerLane, stretch: Stretch) -> set[int]:
    """Return the columns in which the worker got a busy error."""
    ends_ns: list[int] = []
    for chunk in chunks_in(lane, stretch.from_ns, stretch.until_ns):
        if chunk.failed and chunk.transactions:
            ends_ns += [one.done_ns for one in chunk.transactions if is_busy(one.outcome)]
        elif chunk.failed:
            ends_ns.append(chunk.until_ns)
    found = ((end_ns - 1 - stretch.from_ns) // stretch.column_ns for end_ns in ends_ns)
    return {column for column in found if 0 <= column < stretch.columns}


def _looks(lanes: Lanes, piece: Interval, stretch: Stretch) -> list[int]:
    """Return the columns in which a sleeper woke up and found the lock taken."""
    if not lanes.delays_ns or stretch.column_ns > LOOKS_UP_TO_NS:
        return []
    transaction, after_ns = piece.transaction, max(piece.from_ns - piece.asked_ns - 1, 0)
    if transaction is not None and transaction.got_ns:
        waited_ns = transaction.got_ns - transaction.asked_ns
        looks = looks_until_got_ns(lanes.delays_ns, transaction.retries, waited_ns, after_ns)
        if looks and looks[-1] == waited_ns:
            looks.pop()
    else:
        looks = looks_ns(lanes.delays_ns, piece.until_ns - piece.asked_ns, after_ns)
    found = [(piece.asked_ns + look - stretch.from_ns) // stretch.column_ns for look in looks]
    return [column for column in found if 0 <= column < stretch.columns]
