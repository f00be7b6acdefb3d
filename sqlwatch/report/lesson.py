"""What a lesson has shown, as plain text: the question, its phases side by side, the effects, what was published."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from simulators.scenario import Scenario
from simulators.workload import from_mapping
from sqlwatch.charts.segment import plain
from sqlwatch.charts.side_table import side_table
from sqlwatch.charts.text import one_cell_each
from sqlwatch.diagnose.compared import compared_words, phases_in_words
from sqlwatch.diagnose.invariants import invariant_words
from sqlwatch.diagnose.lesson import Lesson, Shown, verdict
from sqlwatch.diagnose.repeats import repeats_of, spread_words
from sqlwatch.diagnose.side_by_side import base_of, side_by_side, side_notes
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import WIDTH, wrapped
from sqlwatch.report.rounds import round_lines
from sqlwatch.report.sweeps import sweep_lines
from sqlwatch.report.text import two_parts


def lesson_text(result: Result, lesson: Lesson, environment: str, *, short_last: bool = False) -> str:
    """Return the summary of a lesson that was run, without a line end after its last line.

    `short_last` puts what matters below all the rest: on a terminal the last lines are those in sight.
    """
    scenario = lesson.scenario
    repeats = f" Each as it ran last, in {scenario.repeats} repeats:" if scenario.repeats > 1 else ""
    short = [
        [*wrapped(f"{scenario.name}: {scenario.title}"), *wrapped(scenario.question)],
        wrapped(result.message) if result.message else [],
        wrapped(f"Verdict: {verdict(lesson.shown, lesson.faults)}."),
        [line for one in lesson.shown for line in wrapped(f"{_mark(one)} {one.words}", "  ", "    ")],
        wrapped(f"Why: {scenario.expect}") if scenario.expect else [],
        wrapped(f"To see it vanish: {scenario.vanish}") if scenario.vanish else [],
    ]
    rest = [
        ["What was compared", *_compared(scenario), *wrapped(environment, "  ", "    ")],
        [
            *wrapped(f"The phases side by side.{repeats}"),
            *_phases(scenario, result.phases),
        ],
        sweep_lines(scenario, result.phases),
        round_lines(result.phases),
        _spread(result),
        _published(scenario),
        _invariants(result),
    ]
    return two_parts(short, rest, short_last=short_last)


def _spread(result: Result) -> list[str]:
    """Say how much the repeats of each phase differ."""
    lines = []
    for phase in result.phases:
        words = spread_words(repeats_of(phase.name, result.repeats))
        lines += wrapped(f"{phase.name}: {words}", "  ", "    ") if words else []
    return [*wrapped("Over the repeats: median (lowest to highest)"), *lines] if lines else []


def _invariants(result: Result) -> list[str]:
    """Say of each phase whether what must hold does."""
    lines = wrapped("What must hold of every phase, warm-up and repeats included")
    for name, accounting in result.by_phase.items():
        lines += wrapped(f"{name}: {invariant_words(accounting)}", "  ", "    ")
    return lines


def explanation(scenario: Scenario, place: str | None = None) -> str:
    """Explain a lesson before it is run, without a line end after its last line; `place` is the file it is in."""
    how_long = f"about {scenario.length_s:.0f} s and some for starting"
    if not scenario.length_s:
        how_long = "until its work is done" if scenario.phases else "until you end it"
    parts = [
        wrapped(f"{scenario.name}: {scenario.title}"),
        wrapped(f"Question: {scenario.question}") if scenario.question else [],
        wrapped(f"Source: {scenario.cited}") if scenario.cited else [],
        ["Phases", *_compared(scenario, watch=True)] if scenario.phases else _alone(scenario),
        wrapped(f"Watch: {scenario.watch}") if scenario.watch else [],
        wrapped(f"What to expect here, and why: {scenario.expect}") if scenario.expect else [],
        _published(scenario),
        wrapped(f"To see it vanish: {scenario.vanish}") if scenario.vanish else [],
        wrapped(f"Run it ({how_long}): sqlwatch simulate {shlex.quote(place or scenario.name)}"),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _alone(scenario: Scenario) -> list[str]:
    """Say what a file runs that is no lesson."""
    (words,) = compared_words([from_mapping(scenario.workload)])
    return wrapped(f"A workload without phases, so nothing is compared: {words}")


def _compared(scenario: Scenario, *, watch: bool = False) -> list[str]:
    """Say what each phase runs, and if wanted what to watch in it."""
    lines = []
    for phase, (name, words) in zip(scenario.phases, phases_in_words(scenario), strict=True):
        lines += wrapped(f"{name}: {words}", "  ", "    ")
        lines += wrapped(f"watch: {phase.watch}", "    ", "    ") if watch and phase.watch else []
    return lines


def _mark(shown: Shown) -> str:
    return {True: "shown:", False: "NOT SHOWN:", None: "UNKNOWN:"}[shown.shown]


def _phases(scenario: Scenario, phases: Sequence[Period]) -> list[str]:
    if not phases:
        return ["  none was run to its end"]
    base = base_of(scenario, phases)
    names = [one_cell_each(phase.name) for phase in phases]
    table = side_table(names, side_by_side(phases, base), WIDTH - 1)
    return [plain(row).rstrip() for row in table] + wrapped(side_notes(phases, base))


def _published(scenario: Scenario) -> list[str]:
    if not scenario.published:
        return []
    lines = wrapped(f"Published ({scenario.cited})")
    for row in scenario.published:
        lines += wrapped(f"{row.what}: {row.value}", "  ", "    ")
    return lines
