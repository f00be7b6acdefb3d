"""A lesson from start to end with real workers, shortened."""

from __future__ import annotations

import psutil
import pytest

from simulators.scenario import parse
from sqlwatch.diagnose.lesson import Lesson, judge
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.json import simulation_report
from sqlwatch.report.lesson import explanation, lesson_text
from sqlwatch.session.errors import SessionError
from sqlwatch.session.scenario import ScenarioSession

SHORT = """
title = "Two against one"
source = "nobody"
question = "Does it run?"
repeats = 2
[workload]
writers = 2
readers = 0
hold = 0
think = "1ms"
warm-up = 0
duration = "200ms"
[[phases]]
name = "two"
[[phases]]
name = "one"
workload = { writers = 1 }
[[effects]]
says = "commits"
figure = "commits_per_s"
of = "two"
against = "one"
at-least = 0.01
"""
PATIENCE_S = 60


def test_all_phases_are_run_as_often_as_asked_and_nothing_is_lost() -> None:
    scenario = parse(SHORT, "short.toml", "short")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario)
    session.start(seen.append)
    assert session.wait(PATIENCE_S)
    result = session.result()
    assert [[period.name for period in periods] for periods in session.repeats] == [["two", "one"]] * 2
    assert [period.name for period in result.phases] == ["two", "one"]
    assert all(period.committed > 0 for period in result.phases)
    assert result.accounting.lost == 0
    assert result.accounting.rows_in_database == result.accounting.rows_expected
    assert [snapshot.status for snapshot in seen].count(Status.ENDED) == 1
    assert seen[-1].status is Status.ENDED
    last = seen[-1].simulation
    assert last is not None
    assert [period.name for period in last.ended_phases] == ["two"], "earlier phases stay on the screen"

    lesson = Lesson(scenario, judge(scenario, session.repeats))
    assert lesson.shown[0].shown is True
    text = lesson_text(result, lesson, "here")
    assert "Verdict: shown." in text
    assert all(len(line) <= 80 for line in text.split("\n"))
    report = simulation_report(result, lesson).scenario
    assert report is not None
    assert (report.name, report.shown, report.verdict) == ("short", True, "shown")
    children = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert [words for words in children if "resource_tracker" not in words] == [], "it ends with this process"


def test_stopping_in_the_middle_ends_it_with_what_there_is() -> None:
    scenario = parse(SHORT.replace("200ms", "30s"), "long.toml", "long")
    session = ScenarioSession(scenario)
    session.start(lambda snapshot: session.stop() if snapshot.status is Status.RUNNING else None)
    assert session.wait(PATIENCE_S)
    result = session.result()
    assert [period.name for period in result.phases] == ["two"]
    (shown,) = judge(scenario, session.repeats)
    assert shown.shown is None
    assert "UNKNOWN" in lesson_text(result, Lesson(scenario, (shown,)), "here")


def test_one_that_never_began_says_so() -> None:
    session = ScenarioSession(parse(SHORT, "short.toml"))
    session.stop()
    assert session.ended
    with pytest.raises(SessionError, match="before it began"):
        session.result()


def test_a_lesson_is_explained_before_it_is_run() -> None:
    text = explanation(parse(SHORT, "short.toml", "short"))
    assert "Question: Does it run?" in text
    assert "two: 2 writers" in text
    assert "sqlwatch simulate short" in text
