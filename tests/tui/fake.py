"""A session that is driven by hand, and Snapshots that are the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from simulators.events import Mode, Role, WorkerState
from simulators.transactions import Transaction, Transactions
from sqlwatch.metrics.histogram import Histogram, HistogramBuilder
from sqlwatch.metrics.ladder import RUNGS_MS
from sqlwatch.metrics.snapshot import (
    Fairness,
    Mark,
    MarkKind,
    Period,
    Quality,
    Recent,
    Simulation,
    Snapshot,
    Status,
    Timeline,
    Wal,
    Worker,
)
from tests.tui.fake_lanes import make_lanes

SECOND = 1_000_000_000
PERIOD_NS = SECOND // 2
STARTED_NS = 1_000 * SECOND
WORKLOAD = "16 writers hold 2ms, think 20ms, 1 row, sync normal, 2 readers"


@dataclass
class FakeSession:
    """Records what it is asked; snapshots are sent by the test."""

    calls: list[str] = field(default_factory=list)
    on_snapshot: Callable[[Snapshot], None] | None = None
    ended: bool = False

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        self.calls.append("start")
        self.on_snapshot = on_snapshot

    def send(self, snapshot: Snapshot) -> None:
        assert self.on_snapshot is not None, "the session was not started"
        self.on_snapshot(snapshot)

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def toggle_mode(self) -> None:
        self.calls.append("toggle_mode")

    def add_writer(self) -> None:
        self.calls.append("add_writer")

    def remove_writer(self) -> None:
        self.calls.append("remove_writer")

    def add_reader(self) -> None:
        self.calls.append("add_reader")

    def remove_reader(self) -> None:
        self.calls.append("remove_reader")

    def kill(self, worker_id: int) -> None:
        self.calls.append(f"kill {worker_id}")

    def next_phase(self) -> None:
        self.calls.append("next_phase")

    def hold_phase(self, is_held: bool) -> None:
        self.calls.append(f"hold_phase {is_held}")

    def attend(self, is_watched: bool) -> None:
        self.calls.append(f"attend {is_watched}")

    def reset(self) -> None:
        self.calls.append("reset")

    def stop(self) -> None:
        self.calls.append("stop")
        self.ended = True


def headline(snapshot: Snapshot) -> str:
    """A headline for tests, which do not need the real one."""
    if snapshot.simulation is None:
        return "starting"
    starved = [worker.id for worker in snapshot.simulation.phase.workers if worker.starved]
    if starved:
        who = f"worker {starved[0]} has waited longest, worker 1 takes every turn"
        return f"{len(starved)} of 16 writers are starved: {who}"
    return "all 16 writers get their turn"


def contended_waits(count: int) -> Histogram:
    """Waits as processes that poll have them: some short, most on the rungs."""
    rng = random.Random(7)
    builder = HistogramBuilder()
    for _ in range(count):
        if rng.random() < 0.4:
            builder.add(int(rng.lognormvariate(2.7, 0.5) * 1_000))
        else:
            rung = RUNGS_MS[min(int(rng.expovariate(0.25)), 40)]
            builder.add(int(rung * 1e6 * (1 + abs(rng.gauss(0, 0.02)))) + 80_000)
    return builder.freeze()


def queue_waits(count: int) -> Histogram:
    """Waits as clients of a queue have them."""
    rng = random.Random(8)
    builder = HistogramBuilder()
    for _ in range(count):
        builder.add(int(max(rng.gauss(9e6, 4e6), 3e4)))
    return builder.freeze()


def make_workers(seconds: float, mode: Mode, writers: int, readers: int, *, starving: int = 0) -> tuple[Worker, ...]:
    """Workers after some seconds; the last `starving` writers have waited since the start."""
    rng = random.Random(int(seconds * 4))
    workers = []
    for number in range(1, writers + 1):
        starved = number > writers - starving
        waiting = int(seconds * SECOND) if starved else rng.choice([0, 0, 3_100_000, 18_400_000, 53_200_000])
        state = WorkerState.WAITING if waiting else WorkerState.HOLDING if number == 1 else WorkerState.IDLE
        committed = 0 if starved else int(seconds * 17) + number
        workers.append(
            Worker(
                id=number,
                pid=40_000 + number,
                role=Role.WRITER,
                database=0,
                state=state,
                state_for_ns=waiting or 2_000_000,
                current_wait_ns=waiting,
                finished=committed,
                committed=committed,
                share=0.0 if starved else 1 / max(writers - starving, 1),
                busy_errors=3 if number == 2 else 0,
                longest_wait_ns=max(waiting, 228_000_000 + number * 1_000_000),
                starved=starved,
                was_starved=starved or number == 4,
                busy_retries=number * 10,
                errors={5: 2, 517: 1} if number == 2 else {},
                longest_streak=number % 5 + 1,
                lock_wait=contended_waits(committed) if committed else None,
                states={WorkerState.WAITING: 150, WorkerState.IDLE: 40, WorkerState.HOLDING: 10},
            )
        )
    for number in range(writers + 1, writers + readers + 1):
        reader = Worker(number, 40_000 + number, Role.READER, 0, WorkerState.READING, 100_000, 0)
        workers.append(msgspec.structs.replace(reader, reads=int(seconds * 40)))
    if mode is Mode.SINGLE_WRITER:
        number = writers + readers + 1
        workers.append(
            Worker(number, 40_000 + number, Role.SINGLE_WRITER, 0, WorkerState.HOLDING, 1_500_000, 0, queue_depth=6)
        )
    return tuple(workers)


def make_period(mode: Mode, seconds: float, started_ns: int, workers: tuple[Worker, ...]) -> Period:
    """A phase of some seconds."""
    contended = mode is not Mode.SINGLE_WRITER
    waits = (contended_waits if contended else queue_waits)(int(seconds * 100))
    return Period(
        name=mode.value,
        mode=mode,
        number=1,
        started_ns=started_ns,
        until_ns=started_ns + int(seconds * SECOND),
        elapsed_ns=int(seconds * SECOND),
        finished=int(seconds * (275 if contended else 338)),
        committed=int(seconds * (275 if contended else 338)),
        reads=int(seconds * 80),
        busy_errors=3,
        lock_wait=waits,
        commit_latency=waits,
        unfinished_waits_ns=tuple(worker.current_wait_ns for worker in workers if worker.current_wait_ns),
        lock_utilisation=0.55 if contended else 0.68,
        wasted_lock_time=0.37 if contended else 0.0,
        looks=int(seconds * 200),
        fairness=Fairness(
            jain=0.81 if contended else 0.99,
            floor=0.0625,
            longest_wait_ns=max([waits.max_ns, *(worker.current_wait_ns for worker in workers)]),
            starved_workers=sum(worker.was_starved for worker in workers),
        ),
        workers=workers,
        quality={"wasted_lock_time": Quality.SAMPLED, "lock_utilisation": Quality.SAMPLED},
    )


def make_snapshot(
    seconds: float = 20.0,
    *,
    mode: Mode = Mode.CONTENDED,
    switched_after: float | None = None,
    writers: int = 16,
    readers: int = 2,
    starving: int = 0,
    status: Status = Status.RUNNING,
    message: str | None = None,
    workload: str = WORKLOAD,
    workers: tuple[Worker, ...] | None = None,
) -> Snapshot:
    """A Snapshot after some seconds; `switched_after` is when a contended phase gave way to `mode`."""
    at_ns = STARTED_NS + int(seconds * SECOND)
    began = switched_after or 0.0
    chosen = workers if workers is not None else make_workers(seconds, mode, writers, readers, starving=starving)
    phase = make_period(mode, seconds - began, STARTED_NS + int(began * SECOND), chosen)
    before = make_workers(began, Mode.CONTENDED, writers, readers)
    ended = (make_period(Mode.CONTENDED, began, STARTED_NS, before),) if switched_after else ()
    return Snapshot(
        at_ns=at_ns,
        status=status,
        elapsed_ns=int(seconds * SECOND),
        commits_per_s=275.0 if mode is Mode.CONTENDED else 338.0,
        reads_per_s=80.0,
        wal=Wal(4_120_000, 4_120_000, 812, 400, 412, resets=3, checkpoints=9),
        timeline=make_timeline(seconds, switched_after, mode),
        own_cpu=0.043,
        started_ns=STARTED_NS,
        message=message,
        simulation=Simulation(
            workload=workload,
            mode=mode,
            databases=1,
            run=phase,
            phase=phase,
            window=phase,
            ended_phases=ended,
            starved_after_ns=SECOND,
            recent=make_recent(at_ns, writers),
            grave=make_grave(at_ns),
            forgotten=12_345,
            newest_of={worker.id: make_newest(at_ns) for worker in chosen if worker.role is Role.WRITER},
            lanes=make_lanes(at_ns, mode, chosen),
        ),
    )


MS = 1_000_000


def make_transaction(done_ns: int, wait_ms: float, retries: int = 0, outcome: int = 0) -> Transaction:
    """A transaction that ended at a moment after such a wait, and then held the lock for 2 ms if it got it."""
    got_ns = 0 if outcome else done_ns - 2 * MS
    asked_ns = (got_ns or done_ns) - int(wait_ms * MS)
    return Transaction(done_ns // MS, asked_ns, asked_ns, got_ns, got_ns and done_ns, done_ns, retries, outcome)


def make_recent(at_ns: int, writers: int) -> tuple[Recent, ...]:
    """Two waits a writer, 10 ms apart, the newest first: batches arrive in no order."""
    return tuple(
        Recent(number % writers + 1, make_transaction(at_ns - number * 10 * MS, 3.1, retries=2))
        for number in range(writers * 2)
    )


def make_grave(at_ns: int) -> tuple[Recent, ...]:
    """A long wait of worker 3 and a busy error of worker 2."""
    return (
        Recent(3, make_transaction(at_ns - 95 * MS, 131, retries=9)),
        Recent(2, make_transaction(at_ns - 45 * MS, 5_000, retries=60, outcome=5)),
    )


def make_newest(at_ns: int) -> Transactions:
    """The newest transactions of a worker: a short wait, a longer one, a busy error."""
    return Transactions.of(
        (
            make_transaction(at_ns - 900 * MS, 3.1, retries=2),
            make_transaction(at_ns - 500 * MS, 131, retries=9),
            make_transaction(at_ns - 300 * MS, 5_000, retries=60, outcome=517),
        )
    )


def make_timeline(seconds: float, switched_after: float | None, mode: Mode) -> Timeline:
    """A timeline with a checkpoint every 4 s and a reset a little later."""
    rng = random.Random(9)
    count = int(seconds * SECOND / PERIOD_NS)
    change = count if switched_after is None else int(switched_after * SECOND / PERIOD_NS)
    marks = [Mark(STARTED_NS, MarkKind.PHASE, "contended")] if switched_after else []
    if switched_after:
        marks.append(Mark(STARTED_NS + int(switched_after * SECOND), MarkKind.PHASE, mode.value))
    for second in range(4, int(seconds), 4):
        marks.append(Mark(STARTED_NS + second * SECOND, MarkKind.CHECKPOINT, "checkpoint"))
        marks.append(Mark(STARTED_NS + second * SECOND + SECOND // 4, MarkKind.WAL_RESET, "reset"))
    return Timeline(
        period_ns=PERIOD_NS,
        end_ns=STARTED_NS + count * PERIOD_NS,
        commits=tuple(int(rng.gauss(137, 8)) if index < change else int(rng.gauss(169, 3)) for index in range(count)),
        reads=(40,) * count,
        busy_errors=(0,) * count,
        wal_bytes=tuple(min(index * 500_000, 4_120_000) for index in range(count)),
        live_frames=tuple(index % 8 * 140 for index in range(count)),
        backlog_frames=tuple(index % 8 * 60 for index in range(count)),
        marks=tuple(marks),
    )
