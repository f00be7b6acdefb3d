"""The fold on hand-made messages: every figure can be worked out on paper."""

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
from sqlwatch.metrics.snapshot import MarkKind, Quality, Simulation, Snapshot, Status

S = 1_000_000_000
MS = 1_000_000


def fold_with(*messages: FoldInput, writers: int = 2) -> SimulationFold:
    fold = SimulationFold("two writers", 1, 1000)
    for worker in range(1, writers + 1):
        fold.add(WorkerStarted(S, worker, 100 + worker, Role.WRITER, 0))
    fold.add(PhaseStarted(S, 0, "contended", Mode.CONTENDED))
    fold.add(Running(S, True))
    for message in messages:
        fold.add(message)
    return fold


def transaction(number: int, got_ns: int, *, wait_ns: int = MS, hold_ns: int = MS, outcome: int = 0) -> Transaction:
    asked_ns = got_ns - wait_ns
    return Transaction(number, asked_ns, asked_ns, got_ns, got_ns + hold_ns, got_ns + hold_ns, 1, outcome)


def batch(
    worker: int, *transactions: Transaction, committed: int | None = None, phase: int = 0, until_ns: int = 2 * S
) -> Batch:
    commits = sum(t.outcome == 0 for t in transactions) if committed is None else committed
    waits = Counts((20,), (commits,), commits * MS, MS) if commits else Counts()
    return Batch(
        worker=worker, role=Role.WRITER, database=0, phase=phase, since_ns=S, until_ns=until_ns,
        finished=max(commits, len(transactions)), committed=commits, rows=commits, lock_wait=waits,
        commit_latency=waits, transactions=Transactions.of(transactions),
        sums=EventSums.of(transactions),
    )  # fmt: skip


def simulation(fold: SimulationFold) -> Simulation:
    found = fold.snapshot(Status.RUNNING).simulation
    assert found is not None
    return found


def test_before_the_first_phase_there_is_nothing_to_show() -> None:
    snapshot = SimulationFold("x", 1, 1000).snapshot(Status.STARTING, "starting")
    assert snapshot == Snapshot(
        at_ns=0, status=Status.STARTING, elapsed_ns=0, timeline=snapshot.timeline, message="starting"
    )


def test_rates_count_only_the_time_that_the_workload_ran() -> None:
    fold = fold_with(batch(1, committed=30), Running(3 * S, False), Tick(9 * S), Running(9 * S, True), Tick(10 * S))
    phase = simulation(fold).phase
    assert phase.elapsed_s == 3
    assert phase.until_ns == 10 * S, "pauses lie within it"
    assert phase.per_second(phase.committed) == 10
    snapshot = fold.snapshot(Status.RUNNING)
    assert (snapshot.started_ns, snapshot.elapsed_ns) == (S, 3 * S)


def test_an_end_that_is_told_late_is_taken_back() -> None:
    fold = fold_with(batch(1, committed=20), Tick(4 * S), Running(3 * S, False), Tick(5 * S))
    assert simulation(fold).phase.elapsed_s == 2
    assert simulation(fold).phase.until_ns == 3 * S
    assert simulation(fold).phase.per_second(20) == 10
    fold.add(Running(6 * S, False))  # the pause that follows anyway
    fold.add(Tick(7 * S))
    assert simulation(fold).phase.elapsed_s == 2
    fold.add(Running(8 * S, True))
    fold.add(Tick(9 * S))
    assert simulation(fold).phase.elapsed_s == 3
    assert fold.snapshot(Status.RUNNING).elapsed_ns == 3 * S


def test_shares_and_fairness_include_those_who_got_nothing() -> None:
    phase = simulation(fold_with(batch(1, committed=12), Tick(3 * S))).phase
    assert [(worker.id, worker.share) for worker in phase.workers] == [(1, 1), (2, 0)]
    assert (phase.fairness.jain, phase.fairness.floor) == (0.5, 0.5)


def test_streaks_are_exact_when_every_commit_was_an_event() -> None:
    messages = [
        batch(2, transaction(1, S + 30 * MS)),
        batch(1, *(transaction(n, S + n * 10 * MS) for n in (1, 2)), transaction(4, S + 40 * MS)),
        Tick(5 * S),
    ]
    phase = simulation(fold_with(*messages)).phase
    assert (phase.fairness.longest_streak, phase.fairness.mean_streak) == (2, 4 / 3)
    assert phase.quality["longest_streak"] is Quality.EXACT


def test_streaks_are_unknown_when_some_commits_were_only_counted() -> None:
    phase = simulation(fold_with(batch(1, transaction(1, S + MS), committed=5), Tick(5 * S))).phase
    assert phase.fairness.longest_streak is None
    assert phase.quality["longest_streak"] is Quality.UNKNOWN


def test_a_wait_in_progress_is_seen_and_starves_a_writer_after_a_second() -> None:
    def slots(at_ns: int) -> SlotSample:
        waiting = WorkerSample(2, WorkerState.WAITING, S)
        return SlotSample(at_ns, 0, 10, (7,), (3,), (WorkerSample(1, WorkerState.HOLDING, at_ns - MS), waiting))

    fold = fold_with(slots(S + 500 * MS))
    worker = simulation(fold).phase.workers[1]
    assert (worker.current_wait_ns, worker.starved) == (500 * MS, False)
    fold.add(slots(3 * S))
    phase = simulation(fold).phase
    assert (phase.workers[1].current_wait_ns, phase.workers[1].starved) == (2 * S, True)
    assert phase.fairness.starved_workers == 1
    assert phase.fairness.longest_wait_ns == 2 * S
    assert phase.unfinished_waits_ns == (2 * S,)
    assert phase.all_waits.max_ns == 2 * S
    assert phase.lock_wait.count == 0
    assert (phase.lock_utilisation, phase.wasted_lock_time, phase.looks) == (0.7, 0.3, 20)
    assert phase.quality["lock_utilisation"] is Quality.SAMPLED


def test_rare_looks_weigh_as_much_as_the_time_they_stand_for() -> None:
    holding, waiting = WorkerSample(1, WorkerState.HOLDING, S), WorkerSample(1, WorkerState.WAITING, S)
    often = SlotSample(S + 500 * MS, 0, 100, (20,), (80,), (holding,))
    rarely = SlotSample(2 * S, 0, 10, (8,), (0,), (waiting,), weight=10)
    phase = simulation(fold_with(often, rarely)).phase
    assert (phase.lock_utilisation, phase.wasted_lock_time) == (0.5, 0.4)
    assert phase.looks == 110, "as many as were taken"
    states = simulation(fold_with(often, rarely)).window.workers[0].states
    assert states == {WorkerState.HOLDING: 1, WorkerState.WAITING: 10}


def test_a_batch_over_the_edge_of_a_cell_counts_on_both_sides() -> None:
    counted = msgspec.structs.replace(batch(1, committed=40, until_ns=2 * S + 100 * MS), since_ns=2 * S - 300 * MS)
    timeline = fold_with(counted, Tick(4 * S)).snapshot(Status.RUNNING).timeline
    assert timeline.commits == (0, 30, 10, 0, 0)
    long = msgspec.structs.replace(counted, since_ns=S)
    timeline = fold_with(long, Tick(4 * S)).snapshot(Status.RUNNING).timeline
    assert sum(timeline.commits) == max(timeline.commits) == 40, "who knows when"


def test_charts_end_before_what_batches_that_come_late_may_still_change() -> None:
    def ends(late_ns: int, status: Status = Status.RUNNING) -> tuple[int, int]:
        fold = fold_with(SlotSample(3 * S, 0, 1, (0,), (0,), (), late_ns=late_ns), Tick(3 * S))
        snapshot = fold.snapshot(status)
        assert snapshot.simulation is not None
        return snapshot.simulation.lanes.newest_ns, snapshot.timeline.end_ns

    newest_ns, end_ns = ends(0)
    assert ends(400 * MS) == (newest_ns - 400 * MS, end_ns - 500 * MS)
    assert ends(400 * MS, Status.ENDED) == (newest_ns, end_ns), "then all has come"


def test_at_the_end_the_last_streaks_are_judged_too() -> None:
    fold = fold_with(batch(1, transaction(1, 2 * S), transaction(2, 2 * S + MS)), Tick(2 * S + 2 * MS))
    assert simulation(fold).phase.fairness.longest_streak is None, "none is judged yet"
    fold.add(PhaseStarted(2 * S + 3 * MS, 1, "single-writer", Mode.SINGLE_WRITER))
    ended = fold.snapshot(Status.ENDED).simulation
    assert ended is not None
    assert ended.ended_phases[0].fairness.longest_streak == 2, "of a phase that ended just before too"


def test_what_was_never_looked_at_is_unknown() -> None:
    phase = simulation(fold_with(Tick(2 * S))).phase
    assert phase.lock_utilisation is None
    assert phase.wasted_lock_time is None
    assert phase.cache_hit_ratio is None
    assert phase.wal.peak_bytes is None
    assert phase.fairness.jain is None
    assert phase.quality["lock_utilisation"] is Quality.UNKNOWN
    assert phase.quality["wal"] is Quality.UNKNOWN


def test_waits_given_up_count_as_waits_without_success() -> None:
    gave_up = Transaction(1, S, S, 0, 0, 6 * S, 30, 5)
    withdrawn = Transaction(2, 6 * S, 6 * S, 0, 0, 7 * S, 0, Outcome.WITHDRAWN)
    at_once = Transaction(3, 7 * S, 7 * S, 0, 0, 7 * S, 0, 5)
    errors = Batch(
        worker=1, role=Role.WRITER, database=0, phase=0, since_ns=S, until_ns=7 * S, finished=3, withdrawn=1,
        errors={5: 2, 517: 1, 13: 4}, transactions=Transactions.of((gave_up, withdrawn, at_once)),
        sums=EventSums.of((gave_up, withdrawn, at_once)),
    )  # fmt: skip
    phase = simulation(fold_with(errors, Tick(8 * S))).phase
    assert (phase.given_up_waits.count, phase.given_up_waits.max_ns) == (2, 5 * S)
    assert (phase.busy_errors, phase.busy_snapshot_errors, phase.other_errors) == (3, 1, 4)
    assert phase.workers[0].longest_wait_ns == 5 * S


def test_the_latency_from_the_actual_start_stands_beside_that_from_the_intended_one() -> None:
    late = Batch(
        worker=1, role=Role.WRITER, database=0, phase=0, since_ns=S, until_ns=2 * S, finished=2, committed=2,
        commit_latency=Counts((30,), (2,), 20 * MS, 12 * MS), service_latency=Counts((20,), (2,), 2 * MS, MS),
    )  # fmt: skip
    found = simulation(fold_with(late, batch(2, committed=1)))
    for period in (found.run, found.phase, found.window):
        assert (period.commit_latency.count, period.service_latency.count) == (3, 2)
        assert (period.commit_latency.max_ns, period.service_latency.max_ns) == (12 * MS, MS)


def test_a_change_of_mode_ends_a_phase_and_is_marked() -> None:
    fold = fold_with(
        batch(1, committed=10),
        Tick(2 * S),
        PhaseStarted(2 * S, 1, "single-writer", Mode.SINGLE_WRITER),
        batch(1, committed=5, phase=0),  # late, and still counted where it belongs
        batch(2, committed=7, phase=1, until_ns=3 * S),
        Tick(3 * S),
    )
    found = simulation(fold)
    assert [period.committed for period in found.ended_phases] == [15]
    assert (found.phase.committed, found.run.committed, found.window.committed) == (7, 22, 7)
    assert found.mode is Mode.SINGLE_WRITER
    assert found.latest_of(Mode.CONTENDED) == found.ended_phases[0]
    marks = fold.snapshot(Status.RUNNING).timeline.marks
    assert [(mark.kind, mark.text) for mark in marks][-1] == (MarkKind.PHASE, "single-writer")


def test_the_warm_up_is_in_no_figure_but_in_what_was_received() -> None:
    fold = SimulationFold("x", 1, 1000)
    fold.add(WorkerStarted(S, 1, 11, Role.WRITER, 0))
    fold.add(PhaseStarted(S, 0, "warm-up", Mode.CONTENDED, warm_up=True))
    fold.add(Running(S, True))
    assert fold.is_warming_up
    fold.add(batch(1, committed=9))
    fold.add(PhaseStarted(2 * S, 1, "contended", Mode.CONTENDED))
    fold.add(batch(1, committed=4, phase=1))
    fold.add(Tick(3 * S))
    assert simulation(fold).run.committed == 4
    assert simulation(fold).ended_phases == ()
    assert (fold.received, fold.commits_received) == (13, 13)


def test_old_phases_are_kept_in_the_whole_run() -> None:
    fold = fold_with()
    for number in range(1, 40):
        fold.add(PhaseStarted(number * S, number, "contended", Mode.CONTENDED))
        fold.add(batch(1, committed=1, phase=number))
    fold.add(Tick(41 * S))
    assert len(simulation(fold).ended_phases) == 20
    assert simulation(fold).run.committed == 39


def test_the_window_forgets() -> None:
    fold = fold_with(batch(1, committed=100), Tick(2 * S))
    for second in range(3, 20):
        fold.add(Tick(second * S))
    found = simulation(fold)
    assert (found.window.committed, found.run.committed) == (0, 100)
    assert fold.snapshot(Status.RUNNING).commits_per_s == 0


def test_a_dead_worker_is_named_and_waits_no_more() -> None:
    fold = fold_with(
        SlotSample(2 * S, 0, 1, (0,), (1,), (WorkerSample(2, WorkerState.WAITING, S),)),
        WorkerExited(3 * S, 2, "signal 9", 0, 0, 1),
        Tick(5 * S),
    )
    worker = simulation(fold).phase.workers[1]
    assert (worker.exit, worker.state, worker.current_wait_ns, worker.starved) == (
        "signal 9",
        WorkerState.DEAD,
        0,
        False,
    )
    assert fold.snapshot(Status.RUNNING).timeline.marks[-1].kind is MarkKind.WORKER_EXIT


def test_checkpoints_are_counted_timed_and_marked() -> None:
    done = Batch(
        worker=1, role=Role.WRITER, database=0, phase=0, since_ns=S, until_ns=2 * S,
        checkpoints=(
            Checkpoint(S, S + 4 * MS, 1000, 1000, 0), Checkpoint(S, S + MS, 0, 0, 5),
            Checkpoint(S, S + MS, 50, 0, 0), Checkpoint(S, S + MS, 0, 0, 10), Checkpoint(S, S + MS, 0, 0, 261),
        ),
    )  # fmt: skip
    fold = fold_with(done, Tick(2 * S))
    assert simulation(fold).phase.checkpoint.count == 5
    for period in (simulation(fold).phase, simulation(fold).run, simulation(fold).window):
        wal = period.wal
        assert (wal.checkpoints, wal.checkpoints_busy, wal.checkpoints_incomplete) == (5, 2, 1)
        assert next(worker for worker in period.workers if worker.id == 1).checkpoints == 5
    assert simulation(fold).phase.checkpoint.max_ns == 4 * MS
    marks = [mark for mark in fold.snapshot(Status.RUNNING).timeline.marks if mark.kind is MarkKind.CHECKPOINT]
    assert [mark.text for mark in marks] == ["checkpoint 1000 of 1000 frames"]


def test_the_timeline_shows_complete_cells_only() -> None:
    fold = fold_with(
        batch(1, committed=3, until_ns=S + 100 * MS), batch(2, committed=4, until_ns=S + 600 * MS), Tick(S + 1_200 * MS)
    )
    timeline = fold.snapshot(Status.RUNNING).timeline
    assert timeline.commits == (3, 4)
    assert timeline.end_ns == 2 * S
    assert timeline.wal_bytes == (None, None)


def test_the_timeline_is_a_ring() -> None:
    fold = fold_with()
    for second in range(2, 2_000):
        fold.add(batch(1, committed=1, until_ns=second * S))
        fold.add(Tick(second * S))
    timeline = fold.snapshot(Status.RUNNING).timeline
    assert len(timeline.commits) <= 1_200
    assert sum(timeline.commits) == pytest.approx(600, abs=2)


def test_each_worker_has_its_waits_errors_streak_and_states() -> None:
    def slots(at_ns: int, first: WorkerState) -> SlotSample:
        states = (WorkerSample(1, first, at_ns - MS), WorkerSample(2, WorkerState.IDLE, at_ns - MS))
        return SlotSample(at_ns, 0, 10, (5,), (1,), states)

    failed = msgspec.structs.replace(batch(2, committed=0), finished=1, errors={517: 1})
    fold = fold_with(
        batch(1, transaction(1, S + 10 * MS), transaction(2, S + 20 * MS)),
        batch(2, transaction(1, S + 30 * MS)),
        failed,
        slots(2 * S, WorkerState.WAITING), slots(2 * S + 50 * MS, WorkerState.HOLDING), Tick(4 * S),
    )  # fmt: skip
    first, second = simulation(fold).phase.workers
    assert first.lock_wait is not None
    assert (first.lock_wait.count, first.longest_streak, first.errors) == (2, 2, {})
    assert (second.longest_streak, second.errors) == (1, {517: 1})
    assert first.states == {WorkerState.WAITING: 1, WorkerState.HOLDING: 1}
    in_window = simulation(fold).window.workers[0]
    assert in_window.lock_wait is None
    assert in_window.states == first.states
    assert [t.number for t in simulation(fold).newest_of[1]] == [1, 2]


def test_a_round_that_a_pause_cuts_counts_when_the_rest_of_it_arrives() -> None:
    fold = SimulationFold("two writers", 1, 1000, has_rounds=True)
    for worker in (1, 2):
        fold.add(WorkerStarted(S, worker, 100 + worker, Role.WRITER, 0))
    fold.add(PhaseStarted(S, 0, "contended", Mode.CONTENDED))
    fold.add(Running(S, True))
    turns = [Transaction(1, S, S, S + worker * MS, S + 5 * MS, S + 5 * MS, worker - 1, 0) for worker in (1, 2)]
    fold.add(batch(1, turns[0]))
    fold.add(Running(2 * S, False))
    paused = fold.snapshot(2 * S, Status.PAUSED).simulation
    fold.add(batch(2, turns[1]))
    rested = fold.snapshot(3 * S, Status.PAUSED).simulation
    assert paused is not None
    assert rested is not None
    seen = [simulation.phase.positions for simulation in (paused, rested)]
    assert [(positions.rounds, positions.left_out) for positions in seen if positions] == [(0, 1), (1, 0)]
    assert seen[1] is not None
    assert (seen[1].table, seen[1].contended) == (((1, 0), (0, 1)), 1)
