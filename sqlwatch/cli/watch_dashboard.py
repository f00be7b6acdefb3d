"""Watching in the dashboard."""

from __future__ import annotations

from functools import partial

from sqlwatch.cli.exporting import exporter
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.diagnose.observation import observation_findings, observation_headline
from sqlwatch.diagnose.thresholds import Limits
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.session.observation import ObservationSession
from sqlwatch.tui.watch_run import run_watch_dashboard


def run_in_terminal(session: ObservationSession, limits: Limits, *, fps: int, glyphs: str, mouse: bool) -> int:
    """Show the session until it is left, then wait for its end; return 0 or 128 + the signal that ended it."""
    findings = partial(observation_findings, limits=limits)

    def headline(snapshot: Snapshot) -> str:
        return observation_headline(snapshot, findings(snapshot))

    try:
        return run_watch_dashboard(
            session, headline=headline, findings=findings, exporter=exporter(), fps=fps, glyphs=glyphs, mouse=mouse
        )
    finally:
        with ending_on_signals(session):
            session.stop()
            session.wait()
