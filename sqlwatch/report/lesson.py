"""What a lesson has shown, as plain text: the question, its phases side by side, the effects, what was published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from simulators.scenario import Scenario
from sqlwatch.charts import units
from sqlwatch.diagnose.lesson import Lesson, Shown, verdict
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Accounting, Period
from sqlwatch.report.plain import cut, number, wrapped

_NAME_WIDTH: Final = 19
_COLUMNS: Final[tuple[tuple[str, int, Callable[[Period], str]], ...]] = (
    ("commits", 9, lambda period: units.rate(period.per_second(period.committed))),
    ("wait p50", 9, lambda period: units.duration(period.all_waits.percentile_ns(50))),
    ("p99", 7, lambda period: units.duration(period.all_waits.percentile_ns(99))),
    ("longest", 8, lambda period: units.duration(period.fairness.longest_wait_ns)),
    ("busy", 7, lambda period: number(period.busy_errors)),
    ("Jain", 6, lambda period: units.index(period.fairness.jain)),
    ("wasted", 7, lambda period: units.share(period.wasted_lock_time)),
    ("WAL", 8, lambda period: units.size(period.wal.peak_bytes)),
)


def lesson_text(result: Result, lesson: Lesson, environment: str) -> str:
    """Return the summary of a lesson that was run, without a line end after its last line."""
    scenario = lesson.scenario
    repeats = f" The last of {scenario.repeats} repeats:" if scenario.repeats > 1 else ""
    parts = [
        [*wrapped(f"{scenario.name}: {scenario.title}"), *wrapped(scenario.question), *wrapped(environment)],
        wrapped(result.message) if result.message else [],
        wrapped(f"Verdict: {verdict(lesson.shown)}."),
        [line for one in lesson.shown for line in wrapped(f"{_mark(one)} {one.words}", "  ", "    ")],
        [
            *wrapped(f"Phases (waits: for the write lock, those without an end included).{repeats}"),
            *_phases(result.phases),
        ],
        _published(scenario),
        wrapped(f"Why: {scenario.expect}") if scenario.expect else [],
        wrapped(f"To see it vanish: {scenario.vanish}") if scenario.vanish else [],
        wrapped(_invariants(result.accounting)),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def explanation(scenario: Scenario) -> str:
    """Explain a lesson before it is run, without a line end after its last line."""
    parts = [
        wrapped(f"{scenario.name}: {scenario.title}"),
        wrapped(f"Question: {scenario.question}") if scenario.question else [],
        wrapped(f"Source: {scenario.source}") if scenario.source else [],
        ["Phases", *(line for phase in scenario.phases for line in _phase_words(scenario, phase.name))],
        wrapped(f"Watch: {scenario.watch}") if scenario.watch else [],
        wrapped(f"What to expect here, and why: {scenario.expect}") if scenario.expect else [],
        _published(scenario),
        wrapped(f"To see it vanish: {scenario.vanish}") if scenario.vanish else [],
        wrapped(f"Run it (about {scenario.length_s:.0f} s and some for starting): sqlwatch simulate {scenario.name}"),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _phase_words(scenario: Scenario, name: str) -> list[str]:
    phase = next(phase for phase in scenario.phases if phase.name == name)
    workload = scenario.workload_of(phase)
    return wrapped(f"{name}: {workload.in_words()}, {workload.mode.value}", "  ", "    ")


def _mark(shown: Shown) -> str:
    return {True: "shown:", False: "NOT SHOWN:", None: "UNKNOWN:"}[shown.shown]


def _phases(phases: Sequence[Period]) -> list[str]:
    heading = " " * _NAME_WIDTH + "".join(f"{title:>{width}}" for title, width, _ in _COLUMNS)
    rows = [
        f"{cut(phase.name, _NAME_WIDTH - 1):<{_NAME_WIDTH}}"
        + "".join(f"{write(phase):>{width}}" for _, width, write in _COLUMNS)
        for phase in phases
    ]
    return [heading, *rows] if rows else ["  none was run to its end"]


def _published(scenario: Scenario) -> list[str]:
    if not scenario.published:
        return []
    lines = wrapped(f"Published ({scenario.source})")
    for row in scenario.published:
        lines += wrapped(f"{row.what}: {row.value}", "  ", "    ")
    return lines


def _invariants(accounting: Accounting) -> str:
    rows = accounting.rows_in_database
    found = "could not be counted" if rows is None else f"{number(rows)} are there"
    return (
        f"Accounting: {number(accounting.transactions_attempted)} transactions, {number(accounting.lost)} lost; "
        f"{number(accounting.rows_expected)} rows expected, {found}."
    )
