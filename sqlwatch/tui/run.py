"""The way in: run the dashboard on this terminal until it is left."""

from __future__ import annotations

from collections.abc import Callable

from simulators.scenario import Scenario
from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.dashboard_app import no_findings
from sqlwatch.tui.export import Exporter
from sqlwatch.tui.garbage import Collector
from sqlwatch.tui.protocol import Opened, SessionProtocol
from sqlwatch.tui.session_app import terminal_driver


def run_dashboard(
    session: SessionProtocol,
    *,
    headline: Callable[[Snapshot], str],
    findings: Callable[[Snapshot], tuple[Finding, ...]] = no_findings,
    exporter: Exporter | None = None,
    fps: int = 4,
    glyphs: str = "braille",
    mouse: bool = True,
    lesson: Scenario | None = None,
    open_lesson: Callable[[str], Opened] | None = None,
) -> int:
    """Show a session until it is left and return the exit code: 0, or 128 + the signal that ended it.

    The session is started after the first picture and asked to stop at the end; the caller waits for its end, after
    the terminal has been given back.  `lesson` is what the session runs, if it is a lesson.  `open_lesson` prepares
    another one by its name; it is started when the session before has ended, and belongs to the caller as well.
    Raise ValueError for an fps outside 1..10 or an unknown glyph set.
    """
    app = SimulateApp(
        session, headline=headline, findings=findings, exporter=exporter, fps=fps, glyphs=glyphs, lesson=lesson,
        open_lesson=open_lesson, driver_class=terminal_driver(),
    )  # fmt: skip
    app.collector = Collector(app)
    app.run(mouse=mouse)
    return app.return_code or 0
