import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

import pytest

from simulators.events import Mode, Role, WorkerState
from simulators.fleet import FleetState
from simulators.transactions import Transaction
from tests.simulators.conftest import Driven

Drive = Callable[..., Driven]


def rounds_of(driven: Driven) -> dict[int, list[tuple[int, Transaction]]]:
    """Return (worker, transaction) by the moment the round began; a hold makes every transaction an event."""
    rounds: dict[int, list[tuple[int, Transaction]]] = defaultdict(list)
    for batch in driven.batches():
        for transaction in batch.transactions:
            rounds[transaction.due_ns].append((batch.worker, transaction))
    return dict(sorted(rounds.items()))


@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_everyone_runs_one_transaction_in_each_round(drive: Drive, mode: str) -> None:
    driven = drive(writers=5, mode=mode, arrival="burst", hold="1ms", transactions=100)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    driven.check_nothing_lost()
    rounds = list(rounds_of(driven).items())
    assert len(rounds) == 20
    last_end_ns = 0
    for began_ns, members in rounds:
        assert Counter(worker for worker, _ in members) == dict.fromkeys(range(1, 6), 1)
        assert began_ns >= last_end_ns  # nobody was still at work when it began
        assert all(transaction.asked_ns >= began_ns for _, transaction in members)
        last_end_ns = max(transaction.done_ns for _, transaction in members)


def test_rounds_are_a_pause_apart(drive: Drive) -> None:
    driven = drive(writers=3, arrival="burst:60ms", hold="1ms", transactions=12)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    rounds = list(rounds_of(driven).items())
    assert len(rounds) == 4
    for (_, members), (began_ns, _) in pairwise(rounds):
        assert began_ns - max(transaction.done_ns for _, transaction in members) >= 60_000_000


def test_a_share_that_is_smaller_than_the_others_holds_up_nobody(drive: Drive) -> None:
    driven = drive(writers=4, arrival="burst", transactions=42)
    driven.start()
    driven.until(lambda: driven.fleet.is_idle, "everyone's share")
    driven.stop()
    driven.check_nothing_lost()
    assert driven.commits() == 42


def test_rounds_go_on_without_the_killed_and_the_removed_and_with_the_newcomers(drive: Drive) -> None:
    driven = drive(writers=4, arrival="burst", hold="2ms")
    driven.start()
    driven.until_commits(20)
    victim = driven.writers()[0]
    os.kill(victim.pid, signal.SIGKILL)
    driven.until(lambda: victim.id in driven.exits(), "the victim's end")
    driven.until_commits(20)
    driven.fleet.remove(Role.WRITER)
    driven.until(lambda: len(driven.writers()) == 2, "the newest writer's end")
    driven.until_commits(20)
    driven.fleet.add(Role.WRITER)
    newcomer = driven.fleet.handles[-1]
    driven.until(lambda: newcomer.slot.done > 5, "the newcomer's commits")
    driven.stop()
    last = list(rounds_of(driven).values())[-4]
    assert {worker for worker, _ in last} == {2, 3, newcomer.id}


def test_a_pause_a_switch_and_the_end_do_not_wait_for_the_round(drive: Drive) -> None:
    driven = drive(writers=4, arrival="burst:30s", hold="1ms")
    driven.start()
    driven.until(lambda: driven.fleet.handles[0].slot.round, "the wait for the first round")
    asked_at = time.monotonic()
    driven.fleet.pause()
    driven.until(
        lambda: {sample.state for sample in driven.fleet.slot_sample().workers} == {WorkerState.PARKED},
        "everyone parked",
    )
    driven.fleet.resume()
    driven.until(lambda: driven.fleet.state is FleetState.RUNNING, "the resumption")
    driven.fleet.begin_phase("single-writer", Mode.SINGLE_WRITER)
    driven.until(lambda: driven.fleet.mode is Mode.SINGLE_WRITER and driven.fleet.state is FleetState.RUNNING)
    driven.stop()
    assert time.monotonic() - asked_at < 15  # each takes milliseconds; the round itself would have taken 30 s
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


def test_a_stopped_writer_holds_up_the_rounds_but_neither_a_switch_nor_the_end(drive: Drive) -> None:
    driven = drive(writers=3, arrival="burst:5ms", hold=0)
    driven.start()
    driven.until_commits(10)
    stopped = driven.writers()[0]
    driven.until(lambda: stopped.slot.round, "its wait for the next round")
    os.kill(stopped.pid, signal.SIGSTOP)
    driven.fleet.begin_phase("mutex", Mode.MUTEX)
    driven.until(lambda: driven.fleet.mode is Mode.MUTEX and driven.fleet.state is FleetState.RUNNING)
    os.kill(stopped.pid, signal.SIGCONT)
    driven.until(lambda: driven.commits(1) > 5, "rounds in the new mode")
    os.kill(stopped.pid, signal.SIGSTOP)
    driven.stop()
    assert stopped.id in driven.exits()
