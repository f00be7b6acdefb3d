"""Running a session in the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.diagnose.headline import headline
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.session.scenario import ScenarioSession
from sqlwatch.session.simulation import SimulationSession
from sqlwatch.tui.run import run_dashboard


def run_in_terminal(
    session: SimulationSession | ScenarioSession, *, fps: int, glyphs: str, mouse: bool,
    headline: Callable[[Snapshot], str] = headline, lesson: Sequence[tuple[str, str]] = (),
) -> int:  # fmt: skip
    """Show the session until it is left, then wait for its end; return 0 or 128 + the signal that ended it."""
    try:
        return run_dashboard(session, headline=headline, fps=fps, glyphs=glyphs, mouse=mouse, lesson=lesson)
    finally:
        # The dashboard's own handlers are gone with it; ctrl+c must not cut short the end of the workers.
        with ending_on_signals(session):
            session.stop()
            session.wait()
