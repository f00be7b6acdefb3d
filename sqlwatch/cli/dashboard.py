"""Running a session in the dashboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from sqlwatch.cli.exits import CommandError
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.diagnose.headline import headline
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.session import SimulationSession
from sqlwatch.tui.run import run_dashboard

if TYPE_CHECKING:
    from sqlwatch.tui.protocol import SessionProtocol


class _NotesStart:
    """A session that notes whether it was started: one that was not has no end to wait for."""

    def __init__(self, session: SimulationSession) -> None:
        self.was_started = False
        self._session = session

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """Start the session."""
        self.was_started = True
        self._session.start(on_snapshot)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def run_in_terminal(session: SimulationSession, *, fps: int, glyphs: str, mouse: bool) -> int:
    """Show the session until it is left, then wait for its end; return 0 or 128 + the signal that ended it.

    Raises CommandError with that code if it was left before the session was started: then there is no result.
    """
    noting = _NotesStart(session)
    try:
        code = run_dashboard(cast("SessionProtocol", noting), headline=headline, fps=fps, glyphs=glyphs, mouse=mouse)
    finally:
        if noting.was_started:
            # The dashboard's own handlers are gone with it; ctrl+c must not cut short the end of the workers.
            with ending_on_signals(session):
                session.stop()
                session.wait()
    if not noting.was_started:
        raise CommandError("The dashboard was left before the workload began.", code)
    return code
