"""A simulation or a lesson as one page of HTML that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from simulators.scenario import Scenario
from simulators.workload import from_mapping
from sqlwatch import __version__
from sqlwatch.charts.svg import printable
from sqlwatch.diagnose import findings, headline
from sqlwatch.diagnose.compared import compared_words
from sqlwatch.diagnose.lesson import Lesson, verdict
from sqlwatch.diagnose.rounds import round_headings, round_rows, round_words
from sqlwatch.diagnose.side_by_side import base_of, in_words, side_notes
from sqlwatch.diagnose.sweeps import SWEEP_HEADINGS, sweep_rows, sweep_words, sweeps
from sqlwatch.metrics.result import Result
from sqlwatch.report.again import command_again
from sqlwatch.report.figures import quality_lines
from sqlwatch.report.page_charts import Chart, commits_chart, ink_of, share_charts, wait_chart, wal_chart
from sqlwatch.report.page_tables import checks, effect_rows, phase_tables
from sqlwatch.report.text import environment_words, evidence_words

_TEMPLATE: Final = "simulation.html"


@dataclass(frozen=True)
class PhaseView:
    """A phase as the page names it, with the charts that are its own."""

    name: str
    mode: str
    ink: str
    workload: str
    waits: Chart
    shares: Chart | None


def simulation_html(result: Result, lesson: Lesson | None = None, *, written: str = "") -> str:
    """Return the page of a finished or interrupted simulation, or of a lesson; `written` says when that was."""
    phases = result.phases
    base = base_of(lesson.scenario if lesson else Scenario(), phases)
    return _environment().get_template(_TEMPLATE).render(
        title=(lesson.scenario.title or lesson.scenario.name) if lesson else _title(result),
        lesson=lesson,
        scenario=lesson.scenario if lesson else None,
        verdict=verdict(lesson.shown, lesson.faults) if lesson else _outcome(result),
        verdict_kind=_verdict_kind(lesson) if lesson else "measured",
        effects=effect_rows(lesson.shown) if lesson else [],
        message=result.message,
        phases=_phase_views(result),
        tables=phase_tables(phases, base),
        remaining=phase_tables(phases, base, remaining=True),
        notes=side_notes(phases, base) if phases else "",
        commits=commits_chart(result),
        wal=wal_chart(result),
        findings=[(finding, evidence_words(finding.evidence)) for finding in findings(phases)],
        checks=checks(result.accounting),
        sweeps=[
            (swept, sweep_rows(swept), sweep_words(swept))
            for swept in (sweeps(lesson.scenario, phases) if lesson else ())
        ],
        sweep_headings=SWEEP_HEADINGS,
        rounds=[
            (phase.name, round_headings(phase.positions), round_rows(phase.positions), round_words(phase.positions))
            for phase in phases
            if phase.positions is not None
        ],
        accounting=result.accounting,
        failed=_failed(result),
        qualities=quality_lines(phases),
        environment=environment_words(result.environment),
        command=command_again(result, lesson),
        version=__version__,
        written=written,
    )  # fmt: skip


def _title(result: Result) -> str:
    return "Contended against single-writer" if result.compared else "A simulation of SQLite lock contention"


def _outcome(result: Result) -> str:
    return in_words(*result.compared) if result.compared else headline(result.final)


def _verdict_kind(lesson: Lesson) -> str:
    if not lesson.shown and not lesson.faults:
        return "measured"
    return {True: "shown", False: "not-shown", None: "unknown"}[lesson.is_shown]


def _failed(result: Result) -> int:
    accounting = result.accounting
    return accounting.transactions_received - accounting.commits_received - accounting.withdrawn - accounting.in_doubt


def _phase_views(result: Result) -> list[PhaseView]:
    shares = share_charts(result.phases)
    return [
        PhaseView(
            name=phase.name, mode=phase.mode.value if phase.mode else "", ink=ink_of(phase).value,
            workload=words, waits=wait_chart(phase), shares=shares[number],
        )
        for number, (phase, words) in enumerate(zip(result.phases, _compared(result), strict=True))
    ]  # fmt: skip


def _compared(result: Result) -> list[str]:
    """Say what each phase ran, in the mode in which it did."""
    workloads = []
    for number, phase in enumerate(result.phases):
        given = result.workloads[number] if number < len(result.workloads) else result.workload
        mode = {"mode": phase.mode.value} if phase.mode is not None else {}
        workloads.append(from_mapping({**given, **mode}))
    return compared_words(workloads)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sqlwatch.report", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_finalize,
    )  # fmt: skip


def _finalize(value: Any) -> Any:
    """Keep out of the page what is no character of a page; autoescape does the rest."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
