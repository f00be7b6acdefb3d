"""Running a lesson: its phases one after the other, then what they have shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulators.scenario import Scenario, builtin
from simulators.workload import WorkloadError
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.wanted import Wanted
from sqlwatch.diagnose.headline import headline
from sqlwatch.diagnose.lesson import judge, verdict
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.session.scenario import ScenarioSession


def run_lesson(
    scenario: Scenario, given: Mapping[str, Any], wanted: Wanted, *, is_headless: bool, fps: int, glyphs: str,
    mouse: bool, sample_rate: int, by_hand: bool,
) -> int:  # fmt: skip
    """Run the lesson, headless or in the dashboard, write what it has shown, and return the exit code."""
    from sqlwatch.cli.summary import conclude

    session = prepare(scenario, given, fps=wanted.snapshots_per_s or fps, sample_rate=sample_rate, by_hand=by_hand)
    if is_headless:
        from sqlwatch.cli.summary import run_and_write

        length_s = scenario.length_s if scenario.repeats == 1 else None
        signal_code = run_and_write(session, scenario.title, length_s, wanted, lesson_headline(session.scenario))
        return conclude(session, signal_code, wanted, shows_text=False)
    from sqlwatch.cli.dashboard import run_in_terminal

    open_lesson = opener(fps=fps, sample_rate=sample_rate, by_hand=by_hand, own=scenario, given=given)
    signal_code, last = run_in_terminal(session, open_lesson, fps=fps, glyphs=glyphs, mouse=mouse)
    return conclude(last, signal_code, wanted, shows_text=True)


def opener(
    *, fps: int, sample_rate: int, by_hand: bool, own: Scenario | None = None, given: Mapping[str, Any] | None = None
) -> Callable[[str], ScenarioSession]:
    """Return what prepares a lesson by its name; parameters that were `given` go with the `own` lesson only."""

    def open_lesson(name: str) -> ScenarioSession:
        is_own = own is not None and name == own.name
        scenario = own if own is not None and is_own else builtin(name)
        return prepare(scenario, (given if is_own else None) or {}, fps=fps, sample_rate=sample_rate, by_hand=by_hand)

    return open_lesson


def lesson_headline(scenario: Scenario) -> Callable[[Snapshot], str]:
    """Return a headline that begins with the phase, and at the end says what the lesson has shown."""

    def words(snapshot: Snapshot) -> str:
        run = snapshot.lesson
        if run is None:
            return headline(snapshot)
        if snapshot.status is Status.ENDED:
            return f"{verdict(judge(scenario, run.ended), run.faults)}; c compares, q quits and prints the comparison"
        if run.awaits_next:
            return f"{scenario.phases[run.phase].name} has done its work; n begins the next phase"
        phase, said = scenario.phases[run.phase].name, headline(snapshot)
        if run.switched_to is not None:
            phase = f"switched in {phase}"
        return said if said.startswith((f"{phase} ", f"{phase}: ")) else f"{phase}: {said}"

    return words


def prepare(
    scenario: Scenario, given: Mapping[str, Any], *, fps: float, sample_rate: int, by_hand: bool = False
) -> ScenarioSession:
    """Return a session for a lesson with some parameters changed; raise CommandError if they do not fit."""
    try:
        return ScenarioSession(
            scenario, given, snapshots_per_s=fps, sample_rate_hz=sample_rate, by_hand=by_hand
        )  # fmt: skip
    except WorkloadError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
