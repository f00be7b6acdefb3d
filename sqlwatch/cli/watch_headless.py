"""Watching without a dashboard: a line of JSON each interval, or one report at the end."""

from __future__ import annotations

import contextlib
import queue
import sys
from pathlib import Path
from typing import IO, Final

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import say
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.cli.why_report import wall_time, write_report
from sqlwatch.diagnose.observation import observation_findings, observation_headline
from sqlwatch.diagnose.thresholds import Limits
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.why_json import why_line
from sqlwatch.session.observation import ObservationSession

_LOOK_S: Final = 0.2


def run_headless(session: ObservationSession, limits: Limits, format_: str, output: Path | None) -> int:
    """Watch until the session ends; return 0, or 128 + the number of the signal that ended it."""
    snapshots: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(_opened(output)) if format_ == "jsonl" else None
        ended_by = stack.enter_context(ending_on_signals(session))
        session.start(snapshots.put)
        try:
            _follow(session, snapshots, limits, lines)
        finally:
            session.stop()
            session.wait()
    session.check()
    if lines is None:
        write_report(session.latest, limits, format_, output)
    return ended_by.exit_code


def _follow(
    session: ObservationSession, snapshots: queue.SimpleQueue[Snapshot], limits: Limits, lines: IO[bytes] | None
) -> None:
    """Write a line for each Snapshot, or say on stderr whenever the verdict is another one."""
    said = ""
    while not (session.ended and snapshots.empty()):
        try:
            snapshot = snapshots.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        findings = observation_findings(snapshot, limits)
        observed = snapshot.observation
        if observed is None or (observed.look is None and observed.absent is None):
            continue  # nothing has been seen yet
        if lines is not None:
            if snapshot.status is Status.RUNNING:
                lines.write(why_line(snapshot, findings, wall_time()) + b"\n")
                lines.flush()
            continue
        codes = ", ".join(dict.fromkeys(finding.code for finding in findings)) or "nothing found"
        if codes != said:
            said = codes
            say(observation_headline(snapshot, findings))


def _opened(output: Path | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    if output is None:
        return contextlib.nullcontext(sys.stdout.buffer)
    try:
        return output.open("wb")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.", ExitCode.CANNOT_OBSERVE) from error
