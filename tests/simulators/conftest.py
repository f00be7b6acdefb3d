"""A fleet under test: real processes, real databases, and waiting for conditions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from simulators.events import Batch, Role, WorkerExited
from simulators.fleet import Fleet, FleetState, Message
from simulators.handle import Handle
from simulators.place import Place, create_place
from simulators.prepare import make_databases
from simulators.workload import from_mapping

PATIENCE_S = 60


class Driven:
    """A fleet and everything that it has said."""

    def __init__(self, place: Place, **parameters: Any) -> None:
        self.place = place
        self.fleet = Fleet(from_mapping({key.replace("_", "-"): value for key, value in parameters.items()}), place)
        self.messages: list[Message] = []

    def until(self, condition: Callable[[], object], what: str = "the condition") -> None:
        """Drive the fleet until a condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
            self.messages += self.fleet.step()
            self.fleet.look_until(time.monotonic_ns() + 2_000_000, period_ns=1_000_000)

    def start(self) -> None:
        self.fleet.begin_phase("first")
        self.until(lambda: self.fleet.state is FleetState.RUNNING, "the start")

    def commits(self, phase: int | None = None) -> int:
        return sum(batch.committed for batch in self.batches() if phase is None or batch.phase == phase)

    def until_commits(self, more: int) -> None:
        target = self.commits() + more
        self.until(lambda: self.commits() >= target, f"{more} more commits")

    def batches(self) -> list[Batch]:
        return [message for message in self.messages if isinstance(message, Batch)]

    def exits(self) -> dict[int, WorkerExited]:
        return {message.worker: message for message in self.messages if isinstance(message, WorkerExited)}

    def writers(self) -> list[Handle]:
        return self.fleet.living(Role.WRITER)

    def stop(self) -> None:
        self.fleet.stop()
        self.until(lambda: self.fleet.state is FleetState.ENDED, "the end")
        self.messages += self.fleet.step()

    def received(self) -> int:
        return sum(batch.finished for batch in self.batches())

    def rows(self) -> list[tuple[int, int]]:
        """Return (worker, number) of each row; only after the end, since this process then opens the databases."""
        assert self.fleet.state is FleetState.ENDED
        found = []
        for path in self.place.databases:
            connection = sqlite3.connect(path)
            found += connection.execute("SELECT worker, number FROM entry").fetchall()
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()
        return found

    def check_nothing_lost(self) -> None:
        """Check that no transaction was lost or repeated, in a run without a kill."""
        attempted, committed, in_doubt = self.fleet.attempted()
        rows = self.rows()
        assert in_doubt == 0
        assert self.received() == attempted
        assert self.commits() == committed == len(rows)
        assert len(set(rows)) == len(rows)


@pytest.fixture
def drive(short_tmp: Path, leaves_no_process: None) -> Iterator[Callable[..., Driven]]:
    """Make fleets that are ended, and their files removed, when the test is over."""
    driven: list[Driven] = []

    def make(**parameters: Any) -> Driven:
        workload = {"writers": 4, "readers": 0, "hold": "1ms", "think": "1ms", **parameters}
        place = create_place(int(workload.get("databases", 1)), None)
        with_wal = workload.get("journal_mode", "wal") == "wal"
        make_databases(get_context("spawn"), list(place.databases), with_wal=with_wal)
        driven.append(Driven(place, **workload))
        return driven[-1]

    yield make
    for each in driven:
        if each.fleet.state is not FleetState.ENDED:
            each.stop()
        each.fleet.close()
        each.place.remove()
    assert not list(short_tmp.iterdir())
