"""A lesson from start to end with real workers, shortened."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import psutil
import pytest

from simulators.events import Mode
from simulators.scenario import builtin, parse
from sqlwatch.diagnose.lesson import Lesson, judge
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.html import simulation_html
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
    assert result.repeats == tuple(session.repeats)
    assert [workload["writers"] for workload in result.workloads] == [2, 1]
    for period, timeline in zip(result.phases, result.timelines, strict=True):
        assert timeline.end_ns - len(timeline.commits) * timeline.period_ns <= period.started_ns < period.until_ns
    assert result.accounting.lost == 0
    assert result.accounting.rows_in_database == result.accounting.rows_expected
    assert (result.accounting.integrity, result.accounting.increments_expected) == ("ok", None)
    assert list(result.by_phase) == ["two", "one"]
    assert sum(part.rows_expected for part in result.by_phase.values()) == result.accounting.rows_expected
    assert result.repeats == tuple(session.repeats)
    assert [snapshot.status for snapshot in seen].count(Status.ENDED) == 1
    assert seen[-1].status is Status.ENDED
    assert seen[-1].lesson is not None
    assert seen[-1].lesson.faults == ()
    last = seen[-1].simulation
    assert last is not None
    assert [period.name for period in last.ended_phases] == ["two"], "earlier phases stay on the screen"

    lesson = Lesson(scenario, judge(scenario, session.repeats))
    assert lesson.shown[0].shown is True
    text = lesson_text(result, lesson, "here")
    assert "Verdict: shown." in text
    assert "  two: Invariants hold: 0 of " in text
    broken = msgspec.structs.replace(lesson, faults=("two: 1 update was lost.",))
    assert "Verdict: BROKEN, so that no figure can be trusted: two: 1 update was lost." in " ".join(
        lesson_text(result, broken, "here").split()
    )
    assert simulation_report(result, broken).scenario.shown is False  # type: ignore[union-attr]  # it is a lesson
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert "Over the repeats: median (lowest to highest)" in text
    whole = simulation_report(result, lesson)
    for phase, newest in zip(whole.phases, result.phases, strict=True):
        assert len(phase.repeats) == 2
        assert phase.repeats[-1]["commits_per_s"] == newest.per_second(newest.committed)
        rates = sorted(float(repeat["commits_per_s"] or 0) for repeat in phase.repeats)
        spread = phase.spread["commits_per_s"]
        assert (spread.low, spread.high) == (rates[0], rates[1])
        assert spread.low <= spread.median <= spread.high
    report = whole.scenario
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


def wait_for(seen: list[Snapshot], condition: Callable[[Snapshot], object], what: str) -> Snapshot:
    deadline = time.monotonic() + PATIENCE_S
    while not (seen and condition(seen[-1])):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.01)
    return seen[-1]


def is_running(phase: int) -> Callable[[Snapshot], object]:
    def condition(snapshot: Snapshot) -> object:
        simulation, run = snapshot.simulation, snapshot.lesson
        is_measured = simulation is not None and simulation.phase.committed > 0
        return snapshot.status is Status.RUNNING and run is not None and run.phase == phase and is_measured

    return condition


def test_a_phase_ends_when_the_next_one_is_asked_for_and_its_figures_count() -> None:
    scenario = parse(SHORT.replace("200ms", "30s").replace("repeats = 2", ""), "long.toml", "long")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario)
    session.start(seen.append)
    wait_for(seen, is_running(0), "the first phase")
    session.next_phase()
    second = wait_for(seen, is_running(1), "the second phase")
    assert second.lesson is not None
    assert [[period.name for period in periods] for periods in second.lesson.ended] == [["two"]]
    session.next_phase()
    assert session.wait(PATIENCE_S)
    result = session.result()
    assert [period.name for period in result.phases] == ["two", "one"]
    assert all(0 < period.elapsed_s < 30 and period.committed for period in result.phases)
    assert result.accounting.lost == 0
    assert judge(scenario, session.repeats)[0].shown is True
    last = seen[-1].lesson
    assert last is not None
    assert seen[-1].status is Status.ENDED
    assert last.ended == tuple(session.repeats), "the last Snapshot knows of the last phase, too"


def is_switched_to(mode: Mode | None) -> Callable[[Snapshot], object]:
    def condition(snapshot: Snapshot) -> object:
        return is_running(0)(snapshot) and snapshot.lesson is not None and snapshot.lesson.switched_to is mode

    return condition


def test_what_runs_in_another_mode_counts_for_nothing() -> None:
    scenario = parse(SHORT.replace("200ms", "30s").replace("repeats = 2", ""), "long.toml", "long")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario)
    session.start(seen.append)
    wait_for(seen, is_running(0), "the first phase")
    session.toggle_mode()
    switched = wait_for(seen, is_switched_to(Mode.SINGLE_WRITER), "the other mode")
    assert switched.simulation is not None
    assert switched.simulation.phase.name == "switched in two: single-writer"
    session.toggle_mode()
    wait_for(seen, is_switched_to(None), "its own mode")
    began_ns = seen[-1].simulation.phase.started_ns  # type: ignore[union-attr]  # it runs
    session.reset()
    wait_for(seen, lambda now: now.simulation and now.simulation.phase.started_ns > began_ns, "the reset")
    session.next_phase()
    wait_for(seen, is_running(1), "the second phase")
    session.next_phase()
    assert session.wait(PATIENCE_S)
    (periods,) = session.repeats
    assert [one.name for one in periods] == ["two", "switched in two: single-writer", "two", "two", "one"]
    assert judge(scenario, session.repeats)[0].value == periods[3].per_second(periods[3].committed), "the newest counts"


def test_by_hand_phases_go_on_past_their_time_and_are_run_once() -> None:
    scenario = parse(SHORT, "short.toml", "short")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario, by_hand=True)
    assert session.scenario.repeats == 1
    session.start(seen.append)
    wait_for(seen, lambda now: now.simulation and now.simulation.phase.elapsed_s > 0.5, "more than the 200 ms")
    assert seen[-1].lesson is not None
    assert seen[-1].lesson.is_held
    session.hold_phase(False)
    assert session.wait(PATIENCE_S), "let go, both phases end with their time"
    first, second = session.result().phases
    assert first.elapsed_s > 0.5 > second.elapsed_s


FIXED_WORK = SHORT.replace('duration = "200ms"', "transactions = 20").replace("repeats = 2", "")


def test_a_held_phase_that_has_done_its_work_waits_for_the_key() -> None:
    seen: list[Snapshot] = []
    session = ScenarioSession(parse(FIXED_WORK, "work.toml"))
    session.hold_phase(True)
    session.start(seen.append)
    waiting = wait_for(seen, lambda now: now.lesson and now.lesson.awaits_next, "the wait")
    assert waiting.status is Status.PAUSED
    assert waiting.lesson is not None
    assert [period.name for period in waiting.lesson.ended[0]] == ["two"]
    session.next_phase()
    assert session.wait(PATIENCE_S)
    assert [(period.name, period.committed) for period in session.result().phases] == [("two", 20), ("one", 20)]


def test_one_that_waits_for_the_key_can_be_stopped() -> None:
    seen: list[Snapshot] = []
    session = ScenarioSession(parse(FIXED_WORK, "work.toml"), by_hand=True)
    session.start(seen.append)
    wait_for(seen, lambda now: now.lesson and now.lesson.awaits_next, "the wait")
    session.stop()
    assert session.wait(PATIENCE_S)
    assert [period.name for period in session.result().phases] == ["two"]


def test_fixed_work_that_was_cut_short_counts_for_no_effect() -> None:
    scenario = parse(FIXED_WORK.replace("transactions = 20", "transactions = 100000"), "work.toml")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario)
    session.start(seen.append)
    wait_for(seen, is_running(0), "the first phase")
    session.next_phase()
    wait_for(seen, is_running(1), "the second phase")
    session.stop()
    assert session.wait(PATIENCE_S)
    assert [period.name for period in session.result().phases] == ["two (cut short)", "one (cut short)"]
    assert judge(scenario, session.repeats)[0].shown is None


def test_fixed_work_before_a_switch_was_cut_short() -> None:
    scenario = parse(FIXED_WORK.replace("transactions = 20", "transactions = 2_000"), "work.toml")
    seen: list[Snapshot] = []
    session = ScenarioSession(scenario)
    session.start(seen.append)
    wait_for(seen, is_running(0), "the first phase")
    session.toggle_mode()
    assert session.wait(PATIENCE_S)
    names = [period.name for period in session.repeats[0]]
    assert names == ["two (cut short)", "switched in two: single-writer", "one"]
    assert judge(scenario, session.repeats)[0].shown is None


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


def test_increments_are_added_up_over_the_phases_that_have_any() -> None:
    text = SHORT.replace("workload = { writers = 1 }", 'workload = { statement = "read-then-write" }')
    session = ScenarioSession(parse(text, "short.toml", "short"))
    session.start()
    assert session.wait(PATIENCE_S)
    accounting = session.result().accounting
    assert accounting.increments_expected is not None
    assert 0 < accounting.increments_expected < accounting.commits_received
    assert accounting.increments_in_database == accounting.increments_expected


def test_rounds_tell_who_came_first() -> None:
    session = ScenarioSession(builtin("fairness"), {"transactions": 40, "writers": 4})
    session.start()
    assert session.wait(PATIENCE_S)
    result = session.result()
    for period in result.phases:
        positions = period.positions
        assert positions is not None
        assert (positions.rounds, positions.left_out) == (10, 0)
        assert [sum(row) for row in positions.table] == [10] * 4
        assert positions.contended_share is not None
    report = simulation_report(result)
    assert report.positions == result.phases[-1].positions.table  # type: ignore[union-attr]
    assert report.phases[0].rounds is not None
    lesson = Lesson(session.scenario, judge(session.scenario, session.repeats))
    text = lesson_text(result, lesson, "here")
    assert "how often each writer got the lock as the first" in text
    assert "10 rounds of 4 writers" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    page = simulation_html(result, lesson)
    assert "Who came first, second ... last" in page


def test_rounds_over_several_databases_have_no_one_lock_to_be_first_at() -> None:
    text = SHORT.replace("writers = 2", 'writers = 4\narrival = "burst"\ntransactions = 40').replace("repeats = 2", "")
    session = ScenarioSession(parse(text, "short.toml", "short"), {"writers": 4, "databases": 2, "transactions": 40})
    session.start()
    assert session.wait(PATIENCE_S)
    assert [period.committed for period in session.result().phases] == [40, 40]
    assert [period.positions for period in session.result().phases] == [None, None]
