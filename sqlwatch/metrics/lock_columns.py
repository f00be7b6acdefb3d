"""The write lock in columns of equal length: when it was held, and when it was free while somebody waited for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from simulators.events import Mode, Role
from sqlwatch.metrics.lanes import Doing, Interval, Lanes, WorkerLane, transactions_of
from sqlwatch.metrics.stretches import Paint, Stretch, union, without

Told = Mapping[int, Sequence[Interval]]
"""What the workers did, by worker."""

Hold = tuple[int, int]
"""When somebody got the lock, and when it was free again or the next got it."""


class LockColumns(NamedTuple):
    """One database's write lock: for each column the share in which it was held, and free while somebody waited.

    Of these the first `settled` stay as they are.
    """

    held: tuple[float | None, ...]
    wasted: tuple[float | None, ...]
    is_exact: bool
    settled: int = 0

    @property
    def held_share(self) -> float | None:
        """Share of the known time in which it was held."""
        return mean_of(self.held)

    @property
    def wasted_share(self) -> float | None:
        """Share of the known time in which it was free while somebody waited."""
        return mean_of(self.wasted)


def mean_of(shares: Sequence[float | None]) -> float | None:
    """Return the mean of what is known; None where nothing is.

    >>> mean_of([0.5, None, 1.0]), mean_of([None])
    (0.75, None)
    """
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def is_all_told(writing: Iterable[WorkerLane], told: Told) -> bool:
    """Tell whether every transaction of the writers is an event."""
    pieces = [piece for lane in writing if lane.role is Role.WRITER for piece in told[lane.worker]]
    return bool(pieces) and not any(piece.doing is Doing.MIXED for piece in pieces)


def holds_of(writing: Iterable[WorkerLane], told: Told, stretch: Stretch) -> list[Hold]:
    """Return when a write lock was held, as far as events tell, oldest first and without overlaps.

    A worker may be kept from reading the clock after it has released the lock: it was released when the next got it.
    What the single writer does now is known from the samples of its state, until its client tells.
    """
    from_ns, until_ns = stretch.from_ns, stretch.until_ns
    found = set()
    for lane in writing:
        found |= {(piece.from_ns, piece.until_ns) for piece in told[lane.worker] if piece.doing is Doing.HOLDING}
        for transaction, mode in transactions_of(lane, from_ns, until_ns):
            if mode is Mode.SINGLE_WRITER and transaction.got_ns:
                begin, end = max(transaction.got_ns, from_ns), min(transaction.released_ns, until_ns)
                if begin < end:
                    found.add((begin, end))
    ordered = sorted(found)
    clipped = [(begin, min(end, following)) for (begin, end), (following, _) in pairwise(ordered)]
    return [(begin, end) for begin, end in [*clipped, *ordered[-1:]] if begin < end]


def untold_waits(writing: Iterable[WorkerLane], told: Told) -> list[tuple[int, int]]:
    """Return when a client waited whose transaction is not told yet: the single writer may have worked for it."""
    return union(
        sorted(
            (piece.from_ns, piece.until_ns)
            for lane in writing
            for piece in told[lane.worker]
            if piece.doing is Doing.QUEUED and piece.transaction is None
        )
    )


def served(pieces: Sequence[Interval], holds: Sequence[Hold], vague: Sequence[tuple[int, int]]) -> list[Interval]:
    """Return the single writer's lane where its clients' events tell when it held the lock.

    In between it did nothing, except while it may have worked for a client that tells of it later: there, and where
    it was not at work, its own samples stay.
    """
    kept = [piece for piece in pieces if piece.doing not in _WORK]
    worked = [piece for piece in pieces if piece.doing in _WORK]
    spans = [(piece.from_ns, piece.until_ns) for piece in worked]
    free = without(spans, holds)
    idle = without(free, vague)
    kept += [Interval(Doing.HOLDING, begin, end, True, 1.0) for begin, end in without(spans, free)]
    kept += [Interval(Doing.IDLE, begin, end, True) for begin, end in idle]
    for begin, end in without(free, idle):
        number = bisect_right(spans, begin, key=lambda span: span[1])
        kept.append(worked[number]._replace(from_ns=begin, until_ns=end))
    return sorted(kept, key=lambda piece: piece.from_ns)


_WORK: Final = (Doing.MIXED, Doing.HOLDING, Doing.IDLE)


def lock_from_events(
    mode: Mode, writing: Sequence[WorkerLane], told: Told, holds: Sequence[Hold], stretch: Stretch,
    before: LockColumns | None,
) -> LockColumns:  # fmt: skip
    """Return a lock's columns where all is told; the first ones are known `before`, and `told` begins where those end.

    Nothing is known where nobody was there.
    """
    rest = stretch.without_first(len(before.held) if before is not None else 0)
    held, wasted, present = Paint(rest), Paint(rest), Paint(rest)
    pieces = [piece for lane in writing if lane.role is Role.WRITER for piece in told[lane.worker]]
    for begin, end in holds:
        held.add(begin, end)
    waits = union(sorted((piece.from_ns, piece.until_ns) for piece in pieces if piece.asleep or piece.queued))
    for begin, end in without(waits, holds):
        wasted.add(begin, end)
    for begin, end in union(sorted(piece[1:3] for piece in pieces if piece.doing is not Doing.ABSENT)):
        present.add(begin, end)
    known = [share > 0.5 for share in present.shares()]
    decides = [lane for lane in writing if lane.role is Role.WRITER or mode is Mode.SINGLE_WRITER]
    return LockColumns(
        (*(before.held if before else ()), *_where(known, held.shares())),
        (*(before.wasted if before else ()), *_where(known, wasted.shares())),
        True,
        stretch.columns_before(min(lane.settled_ns for lane in decides)),
    )


def looks_within(lanes: Lanes, stretch: Stretch) -> int:
    """Return how many looks at a lock the stretch has: behind each share that was sampled in it."""
    return sum(look.looks for look in lanes.looks if stretch.from_ns < look.at_ns <= stretch.until_ns)


def lock_from_looks(lanes: Lanes, database: int, stretch: Stretch, before: LockColumns | None) -> LockColumns:
    """Spread what the looks counted over the time they were taken in; the first columns are known `before`."""
    kept = len(before.held) if before is not None else 0
    rest = stretch.without_first(kept)
    looked, held, wasted = Paint(rest), Paint(rest), Paint(rest)
    looks = lanes.looks
    for number in range(len(looks) - 1, 0, -1):
        look, since_ns = looks[number], looks[number - 1].at_ns
        if look.at_ns <= rest.from_ns:
            break
        if look.looks and since_ns < rest.until_ns:
            looked.add(since_ns, look.at_ns)
            held.add(since_ns, look.at_ns, look.held[database] / look.looks)
            wasted.add(since_ns, look.at_ns, look.wasted[database] / look.looks)
    known = looked.shares()
    return LockColumns(
        (*(before.held if before else ()), *_over(held.shares(), known)),
        (*(before.wasted if before else ()), *_over(wasted.shares(), known)),
        False,
        stretch.columns_before(looks[-1].at_ns) if looks else 0,
    )


def _where(known: Sequence[bool], shares: Sequence[float]) -> list[float | None]:
    return [share if is_known else None for share, is_known in zip(shares, known, strict=True)]


def _over(shares: Sequence[float], known: Sequence[float]) -> list[float | None]:
    return [share / part if part else None for share, part in zip(shares, known, strict=True)]
