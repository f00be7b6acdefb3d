"""A lock timeline that is the same in every run: writers that poll as SQLite does, or stand in a queue."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable

from simulators.busy import LADDER_MS
from simulators.events import Batch, Mode, Role, SlotSample, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
from simulators.transactions import EventSums, Transaction, Transactions
from sqlwatch.metrics.ladder import delays_of
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.lanes import Lanes
from sqlwatch.metrics.snapshot import Worker

MS = 1_000_000
SECOND = 1_000 * MS
PAST_NS = 3 * SECOND
BATCH_NS = 80 * MS
HOLD_NS = 2 * MS
THINK_NS = 20 * MS


def make_lanes(at_ns: int, mode: Mode, workers: Iterable[Worker]) -> Lanes:
    """The lanes of the last three seconds; a starved worker has waited all the time, the others take turns."""
    ring = LaneRing(1, delays_of(BusyPolicy()), 5 * SECOND)
    chosen = list(workers)
    for worker in chosen:
        ring.start(worker.id, worker.role, worker.database)
    begin_ns = at_ns - PAST_NS
    writers = [worker for worker in chosen if worker.role is Role.WRITER]
    told = _turns(begin_ns, at_ns, [worker.id for worker in writers if not worker.starved], mode)
    for since_ns in range(begin_ns, at_ns, BATCH_NS):
        until_ns = since_ns + BATCH_NS
        for worker, done in told.items():
            batch = [one for one in done if since_ns <= one.done_ns < until_ns]
            if batch:
                ring.add_batch(
                    Batch(
                        worker,
                        Role.WRITER,
                        0,
                        1,
                        since_ns,
                        until_ns,
                        len(batch),
                        transactions=Transactions.of(batch),
                        sums=EventSums.of(batch),
                    ),
                    mode,
                )
    for sampled_ns in range(begin_ns, at_ns + 1, 50 * MS):
        samples = tuple(_sample(one, sampled_ns, at_ns) for one in chosen)
        ring.add_sample(SlotSample(sampled_ns, 1, 10, (6,), (3,), samples))
    return ring.freeze(at_ns, mode)


def _sample(worker: Worker, at_ns: int, now_ns: int) -> WorkerSample:
    if worker.starved:
        return WorkerSample(worker.id, WorkerState.WAITING, now_ns - worker.current_wait_ns)
    reads = worker.role is Role.READER and at_ns // (50 * MS) % 3 == 0
    return WorkerSample(worker.id, WorkerState.READING if reads else WorkerState.IDLE, 0)


def _turns(begin_ns: int, end_ns: int, writers: list[int], mode: Mode) -> dict[int, list[Transaction]]:
    """Play the fight for one lock: who finds it taken sleeps on the ladder, or stands in the queue."""
    rng = random.Random(5)
    done: dict[int, list[Transaction]] = {worker: [] for worker in writers}
    looks = [(begin_ns + rng.randrange(THINK_NS), worker, 0, 0) for worker in writers]
    heapq.heapify(looks)
    free_ns = begin_ns
    while looks and looks[0][0] < end_ns:
        now_ns, worker, asked_ns, retries = heapq.heappop(looks)
        asked_ns = asked_ns or now_ns
        if now_ns < free_ns:
            sleep_ns = LADDER_MS[min(retries, len(LADDER_MS) - 1)] * MS
            again_ns = now_ns + sleep_ns if mode is Mode.CONTENDED else free_ns
            heapq.heappush(looks, (again_ns, worker, asked_ns, retries + (mode is Mode.CONTENDED)))
            continue
        free_ns = now_ns + HOLD_NS
        number = len(done[worker]) + 1
        done[worker].append(Transaction(number, asked_ns, asked_ns, now_ns, free_ns, free_ns, retries, 0))
        heapq.heappush(looks, (free_ns + THINK_NS + rng.randrange(THINK_NS), worker, 0, 0))
    return done
