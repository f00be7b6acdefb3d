"""What the key `e` of the dashboards writes, and where."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlwatch.cli.why_report import wall_time
from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.report.csv import snapshot_csv
from sqlwatch.report.snapshot_json import snapshot_json
from sqlwatch.report.why_json import why_json
from sqlwatch.tui.browser import is_in_browser
from sqlwatch.tui.export import Exporter

if TYPE_CHECKING:
    from sqlwatch.diagnose.lesson import Lesson

DIRECTORY_VARIABLE: Final = "SQLWATCH_EXPORT_DIR"
"""Names the directory for exports; without it they go to the working directory."""


def exporter() -> Exporter | None:
    """Return an exporter into the directory that the environment names, or the working directory.

    Who looks from a browser writes files only where the environment says so: they are on this machine, not on theirs.
    """
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if directory is None and is_in_browser():
        return None
    return Exporter(Path(directory or Path.cwd()), _figures)


def _figures(
    snapshot: Snapshot, headline: str, findings: Sequence[Finding], lesson: Lesson | None = None
) -> dict[str, str]:
    """Return the figures of a Snapshot as the JSON that fits its source, those of phases as CSV too."""
    time = wall_time()
    if snapshot.observation is not None:
        return {".json": why_json(snapshot, findings, time)}
    effects = lesson.shown if lesson is not None else ()
    return {".json": snapshot_json(snapshot, headline, findings, time, effects), ".csv": snapshot_csv(snapshot)}
