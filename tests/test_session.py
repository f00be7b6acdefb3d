import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulators import looks
from simulators.events import Mode, Role
from simulators.telemetry import BATCH_NS
from simulators.workload import from_mapping
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.session import pace, simulation
from sqlwatch.session.errors import SessionError
from sqlwatch.session.simulation import SimulationSession

PATIENCE_S = 90
SMALL = {"writers": 3, "readers": 1, "hold": "1ms", "think": "1ms", "warm-up": "100ms"}


@pytest.fixture(autouse=True)
def _clean(short_tmp: Path, leaves_no_process: None) -> Iterator[None]:
    yield
    assert not list(short_tmp.iterdir())


class Watched:
    """A session and the Snapshots it has sent."""

    def __init__(self, workload: dict[str, Any], **options: Any) -> None:
        self.snapshots: list[Snapshot] = []
        self.session = SimulationSession(from_mapping(workload), **options)
        self.session.start(self.snapshots.append)

    def until(self, condition: Callable[[Snapshot], object]) -> Snapshot:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if self.snapshots and condition(self.snapshots[-1]):
                return self.snapshots[-1]
            assert time.monotonic() < deadline
            assert not self.session.ended or self.session.result()
            time.sleep(0.01)

    def end(self) -> Result:
        assert self.session.wait(PATIENCE_S)
        return self.session.result()


def commits(snapshot: Snapshot) -> int:
    return snapshot.simulation.phase.committed if snapshot.simulation else 0


def test_a_comparison_runs_both_modes_and_accounts_for_everything() -> None:
    watched = Watched({**SMALL, "duration": "700ms"}, compare=True)
    result = watched.end()
    assert [(phase.name, phase.mode) for phase in result.phases] == [
        ("contended", Mode.CONTENDED),
        ("single-writer", Mode.SINGLE_WRITER),
    ]
    assert result.compared == result.phases
    follows = {(s.simulation.phase.mode, s.simulation.next_mode) for s in watched.snapshots if s.simulation}
    assert follows >= {(Mode.CONTENDED, Mode.SINGLE_WRITER), (Mode.SINGLE_WRITER, None)}
    accounting = result.accounting
    assert accounting.lost == accounting.in_doubt == 0
    assert accounting.transactions_attempted == accounting.transactions_received
    assert accounting.rows_expected == accounting.rows_in_database == accounting.commits_received
    assert sum(phase.committed for phase in result.phases) < accounting.commits_received  # the warm-up is in no phase
    for phase in result.phases:
        assert phase.elapsed_s >= 0.7
        assert phase.commit_latency.count == phase.committed > 0
        assert phase.lock_wait.count == phase.committed
        assert phase.lock_utilisation is not None
        assert 0 < phase.lock_utilisation <= 1
        assert phase.wal.peak_bytes
        assert phase.cache_hit_ratio is not None
    assert result.phases[1].groups == result.phases[1].lock_hold.count
    assert result.environment.sqlite.startswith("3.")
    assert (result.exit_code, result.message) == (0, None)
    assert {worker.exit for worker in result.phases[1].workers} == {"ok"}


def test_statuses_come_in_order() -> None:
    watched = Watched({**SMALL, "duration": "500ms"}, snapshots_per_s=50)
    watched.end()
    statuses = list(dict.fromkeys(snapshot.status for snapshot in watched.snapshots))
    assert statuses == [Status.STARTING, Status.WARMING_UP, Status.RUNNING, Status.STOPPING, Status.ENDED]
    assert "ready" in str(watched.snapshots[0].message)


def test_what_the_keys_ask_for_happens() -> None:
    watched = Watched(SMALL, snapshots_per_s=20)
    session = watched.session
    watched.until(lambda snapshot: snapshot.status is Status.RUNNING and commits(snapshot) > 20)
    session.toggle_mode()
    watched.until(lambda s: s.simulation and s.simulation.mode is Mode.SINGLE_WRITER and commits(s) > 20)
    session.pause()
    watched.until(lambda s: s.status is Status.PAUSED)
    session.resume()
    watched.until(lambda s: s.status is Status.RUNNING)
    session.add_writer()
    session.add_reader()
    grown = watched.until(
        lambda s: s.simulation and len([w for w in s.simulation.window.workers if w.exit is None]) == 7
    )
    assert grown.simulation is not None
    assert grown.simulation.workload == from_mapping({**SMALL, "writers": 4, "readers": 2}).in_words()
    session.reset()
    snapshot = watched.until(lambda s: s.simulation and len(s.simulation.ended_phases) == 2 and commits(s) > 5)
    assert snapshot.simulation is not None
    assert snapshot.simulation.run.committed > snapshot.simulation.phase.committed
    victim = next(worker for worker in snapshot.simulation.phase.workers if worker.role is Role.WRITER)
    session.kill(victim.id)
    watched.until(lambda s: s.message)
    session.toggle_mode()
    watched.until(lambda s: s.simulation and s.simulation.mode is Mode.CONTENDED and commits(s) > 20)
    session.stop()
    result = watched.end()
    assert [phase.name for phase in result.phases] == ["contended", "single-writer", "single-writer", "contended"]
    assert next(worker for worker in result.final.simulation.run.workers if worker.id == victim.id).exit == "killed"  # type: ignore[union-attr]
    assert f"writer {victim.id}" in str(result.message)
    assert result.accounting.in_doubt <= 1
    assert result.final.simulation is not None
    assert result.final.simulation.workload.startswith("3 writers hold"), "as many as lived until the end"


def test_a_paused_session_rests_until_something_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "PAUSED_RESTS_S", (0.3, 10 * PATIENCE_S))
    watched = Watched(SMALL)
    snapshot = watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 20)
    assert snapshot.simulation is not None
    watched.session.pause()
    watched.until(lambda s: s.status is Status.PAUSED)
    os.kill(snapshot.simulation.phase.workers[0].pid, signal.SIGKILL)
    watched.until(lambda s: s.message is not None and s.status is Status.PAUSED)
    watched.session.resume()
    watched.until(lambda s: s.status is Status.RUNNING)
    watched.session.pause()
    watched.until(lambda s: s.status is Status.PAUSED)
    watched.session.stop()
    assert "signal 9" in str(watched.end().message)


def test_while_nobody_watches_snapshots_are_rare_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_SNAPSHOT_NS", 10 * PATIENCE_S * 10**9)
    watched = Watched(SMALL)
    watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 20)
    count = len(watched.snapshots)
    watched.session.attend(is_watched=False)
    time.sleep(1.5)  # for batches as they are now
    assert len(watched.snapshots) - count <= 2, "one that was under way, and one of the change"
    last = watched.snapshots[-1]
    since_ns = time.monotonic_ns()
    watched.session.attend(is_watched=True)
    fresh = watched.until(lambda s: s.at_ns >= since_ns)
    assert fresh.simulation is not None
    chunks = [chunk for lane in fresh.simulation.lanes.lanes for chunk in lane.chunks if chunk.since_ns > last.at_ns]
    assert max(chunk.until_ns - chunk.since_ns for chunk in chunks) > 2 * BATCH_NS
    watched.until(lambda s: s.at_ns > fresh.at_ns)
    watched.session.attend(is_watched=False)
    watched.session.pause()
    watched.until(lambda s: s.status is Status.PAUSED)
    watched.session.stop()
    accounting = watched.end().accounting
    assert accounting.lost == 0
    assert accounting.transactions_received == accounting.transactions_attempted > 0


def test_a_frozen_display_holds_up_no_worker_that_sends_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "compiled_look_until", None)
    monkeypatch.setattr(looks, "MUCH", 1)
    watched = Watched(SMALL)
    watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 20)
    usual = watched.session._pace
    watched.session.attend(is_watched=False)
    deadline = time.monotonic() + PATIENCE_S
    while watched.session._pace != replace(usual.at_leisure(), rest_ns=usual.rest_ns):
        assert time.monotonic() < deadline, "queues are not read as often as usual"
        time.sleep(0.01)
    watched.session.attend(is_watched=True)
    watched.until(lambda s: watched.session._pace == usual)
    watched.session.stop()
    assert watched.end().accounting.lost == 0


def test_a_message_goes_after_a_while_of_running_and_the_result_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MESSAGE_NS", 500_000_000)
    watched = Watched(SMALL, snapshots_per_s=20)
    watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 20)
    watched.session.kill(1)
    told = watched.until(lambda s: s.message)
    gone = watched.until(lambda s: s.message is None)
    assert gone.elapsed_ns - told.elapsed_ns >= 400_000_000
    watched.session.stop()
    result = watched.end()
    assert str(result.message).startswith("The writer 1 ")
    assert result.final.message == result.message


def test_a_stop_before_the_first_transaction_leaves_nothing() -> None:
    watched = Watched({**SMALL, "writers": 8})
    watched.session.stop()
    result = watched.end()
    assert result.phases == ()
    assert result.accounting.lost == 0


def test_the_size_limit_ends_a_run_with_a_word() -> None:
    workload = {**SMALL, "hold": 0, "think": 0, "rows": 50, "payload": "10KiB", "max-size": "4MiB", "duration": "60s"}
    result = Watched(workload).end()
    assert "--max-size 4MiB" in str(result.message)
    assert result.exit_code == 0
    assert result.accounting.lost == 0


def test_a_full_disk_ends_a_run_with_a_word(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("not run: mounting a small tmpfs needs root")
    try:
        workload = {**SMALL, "hold": 0, "think": 0, "rows": 20, "payload": "10KiB", "duration": "60s"}
        result = Watched(workload, database=disk / "full.db").end()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert "disk is full" in str(result.message)
    assert result.exit_code == 3
    assert result.accounting.lost == 0


def test_the_single_writers_death_is_told() -> None:
    watched = Watched({**SMALL, "mode": "single-writer"}, snapshots_per_s=20)
    snapshot = watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 20)
    assert snapshot.simulation is not None
    owner = next(worker for worker in snapshot.simulation.phase.workers if worker.role is Role.SINGLE_WRITER)
    os.kill(owner.pid, signal.SIGKILL)
    watched.until(lambda s: s.message)
    before = commits(watched.snapshots[-1])
    watched.until(lambda s: commits(s) > before + 20)
    watched.session.stop()
    result = watched.end()
    assert "single-writer" in str(result.message)
    assert "signal 9 and was started again" in str(result.message)
    assert result.accounting.lost == 0
    assert result.accounting.rows_expected == result.accounting.rows_in_database


def test_when_every_worker_is_dead_the_run_ends() -> None:
    watched = Watched({**SMALL, "readers": 0}, snapshots_per_s=20)
    snapshot = watched.until(lambda s: s.status is Status.RUNNING and commits(s) > 5)
    assert snapshot.simulation is not None
    for worker in snapshot.simulation.phase.workers:
        if worker.role is Role.WRITER:
            os.kill(worker.pid, signal.SIGKILL)
    result = watched.end()
    assert "Every worker has ended" in str(result.message)
    assert result.exit_code == 3


def test_a_foreign_database_is_refused_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("dear database")
    session = SimulationSession(from_mapping(SMALL), database=path)
    with pytest.raises(SessionError) as caught:
        session.check()
    assert caught.value.exit_code == 2
    session.start()
    assert session.wait(PATIENCE_S)
    with pytest.raises(SessionError):
        session.result()
    assert path.read_text() == "dear database"


def test_a_wait_that_began_in_the_warm_up_belongs_to_the_phase_it_ends_in() -> None:
    workload = {**SMALL, "writers": 4, "readers": 0, "hold": "400ms", "think": 0, "duration": "1s"}
    for mode in ("contended", "mutex", "single-writer"):
        result = Watched({**workload, "mode": mode}).end()
        (phase,) = result.phases
        assert phase.given_up_waits.count + phase.lock_wait.count >= 3
        assert phase.all_waits.max_ns > 300_000_000
        assert max(worker.longest_wait_ns for worker in phase.workers) == phase.all_waits.max_ns
        assert result.accounting.lost == 0


def test_a_session_that_is_stopped_before_it_starts_has_ended() -> None:
    session = SimulationSession(from_mapping(SMALL))
    session.stop()
    assert session.wait(PATIENCE_S)
    with pytest.raises(SessionError, match="before it began"):
        session.result()


def test_a_run_without_a_wal_has_none_of_its_figures() -> None:
    result = Watched({**SMALL, "journal-mode": "delete", "duration": "400ms"}, compare=True).end()
    assert [phase.mode for phase in result.phases] == [Mode.CONTENDED, Mode.SINGLE_WRITER]
    for phase in result.phases:
        assert phase.committed > 0
        assert (phase.wal.peak_bytes, phase.wal.checkpoints, phase.wal.resets, phase.wal.pinned_ns) == (None,) * 4
    assert result.accounting.lost == 0
    assert result.accounting.rows_expected == result.accounting.rows_in_database


@pytest.mark.parametrize("arrival", ["closed", "burst"])
def test_fixed_work_is_done_exactly_and_timed_in_each_phase_of_a_comparison(arrival: str) -> None:
    workload = {**SMALL, "hold": "10ms", "think": 0, "transactions": 40, "arrival": arrival}
    result = Watched(workload, compare=True).end()
    assert [phase.mode for phase in result.phases] == [Mode.CONTENDED, Mode.SINGLE_WRITER]
    simulation = result.final.simulation
    assert simulation is not None
    ends_ns = [result.phases[1].started_ns, result.final.at_ns]
    committed = [t for _, t in (*simulation.recent, *simulation.grave) if t.outcome == 0]
    for phase, end_ns in zip(result.phases, ends_ns, strict=True):
        assert phase.committed == 40
        own = [t for t in committed if phase.started_ns <= t.asked_ns < end_ns]
        assert len(own) == 40  # each held the lock long enough to be an event
        span_ns = max(t.done_ns for t in own) - min(t.asked_ns for t in own)
        assert 40 * 10_000_000 <= span_ns <= phase.elapsed_ns
    assert result.accounting.lost == 0


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_fixed_work_ends_a_run_in_every_mode_and_its_time_is_that_of_the_work(mode: str) -> None:
    result = Watched({**SMALL, "readers": 0, "hold": "5ms", "think": 0, "transactions": 30, "mode": mode}).end()
    (phase,) = result.phases
    assert phase.committed == 30
    assert phase.elapsed_ns >= 30 * 5_000_000
    simulation = result.final.simulation
    assert simulation is not None
    last_ns = max(t.done_ns for _, t in (*simulation.recent, *simulation.grave) if t.outcome == 0)
    late_ns = phase.started_ns + phase.elapsed_ns - last_ns
    assert late_ns < 100_000_000  # what closing a connection takes, not what noticing it takes
