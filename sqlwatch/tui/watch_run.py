"""The way into the dashboard of `watch`: run it on this terminal until it is left."""

from __future__ import annotations

from collections.abc import Callable

from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.export import Exporter
from sqlwatch.tui.garbage import Collector
from sqlwatch.tui.protocol import WatchSessionProtocol
from sqlwatch.tui.session_app import terminal_driver
from sqlwatch.tui.watch_app import WatchApp


def run_watch_dashboard(
    session: WatchSessionProtocol,
    *,
    headline: Callable[[Snapshot], str],
    findings: Callable[[Snapshot], tuple[Finding, ...]],
    exporter: Exporter | None = None,
    fps: int = 4,
    glyphs: str = "braille",
    mouse: bool = True,
) -> int:
    """Show an observation until it is left and return the exit code: 0, or 128 + the signal that ended it.

    `headline` and `findings` are called at most once per Snapshot, on the thread of the display.  The session is
    started after the first picture and asked to stop at the end; the caller waits for its end, after the terminal has
    been given back.  Raise ValueError for an fps outside 1..10 or an unknown glyph set.
    """
    app = WatchApp(
        session, headline=headline, findings=findings, exporter=exporter, fps=fps, glyphs=glyphs,
        driver_class=terminal_driver(),
    )  # fmt: skip
    app.collector = Collector(app)
    app.run(mouse=mouse)
    return app.return_code or 0
