"""Sweeps: the speed-up of each phase over the first, and how a file says which phases these are."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.scenario import ScenarioError, builtin, parse
from sqlwatch.charts.units import UNKNOWN
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.diagnose.sweeps import SWEEP_HEADINGS, sweep_rows, sweep_words, sweeps
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.html import simulation_html
from sqlwatch.report.json import simulation_report
from sqlwatch.report.lesson import lesson_text
from sqlwatch.report.sweeps import sweep_lines
from tests.report.make import make_period, make_result

HEAD = """
[workload]
duration = "1s"
[[phases]]
name = "one"
workload = { writers = 1 }
[[phases]]
name = "two"
workload = { writers = 2 }
[[phases]]
name = "four"
workload = { writers = 4 }
"""
SWEEP = HEAD + '[[sweeps]]\nname = "up"\nphases = ["one", "two", "four"]\npublished = [1.0, 0.9, 0.5]\n'
SCENARIO = parse(SWEEP, "x")


def periods(*commits: int) -> list[Period]:
    names = ("one", "two", "four")
    return [make_period(name=name, committed=count) for name, count in zip(names, commits, strict=False)]


def test_each_phase_is_measured_against_the_first() -> None:
    (swept,) = sweeps(SCENARIO, periods(200, 300, 100))
    assert [(step.writers, step.commits_per_s, step.speed_up, step.published) for step in swept.steps] == [
        (1, 20.0, 1.0, 1.0), (2, 30.0, 1.5, 0.9), (4, 10.0, 0.5, 0.5),
    ]  # fmt: skip
    assert [row[2:4] for row in sweep_rows(swept)] == [("1.00x", "1.00x"), ("1.50x", "0.90x"), ("0.50x", "0.50x")]
    assert sweep_words(swept) == (
        "four made 0.50x the commits a second of one, with 4 times the writers; the most was 1.50x, with two."
    )


@pytest.mark.parametrize("commits", [(), (200,), (200, 300), (0, 300, 100)])
def test_what_did_not_run_is_unknown(commits: tuple[int, ...]) -> None:
    (swept,) = sweeps(SCENARIO, periods(*commits))
    assert sweep_rows(swept)[-1][2] == UNKNOWN
    assert sweep_words(swept) == "Not all of its phases have run to their end."


@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=3))
def test_the_table_fits_whatever_was_measured(commits: list[int]) -> None:
    (swept,) = sweeps(SCENARIO, periods(*commits))
    assert all(len(row) == len(SWEEP_HEADINGS) for row in sweep_rows(swept))
    assert all(len(line) <= 80 for line in sweep_lines(SCENARIO, periods(*commits)))


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ('name = "up"\nphases = ["one", "three"]', r"sweeps\[0\].phases: there is no phase 'three'"),
        ('name = "up"\nphases = ["one", "two"]\npublished = [1]', r"published: has 1 values for 2 phases"),
        ('name = "up"\nphases = ["one"]', "sweeps"),
        ('phases = ["one", "two"]', "name"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(sweep: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse(f"{HEAD}[[sweeps]]\n{sweep}\n", "my.toml")


def test_a_lesson_shows_its_sweeps_everywhere() -> None:
    result, lesson = make_result(*periods(200, 300, 100)), Lesson(SCENARIO, ())
    text = lesson_text(result, lesson, "here")
    assert "up: how much faster than one" in text
    page = simulation_html(result, lesson)
    assert "<caption>up</caption>" in page
    assert '<td class="figure">1.50x</td>' in page
    report = simulation_report(result, lesson).scenario
    assert report is not None
    assert msgspec.to_builtins(report.sweeps)[0]["steps"][1]["speed_up"] == 1.5
    assert "How much faster" not in simulation_html(result)


def test_write_scaling_sweeps_fixed_time_and_fixed_work() -> None:
    scenario = builtin("write-scaling")
    workloads = {phase.name: scenario.workload_of(phase) for phase in scenario.phases}
    fixed_time, fixed_work = ([workloads[name] for name in sweep.phases] for sweep in scenario.sweeps)
    for swept in (fixed_time, fixed_work):
        assert [workload.writers for workload in swept] == [1, 2, 4, 8, 16]
    assert not any(workload.transactions for workload in fixed_time)
    assert {workload.transactions for workload in fixed_work} == {20_000}
    assert len({workload.duration for workload in fixed_time}) == 1
