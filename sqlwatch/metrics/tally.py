"""What is counted over one stretch of a simulation, mutable, and how it becomes a frozen Period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, TypeVar

from simulators.events import BUSY_SNAPSHOT_CODE, Batch, Mode, Outcome, Role, SlotSample, WorkerState, is_busy
from simulators.transactions import Transaction
from sqlwatch.metrics.fairness import Streaks, jain_index
from sqlwatch.metrics.histogram import HistogramBuilder
from sqlwatch.metrics.snapshot import Fairness, Period, Quality, WalTotals, Worker


class WorkerTally:
    """What one worker did in a stretch."""

    __slots__ = (
        "busy_errors",
        "busy_retries",
        "checkpoints",
        "committed",
        "errors",
        "finished",
        "last_commit_ns",
        "lock_wait",
        "longest_wait_ns",
        "other_errors",
        "reads",
        "snapshots",
        "states",
    )

    def __init__(self) -> None:
        self.finished = self.committed = self.reads = self.busy_errors = self.busy_retries = self.other_errors = 0
        self.longest_wait_ns = self.snapshots = self.checkpoints = 0
        self.last_commit_ns: int | None = None
        self.errors: dict[int, int] = {}
        self.states: dict[WorkerState, int] = {}
        self.lock_wait: HistogramBuilder | None = None

    def add(self, other: WorkerTally) -> None:
        """Add what another stretch counted, except for its waits, which are details."""
        self.finished += other.finished
        self.committed += other.committed
        self.reads += other.reads
        self.snapshots += other.snapshots
        self.checkpoints += other.checkpoints
        self.busy_errors += other.busy_errors
        self.busy_retries += other.busy_retries
        self.other_errors += other.other_errors
        self.longest_wait_ns = max(self.longest_wait_ns, other.longest_wait_ns)
        self.last_commit_ns = max(self.last_commit_ns or 0, other.last_commit_ns or 0) or None
        _add_counts(self.errors, other.errors)
        _add_counts(self.states, other.states)


class WorkerNow:
    """What is known of a worker apart from any stretch: who it is, what it is doing, how it ended."""

    __slots__ = ("database", "exit", "id", "pid", "queue_depth", "role", "since_ns", "starved", "state")

    def __init__(self, worker: int, pid: int, role: Role, database: int) -> None:
        self.id, self.pid, self.role, self.database = worker, pid, role, database
        self.state = WorkerState.STARTING
        self.since_ns = 0
        self.queue_depth = 0
        self.starved = False
        self.exit: str | None = None

    def waited_ns(self, now_ns: int) -> int:
        """Return how long it has been waiting for the write lock; 0 if it is not."""
        is_waiting = self.state is WorkerState.WAITING and self.since_ns
        return max(now_ns - self.since_ns, 0) if is_waiting and self.exit is None else 0


class Tally:
    """Counts of one stretch."""

    def __init__(self, name: str, mode: Mode | None, number: int, started_ns: int, *, warm_up: bool = False) -> None:
        self.name, self.mode, self.number, self.started_ns, self.warm_up = name, mode, number, started_ns, warm_up
        self.ran_ns = 0
        self.until_ns = started_ns
        """Moment up to which the workload last ran in it."""
        self.ended_ns: int | None = None
        self.finished = self.committed = self.withdrawn = self.in_doubt = self.rows = self.reads = 0
        self.busy_retries = self.groups = self.queue_depth_max = 0
        self.cache_hits = self.cache_misses = 0
        self.errors: dict[int, int] = {}
        self.lock_wait, self.given_up, self.lock_hold = HistogramBuilder(), HistogramBuilder(), HistogramBuilder()
        self.commit_latency, self.read_latency, self.checkpoint = (
            HistogramBuilder(),
            HistogramBuilder(),
            HistogramBuilder(),
        )
        self.service_latency = HistogramBuilder()
        self.looks = 0
        """As many as were taken; the next three are weighted, for looks are rarer at times."""
        self.looked = self.held = self.wasted = 0
        self.workers: defaultdict[int, WorkerTally] = defaultdict(WorkerTally)
        self.members: set[int] = set()
        """Writers that lived at some time of the stretch."""
        self.starved: set[int] = set()
        self.streaks: defaultdict[int, Streaks] = defaultdict(Streaks)
        self.turns_seen = 0
        self.wal_peak_bytes: int | None = None
        self.wal_final_bytes: int | None = None
        self.wal_resets = 0
        self.checkpoints_busy = self.checkpoints_incomplete = 0
        self.pinned_ns = 0

    def add_batch(self, batch: Batch) -> None:
        """Add what a worker's batch counted."""
        self.finished += batch.finished
        self.committed += batch.committed
        self.withdrawn += batch.withdrawn
        self.in_doubt += batch.in_doubt
        self.rows += batch.rows
        self.reads += batch.reads
        self.busy_retries += batch.busy_retries
        self.groups += batch.groups
        self.queue_depth_max = max(self.queue_depth_max, batch.queue_depth_max)
        self.cache_hits += batch.cache_hits
        self.cache_misses += batch.cache_misses
        self.lock_wait.add_counts(batch.lock_wait)
        self.lock_hold.add_counts(batch.lock_hold)
        self.commit_latency.add_counts(batch.commit_latency)
        self.service_latency.add_counts(batch.service_latency)
        self.read_latency.add_counts(batch.read_latency)
        for checkpoint in batch.checkpoints:
            self.checkpoint.add(checkpoint.ended_ns - checkpoint.started_ns)
            self.checkpoints_busy += is_busy(checkpoint.outcome)
            self.checkpoints_incomplete += checkpoint.is_incomplete
        worker = self.workers[batch.worker]
        worker.checkpoints += len(batch.checkpoints)
        worker.finished += batch.finished
        worker.committed += batch.committed
        worker.reads += batch.reads
        worker.snapshots += batch.snapshots
        worker.busy_retries += batch.busy_retries
        worker.longest_wait_ns = max(worker.longest_wait_ns, batch.lock_wait.max_ns)
        if batch.errors:
            busy = sum(count for code, count in batch.errors.items() if is_busy(code))
            worker.busy_errors += busy
            worker.other_errors += sum(batch.errors.values()) - busy
            _add_counts(self.errors, batch.errors)
            _add_counts(worker.errors, batch.errors)
        if batch.committed:
            worker.last_commit_ns = batch.until_ns
        if batch.committed < batch.finished:  # who commits has not given up: at thousands a second it pays not to ask
            for transaction in batch.transactions:
                self._add_given_up(transaction, worker)

    def add_details(self, batch: Batch) -> None:
        """Add what does not add up with other stretches: streaks, and the waits of the batch's worker."""
        if batch.lock_wait.counts:
            worker = self.workers[batch.worker]
            worker.lock_wait = worker.lock_wait or HistogramBuilder()
            worker.lock_wait.add_counts(batch.lock_wait)
        if batch.transactions and batch.committed:
            won = batch.transactions
            if batch.committed < batch.finished:
                outcomes = enumerate(won.column("outcome"))
                won = won.chosen([index for index, outcome in outcomes if outcome == _COMMITTED])
            self.streaks[batch.database].add(won, batch.worker)
            self.turns_seen += len(won)

    def _add_given_up(self, transaction: Transaction, worker: WorkerTally) -> None:
        if not transaction.got_ns and (transaction.retries or transaction.outcome == Outcome.WITHDRAWN):
            waited_ns = transaction.done_ns - transaction.asked_ns
            self.given_up.add(waited_ns)
            worker.longest_wait_ns = max(worker.longest_wait_ns, waited_ns)

    def add_looks(self, sample: SlotSample) -> None:
        """Add what the sampling of the slots counted; databases count alike."""
        weight, looks = sample.weight, sample.looks * len(sample.held)
        self.looks += looks
        self.looked += looks * weight
        self.held += sum(sample.held) * weight
        self.wasted += sum(sample.wasted) * weight
        for seen in sample.workers:
            if seen.state not in _OVER:
                states = self.workers[seen.worker].states
                states[seen.state] = states.get(seen.state, 0) + weight

    def add_wal_bytes(self, file_bytes: int | None) -> None:
        """Note the size of the WALs."""
        if file_bytes is not None:
            self.wal_peak_bytes = max(self.wal_peak_bytes or 0, file_bytes)
            self.wal_final_bytes = file_bytes

    def merge(self, other: Tally) -> None:
        """Add another stretch, except for its details."""
        for name in (
            "ran_ns", "finished", "committed", "withdrawn", "in_doubt", "rows", "reads", "busy_retries", "groups",
            "cache_hits", "cache_misses", "looks", "looked", "held", "wasted", "wal_resets", "pinned_ns",
            "checkpoints_busy", "checkpoints_incomplete",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in (
            "lock_wait", "given_up", "lock_hold", "commit_latency", "service_latency", "read_latency", "checkpoint",
        ):  # fmt: skip
            getattr(self, name).add_histogram(getattr(other, name))
        self.queue_depth_max = max(self.queue_depth_max, other.queue_depth_max)
        _add_counts(self.errors, other.errors)
        for worker, tally in other.workers.items():
            self.workers[worker].add(tally)
        self.members |= other.members
        self.starved |= other.starved
        self.turns_seen += other.turns_seen
        if other.wal_peak_bytes is not None:
            self.add_wal_bytes(other.wal_peak_bytes)
            self.wal_final_bytes = other.wal_final_bytes

    def freeze(
        self, workers: Mapping[int, WorkerNow], now_ns: int, *, is_current: bool, has_wal: bool = True
    ) -> Period:
        """Return the stretch as a Period; waits that are under way belong only to a stretch that is current."""
        busy_errors = sum(count for code, count in self.errors.items() if is_busy(code))
        waiting = [now.waited_ns(now_ns) for now in workers.values()] if is_current else []
        cache = self.cache_hits + self.cache_misses
        return Period(
            name=self.name, mode=self.mode, number=self.number, started_ns=self.started_ns, elapsed_ns=self.ran_ns,
            until_ns=self.until_ns,
            finished=self.finished, committed=self.committed, withdrawn=self.withdrawn, in_doubt=self.in_doubt,
            rows=self.rows, reads=self.reads, errors=dict(self.errors), busy_errors=busy_errors,
            busy_snapshot_errors=self.errors.get(BUSY_SNAPSHOT_CODE, 0),
            other_errors=sum(self.errors.values()) - busy_errors, busy_retries=self.busy_retries,
            lock_wait=self.lock_wait.freeze(), given_up_waits=self.given_up.freeze(),
            unfinished_waits_ns=tuple(wait_ns for wait_ns in waiting if wait_ns), lock_hold=self.lock_hold.freeze(),
            commit_latency=self.commit_latency.freeze(), service_latency=self.service_latency.freeze(),
            read_latency=self.read_latency.freeze(),
            checkpoint=self.checkpoint.freeze(),
            lock_utilisation=self.held / self.looked if self.looked else None,
            wasted_lock_time=self.wasted / self.looked if self.looked else None,
            looks=self.looks, cache_hit_ratio=self.cache_hits / cache if cache else None,
            fairness=self._fairness(workers, waiting),
            wal=self._wal_totals() if has_wal else WalTotals(),
            groups=self.groups, queue_depth_max=self.queue_depth_max,
            workers=tuple(self._workers(workers, now_ns, is_current)), quality=self._quality(),
        )  # fmt: skip

    def _wal_totals(self) -> WalTotals:
        return WalTotals(
            peak_bytes=self.wal_peak_bytes, final_bytes=self.wal_final_bytes, checkpoints=self.checkpoint.count,
            resets=self.wal_resets, pinned_ns=self.pinned_ns, checkpoints_busy=self.checkpoints_busy,
            checkpoints_incomplete=self.checkpoints_incomplete,
        )  # fmt: skip

    def _fairness(self, workers: Mapping[int, WorkerNow], waiting: Iterable[int]) -> Fairness:
        commits = [self.workers[member].committed if member in self.workers else 0 for member in self.members]
        longest_ns = max([*waiting, *(tally.longest_wait_ns for tally in self.workers.values())], default=0)
        median_ns = self.lock_wait.freeze().percentile_ns(50)
        has_streaks = self._knows_streaks()
        turns = sum(streaks.turns for streaks in self.streaks.values())
        runs = sum(streaks.count for streaks in self.streaks.values())
        return Fairness(
            jain=jain_index(commits),
            floor=1 / len(commits) if commits else None,
            max_over_median_wait=longest_ns / median_ns if median_ns else None,
            longest_streak=max(streaks.longest for streaks in self.streaks.values()) if has_streaks else None,
            mean_streak=turns / runs if has_streaks and runs else None,
            longest_wait_ns=longest_ns,
            starved_workers=len(self.starved),
        )

    def _knows_streaks(self) -> bool:
        """Streaks are known once some are judged, where every commit was an event: what was counted has no order."""
        return any(streaks.turns for streaks in self.streaks.values()) and self.turns_seen == self.committed

    def _streak_of(self, now: WorkerNow) -> int | None:
        streaks = self.streaks.get(now.database)
        return streaks.longest_of.get(now.id, 0) if streaks and self._knows_streaks() else None

    def _workers(self, workers: Mapping[int, WorkerNow], now_ns: int, is_current: bool) -> Iterable[Worker]:
        for now in workers.values():
            tally = self.workers.get(now.id)
            if now.role is Role.WRITER and now.id not in self.members:
                continue
            waited_ns = now.waited_ns(now_ns) if is_current else 0
            tally = tally or WorkerTally()
            yield Worker(
                id=now.id, pid=now.pid, role=now.role, database=now.database, state=now.state,
                state_for_ns=max(now_ns - now.since_ns, 0) if now.since_ns else None, current_wait_ns=waited_ns,
                finished=tally.finished, committed=tally.committed, reads=tally.reads,
                share=tally.committed / self.committed if self.committed and now.role is Role.WRITER else None,
                busy_errors=tally.busy_errors, busy_retries=tally.busy_retries, other_errors=tally.other_errors,
                longest_wait_ns=max(tally.longest_wait_ns, waited_ns), last_commit_ns=tally.last_commit_ns,
                starved=now.starved and is_current, was_starved=now.id in self.starved, exit=now.exit,
                queue_depth=now.queue_depth, snapshots=tally.snapshots, checkpoints=tally.checkpoints,
                errors=dict(tally.errors), longest_streak=self._streak_of(now),
                lock_wait=tally.lock_wait.freeze() if tally.lock_wait is not None else None, states=dict(tally.states),
            )  # fmt: skip

    def _quality(self) -> dict[str, Quality]:
        sampled = Quality.SAMPLED if self.looks else Quality.UNKNOWN
        return {
            "lock_utilisation": sampled,
            "wasted_lock_time": sampled,
            "starved_workers": Quality.SAMPLED,
            "longest_streak": Quality.EXACT if self._knows_streaks() else Quality.UNKNOWN,
            "wal": Quality.UNKNOWN if self.wal_peak_bytes is None else Quality.SAMPLED,
        }


Key = TypeVar("Key", bound=Hashable)

_COMMITTED: Final = int(Outcome.COMMITTED)
"""A plain number: at thousands a second it pays."""
_OVER: Final = (WorkerState.ENDED, WorkerState.DEAD)


def _add_counts(target: dict[Key, int], more: Mapping[Key, int]) -> None:
    for key, count in more.items():
        target[key] = target.get(key, 0) + count
