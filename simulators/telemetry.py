"""The worker's side of telemetry: count everything, list what waited, and send a batch now and then.

A contended benchmark must not be slowed by its own instrument, so a short transaction is only counted (`stopwatch`),
and only what waited, failed or held long is an event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import compress
from multiprocessing.queues import SimpleQueue
from typing import Final

import msgspec

from simulators.buckets import bucket_of
from simulators.events import Batch, Checkpoint, Counts, Outcome, Role
from simulators.orders import end_orphaned
from simulators.slots import Board, Slot
from simulators.stopwatch import BINS, SHIFT, Bins, Stopwatch
from simulators.transactions import EventSums, Transaction, Transactions

BATCH_NS: Final = 95_000_000
"""A batch is sent when the last one is this old (and there is something to send), unless the board says otherwise."""

EVENT_NS: Final = 500_000
"""A wait or hold from this length on is an event."""

MAX_EVENTS: Final = 450
"""Events of one batch; from there on it is sent at once.  Two such batches fit into a queue (64 KiB) before anybody
reads: whoever sends to a full one would wait."""

_BINS: Final = tuple(range(BINS))
_MIDDLES_NS: Final = [(2 * number + 1 << SHIFT) // 2 for number in _BINS]
_BUCKET_OF_BIN: Final = [bucket_of(middle_ns) for middle_ns in _MIDDLES_NS]


class _Tally:
    """A histogram since the last batch."""

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._sum_ns = 0
        self._max_ns = 0

    def add(self, duration_ns: int, count: int = 1) -> None:
        bucket = bucket_of(duration_ns)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self._sum_ns += duration_ns * count
        self._max_ns = max(self._max_ns, duration_ns)

    def add_bins(self, bins: Bins) -> None:
        """Count short durations, each as the middle of its bin."""
        buckets, middle_ns = self._buckets, 0
        for number in compress(_BINS, bins):
            count, middle_ns, bucket = bins[number], _MIDDLES_NS[number], _BUCKET_OF_BIN[number]
            buckets[bucket] = buckets.get(bucket, 0) + count
            self._sum_ns += middle_ns * count
        self._max_ns = max(self._max_ns, middle_ns)

    def take(self) -> Counts:
        counts = Counts(tuple(self._buckets), tuple(self._buckets.values()), self._sum_ns, self._max_ns)
        self._buckets, self._sum_ns, self._max_ns = {}, 0, 0
        return counts


class Recorder:
    """Counts what one worker does and sends it as batches on its queue."""

    def __init__(
        self, worker: int, role: Role, database: int, rows: int, slot: Slot, board: Board, stopwatch: Stopwatch,
        queue: SimpleQueue[bytes], *, lists_all: bool = False,
    ) -> None:  # fmt: skip
        """Begin; with `lists_all` every transaction that `add` takes is an event, however short."""
        self.stopwatch = stopwatch
        """Counts the short transactions that committed; `add` is for all others."""
        self.phase = 0
        self._identity = (worker, role, database)
        self._rows = rows
        self._lists_all = lists_all
        self._slot = slot
        self.board = board
        self._queue = queue
        self._encode = msgspec.msgpack.Encoder().encode
        self._since_ns = time.monotonic_ns()
        self.next_batch_ns = self._since_ns + board.batch_ns
        self._cache_status: Callable[[], tuple[int, int]] = _no_cache
        self._sent_cache = (0, 0)
        self._wait, self._hold, self._latency, self._read = _Tally(), _Tally(), _Tally(), _Tally()
        self._service = _Tally()
        self._clear()

    def _clear(self) -> None:
        self._committed = self._withdrawn = self._in_doubt = self._reads = self._retries = self._groups = 0
        self._queue_depth_max = self._snapshots = 0
        self._errors: dict[int, int] = {}
        self._transactions: list[Transaction] = []
        self._checkpoints: list[Checkpoint] = []

    def add(self, transaction: Transaction, *, holds: bool = True, started_ns: int | None = None) -> None:
        """Count a transaction that the stopwatch did not; with `holds` false another process held the lock for it.

        `started_ns` is its actual start where that may be later than the intended one, `due_ns`: in an open loop.
        """
        asked_ns, got_ns = transaction.asked_ns, transaction.got_ns
        outcome = transaction.outcome
        wait_ns = (got_ns or transaction.done_ns) - asked_ns
        held_ns = transaction.released_ns - got_ns if got_ns and transaction.released_ns else 0
        if got_ns:
            self._wait.add(wait_ns)
            if holds and held_ns:
                self._hold.add(held_ns)
        match outcome:
            case Outcome.COMMITTED:
                self._committed += 1
                self._latency.add(transaction.done_ns - transaction.due_ns)
                if started_ns is not None:
                    self._service.add(transaction.done_ns - started_ns)
            case Outcome.WITHDRAWN:
                self._withdrawn += 1
                self._slot.withdrawn += 1
            case Outcome.UNKNOWN:
                self._in_doubt += 1
                self._slot.in_doubt += 1
            case _:
                self._errors[outcome] = self._errors.get(outcome, 0) + 1
                self._slot.failed += 1
        if self._lists_all or outcome or transaction.retries or wait_ns >= EVENT_NS or held_ns >= EVENT_NS:
            self._transactions.append(transaction)
            if len(self._transactions) >= MAX_EVENTS:
                self.next_batch_ns = 0

    def count_retry(self) -> None:
        """Count one call of the busy handler; batches go out also while a worker waits."""
        self._retries += 1
        self.send_if_due()

    def add_read(self, latency_ns: int) -> None:
        """Count one read transaction."""
        self._reads += 1
        self._read.add(latency_ns)

    def count_snapshot(self) -> None:
        """Count one snapshot that a pinned reader has kept and let go."""
        self._snapshots += 1

    def add_error(self, outcome: int) -> None:
        """Count an error of a reader or of a single writer's own."""
        self._errors[outcome] = self._errors.get(outcome, 0) + 1

    def add_group(self, got_ns: int, released_ns: int, queue_depth: int) -> None:
        """Count one transaction of the single writer: its hold, and how many requests were waiting."""
        self._groups += 1
        self._hold.add(released_ns - got_ns)
        self._queue_depth_max = max(self._queue_depth_max, queue_depth)

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Report a checkpoint that this worker ran."""
        self._checkpoints.append(checkpoint)

    def send_if_due(self) -> None:
        """Send a batch if the last one is old enough."""
        if time.monotonic_ns() >= self.next_batch_ns:
            self.send()

    def send(self) -> None:
        """Send what was counted since the last batch, if anything was."""
        now_ns = time.monotonic_ns()
        counted = self._take_short_ones()
        cache = self._cache_status()
        hits, misses = cache[0] - self._sent_cache[0], cache[1] - self._sent_cache[1]
        self._sent_cache = cache
        committed = self._committed + counted
        failed = sum(self._errors.values())
        worker, role, database = self._identity
        is_writer = role is Role.WRITER
        batch = Batch(
            worker=worker, role=role, database=database, phase=self.phase, since_ns=self._since_ns, until_ns=now_ns,
            finished=committed + failed + self._withdrawn + self._in_doubt if is_writer else 0,
            committed=committed, withdrawn=self._withdrawn, in_doubt=self._in_doubt,
            rows=committed * self._rows, reads=self._reads, busy_retries=self._retries,
            errors=self._errors, lock_wait=self._wait.take(), lock_hold=self._hold.take(),
            commit_latency=self._latency.take(), read_latency=self._read.take(),
            transactions=Transactions.of(self._transactions), checkpoints=tuple(self._checkpoints),
            cache_hits=max(hits, 0), cache_misses=max(misses, 0),
            queue_depth_max=self._queue_depth_max, groups=self._groups, service_latency=self._service.take(),
            snapshots=self._snapshots, sums=EventSums.of(self._transactions),
        )  # fmt: skip
        self._since_ns = now_ns
        self.next_batch_ns = now_ns + self.board.batch_ns
        has_news = batch.finished or batch.reads or batch.errors or batch.groups or batch.checkpoints
        if has_news or batch.busy_retries or batch.snapshots:
            try:
                self._queue.put(self._encode(batch))
            except OSError:  # nobody reads any more
                end_orphaned()
        self._clear()

    @contextmanager
    def counting_cache(self, status: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Report the page cache of a connection that lives within this context; `status` gives hits and misses."""
        self._cache_status, self._sent_cache = status, (0, 0)
        try:
            yield
        finally:
            self.send()
            self._cache_status = _no_cache

    def _take_short_ones(self) -> int:
        """Move the short transactions into the histograms and return how many there were."""
        waits, holds, latencies = self.stopwatch.take()
        self._wait.add_bins(waits)
        self._hold.add_bins(holds)
        self._latency.add_bins(latencies)
        return sum(latencies)


def _no_cache() -> tuple[int, int]:
    return 0, 0
