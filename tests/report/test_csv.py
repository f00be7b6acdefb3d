"""The CSV of a simulation: the figures of its JSON, a line a phase and repeat."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given, settings

from simulators.events import Mode
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import WalTotals
from sqlwatch.report.csv import columns, simulation_csv
from sqlwatch.report.json import simulation_json
from tests.report.make import MS, histogram, make_period, make_result, results


def lines_of(result: Result) -> list[dict[str, str]]:
    text = simulation_csv(result) + "\n"
    assert text.endswith("\r\n")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(line) for line in lines} == {len(columns())}
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def flattened(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    return {key: leaf for part in value for key, leaf in flattened(value[part], f"{name}.{part}".lstrip(".")).items()}


@settings(max_examples=60)
@given(results())
def test_read_back_it_is_the_json(result: Result) -> None:
    phases = json.loads(simulation_json(result))["phases"]
    lines = lines_of(result)
    assert len(lines) == len(phases)
    for line, phase in zip(lines, phases, strict=True):
        figures = flattened(phase)
        for name, cell in line.items():
            if name == "repeat":
                assert cell == "1"
                continue
            value = figures.get(name)
            if isinstance(value, int | float):
                assert float(cell) == value
            else:
                assert cell == (value or "")


def test_every_figure_of_a_phase_has_its_column() -> None:
    full = make_period(service_latency=histogram(MS), errors={5: 1})
    phase = json.loads(simulation_json(make_result(full)))["phases"][0]
    names = {name for name in flattened(phase) if not name.endswith((".buckets", "unfinished"))}
    names = {
        name
        for name in names
        if name not in ("workers", "accounting", "repeats", "spread", "rounds") and not name.startswith("quality")
    }
    assert names <= set(columns())
    assert "lock_wait_ms.with_unfinished.p99" in columns()


def test_what_is_unknown_is_empty_and_nothing_is_still_a_heading() -> None:
    (line,) = lines_of(make_result(make_period(wal=WalTotals(), read_latency=histogram())))
    assert (line["wal.peak_bytes"], line["checkpoint_ms.p99"], line["read_latency_ms.p50"]) == ("", "", "")
    assert (line["service_latency_ms.count"], line["read_latency_ms.count"], line["busy_errors"]) == ("", "0", "0")
    assert lines_of(make_result()) == []


def test_each_repeat_has_its_lines() -> None:
    first, second = make_period(name="two, at once"), make_period(Mode.SINGLE_WRITER)
    lines = lines_of(make_result(first, second, repeats=((first, second), (first,))))
    assert [(line["repeat"], line["name"]) for line in lines] == [
        ("1", "two, at once"), ("1", "single-writer"), ("2", "two, at once"),
    ]  # fmt: skip
