"""A running simulation as lines of JSON: one for each Snapshot, `sqlwatch.snapshot/1`."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from sqlwatch.cli.output import opened_bytes
from sqlwatch.cli.why_report import wall_time
from sqlwatch.diagnose.lesson import Shown
from sqlwatch.diagnose.simulation import current_findings
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.report.snapshot_json import snapshot_line


class SnapshotLines:
    """Takes Snapshots on the session's thread, and writes them on the one that calls `write`."""

    def __init__(
        self, file: IO[bytes], headline: Callable[[Snapshot], str], effects: Callable[[Snapshot], Sequence[Shown]]
    ) -> None:
        self._file = file
        self._headline = headline
        self._effects = effects
        self._taken: queue.SimpleQueue[tuple[Snapshot, str]] = queue.SimpleQueue()

    def take(self, snapshot: Snapshot) -> None:
        """Keep a Snapshot, and the time of day, until `write`."""
        self._taken.put((snapshot, wall_time()))

    def write(self) -> None:
        """Write a line for each Snapshot that was taken since; raise OSError if nobody reads them any more."""
        with contextlib.suppress(queue.Empty):
            while True:
                snapshot, time = self._taken.get_nowait()
                findings, effects = current_findings(snapshot), self._effects(snapshot)
                line = snapshot_line(snapshot, self._headline(snapshot), findings, time, effects)
                self._file.write(line + b"\n")
                self._file.flush()


@contextlib.contextmanager
def snapshot_lines(
    output: Path | None, headline: Callable[[Snapshot], str], effects: Callable[[Snapshot], Sequence[Shown]]
) -> Iterator[SnapshotLines]:
    """Open the file that the lines go to, or stdout; raise CommandError if it cannot be written."""
    with opened_bytes(output) as file:
        yield SnapshotLines(file, headline, effects)
