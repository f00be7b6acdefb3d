"""Results of simulations made by hand, and strategies that make any."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from simulators.events import Mode, Role, WorkerState
from simulators.workload import Workload
from sqlwatch.metrics.histogram import Histogram, HistogramBuilder
from sqlwatch.metrics.result import Environment, Result
from sqlwatch.metrics.snapshot import (
    Accounting,
    Fairness,
    Period,
    Quality,
    Simulation,
    Snapshot,
    Status,
    Wal,
    WalTotals,
    Worker,
)

MS = 1_000_000
SECOND = 1_000_000_000


def histogram(*durations_ns: int) -> Histogram:
    builder = HistogramBuilder()
    for duration_ns in durations_ns:
        builder.add(duration_ns)
    return builder.freeze()


def make_worker(number: int, committed: int = 10, role: Role = Role.WRITER, **changes: Any) -> Worker:
    worker = Worker(number, 4_000 + number, role, 0, WorkerState.IDLE, 0, 0, finished=committed, committed=committed)
    return msgspec.structs.replace(worker, **changes)


def make_period(mode: Mode = Mode.CONTENDED, **changes: Any) -> Period:
    period = Period(
        name=mode.value, mode=mode, number=1, started_ns=SECOND, elapsed_ns=10 * SECOND, finished=40, committed=40,
        rows=40, lock_wait=histogram(MS, 2 * MS, 100 * MS), lock_hold=histogram(2 * MS, 2 * MS),
        commit_latency=histogram(3 * MS, 4 * MS, 102 * MS), lock_utilisation=0.5, wasted_lock_time=0.0, looks=2_000,
        fairness=Fairness(jain=1.0, floor=0.25, longest_wait_ns=100 * MS), wal=WalTotals(4096, 4096, 1, 0, 0),
        workers=tuple(make_worker(number, share=0.25) for number in range(1, 5)),
        quality={"lock_utilisation": Quality.SAMPLED, "wasted_lock_time": Quality.SAMPLED},
    )  # fmt: skip
    return msgspec.structs.replace(period, **changes)


def make_snapshot(window: Period | None = None, status: Status = Status.RUNNING, **changes: Any) -> Snapshot:
    """A Snapshot whose run, phase and window are the same Period."""
    window = window or make_period()
    simulation = Simulation(
        workload="4 writers hold 2ms", mode=window.mode or Mode.CONTENDED, databases=1, run=window, phase=window,
        window=window, starved_after_ns=SECOND,
    )  # fmt: skip
    snapshot = Snapshot(at_ns=100 * SECOND, status=status, elapsed_ns=SECOND, wal=Wal(), simulation=simulation)
    return msgspec.structs.replace(snapshot, **changes)


def make_result(*phases: Period, compare: bool = False, **changes: Any) -> Result:
    last = phases[-1] if phases else None
    result = Result(
        workload=Workload(writers=4, readers=0).to_mapping(),
        environment=Environment("3.50.0", "3.11.7", "Linux 6.1 x86_64", 2, "ext4"),
        phases=phases,
        compared=(phases[0], phases[1]) if compare else None,
        accounting=Accounting(80, 80, 80, 0, 0, 80, 80, 0),
        final=make_snapshot(last, Status.ENDED) if last else Snapshot(0, Status.ENDED, 0),
    )
    return msgspec.structs.replace(result, **changes)


COUNTS = st.integers(0, 10**12)
SHARES = st.none() | st.floats(0, 1)
HISTOGRAMS = st.lists(st.integers(0, 10**13), max_size=5).map(lambda durations: histogram(*durations))
WORDS = st.text(max_size=60)
WORKERS = st.builds(
    Worker, id=st.integers(1, 999), pid=st.integers(0, 4_194_304), role=st.sampled_from(Role), database=st.just(0),
    state=st.sampled_from(WorkerState), state_for_ns=st.none() | COUNTS, current_wait_ns=COUNTS, finished=COUNTS,
    committed=COUNTS, reads=COUNTS, share=SHARES, busy_errors=COUNTS, busy_retries=COUNTS, longest_wait_ns=COUNTS,
    starved=st.booleans(), was_starved=st.booleans(), exit=st.none() | st.just("ok") | WORDS, queue_depth=COUNTS,
)  # fmt: skip
PERIODS = st.builds(
    Period, name=st.sampled_from(Mode), mode=st.none() | st.sampled_from(Mode), number=st.integers(0, 99),
    started_ns=COUNTS, elapsed_ns=COUNTS, finished=COUNTS, committed=COUNTS, withdrawn=COUNTS, rows=COUNTS,
    reads=COUNTS, errors=st.dictionaries(st.integers(-5, 9000), st.integers(1, 10**9), max_size=6), busy_errors=COUNTS,
    busy_snapshot_errors=COUNTS, other_errors=COUNTS, busy_retries=COUNTS, lock_wait=HISTOGRAMS,
    given_up_waits=HISTOGRAMS, unfinished_waits_ns=st.lists(COUNTS, max_size=3).map(tuple), lock_hold=HISTOGRAMS,
    commit_latency=HISTOGRAMS, read_latency=HISTOGRAMS, checkpoint=HISTOGRAMS, lock_utilisation=SHARES,
    wasted_lock_time=SHARES, looks=COUNTS, cache_hit_ratio=SHARES,
    fairness=st.builds(
        Fairness, jain=SHARES, floor=SHARES, max_over_median_wait=st.none() | st.floats(0, 1e12),
        longest_streak=st.none() | COUNTS, longest_wait_ns=COUNTS, starved_workers=st.integers(0, 64),
    ),
    wal=st.builds(WalTotals, st.none() | COUNTS, st.none() | COUNTS, COUNTS, COUNTS, COUNTS), groups=COUNTS,
    queue_depth_max=COUNTS, workers=st.lists(WORKERS, max_size=4, unique_by=lambda worker: worker.id).map(tuple),
    quality=st.dictionaries(
        st.sampled_from(["lock_utilisation", "wasted_lock_time", "wal", "starved_workers"]), st.sampled_from(Quality)
    ),
)  # fmt: skip
ACCOUNTINGS = st.builds(
    Accounting, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.none() | COUNTS, st.integers(-5, 5)
)


@st.composite
def results(draw: st.DrawFn) -> Result:
    phases = tuple(draw(st.lists(PERIODS, max_size=5)))
    return make_result(
        *phases,
        compare=len(phases) >= 2 and draw(st.booleans()),
        accounting=draw(ACCOUNTINGS),
        message=draw(st.none() | WORDS),
    )
