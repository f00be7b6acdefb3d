import os
import signal
import time
from collections.abc import Callable

import pytest

from simulators.events import Mode, Role, Running, WorkerSample, WorkerState
from simulators.fleet import FleetState
from tests.simulators.conftest import PATIENCE_S, Driven

Drive = Callable[..., Driven]


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_nothing_is_lost_in_any_mode(drive: Drive, mode: str) -> None:
    driven = drive(mode=mode, readers=1)
    driven.start()
    driven.until_commits(200)
    driven.stop()
    driven.check_nothing_lost()
    assert sum(batch.reads for batch in driven.batches()) > 0
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"statement": "batch", "rows": 20},
        {"statement": "row-by-row", "rows": 5},
        {"statement": "read-then-write"},
        {"statement": "read-then-write", "begin": "deferred", "busy": "none"},
        {"begin": "deferred"},
        {"begin": "exclusive"},
        {"hold": 0, "think": 0},
        {"hold": 0, "think": 0, "busy": "none"},
        {"busy": "constant:0.5:20", "hold": "3ms", "think": 0},
        {"busy": "backoff:1:10:50", "hold": "3ms", "think": 0},
        {"arrival": "rate:2000"},
        {"databases": 3, "synchronous": "full"},
        {"mode": "single-writer", "group-commit": True, "hold": 0, "think": 0},
        {"mode": "single-writer", "databases": 2, "payload": "300KiB", "hold": 0},
    ],
)
def test_every_kind_of_workload_accounts_for_itself(drive: Drive, parameters: dict[str, object]) -> None:
    driven = drive(**parameters)
    driven.start()
    driven.until_commits(60)
    driven.stop()
    rows = int(str(parameters.get("rows", 1)))
    attempted, committed, in_doubt = driven.fleet.attempted()
    assert in_doubt == 0
    assert driven.received() == attempted
    assert driven.commits() == committed
    assert len(driven.rows()) == committed * rows


def test_switching_to_and_fro_loses_and_repeats_nothing(drive: Drive) -> None:
    driven = drive(hold="2ms", think=0, readers=1)
    driven.start()
    driven.until_commits(50)
    for number, mode in enumerate([Mode.SINGLE_WRITER, Mode.MUTEX, Mode.CONTENDED, Mode.SINGLE_WRITER], start=1):
        asked_at = time.monotonic()
        driven.fleet.begin_phase(mode.value, mode)
        driven.until(lambda wanted=mode: driven.fleet.mode is wanted and driven.fleet.state is FleetState.RUNNING)
        assert time.monotonic() - asked_at < 5  # half a second by design; a shared machine may be slow to run us
        driven.until(lambda number=number: driven.commits(number) >= 20, "commits of the new phase")
    driven.stop()
    driven.check_nothing_lost()


def test_a_pause_withdraws_waits_and_lets_nobody_work(drive: Drive) -> None:
    driven = drive(hold="2ms", think=0)
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
    assert [(told.running, told.paused) for told in runnings(driven)[-2:]] == [(True, False), (False, True)]
    driven.fleet.resume()
    driven.until_commits(50)
    driven.stop()
    driven.check_nothing_lost()


def test_a_rest_ends_when_the_bell_rings_or_a_worker_ends(drive: Drive) -> None:
    driven = drive(hold="2ms", think=0)
    driven.start()
    driven.until_commits(50)
    driven.fleet.pause()
    driven.until(lambda: driven.fleet.state is FleetState.PAUSED, "the pause")
    driven.until(lambda: driven.received() == driven.fleet.attempted()[0], "the last batches")
    bell, rope = os.pipe()
    try:
        os.write(rope, b"!")
        driven.fleet.rest(10 * PATIENCE_S, bell)
        os.read(bell, 1)
        victim = driven.writers()[0]
        os.kill(victim.pid, signal.SIGKILL)
        began_s = time.monotonic()
        while victim.id not in driven.exits():
            driven.fleet.rest(10 * PATIENCE_S, bell)
            driven.messages += driven.fleet.step()
        driven.fleet.add(Role.WRITER)
        while not driven.writers()[-1].is_ready:  # its slot says so, of which nothing is heard
            assert time.monotonic() - began_s < PATIENCE_S
            driven.fleet.rest(10 * PATIENCE_S, bell)
            driven.messages += driven.fleet.step()
        while driven.fleet.rest(0.1, bell):  # there is an end to what wakes up
            assert time.monotonic() - began_s < PATIENCE_S
            driven.messages += driven.fleet.step()
    finally:
        os.close(bell)
        os.close(rope)
    driven.stop()


@pytest.mark.parametrize("mode", ["contended", "single-writer"])
def test_short_holds_after_a_pause_do_not_last_since_the_pause(drive: Drive, mode: str) -> None:
    driven = drive(writers=1, hold=0, think=0, mode=mode)
    driven.start()
    driven.fleet.pause()
    driven.until(lambda: driven.fleet.state is FleetState.PAUSED, "the pause")
    driven.fleet.resume()
    holding: list[WorkerSample] = []

    def seen_holding() -> list[WorkerSample]:
        holding.extend(s for s in driven.fleet.slot_sample().workers if s.state is WorkerState.HOLDING)
        return holding

    driven.until(seen_holding, "somebody to hold")
    assert {sample.since_ns for sample in holding} == {0}, "too short to say since when"
    driven.stop()


def test_writers_and_readers_come_and_go(drive: Drive) -> None:
    driven = drive(readers=1)
    driven.start()
    driven.until_commits(20)
    driven.fleet.add(Role.WRITER)
    driven.fleet.add(Role.READER)
    newcomer = driven.fleet.handles[-2]
    driven.until(lambda: newcomer.slot.done > 10, "the new writer's commits")
    assert driven.fleet.remove(Role.WRITER)
    driven.until(lambda: newcomer.id in driven.exits(), "the newest writer's end")
    for _ in range(2):
        assert driven.fleet.remove(Role.READER)
    assert not driven.fleet.remove(Role.READER)
    driven.until(lambda: not driven.fleet.living(Role.READER), "the readers' end")
    driven.until_commits(20)
    driven.stop()
    driven.check_nothing_lost()
    assert driven.exits()[newcomer.id].exit == "ok"


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_a_killed_writer_is_named_and_nobody_else_is_affected(drive: Drive, mode: str) -> None:
    driven = drive(mode=mode, hold="2ms", think=0)
    driven.start()
    driven.until_commits(40)
    victim, *others = driven.writers()
    if mode == "mutex":  # kill the very one that holds the mutex
        driven.until(lambda: victim.slot.got > victim.slot.done, "the victim's hold")
    assert driven.fleet.kill(victim.id)
    driven.until(lambda: victim.id in driven.exits(), "the victim's end")
    before = {other.id: other.slot.done for other in others}
    driven.until(lambda: sum(other.slot.done > before[other.id] for other in others) >= 1, "the others' work")
    driven.until_commits(40)
    driven.stop()
    attempted, committed, in_doubt = driven.fleet.attempted()
    assert driven.exits()[victim.id].exit == "killed"
    assert in_doubt <= 1
    assert committed <= len(driven.rows()) <= committed + in_doubt
    assert driven.received() <= attempted


def test_a_worker_that_dies_by_itself_is_reported_and_the_run_goes_on(drive: Drive) -> None:
    driven = drive()
    driven.start()
    driven.until_commits(20)
    victim = driven.writers()[1]
    os.kill(victim.pid, signal.SIGSEGV)
    driven.until(lambda: victim.id in driven.exits(), "the victim's end")
    driven.until_commits(20)
    driven.stop()
    assert driven.exits()[victim.id].exit == f"signal {signal.SIGSEGV.value}"


def test_the_single_writers_death_is_survived(drive: Drive) -> None:
    driven = drive(mode="single-writer", hold="1ms", think=0)
    driven.start()
    driven.until_commits(30)
    (owner,) = driven.fleet.living(Role.SINGLE_WRITER)
    os.kill(owner.pid, signal.SIGKILL)
    driven.until(lambda: owner.id in driven.exits(), "its end")
    driven.until_commits(100)
    driven.stop()
    assert driven.exits()[owner.id].exit == "signal 9"
    assert len([handle for handle in driven.fleet.handles if handle.role is Role.SINGLE_WRITER]) == 2
    # Every transaction in flight was looked up, so none is in doubt, lost or repeated.
    driven.check_nothing_lost()


def test_a_stopped_worker_holds_up_neither_a_switch_nor_the_end(drive: Drive) -> None:
    driven = drive(readers=0, hold=0, think="50ms")
    driven.start()
    driven.until_commits(20)
    stopped = driven.writers()[0]
    driven.until(lambda: stopped.slot.got == stopped.slot.done and not stopped.slot.waiting_since_ns)
    os.kill(stopped.pid, signal.SIGSTOP)
    driven.until(lambda: driven.fleet.slot_sample() is not None)
    if stopped.slot.got > stopped.slot.done:  # it got the lock in the meantime: let it go
        os.kill(stopped.pid, signal.SIGCONT)
    driven.fleet.begin_phase("single-writer", Mode.SINGLE_WRITER)
    driven.until(lambda: driven.fleet.mode is Mode.SINGLE_WRITER and driven.fleet.state is FleetState.RUNNING)
    driven.until_commits(20)
    driven.stop()
    assert stopped.id in driven.exits()


def test_a_share_of_transactions_is_run_exactly(drive: Drive) -> None:
    driven = drive(transactions=103, hold=0, think=0)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    driven.check_nothing_lost()
    assert driven.commits() == 103


@pytest.mark.parametrize("arrival", ["closed", "burst"])
def test_writers_without_a_share_rest(drive: Drive, arrival: str) -> None:
    driven = drive(writers=5, transactions=3, hold=0, think=0, arrival=arrival)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    driven.check_nothing_lost()
    assert driven.commits() == 3


def test_the_long_hold_of_a_worker_that_must_end_is_cut_short(drive: Drive) -> None:
    driven = drive(writers=1, hold="30s", think=0)
    driven.start()
    (writer,) = driven.writers()
    driven.until(lambda: writer.slot.got > writer.slot.done, "the hold")
    started = time.monotonic()
    driven.stop()
    assert time.monotonic() - started < 10
    driven.check_nothing_lost()
    assert sum(batch.withdrawn for batch in driven.batches()) == 1


def test_a_workers_state_is_seen_while_it_waits(drive: Drive) -> None:
    driven = drive(writers=2, hold="300ms", think=0)
    driven.start()
    driven.until(
        lambda: (
            {sample.state for sample in driven.fleet.slot_sample().workers if sample.worker <= 2}
            == {WorkerState.HOLDING, WorkerState.WAITING}
        ),
        "one to hold and one to wait",
    )
    (waiting,) = [s for s in driven.fleet.slot_sample().workers if s.state is WorkerState.WAITING][:1] or [None]
    if waiting is not None:
        assert 0 < waiting.since_ns <= time.monotonic_ns()
    driven.stop()


def test_the_retries_of_a_wait_are_counted_and_end_on_a_rung(drive: Drive) -> None:
    driven = drive(writers=4, hold="4ms", think="4ms")
    driven.start()
    driven.until_commits(150)
    driven.stop()
    waits = [t for batch in driven.batches() for t in batch.transactions if t.retries and t.outcome == 0]
    assert waits
    rungs_ms = [1, 3, 8, 18, 33, 53, 78, 103, 128, 178, 228, *range(328, 6000, 100)]
    for wait in waits:
        assert wait.got_ns - wait.asked_ns >= rungs_ms[wait.retries - 1] * 1e6
    assert sum(batch.busy_retries for batch in driven.batches()) == sum(
        t.retries for batch in driven.batches() for t in batch.transactions
    )


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_an_open_loop_beyond_capacity_is_late_and_only_the_intended_start_shows_it(drive: Drive, mode: str) -> None:
    driven = drive(writers=2, mode=mode, arrival="rate:1000", hold="5ms")  # at most 200 a second fit in
    driven.start()
    driven.until_commits(150)
    driven.stop()
    driven.check_nothing_lost()
    batches = driven.batches()
    assert sum(sum(batch.service_latency.counts) for batch in batches) == driven.commits()
    blind_ns = sum(batch.service_latency.sum_ns for batch in batches)
    assert sum(batch.commit_latency.sum_ns for batch in batches) > 5 * blind_ns
    # Every transaction held the lock long enough to be an event, so both sums can be checked one by one.
    done = [t for batch in batches for t in batch.transactions if t.outcome == 0]
    assert blind_ns == sum(t.done_ns - t.asked_ns for t in done)
    assert all(t.due_ns <= t.asked_ns for t in done)


def test_a_closed_loop_has_no_latency_from_another_start(drive: Drive) -> None:
    driven = drive()
    driven.start()
    driven.until_commits(50)
    driven.stop()
    assert not any(batch.service_latency.counts for batch in driven.batches())


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_fixed_work_ends_when_its_last_transaction_does_however_late_that_is_noticed(drive: Drive, mode: str) -> None:
    driven = drive(writers=3, transactions=12, hold="5ms", think=0, mode=mode)
    driven.start()
    driven.until(lambda: all(handle.has_parked(1) for handle in driven.writers()), "everyone's share")
    time.sleep(0.3)  # the caller is busy with something else
    noticed_ns = time.monotonic_ns()
    driven.until(lambda: any(not message.running for message in runnings(driven)), "the word")
    began, ended = runnings(driven)
    driven.stop()
    driven.check_nothing_lost()
    done = [t for batch in driven.batches() for t in batch.transactions]
    assert len(done) == 12
    assert began.running
    assert max(t.done_ns for t in done) <= ended.at_ns < noticed_ns
    assert ended.at_ns - min(t.asked_ns for t in done) >= 12 * 5_000_000


def runnings(driven: Driven) -> list[Running]:
    return [message for message in driven.messages if isinstance(message, Running)]
