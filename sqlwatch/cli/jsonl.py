"""A running simulation as lines of JSON: one for each Snapshot, `sqlwatch.snapshot/1`."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from sqlwatch.cli.output import MOST_WAITING, opened_bytes, write_line
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
        self._taken: queue.Queue[tuple[Snapshot, str]] = queue.Queue(MOST_WAITING)

    def take(self, snapshot: Snapshot) -> None:
        """Keep a Snapshot, and the time of day, until `write`; nothing if too many wait for their reader."""
        with contextlib.suppress(queue.Full):
            self._taken.put_nowait((snapshot, wall_time()))

    def write(self, is_hurried: Callable[[], bool]) -> None:
        """Write a line for each Snapshot that was taken since; raise OSError if nobody reads them any more.

        Once it `is_hurried`, as by a signal, lines whose reader has stopped are left out.
        """
        is_read = True
        with contextlib.suppress(queue.Empty):
            while True:
                snapshot, time = self._taken.get_nowait()
                findings, effects = current_findings(snapshot), self._effects(snapshot)
                line = snapshot_line(snapshot, self._headline(snapshot), findings, time, effects)
                is_read = is_read and write_line(self._file, line + b"\n", is_hurried)


@contextlib.contextmanager
def snapshot_lines(
    output: Path | None, headline: Callable[[Snapshot], str], effects: Callable[[Snapshot], Sequence[Shown]]
) -> Iterator[SnapshotLines]:
    """Open the file that the lines go to, or stdout; raise CommandError if it cannot be written."""
    with opened_bytes(output) as file:
        yield SnapshotLines(file, headline, effects)
