"""Nothing but a bound on memory grows: hours of messages leave no more behind than their rings hold."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from simulators.events import (
    Batch,
    Checkpoint,
    Counts,
    Mode,
    Outcome,
    PhaseStarted,
    Role,
    Running,
    SlotSample,
    Tick,
    WorkerExited,
    WorkerSample,
    WorkerStarted,
    WorkerState,
)
from simulators.transactions import EventSums, Transaction, Transactions
from sqlwatch.metrics.fold import FoldInput, SimulationFold
from sqlwatch.metrics.lock_story import KEPT_HOLDERS
from sqlwatch.metrics.log_messages import LogKind, LogLine, LogSources
from sqlwatch.metrics.observation_fold import NEWEST_LINES, ObservationFold, ObservationInput
from sqlwatch.metrics.observations import (
    Absent,
    Commits,
    HeldLooks,
    HeldRun,
    LockName,
    LockSample,
    ReadMark,
    Refusal,
    Waiter,
    WalObservation,
)
from sqlwatch.metrics.snapshot import Status

from ..diagnose.staging import MS, S, look, opened, process

MINUTE_S = 60
WRITERS = 6


def items_in(thing: object, seen: set[int] | None = None) -> int:
    """Count the items of all collections that can be reached from here, each collection once."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None))):
        return 0
    seen.add(id(thing))
    if isinstance(thing, dict):
        return len(thing) + sum(items_in(part, seen) for pair in thing.items() for part in pair)
    if isinstance(thing, msgspec.Struct):
        return sum(items_in(getattr(thing, name), seen) for name in thing.__struct_fields__)
    if hasattr(thing, "__iter__") and hasattr(thing, "__len__"):
        parts = list(thing)
        return len(parts) + sum(items_in(part, seen) for part in parts)
    slots = [getattr(thing, name) for name in getattr(type(thing), "__slots__", ()) if hasattr(thing, name)]
    return sum(items_in(part, seen) for part in [*getattr(thing, "__dict__", {}).values(), *slots])


def test_what_is_counted_is_what_grows() -> None:
    fold = ObservationFold("app.db", 200, S)
    before = items_in(fold)
    for number in range(50):
        fold.add(LogLine(S, LogKind.BUSY, "app.log", f"locked {number}"))
    assert items_in(fold) >= before + 50


def second_of_rounds(second: int, phase: int) -> Iterator[FoldInput]:
    """What `WRITERS` say in a second: ten rounds of waits, some of them long or in vain, checkpoints, resets."""
    for tenth in range(10):
        at_ns = second * S + tenth * S // 10
        for worker in range(1, WRITERS + 1):
            got_ns = at_ns + worker * MS
            number = second * 10 + tenth
            is_failed = (number + worker) % 7 == 0
            one = Transaction(
                number, at_ns, at_ns, 0 if is_failed else got_ns, got_ns + MS, got_ns + MS, worker,
                5 if is_failed else Outcome.COMMITTED,
            )  # fmt: skip
            waits = Counts((20 + worker,), (1,), worker * MS, worker * MS)
            checkpoint = Checkpoint(got_ns, got_ns + MS, 0, 100, 100) if tenth == 0 and worker == 1 else None
            yield Batch(
                worker=worker, role=Role.WRITER, database=0, phase=phase, since_ns=at_ns, until_ns=at_ns + S // 10,
                finished=1, committed=int(not is_failed), rows=1, errors={5: 1} if is_failed else {}, lock_wait=waits,
                commit_latency=waits, transactions=Transactions.of([one]), sums=EventSums.of([one]),
                checkpoints=(checkpoint,) if checkpoint else (),
            )  # fmt: skip
        states = (WorkerState.WAITING, WorkerState.HOLDING, WorkerState.IDLE)
        samples = tuple(
            WorkerSample(worker, states[(tenth + worker) % 3], at_ns) for worker in range(1, WRITERS + 1)
        )  # fmt: skip
        yield SlotSample(at_ns + S // 10, phase, 20, (10,), (5,), samples)
        marks = (ReadMark(1, second % 50, True, 9),)
        yield WalObservation(at_ns, 0, 4096 * (second % 90), second % 90 + 2, 1, second, marks, second)


def simulated(fold: SimulationFold, minutes: int, started_s: int, *, phases: bool) -> None:
    """Feed minutes of messages with a Snapshot each second; with `phases` each minute begins a new one."""
    for minute in range(minutes):
        first_s = started_s + minute * MINUTE_S
        phase = first_s // MINUTE_S if phases else 0
        mode = Mode.SINGLE_WRITER if phase % 2 else Mode.CONTENDED
        if phases:
            fold.add(PhaseStarted(first_s * S, phase, mode.value, mode))
        for second in range(first_s, first_s + MINUTE_S):
            for message in second_of_rounds(second, phase):
                fold.add(message)
            fold.add(Tick(second * S + S - 1, 0.05))
            fold.snapshot(Status.RUNNING)


@pytest.mark.parametrize("phases", [False, True], ids=["one-phase", "a-phase-a-minute"])
def test_a_simulation_that_goes_on_and_on_keeps_no_more(phases: bool) -> None:
    fold = SimulationFold("six writers", 1, 1000, has_rounds=True)
    for worker in range(1, WRITERS + 1):
        fold.add(WorkerStarted(S, worker, 100 + worker, Role.WRITER, 0))
    fold.add(PhaseStarted(S, 0, "contended", Mode.CONTENDED))
    fold.add(Running(S, True))
    simulated(fold, 22, 60, phases=phases)  # the longest rings are those of ten minutes and of twenty phases
    before = items_in(fold)
    simulated(fold, 10, 60 + 22 * MINUTE_S, phases=phases)
    assert items_in(fold) <= before * 1.02


def test_workers_that_come_and_go_leave_only_their_lines_in_the_table() -> None:
    """A fleet has no more than its slots; of who has ended, only the newest keep a lane."""
    fold = SimulationFold("many", 1, 1000)
    fold.add(PhaseStarted(S, 0, "contended", Mode.CONTENDED))
    fold.add(Running(S, True))
    sizes = []
    for worker in range(1, 401):
        at_ns = (worker + 1) * S
        fold.add(WorkerStarted(at_ns, worker, worker, Role.WRITER, 0))
        for message in second_of_rounds(worker + 1, 0):
            if isinstance(message, Batch):
                fold.add(msgspec.structs.replace(message, worker=worker))
        fold.add(WorkerExited(at_ns + S - 1, worker, "ok", 10, 10, 0))
        sizes.append(len(fold.snapshot(Status.RUNNING).simulation.lanes.lanes))  # type: ignore[union-attr]
    assert max(sizes) <= 40


def observed_second(second: int) -> Iterator[ObservationInput]:
    """What is seen in a second: new processes that hold, wait and go, and an application that logs its refusals."""
    for tenth in range(10):
        at_ns = second * S + tenth * S // 10
        pid = 1000 + second * 10 + tenth
        run = HeldRun(LockName.WRITE, pid, at_ns - 20 * MS, at_ns - MS, False, False)
        held = (HeldLooks(LockName.WRITE, pid, 4),)
        yield LockSample(at_ns, at_ns - S // 10, 0, 20, 0, held, (run,))
        yield Commits(at_ns, at_ns - S // 10, 0, 5, 10, True)
        marks = (ReadMark(1, second % 50, True, pid),)
        yield WalObservation(at_ns, 0, 4096, second % 90 + 2, second % 7, second, marks, second)
        for number in range(20):
            yield LogLine(at_ns + number, LogKind.BUSY, "app.log", f"locked {second} {number}")
        if tenth % 3 == 0:
            present = (pid, pid - 1)
            yield look(
                at_ns=at_ns, processes=tuple(process(one) for one in present), open_files=opened(*present),
                waiters=(Waiter(pid - 1, 100 * MS),),
            )  # fmt: skip
    if second % 300 == 0:
        yield Absent(second * S + S - 1, 0, Refusal.MISSING, "gone")


def observed(fold: ObservationFold, seconds: range, snapshot_each_s: int) -> None:
    for second in seconds:
        for message in observed_second(second):
            fold.add(message)
        if second % snapshot_each_s == 0:
            fold.snapshot(Status.RUNNING)


@pytest.mark.parametrize("snapshot_each_s", [5, 10_000], ids=["shown", "seldom-asked"])
def test_processes_that_come_and_go_by_the_thousands_leave_nothing(snapshot_each_s: int) -> None:
    fold = ObservationFold("app.db", 200, 0)
    fold.add(LogSources(0, ("app.log",)))
    observed(fold, range(1, 701), snapshot_each_s)
    before = items_in(fold)
    observed(fold, range(701, 1101), snapshot_each_s)
    assert items_in(fold) <= before * 1.02
    now = fold.snapshot(Status.RUNNING).observation
    assert now is not None
    assert now.busy is not None
    assert now.busy.window_count == pytest.approx(200 * 10, abs=200), "counted, though they are not kept"
    assert len(now.busy.newest) == NEWEST_LINES
    assert len(now.participants) < 200


def test_the_longest_hold_of_a_process_is_kept_among_many() -> None:
    fold = ObservationFold("app.db", 200, 0)
    long = HeldRun(LockName.WRITE, 7, S, 9 * S, False, False)
    fold.add(LockSample(9 * S, S, 0, 20, 0, (HeldLooks(LockName.WRITE, 7, 20),), (long,)))
    for number in range(KEPT_HOLDERS - 1):
        at_ns = (10 + number) * S
        short = HeldRun(LockName.WRITE, 100 + number, at_ns - MS, at_ns, False, False)
        fold.add(LockSample(at_ns, at_ns - S, 0, 20, 0, (HeldLooks(LockName.WRITE, 100 + number, 1),), (short,)))
    fold.add(look(at_ns=(10 + KEPT_HOLDERS) * S, processes=(process(7),), open_files=opened(7)))
    now = fold.snapshot(Status.RUNNING).observation
    assert now is not None
    (seven,) = [one for one in now.participants if one.pid == 7]
    assert seven.longest_hold_ns == 8 * S
