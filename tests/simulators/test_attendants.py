import time
from collections.abc import Callable

from simulators.events import Mode, Role, WorkerState
from simulators.fleet import FleetState
from sqlwatch.observe.wal import WalReader
from tests.simulators.conftest import Driven

Drive = Callable[..., Driven]


def states(driven: Driven, role: Role) -> set[WorkerState]:
    ids = {handle.id for handle in driven.fleet.living(role)}
    return {sample.state for sample in driven.fleet.slot_sample().workers if sample.worker in ids}


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


def test_without_the_parameter_there_is_no_pinned_reader(drive: Drive) -> None:
    driven = drive(writers=1)
    driven.start()
    driven.stop()
    assert {handle.role for handle in driven.fleet.handles} == {Role.WRITER, Role.SINGLE_WRITER}
