import time
from collections.abc import Callable
from typing import Any

import pytest

from simulators.events import Checkpoint, CheckpointKind, Mode, PhaseStarted, Role, WorkerState
from simulators.fleet import FleetState
from sqlwatch.metrics.wal import WalStory
from sqlwatch.observe.wal import WalReader
from tests.simulators.conftest import Driven

Drive = Callable[..., Driven]


def states(driven: Driven, role: Role) -> set[WorkerState]:
    ids = {handle.id for handle in driven.fleet.living(role)}
    return {sample.state for sample in driven.fleet.slot_sample().workers if sample.worker in ids}


def checkpoints(driven: Driven) -> list[Checkpoint]:
    return [checkpoint for batch in driven.batches() for checkpoint in batch.checkpoints]


@pytest.mark.parametrize("with_checkpointer", [True, False])
def test_resets_are_seen_whoever_makes_them(drive: Drive, with_checkpointer: bool) -> None:
    """SQLite's own count in the -wal header is each connection's own, so it cannot tell."""
    parameters: dict[str, Any] = (
        {"autocheckpoint": 0, "checkpointer": "truncate:200ms"} if with_checkpointer else {"autocheckpoint": 8}
    )
    driven = drive(writers=3, hold=0, think="20ms", **parameters)
    driven.start()
    story, reader = WalStory(8), WalReader(driven.place.databases[0])

    def look() -> int:
        story.add(reader.read(time.monotonic_ns()))
        return story.resets

    driven.until(lambda: look() >= 6, "six resets")
    reader.close()
    driven.stop()
    if with_checkpointer:
        done = sum(checkpoint.outcome == 0 for checkpoint in checkpoints(driven))
        assert 6 <= story.resets <= done


def test_a_pinned_reader_keeps_the_wal_from_being_reused_until_it_lets_go(drive: Drive) -> None:
    driven = drive(writers=2, hold=0, think=0, pin_reader="60s", autocheckpoint=20)
    driven.start()
    driven.until(lambda: states(driven, Role.PINNED_READER) == {WorkerState.READING}, "the pin")
    driven.until_commits(400)
    reader = WalReader(driven.place.databases[0])
    seen = reader.read(time.monotonic_ns())
    reader.close()
    # Checkpoints were due twenty times over, and none may have passed the held mark or begun the file again.
    assert seen.live_frames is not None
    assert seen.live_frames > 400
    assert any(mark.held and mark.frame < seen.live_frames for mark in seen.marks)
    driven.stop()
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}
    driven.check_nothing_lost()


def test_a_pinned_reader_takes_a_new_snapshot_again_and_again(drive: Drive) -> None:
    driven = drive(writers=1, pin_reader="30ms", databases=1)
    driven.start()
    driven.until(lambda: sum(batch.snapshots for batch in driven.batches()) >= 3, "three snapshots")
    driven.stop()
    pinned = [batch for batch in driven.batches() if batch.role is Role.PINNED_READER]
    assert sum(batch.reads for batch in driven.batches()) == 0  # a pin is no read whose latency counts
    assert sum(batch.snapshots for batch in pinned) == sum(batch.snapshots for batch in driven.batches())


def test_each_database_has_its_pinned_reader_and_a_switch_has_it_let_go(drive: Drive) -> None:
    driven = drive(writers=2, databases=2, pin_reader="60s")
    driven.start()
    assert sorted(handle.database for handle in driven.fleet.living(Role.PINNED_READER)) == [0, 1]
    driven.until(lambda: states(driven, Role.PINNED_READER) == {WorkerState.READING}, "the pins")
    asked_at = time.monotonic()
    driven.fleet.pause()
    driven.until(lambda: states(driven, Role.PINNED_READER) == {WorkerState.PARKED}, "both to let go")
    driven.fleet.resume()
    driven.fleet.begin_phase("single-writer", Mode.SINGLE_WRITER)
    driven.until(lambda: driven.fleet.mode is Mode.SINGLE_WRITER and driven.fleet.state is FleetState.RUNNING)
    driven.until(lambda: states(driven, Role.PINNED_READER) == {WorkerState.READING}, "the pins again")
    assert time.monotonic() - asked_at < 15  # the pins themselves would have lasted 60 s
    driven.stop()
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


@pytest.mark.parametrize("kind", ["passive", "full", "restart", "truncate"])
def test_a_checkpointer_alone_copies_the_wal(drive: Drive, kind: str) -> None:
    driven = drive(writers=2, checkpointer=f"{kind}:20ms", autocheckpoint=0)
    driven.start()
    driven.until(lambda: sum(c.outcome == 0 and c.backfilled_frames > 0 for c in checkpoints(driven)) >= 3)
    driven.stop()
    (checkpointer,) = [handle for handle in driven.fleet.handles if handle.role is Role.CHECKPOINTER]
    ran = [(batch.worker, c) for batch in driven.batches() for c in batch.checkpoints]
    assert {worker for worker, _ in ran} == {checkpointer.id}
    assert {c.kind for _, c in ran} == {CheckpointKind(kind)}
    assert all(c.started_ns < c.ended_ns and 0 <= c.backfilled_frames <= c.wal_frames for _, c in ran)
    began_ns = next(message.at_ns for message in driven.messages if isinstance(message, PhaseStarted))
    assert all(c.started_ns >= began_ns + number * 20_000_000 for number, (_, c) in enumerate(ran, start=1))
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}
    driven.check_nothing_lost()


@pytest.mark.parametrize(("kind", "is_busy"), [("passive", False), ("full", True), ("truncate", True)])
def test_behind_a_pinned_reader_a_checkpoint_is_busy_or_passive_and_incomplete(
    drive: Drive, kind: str, is_busy: bool
) -> None:
    driven = drive(
        writers=1, think="5ms", pin_reader="60s", checkpointer=f"{kind}:30ms", autocheckpoint=0, busy="timeout:20"
    )
    driven.start()
    driven.until(lambda: len(checkpoints(driven)) >= 4, "four checkpoints")
    driven.stop()
    last = checkpoints(driven)[-1]
    assert (last.outcome & 0xFF == 5) is is_busy
    assert last.is_incomplete is not is_busy
    assert last.backfilled_frames < last.wal_frames


def test_a_checkpointer_that_waits_for_a_reader_holds_up_neither_a_pause_nor_the_end(drive: Drive) -> None:
    driven = drive(writers=1, hold=0, pin_reader="60s", checkpointer="restart:10ms", busy="timeout:60000")
    driven.start()
    driven.until(lambda: states(driven, Role.CHECKPOINTER) == {WorkerState.CHECKPOINTING}, "the checkpoint")
    asked_at = time.monotonic()
    driven.fleet.pause()
    driven.until(
        lambda: {sample.state for sample in driven.fleet.slot_sample().workers} == {WorkerState.PARKED},
        "everyone parked",
    )
    driven.stop()
    assert time.monotonic() - asked_at < 15  # it would have waited for 60 s
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


def test_the_lock_is_not_called_free_while_a_checkpointer_may_hold_it(drive: Drive) -> None:
    driven = drive(writers=1, hold=0, think=0, pin_reader="60s", checkpointer="restart:10ms", busy="timeout:60000")
    driven.start()
    driven.until(
        lambda: (
            states(driven, Role.CHECKPOINTER) == {WorkerState.CHECKPOINTING}
            and states(driven, Role.WRITER) == {WorkerState.WAITING}
        ),
        "the checkpoint to keep the writer waiting",
    )
    driven.fleet.slot_sample()  # forget the looks up to here
    driven.fleet.look_until(time.monotonic_ns() + 40_000_000, period_ns=2_000_000)
    sample = driven.fleet.slot_sample()
    assert sample.looks > 0
    assert (sample.held, sample.wasted) == ((0,), (0,))
    driven.stop()


def test_without_the_parameters_there_is_neither(drive: Drive) -> None:
    driven = drive(writers=1)
    driven.start()
    driven.stop()
    assert {handle.role for handle in driven.fleet.handles} == {Role.WRITER, Role.SINGLE_WRITER}
