"""The summary of a simulation as plain text, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from simulators.events import Role
from simulators.workload import from_mapping
from sqlwatch.charts import units
from sqlwatch.diagnose import Finding, findings
from sqlwatch.diagnose.invariants import invariant_words
from sqlwatch.diagnose.side_by_side import times_words
from sqlwatch.metrics.result import Environment, Result
from sqlwatch.metrics.result_codes import name_of
from sqlwatch.metrics.snapshot import Accounting, Period, Worker
from sqlwatch.report import figures
from sqlwatch.report.first_page import first_page
from sqlwatch.report.json import comparison
from sqlwatch.report.plain import WIDTH, cut, number, row, wrapped
from sqlwatch.report.rounds import round_lines


def simulation_text(result: Result, title: str | None = None, *, short_last: bool = False) -> str:
    """Return the summary of a finished or interrupted simulation, without a line end after its last line.

    `short_last` puts what matters below all the rest: on a terminal the last lines are those in sight.
    """
    shown = shown_phases(result.phases)
    found = findings(result.phases)
    short = [
        [*wrapped(title or "sqlwatch simulate"), *_setting(result)],
        _message(result),
        *first_page(result, shown, found),
    ]
    rest = [
        *([_all_phases(result.phases)] if len(shown) < len(result.phases) else []),
        *_phases(shown, result.compared),
        round_lines(shown),
        _starved(shown),
        _errors(shown),
        *(_workers(shown[first : first + 2], _exits(result)) for first in range(0, len(shown), 2)),
        _unusual_exits(result),
        _accounting(result.accounting),
        _findings(found),
    ]
    return two_parts(short, rest, short_last=short_last)


def two_parts(short: Sequence[Sequence[str]], rest: Sequence[Sequence[str]], *, short_last: bool) -> str:
    """Join paragraphs of lines: those that matter, a line that says where the rest is, and the rest."""
    where = ["All of it stands above." if short_last else "All of it follows."]
    parts = [*rest, *short, where] if short_last else [*short, where, *rest]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def shown_phases(phases: Sequence[Period]) -> tuple[Period, ...]:
    """Return the phases that are shown in full: all up to three, else the newest one of each mode."""
    if len(phases) <= figures.COLUMNS:
        return tuple(phases)
    newest = {phase.mode: phase for phase in phases}
    return tuple(phase for phase in phases if newest[phase.mode] is phase)[-figures.COLUMNS :]


def _setting(result: Result) -> list[str]:
    """Say what was asked for, and where it ran."""
    return [*wrapped(from_mapping(result.workload).in_words()), *wrapped(environment_words(result.environment))]


def environment_words(environment: Environment) -> str:
    """Say where a simulation ran."""
    cpus = f"{environment.cpus} CPU{'' if environment.cpus == 1 else 's'}"
    files = f"files on {environment.filesystem}" if environment.filesystem else "file system unknown"
    return f"SQLite {environment.sqlite}, Python {environment.python}, {environment.platform}, {cpus}, {files}"


def _message(result: Result) -> list[str]:
    lines = wrapped(result.message) if result.message else []
    if not result.phases:
        lines += wrapped("Nothing was measured: the run ended before its first phase began.")
    return lines


def _all_phases(phases: Sequence[Period]) -> list[str]:
    """List every phase in a line, where not all are shown in full."""
    lines = [f"All phases; the newest one of each mode is shown in full below.\n{row('', _PHASE_HEADINGS, 24, 14)}"]
    for index, phase in enumerate(phases, start=1):
        cells = [
            units.duration(phase.elapsed_ns),
            units.rate(phase.per_second(phase.committed)),
            units.duration(phase.commit_latency.percentile_ns(99)),
            units.index(phase.fairness.jain),
        ]
        lines.append(row(f"{index:>3} {cut(phase.name, 20)}", cells, 24, 14))
    return lines


_PHASE_HEADINGS: Final = ("ran for", "commits", "latency p99", "Jain")


def _phases(phases: Sequence[Period], compared: tuple[Period, Period] | None) -> list[list[str]]:
    if not phases:
        return []
    parts = [
        figures.figure_lines(phases, compared),
        figures.time_lines(phases, compared),
        [line for sentence in figures.quality_lines(phases) for line in wrapped(sentence)],
    ]
    if compared is not None:
        ratios = comparison(*compared)
        parts.insert(
            0,
            wrapped(
                f"single-writer / contended: throughput {times_words(ratios.throughput_ratio)}, "
                f"commit latency p99 {times_words(ratios.p99_ratio)}"
            ),
        )
    return parts


def _starved(phases: Sequence[Period]) -> list[str]:
    """Name the writers that starved."""
    lines: list[str] = []
    for phase in phases:
        starved = [worker for worker in phase.workers if worker.was_starved]
        if starved:
            writers = sum(worker.role is Role.WRITER for worker in phase.workers)
            ids = ", ".join(str(worker.id) for worker in starved)
            lines += wrapped(
                f"STARVED in {phase.name}: {len(starved)} of {writers} writers (worker{'s'[: len(starved) > 1]} {ids}) "
                f"waited ten times their fair turn or longer.",
                hanging="  ",
            )
    return lines


def _errors(phases: Sequence[Period]) -> list[str]:
    """Count errors by name."""
    lines: list[str] = []
    for phase in phases:
        if phase.errors:
            by_code = ", ".join(f"{number(count)} {name_of(code)}" for code, count in sorted(phase.errors.items()))
            lines += wrapped(f"Errors in {phase.name}: {by_code}", hanging="  ")
    return lines


_SHORT_ROLE: Final = {Role.SINGLE_WRITER: "single", Role.PINNED_READER: "pinned", Role.CHECKPOINTER: "chkpnt"}
_WORKER_COLUMNS: Final = (("done", 8), ("share", 6), ("longest", 8), ("busy", 5))
_WORKER_WIDTH: Final = sum(width for _, width in _WORKER_COLUMNS)
_NAME_WIDTH: Final = 18
_EXIT_WIDTH: Final = WIDTH - _NAME_WIDTH - 2 * _WORKER_WIDTH - 1


def _workers(phases: Sequence[Period], exits: dict[int, str | None]) -> list[str]:
    """Write the table of workers: what each did in one phase, or in two side by side, and how it ended."""
    known = {worker.id: worker for phase in phases for worker in phase.workers if _took_part(worker, phases)}
    if not known:
        return []
    heading = "".join(f"{name:>{width}}" for name, width in _WORKER_COLUMNS)
    above = "".join(f"{cut(phase.name, _WORKER_WIDTH - 1):>{_WORKER_WIDTH}}" for phase in phases)
    lines = [
        "Workers (done: what its role does; longest: wait, ! starved; busy: errors)",
        " " * _NAME_WIDTH + above,
        f"{'#':>3} {'role':<6} {'pid':>7}{heading * len(phases)} exit",
    ]
    by_phase = [{worker.id: worker for worker in phase.workers} for phase in phases]
    for worker in known.values():
        cells = "".join(_worker_cells(workers.get(worker.id)) for workers in by_phase)
        role = _SHORT_ROLE.get(worker.role, worker.role.value)
        ended = _short_exit(exits.get(worker.id) or worker.exit)
        lines.append(f"{worker.id:>3} {role:<6} {worker.pid:>7}{cells} {ended}")
    return lines


def _short_exit(exit_words: str | None) -> str:
    """Say in a few characters how a worker ended; the whole of it follows below the table.

    >>> _short_exit("exit 1: ModuleNotFoundError"), _short_exit("signal 9"), _short_exit(None) == units.UNKNOWN
    ('exit 1', 'sig 9', True)
    """
    if exit_words is None:
        return units.UNKNOWN
    return cut(exit_words.partition(":")[0].replace("signal", "sig"), _EXIT_WIDTH)


def _took_part(worker: Worker, phases: Sequence[Period]) -> bool:
    """Tell whether a worker belongs into the table: a single writer does only where it served."""
    if worker.role is not Role.SINGLE_WRITER:
        return True
    return any(phase.mode is not None and phase.mode.value == Role.SINGLE_WRITER.value for phase in phases)


def _worker_cells(worker: Worker | None) -> str:
    if worker is None:
        return " " * _WORKER_WIDTH
    is_writer = worker.role is Role.WRITER
    done = {
        Role.WRITER: worker.committed, Role.READER: worker.reads, Role.PINNED_READER: worker.snapshots,
        Role.CHECKPOINTER: worker.checkpoints,
    }.get(worker.role)  # fmt: skip
    texts = (
        "" if done is None else units.count(done) if done >= 10**6 else number(done),
        units.share(worker.share) if is_writer else "",
        units.duration(worker.longest_wait_ns) + ("!" if worker.was_starved else "") if is_writer else "",
        units.count(worker.busy_errors) if is_writer else "",
    )
    return "".join(f"{text:>{width}}" for text, (_, width) in zip(texts, _WORKER_COLUMNS, strict=True))


def _exits(result: Result) -> dict[int, str | None]:
    """Return how workers ended, by id, as the last Snapshot knows it."""
    simulation = result.final.simulation
    return {worker.id: worker.exit for worker in simulation.run.workers} if simulation else {}


def _unusual_exits(result: Result) -> list[str]:
    """Say how workers ended that did not end well, and whether all others did."""
    simulation = result.final.simulation
    workers = simulation.run.workers if simulation else ()
    lines: list[str] = []
    for worker in workers:
        if worker.exit not in (None, "ok"):
            said = f"{worker.role.value.capitalize()} {worker.id} (pid {worker.pid}) ended: {worker.exit}"
            lines += wrapped(said, hanging="  ")
    well = sum(worker.exit == "ok" for worker in workers)
    if workers and all(worker.exit is not None for worker in workers):
        lines.append(f"{well} of {len(workers)} workers ended in good order (exit ok).")
    return lines


def _accounting(accounting: Accounting) -> list[str]:
    """State the three independent counts, and whether what must hold does."""
    a = accounting
    failed = a.transactions_received - a.commits_received - a.withdrawn - a.in_doubt
    lines = ["Accounting (the whole run, warm-up included)"]
    lines += wrapped(
        f"transactions: {number(a.transactions_attempted)} attempted by the workers' own count, "
        f"{number(a.transactions_received)} received, {number(a.lost)} lost",
        "  ", "    ",
    )  # fmt: skip
    lines += wrapped(
        f"of these {number(a.commits_received)} committed, {number(failed)} failed, {number(a.withdrawn)} withdrawn, "
        f"{number(a.in_doubt)} in doubt",
        "  ", "    ",
    )  # fmt: skip
    return lines + wrapped(invariant_words(a), "  ", "    ")


def _findings(found: Sequence[Finding]) -> list[str]:
    if not found:
        return ["Findings: none"]
    lines = ["Findings"]
    for finding in found:
        where = f" (pid {finding.pid})" if finding.pid else ""
        lines += wrapped(f"{finding.severity.value.upper()} {finding.code}: {finding.summary}{where}", "  ", "    ")
        lines += wrapped(f"evidence: {evidence_words(finding.evidence)}", "    ", "      ")
        lines += wrapped(f"what to do: {finding.remedy}", "    ", "      ")
    return lines


def evidence_words(evidence: dict[str, Any]) -> str:
    """Write the figures behind a finding."""
    return ", ".join(f"{name} {_evident(value)}" for name, value in evidence.items() if name != "phase")


def _evident(value: object) -> str:
    if value is None:
        return units.UNKNOWN
    if isinstance(value, float):
        return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
