"""Running a session without a dashboard: progress on stderr, signals that end it in good order."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

import click

from sqlwatch.cli.output import terminal_of
from sqlwatch.cli.signals import EndedBy, ending_on_signals
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.session.scenario import ScenarioSession
from sqlwatch.session.simulation import SimulationSession

if TYPE_CHECKING:
    from sqlwatch.cli.jsonl import SnapshotLines

_LOOK_S: Final = 0.1

HeadlessSession = SimulationSession | ScenarioSession


def run_headless(
    session: HeadlessSession, words: str, total_s: float | None, lines: SnapshotLines | None = None
) -> int:
    """Run the session to its end; return 0, or 128 + the number of the signal that ended it early.

    `words` say what is run, and `total_s` how long in all, where that is known; `lines` are written as it runs.
    """
    with ending_on_signals(session) as ended_by:
        session.start(lines.take if lines is not None else None)
        try:
            if lines is not None:
                _write_lines(session, lines, ended_by)
            elif sys.stderr is not None and sys.stderr.isatty():  # None where the descriptor was closed
                _show_progress(session, words, total_s)
            else:
                _narrate(session, words)
        finally:
            session.stop()
            session.wait()
    return ended_by.exit_code


def _phase_name(snapshot: Snapshot | None) -> str | None:
    if snapshot is None or snapshot.simulation is None or snapshot.status is Status.STARTING:
        return None
    return snapshot.simulation.phase.name


def _write_lines(session: HeadlessSession, lines: SnapshotLines, ended_by: EndedBy) -> None:
    """Write what comes, and at the end what is left."""
    while not session.wait(_LOOK_S):
        lines.write(lambda: ended_by.signal is not None)
    lines.write(lambda: ended_by.signal is not None)


def _narrate(session: HeadlessSession, words: str) -> None:
    """Say in a few plain lines how far the run is."""
    _say(words)
    said: str | None = None
    while not session.wait(_LOOK_S):
        name = _phase_name(session.latest)
        if name is not None and name != said:
            said = name
            _say(f"{name} ...")


def _show_progress(session: HeadlessSession, words: str, total_s: float | None) -> None:
    """Show a bar with the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    console.print(words, markup=False, highlight=False)
    descriptor = terminal_of(sys.stderr)
    if descriptor is not None and sys.platform != "win32":
        from sqlwatch.tui.link import LossyFile

        console.file = LossyFile(descriptor)  # type: ignore[assignment]  # a stalled terminal never holds us up
    columns = (
        TextColumn("{task.description:<28}", markup=False),
        BarColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    with contextlib.suppress(OSError), bar as progress:
        task = progress.add_task("starting", total=total_s)
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
