"""Which phases are put side by side: those of the lesson as far as they have run, or the newest of each mode."""

from __future__ import annotations

from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.diagnose.side_by_side import base_of, newest_phases
from sqlwatch.metrics.snapshot import Period, Status
from sqlwatch.tui.lesson_panel import run_of
from sqlwatch.tui.view import View


def phases_of_lesson(view: View, lesson: Lesson) -> tuple[Period, ...]:
    """Return the newest period of each phase, the one under way included."""
    run, simulation = run_of(view), view.simulation
    repeats = list(run.ended) if run is not None else []
    if simulation is not None and live_name(view):
        repeats.append((simulation.phase,))
    return newest_phases(lesson.scenario, repeats)


def live_name(view: View) -> str:
    """Return the name of the phase under way; none while it warms up, and once it has ended."""
    simulation = view.simulation
    is_live = view.status in (Status.RUNNING, Status.PAUSED, Status.SWITCHING, Status.STOPPING)
    run = run_of(view)
    if simulation is None or not is_live or (run is not None and run.awaits_next):
        return ""
    return simulation.phase.name


def side_phases(view: View, most: int) -> list[Period]:
    """Return at most so many phases to put side by side, the one that the others are measured against first.

    Of a lesson it is the phase that most effects are against, and then those that ran last; what ran in a mode that
    somebody switched to is among them only as long as it runs.
    """
    if view.lesson is None:
        return [period for _, period in view.phases()][-most:]
    scenario, now = view.lesson.scenario, live_name(view)
    names = {now, *(phase.name for phase in scenario.phases)}
    phases = [period for period in phases_of_lesson(view, view.lesson) if period.name in names]
    base = base_of(scenario, phases)
    others = sorted((period for period in phases if period is not base), key=lambda period: period.started_ns)
    return [*([base] if base is not None else []), *others[-(most - 1) :]]
