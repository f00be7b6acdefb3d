"""A simulation's result as JSON, schema `sqlwatch.simulation/1`: every level is a type, so the schema stands here.

Times are milliseconds unless a name ends in `_s`, shares are 0..1, and what is unknown is null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from simulators.events import Mode
from simulators.scenario import Published
from sqlwatch import __version__
from sqlwatch.diagnose import Finding, findings
from sqlwatch.diagnose.lesson import Lesson, Shown, verdict
from sqlwatch.diagnose.repeats import Spread, main_figures, repeats_of, spread
from sqlwatch.diagnose.side_by_side import ratio
from sqlwatch.diagnose.sweeps import Swept, sweeps
from sqlwatch.metrics.histogram import EMPTY, Histogram
from sqlwatch.metrics.positions import Positions
from sqlwatch.metrics.result import Environment, Result
from sqlwatch.metrics.snapshot import Accounting, Period, Quality, Worker

SCHEMA: Final = "sqlwatch.simulation/1"


class WithUnfinished(msgspec.Struct, frozen=True):
    """Percentiles of all durations, those that came to no good end counted at their length so far."""

    p50: float | None
    p99: float | None
    p999: float | None
    max: float | None


class Times(msgspec.Struct, frozen=True):
    """A histogram in ms: percentiles of what ended well, and (upper edge, count) of each bucket that is not empty.

    `unfinished` counts lock waits that ended without the lock (given up, withdrawn at the end, or still under way);
    for other durations, where such a thing is not counted, it is null.
    """

    count: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None
    mean: float | None
    unfinished: int | None
    with_unfinished: WithUnfinished | None
    buckets: tuple[tuple[float, int], ...]


class FairnessReport(msgspec.Struct, frozen=True):
    """How evenly commits fell to writers; see `sqlwatch.metrics.snapshot.Fairness`."""

    jain: float | None
    max_over_median_wait: float | None
    longest_streak: int | None
    longest_wait_ms: float
    starved_workers: int


class WorkerReport(msgspec.Struct, frozen=True):
    """One worker in one phase; `exit` is null while it lives."""

    id: int
    pid: int
    role: str
    commits: int
    share: float | None
    busy_errors: int
    longest_wait_ms: float
    current_wait_ms: float
    exit: str | None


class WalReport(msgspec.Struct, frozen=True):
    """The WAL over one phase; all null where the databases have a rollback journal instead."""

    peak_bytes: int | None
    final_bytes: int | None
    checkpoints: int | None
    resets: int | None
    pinned_s: float | None
    checkpoints_busy: int | None
    """Those that ended with a busy error."""
    checkpoints_incomplete: int | None
    """Those without an error that yet left frames behind."""


class RoundsReport(msgspec.Struct, frozen=True):
    """Rounds in which all writers ask together; `positions` and `arrivals` have a row for each of `workers`."""

    workers: tuple[int, ...]
    count: int
    """Rounds in which every writer got the lock."""
    left_out: int
    positions: tuple[tuple[int, ...], ...]
    """How often each writer got the lock as the first, the second ... the last."""
    arrivals: tuple[tuple[int, ...], ...]
    """How often each asked for it as the first, the second ... the last."""
    longest_waits_ms: tuple[float, ...]
    wait_spread: float | None
    """Longest wait of the unluckiest writer over that of the luckiest."""
    contended_share: float | None
    """Share of acquisitions that found the lock taken."""
    kept_place_share: float | None
    """Share of acquisitions in the place in which they were asked for; chance is 1 / writers."""
    chi_square: float | None
    """Of the whole table against an even spread."""
    degrees_of_freedom: int
    p_value: float | None
    """Of chi_square x (writers - 1) / writers, as each round fills every row and every column once."""
    chi_square_by_position: tuple[float | None, ...]
    """Of each column, on one degree of freedom less than writers."""
    p_value_by_position: tuple[float | None, ...]
    last_then_first_p_value: float | None
    last_then_first_share: float | None
    """Share of rounds in which the last of the round before was first; chance is 1 / writers."""
    last_then_asked_first_share: float | None


class PhaseReport(msgspec.Struct, frozen=True):
    """One phase; `quality` names the figures that are not exact."""

    name: str
    mode: Mode | None
    elapsed_s: float
    commits: int
    commits_per_s: float | None
    rows_per_s: float | None
    reads_per_s: float | None
    busy_errors: int
    busy_snapshot_errors: int
    busy_retries: int
    other_errors: int
    lock_wait_ms: Times
    lock_hold_ms: Times
    commit_latency_ms: Times
    service_latency_ms: Times | None
    """Open loop only: from the actual start, blind to how late that was; the one above is from the intended start."""
    read_latency_ms: Times
    checkpoint_ms: Times | None
    cache_hit_ratio: float | None
    lock_utilisation: float | None
    wasted_lock_time: float | None
    fairness: FairnessReport
    workers: tuple[WorkerReport, ...]
    wal: WalReport
    quality: dict[str, Quality]
    rounds: RoundsReport | None = None
    """Null unless all writers begin together, in rounds."""
    accounting: Accounting | None = None
    """Lessons: the accounting of this phase over its repeats, with its warm-up; null elsewhere."""
    repeats: tuple[dict[str, float | None], ...] = ()
    """Lessons: the main figures of each repeat, named as in an effect of a lesson; empty elsewhere."""
    spread: dict[str, Spread] = {}
    """Median and range of those figures that are known in all of several repeats."""


class Comparison(msgspec.Struct, frozen=True):
    """Ratios single-writer / contended, of commits a second and of the p99 of commit latency."""

    throughput_ratio: float | None
    p99_ratio: float | None


class ScenarioReport(msgspec.Struct, frozen=True):
    """The lesson that was run: what it asked, what was published, and what it has shown."""

    name: str
    title: str
    source: str
    place: str
    """Where in the source."""
    question: str
    published: tuple[Published, ...]
    effects: tuple[Shown, ...]
    verdict: str
    shown: bool | None
    """Whether all effects appeared and all invariants hold; null if one effect cannot be told."""
    sweeps: tuple[Swept, ...] = ()
    """How much faster each phase of a row of phases was than its first."""


class SimulationReport(msgspec.Struct, frozen=True):
    """The whole result."""

    schema: Literal["sqlwatch.simulation/1"]
    sqlwatch: str
    """The version that ran it."""
    workload: dict[str, Any]
    environment: Environment
    phases: tuple[PhaseReport, ...]
    scenario: ScenarioReport | None
    comparison: Comparison | None
    accounting: Accounting
    positions: tuple[tuple[int, ...], ...]
    """Those of the last phase that ran in rounds; empty where none did."""
    findings: tuple[Finding, ...]


def simulation_report(result: Result, lesson: Lesson | None = None) -> SimulationReport:
    """Build the report of a finished or interrupted simulation, or of a lesson."""
    run = result.final.simulation.run if result.final.simulation else None
    exits = {worker.id: worker.exit for worker in run.workers} if run else {}
    return SimulationReport(
        schema=SCHEMA,
        sqlwatch=__version__,
        workload=result.workload,
        environment=result.environment,
        phases=tuple(
            phase_report(phase, exits, result.by_phase.get(phase.name), repeats_of(phase.name, result.repeats))
            for phase in result.phases
        ),
        scenario=_scenario(lesson, result.phases) if lesson is not None else None,
        comparison=comparison(*result.compared) if result.compared else None,
        accounting=result.accounting,
        positions=next((phase.positions.table for phase in reversed(result.phases) if phase.positions), ()),
        findings=findings(result.phases),
    )


def simulation_json(result: Result, lesson: Lesson | None = None) -> str:
    """Return the report as indented JSON text; the pairs of a histogram stand on one line each."""
    return as_lines(simulation_report(result, lesson))


def as_lines(report: msgspec.Struct) -> str:
    """Return a report as indented JSON text; the pairs of a histogram stand on one line each."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=1).decode()
    return _PAIR.sub(r"[\1, \2]", text)


_PAIR: Final = re.compile(r"\[\n\s*([-+.\deE]+),\n\s*([-+.\deE]+)\n\s*\]")
"""An array of two numbers; no string can hold a raw line end, so this matches no text."""


def _scenario(lesson: Lesson, phases: Sequence[Period]) -> ScenarioReport:
    scenario = lesson.scenario
    return ScenarioReport(
        name=scenario.name, title=scenario.title, source=scenario.source, place=scenario.place,
        question=scenario.question,
        published=scenario.published, effects=lesson.shown, verdict=verdict(lesson.shown, lesson.faults),
        shown=lesson.is_shown, sweeps=sweeps(scenario, phases),
    )  # fmt: skip


def comparison(contended: Period, single_writer: Period) -> Comparison:
    """Compare two phases; a ratio is None where one side has no figure, or the first one is 0."""
    return Comparison(
        throughput_ratio=ratio(
            contended.per_second(contended.committed), single_writer.per_second(single_writer.committed)
        ),
        p99_ratio=ratio(contended.commit_latency.percentile_ns(99), single_writer.commit_latency.percentile_ns(99)),
    )


def phase_report(
    phase: Period,
    exits: dict[int, str | None] | None = None,
    accounting: Accounting | None = None,
    repeats: Sequence[Period] = (),
) -> PhaseReport:
    """Report one phase; `exits` says how workers ended later, by id, and `repeats` are all runs of it in a lesson."""
    fairness, wal = phase.fairness, phase.wal
    return PhaseReport(
        name=phase.name,
        mode=phase.mode,
        elapsed_s=phase.elapsed_s,
        commits=phase.committed,
        commits_per_s=phase.per_second(phase.committed),
        rows_per_s=phase.per_second(phase.rows),
        reads_per_s=phase.per_second(phase.reads),
        busy_errors=phase.busy_errors,
        busy_snapshot_errors=phase.busy_snapshot_errors,
        busy_retries=phase.busy_retries,
        other_errors=phase.other_errors,
        lock_wait_ms=_times(phase.lock_wait, phase.all_waits),
        lock_hold_ms=_times(phase.lock_hold),
        commit_latency_ms=_times(phase.commit_latency),
        service_latency_ms=_times(phase.service_latency) if phase.service_latency.count else None,
        read_latency_ms=_times(phase.read_latency),
        checkpoint_ms=None if wal.checkpoints is None else _times(phase.checkpoint),
        cache_hit_ratio=phase.cache_hit_ratio,
        lock_utilisation=phase.lock_utilisation,
        wasted_lock_time=phase.wasted_lock_time,
        fairness=FairnessReport(
            fairness.jain,
            fairness.max_over_median_wait,
            fairness.longest_streak,
            fairness.longest_wait_ns / 1e6,
            fairness.starved_workers,
        ),
        workers=tuple(_worker(worker, exits or {}) for worker in phase.workers),
        wal=WalReport(
            wal.peak_bytes,
            wal.final_bytes,
            wal.checkpoints,
            wal.resets,
            None if wal.pinned_ns is None else wal.pinned_ns / 1e9,
            wal.checkpoints_busy,
            wal.checkpoints_incomplete,
        ),
        quality=phase.quality,
        rounds=_rounds(phase.positions) if phase.positions is not None else None,
        accounting=accounting,
        repeats=tuple(map(main_figures, repeats)),
        spread=spread(repeats),
    )


def _rounds(positions: Positions) -> RoundsReport:
    columns = range(len(positions.workers))
    return RoundsReport(
        workers=positions.workers, count=positions.rounds, left_out=positions.left_out, positions=positions.table,
        arrivals=positions.arrivals, longest_waits_ms=tuple(wait_ns / 1e6 for wait_ns in positions.longest_waits_ns),
        wait_spread=positions.wait_spread, contended_share=positions.contended_share,
        kept_place_share=positions.kept_place_share, chi_square=positions.chi_square,
        degrees_of_freedom=positions.degrees, p_value=positions.p_value,
        chi_square_by_position=tuple(map(positions.chi_square_of, columns)),
        p_value_by_position=tuple(map(positions.p_value_of, columns)),
        last_then_first_p_value=positions.last_then_first_p_value,
        last_then_first_share=positions.last_then_first_share,
        last_then_asked_first_share=positions.last_then_asked_first_share,
    )  # fmt: skip


def _worker(worker: Worker, exits: dict[int, str | None]) -> WorkerReport:
    return WorkerReport(
        id=worker.id,
        pid=worker.pid,
        role=worker.role.value,
        commits=worker.committed,
        share=worker.share,
        busy_errors=worker.busy_errors,
        longest_wait_ms=worker.longest_wait_ns / 1e6,
        current_wait_ms=worker.current_wait_ns / 1e6,
        exit=worker.exit or exits.get(worker.id),
    )


def _times(histogram: Histogram, with_unfinished: Histogram | None = None) -> Times:
    everything = with_unfinished or EMPTY
    return Times(
        count=histogram.count,
        p50=_ms(histogram.percentile_ns(50)),
        p90=_ms(histogram.percentile_ns(90)),
        p95=_ms(histogram.percentile_ns(95)),
        p99=_ms(histogram.percentile_ns(99)),
        p999=_ms(histogram.percentile_ns(99.9)),
        max=_ms(histogram.max_ns if histogram.count else None),
        mean=_ms(histogram.mean_ns),
        unfinished=None if with_unfinished is None else everything.count - histogram.count,
        with_unfinished=None
        if with_unfinished is None
        else WithUnfinished(
            _ms(everything.percentile_ns(50)),
            _ms(everything.percentile_ns(99)),
            _ms(everything.percentile_ns(99.9)),
            _ms(everything.max_ns if everything.count else None),
        ),
        buckets=tuple((edge_ns / 1e6, count) for edge_ns, count in histogram.nonempty()),
    )


def _ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6
