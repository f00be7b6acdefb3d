"""The end of a simulation: what the workers say they did, what arrived of it, and what is in the databases."""

from __future__ import annotations

import os
import platform
import sys
from multiprocessing import get_context

from simulators.events import Mode
from simulators.fleet import Fleet
from simulators.place import Place, filesystem_of
from simulators.prepare import Found, PrepareError, check_databases
from simulators.workload import Statement, Workload
from sqlwatch.metrics.fold import SimulationFold
from sqlwatch.metrics.result import Environment, Result
from sqlwatch.metrics.snapshot import Accounting, Period, Snapshot, Status
from sqlwatch.observe.text import printable


def conclude(
    workload: Workload,
    fleet: Fleet,
    fold: SimulationFold,
    place: Place,
    sqlite: str,
    *,
    phases_before: int,
    message: str | None,
    exit_code: int,
) -> Result:
    """Have the databases counted and checked once all workers have ended, and put together what the run left.

    `phases_before` of the fold's phases were run by earlier sessions; `sqlite` is the version of the workers' library.
    """
    attempted, committed, in_doubt = fleet.attempted()
    found, message = _check(place, message)
    increments = workload.statement is Statement.READ_THEN_WRITE
    final = fold.snapshot(Status.ENDED, message)
    phases = _measured_phases(final)[phases_before:]
    by_mode = {period.mode: period for period in phases}
    has_both = Mode.CONTENDED in by_mode and Mode.SINGLE_WRITER in by_mode
    return Result(
        workload=workload.to_mapping(),
        environment=Environment(
            sqlite=sqlite,
            python=platform.python_version(),
            platform=f"{platform.system()} {platform.release()} {platform.machine()}",
            cpus=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
            filesystem=filesystem_of(place.databases[0]),
        ),
        phases=phases,
        compared=(by_mode[Mode.CONTENDED], by_mode[Mode.SINGLE_WRITER]) if has_both else None,
        accounting=Accounting(
            transactions_attempted=attempted,
            transactions_received=fold.received + in_doubt,
            commits_received=fold.commits_received,
            withdrawn=fold.withdrawn,
            in_doubt=in_doubt + fold.in_doubt,
            rows_expected=committed * workload.rows,
            rows_in_database=found.rows if found else None,
            lost=attempted - fold.received - in_doubt,
            increments_expected=committed if increments else None,
            increments_in_database=found.increments if found and increments else None,
            workers_killed=sum(handle.exit is not None and handle.exit.exit != "ok" for handle in fleet.handles),
            integrity=_integrity(found) if found else None,
            integrity_errors=len(found.complaints) if found and found.complaints is not None else None,
            rows_in_doubt=(in_doubt + fold.in_doubt) * workload.rows,
        ),
        final=final,
        message=message,
        exit_code=exit_code,
        timelines=(final.timeline,) * len(phases),
        workloads=(workload.to_mapping(),) * len(phases),
    )


def _check(place: Place, message: str | None) -> tuple[Found | None, str | None]:
    """Return what was found in the databases, or None, and what to tell: `message`, or what is wrong with them."""
    try:
        found = check_databases(get_context("spawn"), list(place.databases))
    except PrepareError as error:
        return None, message or str(error)
    if found.complaints:
        return found, f"The database is damaged: integrity_check says {printable(found.complaints[0])}."
    return found, message


def _integrity(found: Found) -> str:
    """Say what came of the check of the databases' integrity."""
    if found.complaints is None:
        return f"not checked: {found.unchecked}"
    return printable(found.complaints[0]) if found.complaints else "ok"


def _measured_phases(final: Snapshot) -> tuple[Period, ...]:
    """Return all phases that measured something, the warm-up left out."""
    simulation = final.simulation
    if simulation is None:
        return ()
    current = () if simulation.phase.name == "warm-up" else (simulation.phase,)
    return (*simulation.ended_phases, *current)
