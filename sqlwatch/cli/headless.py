"""Running a session without a dashboard: progress on stderr, signals that end it in good order."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

import click

from simulators.workload import Workload
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.session.simulation import SimulationSession

_LOOK_S: Final = 0.1


def run_headless(session: SimulationSession, workload: Workload, *, compare: bool) -> int:
    """Run the session to its end; return 0, or 128 + the number of the signal that ended it early."""
    with ending_on_signals(session) as ended_by:
        session.start()
        try:
            if sys.stderr is not None and sys.stderr.isatty():  # None where the descriptor was closed
                _show_progress(session, workload, phases=2 if compare else 1)
            else:
                _narrate(session, workload)
        finally:
            session.stop()
            session.wait()
    return ended_by.exit_code


def _phase_name(snapshot: Snapshot | None) -> str | None:
    if snapshot is None or snapshot.simulation is None or snapshot.status is Status.STARTING:
        return None
    return snapshot.simulation.phase.name


def _narrate(session: SimulationSession, workload: Workload) -> None:
    """Say in a few plain lines how far the run is."""
    _say(f"{workload.in_words()}")
    said: str | None = None
    while not session.wait(_LOOK_S):
        name = _phase_name(session.latest)
        if name is not None and name != said:
            said = name
            _say(f"{name} ...")


def _show_progress(session: SimulationSession, workload: Workload, *, phases: int) -> None:
    """Show a bar with the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    duration_s = workload.duration.ns / 1e9 if workload.duration else None
    console = Console(stderr=True)
    console.print(workload.in_words(), markup=False, highlight=False)
    columns = (
        TextColumn("{task.description:<28}", markup=False),
        BarColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with contextlib.suppress(OSError), Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=duration_s * phases if duration_s else None)
        while not session.wait(_LOOK_S):
            snapshot = session.latest
            name = _phase_name(snapshot)
            if snapshot is None or snapshot.simulation is None or name is None:
                continue
            simulation = snapshot.simulation
            ran_s = sum(period.elapsed_s for period in simulation.ended_phases)
            ran_s += 0 if snapshot.status is Status.WARMING_UP else simulation.phase.elapsed_s
            progress.update(task, description=name, completed=ran_s)


def _say(words: str) -> None:
    # The terminal may be gone; there is nobody left to tell.
    with contextlib.suppress(OSError):
        click.echo(words, err=True)
