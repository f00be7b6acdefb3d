import sqlite3
from collections.abc import Callable

import pytest

from simulators.events import Mode, Role
from simulators.fleet import FleetState
from tests.simulators.conftest import Driven

Drive = Callable[..., Driven]


@pytest.mark.parametrize("journal_mode", ["delete", "truncate", "persist"])
@pytest.mark.parametrize("mode", ["contended", "mutex", "single-writer"])
def test_every_mode_works_without_a_wal(drive: Drive, mode: str, journal_mode: str) -> None:
    driven = drive(writers=3, readers=1, mode=mode, journal_mode=journal_mode)
    driven.start()
    driven.until_commits(60)
    path = driven.place.databases[0]
    assert not path.with_name(path.name + "-wal").exists()
    if journal_mode == "persist":
        assert path.with_name(path.name + "-journal").exists()
    driven.stop()
    driven.check_nothing_lost()
    assert not any(batch.checkpoints for batch in driven.batches())
    assert sum(batch.reads for batch in driven.batches()) > 0
    assert {exited.exit for exited in driven.exits().values()} == {"ok"}


def test_a_switch_of_mode_loses_nothing(drive: Drive) -> None:
    driven = drive(readers=1, journal_mode="delete")
    driven.start()
    driven.until_commits(30)
    for number, mode in enumerate([Mode.SINGLE_WRITER, Mode.CONTENDED], start=1):
        driven.fleet.begin_phase(mode.value, mode)
        driven.until(lambda wanted=mode: driven.fleet.mode is wanted and driven.fleet.state is FleetState.RUNNING)
        driven.until(lambda phase=number: driven.commits(phase) >= 30, f"commits {mode}")  # type: ignore[misc]
    driven.stop()
    driven.check_nothing_lost()


def test_a_reader_that_keeps_its_snapshot_keeps_writers_from_committing(drive: Drive) -> None:
    driven = drive(writers=1, hold=0, think="1ms", journal_mode="delete", pin_reader="60s", busy="timeout:50")
    driven.start()
    # The reader may be refused too, before it gets in between the writer's transactions.
    own = lambda: [batch for batch in driven.batches() if batch.role is Role.WRITER]  # noqa: E731
    driven.until(lambda: sum(sum(batch.errors.values()) for batch in own()) >= 2, "two busy errors")
    driven.stop()
    failed = [t for batch in driven.batches() for t in batch.transactions if t.outcome == 5]
    assert failed
    # They had the write lock and lost their wait for the reader at COMMIT, where a WAL knows no wait.
    assert any(t.got_ns and t.done_ns - t.got_ns >= 50_000_000 for t in failed)
    driven.check_nothing_lost()


def test_a_killed_writers_journal_is_rolled_back_by_the_others(drive: Drive) -> None:
    driven = drive(writers=2, readers=1, hold="5ms", think=0, rows=50, payload="8KiB", journal_mode="delete")
    driven.start()
    driven.until_commits(5)
    victim, other = driven.writers()
    driven.until(lambda: victim.slot.got > victim.slot.done, "the victim's hold")
    assert driven.fleet.kill(victim.id)
    driven.until(lambda: victim.id in driven.exits(), "the victim's end")
    before = other.slot.done
    driven.until(lambda: other.slot.done > before + 5, "the other's commits")
    driven.stop()
    _, committed, in_doubt = driven.fleet.attempted()
    rows = driven.rows()
    assert len(rows) % 50 == 0  # no half transaction
    assert committed <= len(rows) // 50 <= committed + in_doubt
    assert {driven.exits()[handle.id].exit for handle in driven.fleet.handles if handle is not victim} == {"ok"}
    assert sum(sum(batch.errors.values()) for batch in driven.batches() if batch.role is Role.READER) == 0
    connection = sqlite3.connect(driven.place.databases[0])
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
