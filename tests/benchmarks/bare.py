"""The loop that an instrumented writer is measured against: same library, statements and pragmas, no telemetry."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apsw

from simulators.database import make_payload
from simulators.workload import Workload


def commit_in_a_loop(path: str, workload: Workload, seconds: float, barrier: Any, results: Any) -> None:
    """Insert one row a transaction for `seconds` after the barrier; put (commits/s, CPU s a commit) into `results`."""
    connection = apsw.Connection(path)
    connection.execute(f"PRAGMA synchronous = {workload.synchronous.value}")
    connection.set_busy_timeout(5000)
    connection.wal_autocheckpoint(workload.autocheckpoint)
    execute = connection.cursor().execute
    payload = make_payload(workload, 1)
    insert = "INSERT INTO entry(worker, number, payload) VALUES (?, ?, ?)"

    def run(duration_s: float) -> tuple[float, float]:
        number = 0
        cpu_before_s = time.process_time()
        started_ns = time.monotonic_ns()
        deadline_ns = started_ns + round(duration_s * 1e9)
        while time.monotonic_ns() < deadline_ns:
            for _ in range(64):
                execute("BEGIN IMMEDIATE")
                execute(insert, (1, number, payload))
                execute("COMMIT")
                number += 1
        cpu_s = time.process_time() - cpu_before_s
        return number / (time.monotonic_ns() - started_ns) * 1e9, cpu_s / number

    barrier.wait()
    run(0.2)
    results.put(run(seconds))
    connection.close()
    Path(path).touch()
