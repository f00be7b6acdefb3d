"""The JSON of a simulation is exactly what the interface promises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from simulators.events import Mode
from sqlwatch import __version__
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import WalTotals
from sqlwatch.report.json import SimulationReport, simulation_json
from tests.report.make import MS, SECOND, histogram, make_period, make_result, make_worker, results

TIMES = ["count", "p50", "p90", "p95", "p99", "p999", "max", "mean", "unfinished", "with_unfinished", "buckets"]
PROMISED: dict[str, list[str]] = {
    "": ["schema", "sqlwatch", "workload", "environment", "phases", "scenario", "comparison", "accounting", "positions",
         "findings"],
    "environment": ["sqlite", "python", "platform", "cpus", "filesystem"],
    "phases.0": ["name", "mode", "elapsed_s", "commits", "commits_per_s", "rows_per_s", "reads_per_s", "busy_errors",
                 "busy_snapshot_errors", "busy_retries", "other_errors", "lock_wait_ms", "lock_hold_ms",
                 "commit_latency_ms", "service_latency_ms", "read_latency_ms", "checkpoint_ms", "cache_hit_ratio",
                 "lock_utilisation", "wasted_lock_time", "fairness", "workers", "wal", "quality", "rounds",
                 "accounting", "repeats", "spread"],
    "phases.0.lock_wait_ms": TIMES,
    "phases.0.lock_wait_ms.with_unfinished": ["p50", "p99", "p999", "max"],
    "phases.0.lock_hold_ms": TIMES,
    "phases.0.commit_latency_ms": TIMES,
    "phases.0.service_latency_ms": TIMES,
    "phases.0.read_latency_ms": TIMES,
    "phases.0.checkpoint_ms": TIMES,
    "phases.0.fairness": ["jain", "max_over_median_wait", "longest_streak", "longest_wait_ms", "starved_workers"],
    "phases.0.workers.0": ["id", "pid", "role", "commits", "share", "busy_errors", "longest_wait_ms",
                           "current_wait_ms", "exit"],
    "phases.0.wal": ["peak_bytes", "final_bytes", "checkpoints", "resets", "pinned_s", "checkpoints_busy",
                     "checkpoints_incomplete"],
    "comparison": ["throughput_ratio", "p99_ratio"],
    "accounting": ["transactions_attempted", "transactions_received", "commits_received", "withdrawn", "in_doubt",
                   "rows_expected", "rows_in_database", "lost", "increments_expected", "increments_in_database",
                   "integrity", "integrity_errors", "rows_in_doubt", "workers_killed"],
    "findings.0": ["code", "severity", "summary", "pid", "since_s", "evidence", "remedy"],
}  # fmt: skip
"""The keys of each object, by the path to it, as the interface lists them."""


def decoded(*phases: Any, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(simulation_json(make_result(*phases, **changes)))
    return document


def at(document: Any, path: str) -> Any:
    for step in path.split(".") if path else []:
        document = document[int(step) if step.isdigit() else step]
    return document


@pytest.mark.parametrize("path", PROMISED)
def test_every_object_has_exactly_the_promised_keys(path: str) -> None:
    first = make_period(busy_errors=1, service_latency=histogram(MS))
    document = decoded(first, make_period(Mode.SINGLE_WRITER), compare=True)
    assert sorted(at(document, path)) == sorted(PROMISED[path])


def test_without_a_wal_its_figures_are_null() -> None:
    phase = decoded(make_period(wal=WalTotals()))["phases"][0]
    assert set(phase["wal"].values()) == {None}
    assert phase["checkpoint_ms"] is None


def test_the_latency_from_the_actual_start_is_null_in_a_closed_loop() -> None:
    assert decoded(make_period())["phases"][0]["service_latency_ms"] is None
    open_loop = decoded(make_period(service_latency=histogram(2 * MS)))["phases"][0]
    assert open_loop["service_latency_ms"]["max"] == 2.0


def test_the_head_and_what_is_not_there_yet() -> None:
    document = decoded(make_period())
    assert document["schema"] == "sqlwatch.simulation/1"
    assert document["sqlwatch"] == __version__
    assert (document["scenario"], document["positions"], document["comparison"]) == (None, [], None)
    assert document["phases"][0]["repeats"] == []
    assert document["phases"][0]["spread"] == {}
    assert document["workload"]["hold"] == "2ms"


def test_times_are_milliseconds_and_without_values_null() -> None:
    phase = decoded(make_period(lock_wait=histogram(2 * MS), read_latency=histogram()))["phases"][0]
    assert phase["lock_wait_ms"]["max"] == 2.0
    assert phase["lock_wait_ms"]["buckets"] == [[2.097152, 1]]
    empty = phase["read_latency_ms"]
    assert (empty["count"], empty["p50"], empty["max"], empty["mean"], empty["buckets"]) == (0, None, None, None, [])


def test_unfinished_waits_count_only_in_with_unfinished() -> None:
    period = make_period(unfinished_waits_ns=(8 * SECOND,), given_up_waits=histogram(5 * SECOND))
    waits = decoded(period)["phases"][0]["lock_wait_ms"]
    assert (waits["count"], waits["max"], waits["unfinished"]) == (3, 100.0, 2)
    assert waits["with_unfinished"]["max"] == 8000.0


def test_ratios_are_single_writer_over_contended() -> None:
    single = make_period(Mode.SINGLE_WRITER, committed=80, commit_latency=histogram(51 * MS))
    contended = make_period(committed=40, commit_latency=histogram(102 * MS))
    comparison = decoded(contended, single, compare=True)["comparison"]
    assert comparison["throughput_ratio"] == 2.0
    assert comparison["p99_ratio"] == pytest.approx(0.5, rel=0.01)


def test_a_ratio_to_nothing_is_null() -> None:
    idle = make_period(committed=0, commit_latency=histogram())
    comparison = decoded(idle, make_period(Mode.SINGLE_WRITER), compare=True)["comparison"]
    assert comparison == {"throughput_ratio": None, "p99_ratio": None}


def test_a_worker_of_an_early_phase_has_the_exit_it_came_to_later() -> None:
    early = make_period(workers=(make_worker(1),))
    late = make_period(Mode.SINGLE_WRITER, workers=(make_worker(1, exit="signal 9"),))
    assert decoded(early, late)["phases"][0]["workers"][0]["exit"] == "signal 9"


def test_the_pairs_of_a_histogram_stand_on_one_line() -> None:
    assert "[2.097152, 1]" in simulation_json(make_result(make_period(lock_wait=histogram(2 * MS))))


@settings(max_examples=100)
@given(results())
def test_any_result_is_json_of_the_schema(result: Result) -> None:
    text = simulation_json(result)
    assert msgspec.json.decode(text, type=SimulationReport).accounting == result.accounting
