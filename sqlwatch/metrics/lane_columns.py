"""The lock timeline in columns of equal length: what the lanes' intervals, or their sums, say of each.

Where a stretch has more events than could be told apart on a screen, the sums of the batches are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from simulators.events import Mode, Role, is_busy
from sqlwatch.metrics.ladder import looks_ns, looks_until_got_ns
from sqlwatch.metrics.lanes import Doing, Interval, Lanes, WorkerLane, intervals, transactions_of

MOST_EVENTS: Final = 1_200
"""Up to this many events a stretch is drawn event by event; that takes a few milliseconds."""

LOOKS_UP_TO_NS: Final = 12_500_000
"""In longer columns nearly every one would have a look, which says nothing."""


class Stretch(NamedTuple):
    """A stretch of time in `columns` columns of `column_ns`."""

    from_ns: int
    column_ns: int
    columns: int

    @property
    def until_ns(self) -> int:
        """Its end."""
        return self.from_ns + self.column_ns * self.columns


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
    looked: bool = False
    """Whether it woke up, looked at the lock, and found it taken."""
    failed: bool = False
    """Whether it got a busy error."""


UNKNOWN: Final = Column(is_known=False)
IDLE: Final = Column()


class LaneColumns(NamedTuple):
    """A worker's columns, and the share of the whole stretch in which it held the lock; None for a reader."""

    columns: tuple[Column, ...]
    held: float | None
    is_exact: bool


class LockColumns(NamedTuple):
    """One database's write lock: for each column the share in which it was held, and free while somebody waited."""

    held: tuple[float | None, ...]
    wasted: tuple[float | None, ...]
    is_exact: bool

    @property
    def held_share(self) -> float | None:
        """Share of the known time in which it was held."""
        return _mean_of(self.held)

    @property
    def wasted_share(self) -> float | None:
        """Share of the known time in which it was free while somebody waited."""
        return _mean_of(self.wasted)


class Picture(NamedTuple):
    """The whole timeline for a stretch of time."""

    stretch: Stretch
    lanes: dict[int, LaneColumns]
    """By worker."""
    locks: tuple[LockColumns, ...]
    """By database."""

    @property
    def wasted(self) -> float | None:
        """Share of the known time in which a lock was free while somebody waited; databases count alike."""
        return _mean_of([lock.wasted_share for lock in self.locks])

    @property
    def is_exact(self) -> bool:
        """Whether all of it is known from events."""
        return all(lock.is_exact for lock in self.locks) and all(lane.is_exact for lane in self.lanes.values())


def _mean_of(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def picture(lanes: Lanes, stretch: Stretch) -> Picture:
    """Return what is known of a stretch of time."""
    from_ns, until_ns = stretch.from_ns, stretch.until_ns
    in_detail = _events(lanes, from_ns, until_ns) <= MOST_EVENTS
    told = {lane.worker: intervals(lane, lanes.mode, from_ns, until_ns, in_detail=in_detail) for lane in lanes.lanes}
    holds = [_holds(lanes, told, number, from_ns, until_ns) if in_detail else [] for number in range(lanes.databases)]
    for lane in lanes.lanes:
        if lane.role is Role.SINGLE_WRITER and _knows_all(lanes, told, lane.database, holds[lane.database]):
            told[lane.worker] = _served(told[lane.worker], holds[lane.database])
    locks = tuple(_lock(lanes, told, number, holds[number], stretch, in_detail) for number in range(lanes.databases))
    return Picture(
        stretch, {lane.worker: _lane(lanes, lane, told[lane.worker], stretch) for lane in lanes.lanes}, locks
    )


def _events(lanes: Lanes, from_ns: int, until_ns: int) -> int:
    return sum(
        len(chunk.transactions)
        for lane in lanes.lanes
        for chunk in lane.chunks
        if chunk.until_ns > from_ns and chunk.since_ns < until_ns
    )


def _holds(
    lanes: Lanes, told: dict[int, list[Interval]], database: int, from_ns: int, until_ns: int
) -> list[tuple[int, int]]:
    """Return when the write lock of a database was held, as far as events tell, oldest first and without overlaps.

    A worker may be kept from reading the clock after it has released the lock: it was released when the next got it.
    """
    found = set()
    for lane in lanes.lanes:
        if lane.database != database or lane.role is not Role.WRITER:
            continue
        for piece in told[lane.worker]:
            if piece.doing is Doing.HOLDING:
                found.add((piece.from_ns, piece.until_ns))
        for transaction, mode in transactions_of(lane, from_ns, until_ns):
            if mode is Mode.SINGLE_WRITER and transaction.got_ns:
                begin, end = max(transaction.got_ns, from_ns), min(transaction.released_ns, until_ns)
                if begin < end:
                    found.add((begin, end))
    ordered = sorted(found)
    clipped = [(begin, min(end, following)) for (begin, end), (following, _) in pairwise(ordered)]
    return [(begin, end) for begin, end in [*clipped, *ordered[-1:]] if begin < end]


def _knows_all(lanes: Lanes, told: dict[int, list[Interval]], database: int, holds: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the clients' events tell all that the single writer did."""
    clients = (lane for lane in lanes.lanes if lane.database == database and lane.role is Role.WRITER)
    return bool(holds) and not any(piece.doing is Doing.MIXED for lane in clients for piece in told[lane.worker])


def _served(pieces: Sequence[Interval], holds: Sequence[tuple[int, int]]) -> list[Interval]:
    """Return the single writer's lane, where its clients' events tell when it held the lock; the rest stays."""
    result = []
    position = 0
    for piece in pieces:
        if piece.doing not in (Doing.MIXED, Doing.HOLDING, Doing.IDLE):
            result.append(piece)
            continue
        cursor = piece.from_ns
        while position < len(holds) and holds[position][1] <= cursor:
            position += 1
        index = position
        while index < len(holds) and holds[index][0] < piece.until_ns:
            begin, end = max(holds[index][0], cursor), min(holds[index][1], piece.until_ns)
            if cursor < begin:
                result.append(Interval(Doing.IDLE, cursor, begin, True))
            if begin < end:
                result.append(Interval(Doing.HOLDING, begin, end, True, 1.0))
                cursor = end
            index += 1
        if cursor < piece.until_ns:
            result.append(Interval(Doing.IDLE, cursor, piece.until_ns, True))
    return result


def _lock(
    lanes: Lanes,
    told: dict[int, list[Interval]],
    database: int,
    holds: Sequence[tuple[int, int]],
    stretch: Stretch,
    in_detail: bool,
) -> LockColumns:
    """Return one lock's columns: exact where all its writers' transactions are events, else from the looks."""
    writers = [lane for lane in lanes.lanes if lane.database == database and lane.role is Role.WRITER]
    pieces = [piece for lane in writers for piece in told[lane.worker]]
    is_exact = in_detail and bool(pieces) and not any(piece.doing is Doing.MIXED for piece in pieces)
    if not is_exact:
        return _lock_from_looks(lanes, database, stretch)
    waits = sorted((piece.from_ns, piece.until_ns) for piece in pieces if piece.asleep or piece.queued)
    held, wasted = _Paint(stretch), _Paint(stretch)
    for begin, end in holds:
        held.add(begin, end)
    for begin, end in _without(_union(waits), holds):
        wasted.add(begin, end)
    present = _Paint(stretch)
    for begin, end in _union(sorted(piece[1:3] for piece in pieces if piece.doing is not Doing.ABSENT)):
        present.add(begin, end)
    is_known = [share > 0.5 for share in present.shares()]
    return LockColumns(
        tuple(share if known else None for share, known in zip(held.shares(), is_known, strict=True)),
        tuple(share if known else None for share, known in zip(wasted.shares(), is_known, strict=True)),
        True,
    )


def _lock_from_looks(lanes: Lanes, database: int, stretch: Stretch) -> LockColumns:
    """Spread what the looks counted over the time they were taken in."""
    looked, held, wasted = _Paint(stretch), _Paint(stretch), _Paint(stretch)
    for before, look in pairwise(lanes.looks):
        if look.looks and look.at_ns > stretch.from_ns and before.at_ns < stretch.until_ns:
            looked.add(before.at_ns, look.at_ns)
            held.add(before.at_ns, look.at_ns, look.held[database] / look.looks)
            wasted.add(before.at_ns, look.at_ns, look.wasted[database] / look.looks)
    known = looked.shares()
    return LockColumns(
        tuple(share / part if part else None for share, part in zip(held.shares(), known, strict=True)),
        tuple(share / part if part else None for share, part in zip(wasted.shares(), known, strict=True)),
        False,
    )


def _union(sorted_stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches that overlap or touch.

    >>> _union([(0, 4), (2, 3), (4, 6), (8, 9)])
    [(0, 6), (8, 9)]
    """
    result: list[tuple[int, int]] = []
    for begin, end in sorted_stretches:
        if result and begin <= result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], end)
        else:
            result.append((begin, end))
    return result


def _without(stretches: Iterable[tuple[int, int]], holes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut holes out of stretches; both are in order and without overlaps.

    >>> _without([(0, 6), (8, 9)], [(1, 2), (5, 8)])
    [(0, 1), (2, 5), (8, 9)]
    """
    result = []
    position = 0
    for begin, end in stretches:
        while position < len(holes) and holes[position][1] <= begin:
            position += 1
        index, cursor = position, begin
        while index < len(holes) and holes[index][0] < end:
            if cursor < holes[index][0]:
                result.append((cursor, holes[index][0]))
            cursor = max(cursor, holes[index][1])
            index += 1
        if cursor < end:
            result.append((cursor, end))
    return result


class _Paint:
    """Time added up in columns."""

    def __init__(self, stretch: Stretch) -> None:
        self._from_ns, self._column_ns, self._count = stretch
        self._ns = [0.0] * stretch.columns

    def add(self, begin_ns: int, end_ns: int, share: float = 1.0) -> None:
        """Add a stretch of time, or a share of it; what lies outside is cut."""
        begin = max(begin_ns - self._from_ns, 0)
        end = min(end_ns - self._from_ns, self._column_ns * self._count)
        if begin >= end:
            return
        column_ns, ns = self._column_ns, self._ns
        first, last = begin // column_ns, (end - 1) // column_ns
        if first == last:
            ns[first] += (end - begin) * share
            return
        ns[first] += ((first + 1) * column_ns - begin) * share
        ns[last] += (end - last * column_ns) * share
        whole = column_ns * share
        for column in range(first + 1, last):
            ns[column] += whole

    def shares(self) -> tuple[float, ...]:
        """Return each column's share of its length."""
        column_ns = self._column_ns
        return tuple([min(ns / column_ns, 1.0) for ns in self._ns])


def _lane(lanes: Lanes, lane: WorkerLane, pieces: Sequence[Interval], stretch: Stretch) -> LaneColumns:
    """Return a worker's columns.

    Intervals do not overlap, so a column that lies wholly within one shows only that; the others are added up.
    """
    begin_ns, column_ns, count = stretch
    columns = [IDLE] * count
    parts: dict[int, list[tuple[float, Column]]] = {}
    looked, failed = set(), set()
    held_ns, absent_ns = 0.0, 0
    for piece in pieces:
        doing, length_ns = piece.doing, piece.until_ns - piece.from_ns
        if doing is Doing.IDLE:
            continue
        if doing is Doing.ABSENT:
            absent_ns += length_ns
        held_ns += piece.held * length_ns
        column = _WHOLE.get(doing) or Column(piece.held, piece.asleep, piece.queued, is_exact=False)
        if doing is Doing.HOLDING and not piece.is_exact:
            column = _SAMPLED_HOLD
        begin, end = piece.from_ns - begin_ns, piece.until_ns - begin_ns
        first, last = begin // column_ns, (end - 1) // column_ns
        if first == last:
            parts.setdefault(first, []).append((length_ns / column_ns, column))
        else:
            parts.setdefault(first, []).append((((first + 1) * column_ns - begin) / column_ns, column))
            columns[first + 1 : last] = [column] * (last - first - 1)
            parts.setdefault(last, []).append(((end - last * column_ns) / column_ns, column))
        if doing is Doing.ASLEEP:
            looked.update(_looks(lanes, piece, stretch))
        if piece.transaction is not None and is_busy(piece.transaction.outcome):
            failed.add((piece.transaction.done_ns - begin_ns) // column_ns)
    for index, shares in parts.items():
        columns[index] = _sum_of(shares)
    for chunk in lane.chunks:
        if chunk.failed and not chunk.has_events:
            failed.add((chunk.until_ns - begin_ns) // column_ns)
    for index in looked:
        columns[index] = columns[index]._replace(looked=True)
    for index in failed:
        if 0 <= index < count:
            columns[index] = columns[index]._replace(failed=True)
    writes = lane.role is Role.SINGLE_WRITER or (lane.role is Role.WRITER and lanes.mode is not Mode.SINGLE_WRITER)
    present_ns = column_ns * count - absent_ns
    is_exact = not writes or not any(piece.doing is Doing.MIXED for piece in pieces)
    return LaneColumns(tuple(columns), held_ns / present_ns if writes and present_ns > 0 else None, is_exact)


_WHOLE: Final = {
    Doing.HOLDING: Column(held=1.0), Doing.ASLEEP: Column(asleep=1.0), Doing.QUEUED: Column(queued=1.0),
    Doing.READING: Column(reading=1.0), Doing.CHECKPOINTING: Column(checkpointing=1.0), Doing.ABSENT: UNKNOWN,
}  # fmt: skip
_SAMPLED_HOLD: Final = Column(held=1.0, is_exact=False)


def _sum_of(shares: Sequence[tuple[float, Column]]) -> Column:
    """Add up what shares of a column say of it; the rest of it was idle."""
    held = asleep = queued = reading = checkpointing = absent = 0.0
    is_exact = True
    for share, column in shares:
        held += column.held * share
        asleep += column.asleep * share
        queued += column.queued * share
        reading += column.reading * share
        checkpointing += column.checkpointing * share
        if not column.is_known:
            absent += share
        is_exact = is_exact and (column.is_exact or not column.is_known)
    if absent > 0.5:
        return UNKNOWN
    return Column(min(held, 1.0), min(asleep, 1.0), min(queued, 1.0), reading, checkpointing, True, is_exact)


def _looks(lanes: Lanes, piece: Interval, stretch: Stretch) -> list[int]:
    """Return the columns in which a sleeper woke up and found the lock taken."""
    if not lanes.delays_ns or piece.doing is not Doing.ASLEEP or stretch.column_ns > LOOKS_UP_TO_NS:
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
