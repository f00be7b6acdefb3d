"""Sessions whose writers share one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.events import Mode, Role
from sqlwatch.metrics.snapshot import Snapshot, Status
from tests.test_session import SMALL, Watched, commits


@pytest.fixture(autouse=True)
def _clean(short_tmp: Path, leaves_no_process: None) -> Iterator[None]:
    yield
    assert not list(short_tmp.iterdir())


def is_at_work(snapshot: Snapshot) -> bool:
    return snapshot.status is Status.RUNNING and commits(snapshot) > 20


@pytest.mark.parametrize("kind", ["thread", "task"])
def test_a_comparison_runs_both_modes_and_accounts_for_everything(kind: str) -> None:
    result = Watched({**SMALL, "worker-kind": kind, "duration": "600ms"}, compare=True).end()
    assert [phase.mode for phase in result.phases] == [Mode.CONTENDED, Mode.SINGLE_WRITER]
    accounting = result.accounting
    assert accounting.lost == accounting.in_doubt == 0
    assert accounting.transactions_attempted == accounting.transactions_received
    assert accounting.rows_expected == accounting.rows_in_database == accounting.commits_received
    for phase in result.phases:
        assert phase.commit_latency.count == phase.committed == phase.lock_wait.count > 0
        assert phase.lock_utilisation is not None
        assert 0 < phase.lock_utilisation <= 1
        assert phase.cache_hit_ratio is not None
    assert result.phases[1].groups == result.phases[1].lock_hold.count > 0
    assert (result.exit_code, result.message) == (0, None)
    assert {worker.exit for worker in result.phases[1].workers} == {"ok"}


@pytest.mark.parametrize("kind", ["thread", "task"])
def test_a_writer_that_cannot_be_added_is_refused_in_a_sentence(kind: str) -> None:
    watched = Watched({**SMALL, "worker-kind": kind}, snapshots_per_s=20)
    watched.until(is_at_work)
    watched.session.add_writer()
    snapshot = watched.until(lambda s: s.message)
    assert snapshot.message == f"A writer cannot be added: the {kind}s share one process."
    watched.session.stop()
    assert watched.end().exit_code == 0


@pytest.mark.parametrize("kind", ["thread", "task"])
def test_killing_a_writer_names_the_process_of_all(kind: str) -> None:
    watched = Watched({**SMALL, "worker-kind": kind}, snapshots_per_s=20)
    snapshot = watched.until(is_at_work)
    assert snapshot.simulation is not None
    victim = next(worker for worker in snapshot.simulation.phase.workers if worker.role is Role.WRITER)
    watched.session.kill(victim.id)
    message = watched.until(lambda s: s.message).message
    assert str(message).startswith("The process of all writers (pid ")
    assert str(message).endswith("ended: killed.")
    watched.session.stop()
    result = watched.end()
    assert 0 <= result.accounting.in_doubt <= SMALL["writers"]  # type: ignore[operator]
    assert result.exit_code == 0
