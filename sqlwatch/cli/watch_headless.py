"""Watching without a dashboard: a line of JSON each interval, or one report at the end."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from sqlwatch.cli.exits import ExitCode
from sqlwatch.cli.output import MOST_WAITING, opened_bytes, say, write_line
from sqlwatch.cli.signals import EndedBy, ending_on_signals
from sqlwatch.cli.why_report import wall_time, write_report
from sqlwatch.diagnose.observation import observation_findings, observation_headline
from sqlwatch.diagnose.thresholds import Limits
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.expression import Expression
from sqlwatch.report.watch_fail_on import judge
from sqlwatch.report.why_json import why_line, why_report
from sqlwatch.session.observation import ObservationSession

_LOOK_S: Final = 0.2


def run_headless(
    session: ObservationSession, limits: Limits, format_: str, output: Path | None, conditions: Sequence[Expression]
) -> int:
    """Watch until the session ends; return 0, 1 if a condition was ever true, or 128 + the signal that ended it."""
    snapshots: queue.Queue[Snapshot] = queue.Queue(MOST_WAITING)

    def take(snapshot: Snapshot) -> None:
        with contextlib.suppress(queue.Full):  # whoever reads our lines is behind: some are left out
            snapshots.put_nowait(snapshot)

    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(opened_bytes(output)) if format_ == "jsonl" else None
        ended_by = stack.enter_context(ending_on_signals(session))
        session.start(take)
        try:
            crossed = _follow(session, ended_by, snapshots, limits, lines, conditions)
        finally:
            session.stop()
            session.wait()
    session.check()
    if lines is None:
        write_report(session.latest, limits, format_, output)
    return ended_by.exit_code or (ExitCode.FOUND if crossed else ExitCode.DONE)


def _follow(
    session: ObservationSession, ended_by: EndedBy, snapshots: queue.Queue[Snapshot], limits: Limits,
    lines: IO[bytes] | None, conditions: Sequence[Expression],
) -> bool:  # fmt: skip
    """Write a line for each Snapshot, or say on stderr whenever the verdict is another one.

    Return whether any condition was ever true; each is told the first time.
    """
    said = ""
    crossed: set[str] = set()
    while not (session.ended and snapshots.empty()):
        try:
            snapshot = snapshots.get(timeout=_LOOK_S)
        except queue.Empty:
            continue
        findings = observation_findings(snapshot, limits)
        observed = snapshot.observation
        if observed is None or (observed.look is None and observed.absent is None):
            continue  # nothing has been seen yet
        for condition in conditions:
            verdict = judge(condition, why_report(snapshot, findings, wall_time()))
            if verdict.crossed and condition.text not in crossed:
                crossed.add(condition.text)
                say(verdict.words)
        if lines is not None:
            line = why_line(snapshot, findings, wall_time()) + b"\n" if snapshot.status is Status.RUNNING else b""
            if not write_line(lines, line, lambda: ended_by.signal is not None):
                break
            continue
        codes = ", ".join(dict.fromkeys(finding.code for finding in findings)) or "nothing found"
        if codes != said:
            said = codes
            say(observation_headline(snapshot, findings))
    return bool(crossed)
