"""Writers that share one process: threads, and tasks of an event loop."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from simulators.events import Mode, Role, WorkerState
from simulators.fleet import FleetState
from simulators.handle import Handle
from tests.simulators.conftest import Driven

Drive = Callable[..., Driven]
KINDS = ["thread", "task"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_nothing_is_lost_in_any_mode(drive: Drive, kind: str, mode: str) -> None:
    driven = drive(worker_kind=kind, mode=mode, readers=1)
    driven.start()
    assert len({writer.pid for writer in driven.writers()}) == 1
    driven.until_commits(100)
    driven.until(lambda: all(writer.slot.done for writer in driven.writers()), "a commit of every writer")
    driven.stop()
    driven.check_nothing_lost()
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"statement": "batch", "rows": 20},
        {"statement": "row-by-row", "rows": 5, "mode": "mutex"},
        {"statement": "read-then-write"},
        {"statement": "read-then-write", "begin": "deferred", "busy": "none"},
        {"statement": "read-then-write", "mode": "single-writer"},
        {"hold": 0, "think": 0},
        {"hold": 0, "think": 0, "busy": "none"},
        {"busy": "constant:0.5:20", "hold": "3ms", "think": 0},
        {"arrival": "rate:1000"},
        {"databases": 3, "synchronous": "full"},
        {"databases": 2, "mode": "single-writer", "payload": "300KiB"},
        {"databases": 2, "mode": "mutex", "autocheckpoint": 10},
        {"mode": "single-writer", "group-commit": True, "hold": 0, "think": 0},
    ],
)
def test_every_kind_of_workload_accounts_for_itself(drive: Drive, kind: str, parameters: dict[str, object]) -> None:
    driven = drive(worker_kind=kind, **parameters)
    driven.start()
    driven.until_commits(60)
    driven.stop()
    attempted, committed, in_doubt = driven.fleet.attempted()
    assert in_doubt == 0
    assert driven.received() == attempted
    assert driven.commits() == committed
    assert len(driven.rows()) == committed * int(str(parameters.get("rows", 1)))


@pytest.mark.parametrize(
    "parameters",
    [
        {"mode": "mutex", "readers": 1},
        {"hold": 0, "think": 0},
        {"hold": "2ms", "think": 0, "autocheckpoint": 10},
        {"statement": "read-then-write", "begin": "deferred"},
        {"databases": 2, "synchronous": "full"},
        {"journal_mode": "delete"},
        {"arrival": "rate:1000"},
        {"checkpointer": "truncate:20ms", "busy": "timeout:5000"},
    ],
)
def test_threads_on_one_connection_take_turns(drive: Drive, parameters: dict[str, object]) -> None:
    driven = drive(worker_kind="thread", shared_connection=True, **parameters)
    driven.start()
    driven.until_commits(100)
    driven.until(lambda: all(writer.slot.done for writer in driven.writers()), "a commit of every writer")
    driven.fleet.pause()
    driven.until(lambda: driven.fleet.state is FleetState.PAUSED, "the pause")
    driven.fleet.resume()
    driven.until_commits(30)
    driven.stop()
    driven.check_nothing_lost()
    assert driven.commits() == driven.received() - sum(batch.withdrawn for batch in driven.batches()), "no error"
    if parameters.get("autocheckpoint"):
        assert any(batch.checkpoints for batch in driven.batches())


def test_threads_on_one_connection_come_through_every_mode(drive: Drive) -> None:
    driven = drive(worker_kind="thread", shared_connection=True, hold="2ms", think=0)
    driven.start()
    for mode in (Mode.SINGLE_WRITER, Mode.CONTENDED, Mode.MUTEX):
        driven.until_commits(30)
        driven.fleet.begin_phase(mode.value, mode)
        driven.until(lambda wanted=mode: driven.fleet.mode is wanted and driven.fleet.state is FleetState.RUNNING)
    driven.until_commits(30)
    driven.stop()
    driven.check_nothing_lost()


@pytest.mark.parametrize("kind", KINDS)
def test_switching_to_and_fro_loses_and_repeats_nothing(drive: Drive, kind: str) -> None:
    driven = drive(worker_kind=kind, hold="2ms", think=0, readers=1)
    driven.start()
    driven.until_commits(50)
    modes = [Mode.SINGLE_WRITER, Mode.MUTEX, Mode.CONTENDED, Mode.SINGLE_WRITER, Mode.CONTENDED]
    for number, mode in enumerate(modes, start=1):
        asked_at = time.monotonic()
        driven.fleet.begin_phase(mode.value, mode)
        driven.until(lambda wanted=mode: driven.fleet.mode is wanted and driven.fleet.state is FleetState.RUNNING)
        assert time.monotonic() - asked_at < 5  # half a second by design; a shared machine may be slow to run us
        # Batches of the phase before may still be on their way, so the commits of this one are counted.
        driven.until(lambda phase=number: driven.commits(phase) >= 30, "30 commits of the phase")
    driven.stop()
    driven.check_nothing_lost()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_a_pause_lets_nobody_work(drive: Drive, kind: str, mode: str) -> None:
    driven = drive(worker_kind=kind, mode=mode, hold="2ms", think=0)
    driven.start()
    driven.until_commits(50)
    driven.fleet.pause()
    driven.until(
        lambda: {sample.state for sample in driven.fleet.slot_sample().workers} == {WorkerState.PARKED},
        "everyone parked",
    )
    done = driven.fleet.attempted()
    driven.until(lambda: driven.received() == done[0], "the last batches")
    assert driven.fleet.attempted() == done
    driven.fleet.resume()
    driven.until_commits(50)
    driven.stop()
    driven.check_nothing_lost()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_killing_one_kills_the_process_of_all_and_the_fleet_survives(drive: Drive, kind: str, mode: str) -> None:
    driven = drive(worker_kind=kind, mode=mode, hold="2ms", think=0, readers=1)
    driven.start()
    driven.until_commits(40)
    victims = driven.writers()
    assert driven.fleet.kill(victims[1].id)
    driven.until(lambda: not driven.writers(), "the writers' end")
    reads = sum(batch.reads for batch in driven.batches())
    driven.until(lambda: sum(batch.reads for batch in driven.batches()) > reads, "the reader to go on")
    driven.stop()
    attempted, committed, in_doubt = driven.fleet.attempted()
    assert {driven.exits()[victim.id].exit for victim in victims} == {"killed"}
    assert in_doubt <= len(victims)
    assert committed <= len(driven.rows()) <= committed + in_doubt
    assert driven.received() <= attempted


@pytest.mark.parametrize("kind", KINDS)
def test_a_writer_can_leave_but_none_can_join(drive: Drive, kind: str) -> None:
    driven = drive(worker_kind=kind)
    driven.start()
    driven.until_commits(20)
    assert not driven.fleet.add(Role.WRITER)
    *_, last = driven.writers()
    assert driven.fleet.remove(Role.WRITER)
    driven.until(lambda: last.id in driven.exits(), "the newest writer's end")
    assert driven.fleet.add(Role.READER)
    driven.until_commits(40)
    driven.stop()
    driven.check_nothing_lost()
    assert driven.exits()[last.id].exit == "ok"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["contended", "single-writer"])
def test_a_share_of_transactions_is_run_exactly(drive: Drive, kind: str, mode: str) -> None:
    driven = drive(worker_kind=kind, mode=mode, transactions=103, hold=0, think=0)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    driven.check_nothing_lost()
    assert driven.commits() == 103


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_the_long_hold_of_a_worker_that_must_end_is_cut_short(drive: Drive, kind: str, mode: str) -> None:
    driven = drive(worker_kind=kind, mode=mode, writers=2, hold="30s", think=0)
    driven.start()
    driven.until(lambda: any(w.slot.got > w.slot.done for w in driven.writers()), "the hold")
    driven.until(lambda: any(w.slot.got == w.slot.done and w.slot.waiting_since_ns for w in driven.writers()), "a wait")
    started = time.monotonic()
    driven.stop()
    assert time.monotonic() - started < 10
    driven.check_nothing_lost()
    assert sum(batch.withdrawn for batch in driven.batches()) == 2
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


@pytest.mark.parametrize("kind", KINDS)
def test_one_holds_and_the_others_are_seen_waiting(drive: Drive, kind: str) -> None:
    driven = drive(worker_kind=kind, writers=3, hold="300ms", think=0)
    driven.start()

    def states() -> list[WorkerState]:
        return sorted(sample.state for sample in driven.fleet.slot_sample().workers if sample.worker <= 3)

    driven.until(lambda: states() == [WorkerState.HOLDING, WorkerState.WAITING, WorkerState.WAITING], "waits")
    driven.stop()
    driven.check_nothing_lost()


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_in_one_ends_the_process_and_is_named(drive: Drive, kind: str) -> None:
    driven = drive(worker_kind=kind, readers=0)
    driven.place.databases[0].unlink()
    driven.fleet.begin_phase("first")
    driven.until(lambda: len(driven.exits()) == 5, "the end of all")
    assert all("CantOpenError" in exited.exit for exited in driven.exits().values())
    driven.stop()
    assert driven.fleet.attempted() == (0, 0, 0)
    driven.place.databases[0].touch()


def test_waiting_for_a_pooled_connection_is_lock_wait(drive: Drive) -> None:
    driven = drive(worker_kind="task", pool=1, hold="10ms", think=0)
    driven.start()
    driven.until_commits(40)
    driven.stop()
    driven.check_nothing_lost()
    committed = [t for batch in driven.batches() for t in batch.transactions if t.outcome == 0]
    assert sum(batch.busy_retries for batch in driven.batches()) == 0  # one connection never meets another
    waits = sorted(t.got_ns - t.asked_ns for t in committed)
    assert waits[len(waits) // 2] >= 20_000_000  # three others come first, and hold for 10 ms each
    holds = sorted((t.got_ns, t.released_ns) for t in committed)
    assert all(first[1] <= second[0] for first, second in pairwise(holds))


def test_a_task_that_holds_lets_the_others_run(drive: Drive) -> None:
    driven = drive(worker_kind="task", writers=3, databases=3, hold="100ms", think=0)
    driven.start()
    driven.until(lambda: all(writer.slot.got > writer.slot.done for writer in driven.writers()), "three holds at once")
    driven.stop()
    driven.check_nothing_lost()


def test_a_pool_with_fewer_connections_meets_fewer_busy_locks(drive: Drive) -> None:
    def retries(pool: int) -> int:
        driven = drive(worker_kind="task", writers=20, pool=pool, rows=20, hold=0, think=0, transactions=100)
        driven.start()
        driven.until(lambda: driven.fleet.is_idle, "everyone's share")
        driven.stop()
        assert driven.commits() == 100
        assert len(driven.rows()) == 2000
        return sum(batch.busy_retries for batch in driven.batches())

    assert retries(1) == 0 < retries(20)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_that_keeps_the_interpreter_lock_keeps_the_holder_from_going_on(drive: Drive, kind: str) -> None:
    def commits_in_a_second(keep: bool) -> int:
        driven = drive(worker_kind=kind, writers=8, hold="1ms", think="2ms", keep_interpreter=keep)
        driven.start()
        deadline = time.monotonic() + 1
        driven.until(lambda: time.monotonic() > deadline, "a second")
        driven.fleet.begin_phase("mutex", Mode.MUTEX)
        driven.until(lambda: driven.fleet.mode is Mode.MUTEX and driven.fleet.state is FleetState.RUNNING)
        driven.stop()
        driven.check_nothing_lost()
        return driven.commits(0)

    assert commits_in_a_second(keep=True) * 3 < commits_in_a_second(keep=False)


def test_what_a_task_has_done_is_told_while_it_waits_for_a_connection(drive: Drive) -> None:
    driven = drive(worker_kind="task", writers=30, pool=1, hold="60ms", think=0)
    driven.start()

    def who_waits_again() -> list[Handle]:
        return [writer for writer in driven.writers() if writer.slot.done == 1 and writer.slot.waiting_since_ns]

    driven.until(who_waits_again, "one commit, then a wait")
    first = who_waits_again()[0]
    driven.until(lambda: first.id in {batch.worker for batch in driven.batches() if batch.committed}, "its batch")
    assert first.slot.got == first.slot.done == 1  # it waits for 29 others
    driven.stop()
    driven.check_nothing_lost()
