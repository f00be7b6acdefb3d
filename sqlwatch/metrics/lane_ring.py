"""The mutable side of the lock timeline: rings of stated length that a fold fills and a Snapshot shares.

A Snapshot takes references to chunks that never change, so making one costs the same at any rate.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from simulators.events import Batch, Mode, Role, SlotSample, WorkerSample, WorkerState, is_busy
from simulators.transactions import Transactions
from sqlwatch.metrics.lanes import KEPT_NS, LATENESS_NS, Chunk, Lanes, LockLook, Run, WorkerLane

KEPT_TRANSACTIONS: Final = 20_000
"""Newest events that are kept with their times, of all workers together; of older ones the sums of a chunk remain."""

KEPT_CHUNKS: Final = 640
"""Chunks of one worker: 32 s of batches at their fastest regular pace, 50 ms."""

KEPT_RUNS: Final = 640
KEPT_LOOKS: Final = 640
ENDED_LANES: Final = 32
"""Lanes of ended workers that are kept; of more, the oldest are forgotten."""


class _Ring:
    """One worker's lane."""

    def __init__(self, worker: int, role: Role, database: int) -> None:
        self.worker, self.role, self.database = worker, role, database
        self.old: deque[Chunk] = deque(maxlen=KEPT_CHUNKS)
        """Chunks of which only the sums are left."""
        self.chunks: deque[Chunk] = deque()
        self.runs: deque[Run] = deque(maxlen=KEPT_RUNS)
        self.forgotten = 0
        """Chunks that were forgotten and still stand in the order of all lanes' chunks."""
        self.number = 0
        self.until_ns = 0
        self.has_ended = False

    def add(self, batch: Batch, mode: Mode) -> None:
        """Take in a batch that says something of the write lock."""
        transactions = batch.transactions
        since_ns = max(self.until_ns or batch.since_ns, self._rested_until_ns(batch.until_ns))
        number_before = self.number
        done_ns = 0
        if transactions:
            first, done_ns = transactions[0], transactions[-1].done_ns
            asked_ns = first.asked_ns
            if self.chunks and asked_ns < self.chunks[-1].until_ns:
                self._shorten(asked_ns)
            since_ns = min(since_ns, max(asked_ns, self.until_ns))
            counted = batch.finished - len(transactions)
            number_before = max(number_before, first.number - 1 - counted)
        sums, is_client = batch.sums, mode is Mode.SINGLE_WRITER
        held_ns = 0 if is_client else sums.held_ns
        self.chunks.append(
            Chunk(
                since_ns=since_ns,
                until_ns=max(batch.until_ns, done_ns),
                mode=mode,
                number_before=number_before,
                finished=batch.finished or batch.groups,
                transactions=transactions,
                counted_hold_ns=max(batch.lock_hold.sum_ns - held_ns, 0),
                held_ns=held_ns,
                asleep_ns=0 if is_client else sums.asleep_ns,
                queued_ns=sums.answered_ns if is_client else sums.queued_ns,
                failed=any(map(is_busy, batch.errors)),
                checkpoints=batch.checkpoints,
                has_events=batch.role is not Role.SINGLE_WRITER,
            )
        )
        self.number = number_before + batch.finished
        self.until_ns = self.chunks[-1].until_ns

    def sample(self, seen: WorkerSample, at_ns: int) -> None:
        """Take in one look at the slot."""
        state, last = seen.state, self.runs[-1] if self.runs else None
        last_ns = last.until_ns if last is not None else 0
        is_exact = state in (WorkerState.WAITING, WorkerState.HOLDING)
        # A wait or hold lasts as long as it says; what lies between two of them was not seen.
        from_ns = min(max(seen.since_ns or at_ns, last_ns), at_ns) if is_exact or last is None else last_ns
        if last is None or state is not last.state or (is_exact and (seen.since_ns or at_ns) > last.from_ns):
            self.runs.append(Run(state, from_ns, at_ns))
        else:
            self.runs[-1] = Run(state, last.from_ns, at_ns)

    def strip(self) -> int:
        """Keep only the sums of the oldest chunk; return how many transactions that gives back."""
        chunk = self.chunks.popleft()
        self.old.append(msgspec.structs.replace(chunk, transactions=Transactions(), has_events=not chunk.transactions))
        return len(chunk.transactions)

    def forget(self, before_ns: int) -> int:
        """Forget what ended before a moment; return how many transactions that gives back."""
        given_back = 0
        while self.old and self.old[0].until_ns < before_ns:
            self.old.popleft()
        while not self.old and self.chunks and self.chunks[0].until_ns < before_ns:
            given_back += len(self.chunks.popleft().transactions)
            self.forgotten += 1
        while self.runs and self.runs[0].until_ns < before_ns:
            self.runs.popleft()
        return given_back

    @property
    def worked_until_ns(self) -> int:
        """Until when the worker is known to have worked; 0 if it never did."""
        seen_ns = next((run.until_ns for run in reversed(self.runs) if run.state not in _NOT_AT_WORK), 0)
        return max(self.until_ns, seen_ns)

    def freeze(self) -> WorkerLane:
        """Return the lane as it is."""
        return WorkerLane(self.worker, self.role, self.database, (*self.old, *self.chunks), tuple(self.runs))

    def _shorten(self, until_ns: int) -> None:
        """End the newest chunk where the wait began that a later batch tells of."""
        newest = self.chunks[-1]
        least_ns = max(newest.since_ns, newest.transactions[-1].done_ns if newest.transactions else 0)
        self.until_ns = max(until_ns, least_ns)
        self.chunks[-1] = msgspec.structs.replace(newest, until_ns=self.until_ns)

    def _rested_until_ns(self, before_ns: int) -> int:
        """Return when the worker last came out of a rest, before a moment; 0 if it did not since its last chunk."""
        for run in reversed(self.runs):
            if run.until_ns <= self.until_ns:
                break
            if run.state in _AT_REST and run.until_ns <= before_ns:
                return run.until_ns
        return 0


_AT_REST: Final = (WorkerState.PARKED, WorkerState.STARTING)
_NOT_AT_WORK: Final = (*_AT_REST, WorkerState.ENDED)


class LaneRing:
    """The lanes of all workers."""

    def __init__(self, databases: int, delays_ns: tuple[int, ...] | None, limit_ns: int) -> None:
        self._databases, self._delays_ns, self._limit_ns = databases, delays_ns, limit_ns
        self._rings: dict[int, _Ring] = {}
        self._looks: deque[LockLook] = deque(maxlen=KEPT_LOOKS)
        self._kept = 0
        self._order: deque[_Ring] = deque()
        """The lane of each chunk that is not stripped, in the order in which they came."""
        self._parked_ns: int | None = None
        self._back_at_work_ns: int | None = None
        """When somebody worked again after all had come to rest, until the lanes have got there."""
        self._worked_in: Mode | None = None
        """The mode of the work that the lanes show while all rest: another one may have been chosen meanwhile."""
        self._shown_ns = 0
        """Where the lanes have ended so far at most."""

    def start(self, worker: int, role: Role, database: int) -> None:
        """Open a lane."""
        self._rings[worker] = _Ring(worker, role, database)
        ended = [number for number, ring in self._rings.items() if ring.has_ended]
        for number in ended[: max(len(ended) - ENDED_LANES, 0)]:
            ring = self._rings.pop(number)
            self._kept -= sum(len(chunk.transactions) for chunk in ring.chunks)
            ring.forgotten += len(ring.chunks)

    def end(self, worker: int, at_ns: int) -> None:
        """End a lane: from here on the worker is absent."""
        ring = self._rings.get(worker)
        if ring is not None:
            ring.has_ended = True
            ring.sample(WorkerSample(worker, WorkerState.ENDED, 0), at_ns)

    def add_batch(self, batch: Batch, mode: Mode) -> None:
        """Take in a batch; readers' batches say nothing of the write lock."""
        ring = self._rings.get(batch.worker)
        if ring is None or not (batch.finished or batch.groups or batch.checkpoints):
            return
        ring.add(batch, mode)
        if self._back_at_work_ns is None:
            self._worked_in = mode
        self._order.append(ring)
        self._kept += len(batch.transactions) - ring.forget(batch.until_ns - KEPT_NS)
        while self._order and (self._kept > KEPT_TRANSACTIONS or self._order[0].forgotten):
            oldest = self._order.popleft()
            if oldest.forgotten:
                oldest.forgotten -= 1
            else:
                self._kept -= oldest.strip()

    def add_sample(self, sample: SlotSample) -> None:
        """Take in a look at all slots."""
        for seen in sample.workers:
            ring = self._rings.get(seen.worker)
            if ring is not None and not ring.has_ended:
                ring.sample(seen, sample.at_ns)
        look = LockLook(sample.at_ns, sample.looks, sample.held, sample.wasted)
        rested = self._all_rest
        self._note_rest(sample)
        if rested and self._all_rest:
            look = look._replace(looks=0)  # one for the whole rest: many would push out what was before
            if not self._looks[-1].looks:
                self._looks.pop()
        self._looks.append(look)

    @property
    def _all_rest(self) -> bool:
        return self._parked_ns is not None and self._back_at_work_ns is None

    def _note_rest(self, sample: SlotSample) -> None:
        """Note since when all have been at rest, or since when somebody works again.

        Who has ended since counts: those who are left, such as the single writer, may have rested all the time.
        """
        if any(seen.state not in _AT_REST for seen in sample.workers):
            if self._all_rest:
                self._back_at_work_ns = sample.at_ns
            return
        worked_until_ns = max((ring.worked_until_ns for ring in self._rings.values()), default=0)
        # Of who ended long ago nothing is left, and lanes that have been shown do not go back.
        self._parked_ns = max(min(worked_until_ns, sample.at_ns), self._shown_ns) if worked_until_ns else None
        self._back_at_work_ns = None

    def freeze(self, now_ns: int, mode: Mode, late_ns: int = 0) -> Lanes:
        """Return the lanes at this moment; after a rest they stay at its beginning until its end has been told.

        `late_ns` is by how much later than usual batches may come.
        """
        if self._back_at_work_ns is not None and self._back_at_work_ns <= now_ns - LATENESS_NS - late_ns:
            self._parked_ns = self._back_at_work_ns = None
        parked_ns = self._parked_ns
        before_ns = (now_ns if parked_ns is None else min(now_ns, parked_ns + LATENESS_NS)) - KEPT_NS
        for ring in self._rings.values():
            self._kept -= ring.forget(before_ns)
        lanes = tuple(ring.freeze() for ring in self._rings.values() if not ring.has_ended or ring.runs)
        looks = tuple(self._looks)
        if parked_ns is None or self._worked_in is None:
            self._worked_in = mode
        frozen = Lanes(
            now_ns, self._databases, self._worked_in, self._delays_ns, self._limit_ns, lanes, looks,
            late_ns, parked_ns,
        )  # fmt: skip
        self._shown_ns = max(self._shown_ns, frozen.newest_ns)
        return frozen
