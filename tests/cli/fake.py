"""A session that runs nothing, in place of the real one; `python -m tests.cli.fake ARGUMENTS` is sqlwatch with it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from simulators.events import Mode
from simulators.workload import Workload
from sqlwatch import session
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Snapshot, Status
from tests.report.make import make_period, make_result, make_snapshot


class FakeSession:
    """Ends as soon as it is started, or when it is told to; remembers what it was made of."""

    made: list[FakeSession] = []
    runs_on = False
    check_fails: session.SessionError | None = None
    run_fails: session.SessionError | None = None
    message: str | None = None
    exit_code = 0
    rows_missing = 0

    def __init__(
        self,
        workload: Workload,
        *,
        database: Path | None = None,
        compare: bool = False,
        snapshots_per_s: float = 4,
        sample_rate_hz: int = 200,
    ) -> None:
        self.workload, self.database, self.compare = workload, database, compare
        self.snapshots_per_s, self.sample_rate_hz = snapshots_per_s, sample_rate_hz
        self.latest: Snapshot | None = None
        self.started = False
        self._ended = threading.Event()
        self.made.append(self)

    def check(self) -> None:
        if self.check_fails:
            raise self.check_fails

    def start(self, on_snapshot: Callable[[Snapshot], None] | None = None) -> None:
        self.started = True
        self.latest = make_snapshot(make_period())
        if on_snapshot is not None:
            on_snapshot(self.latest)
        if not self.runs_on:
            self._ended.set()

    def stop(self) -> None:
        self.latest = make_snapshot(make_period(), Status.ENDED)
        self._ended.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._ended.wait(timeout_s)

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def result(self) -> Result:
        assert self.ended
        if self.run_fails:
            raise self.run_fails
        phases = [make_period(busy_errors=3)]
        if self.compare:
            phases.append(make_period(Mode.SINGLE_WRITER, committed=80))
        result = make_result(*phases, compare=self.compare, message=self.message, exit_code=self.exit_code)
        there = result.accounting.rows_expected - self.rows_missing
        accounting = msgspec.structs.replace(result.accounting, rows_in_database=there)
        return msgspec.structs.replace(result, workload=self.workload.to_mapping(), accounting=accounting)


if __name__ == "__main__":
    from sqlwatch.cli.main import main

    # A shell that starts us in the background may have had SIGINT ignored; SIGHUP stays as it is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    FakeSession.runs_on = "RUNS_ON" in os.environ
    session.SimulationSession = FakeSession  # type: ignore[assignment,misc]
    main()
