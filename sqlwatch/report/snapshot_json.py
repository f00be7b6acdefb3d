"""One moment of a running simulation as JSON, schema `sqlwatch.snapshot/1`: what the dashboard shows just then.

Phases, their figures and the findings are the same types as in the result's JSON, so equal names mean equal figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from simulators.events import Mode
from sqlwatch import __version__
from sqlwatch.diagnose import Finding
from sqlwatch.diagnose.lesson import Shown
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.report.json import Comparison, PhaseReport, as_lines, comparison, phase_report

SCHEMA: Final = "sqlwatch.snapshot/1"


class WalNow(msgspec.Struct, frozen=True):
    """The write-ahead logs at this moment, summed over the databases; null where nothing could be read."""

    file_bytes: int | None
    live_frames: int | None
    backlog_frames: int | None
    resets: int | None
    checkpoints: int | None
    pinning_readers: int


class SnapshotReport(msgspec.Struct, frozen=True):
    """The moment; `phase` is the present one, `ended_phases` those before it, `window` the last seconds."""

    schema: Literal["sqlwatch.snapshot/1"]
    sqlwatch: str
    time: str
    """Wall-clock time in ISO 8601."""
    status: Status
    elapsed_s: float
    """For how long the workload has run; pauses do not count."""
    workload: str | None
    """In words, with the writers and readers that live; null, as all that is about phases, before the first of them."""
    mode: Mode | None
    headline: str
    commits_per_s: float | None
    """Over the window, as the next one."""
    reads_per_s: float | None
    own_cpu: float | None
    wal: WalNow
    phase: PhaseReport | None
    window: PhaseReport | None
    run: PhaseReport | None
    """Everything since the warm-up."""
    ended_phases: tuple[PhaseReport, ...]
    comparison: Comparison | None
    """Of the newest phases of the two modes, where both have run."""
    findings: tuple[Finding, ...]
    effects: tuple[Shown, ...] = ()
    """Of a lesson, as far as its phases have ended; empty elsewhere."""


def snapshot_report(
    snapshot: Snapshot, headline: str, findings: Sequence[Finding], time: str, effects: Sequence[Shown] = ()
) -> SnapshotReport:
    """Build the report; headline, findings and effects are those on screen, `time` is the wall-clock time."""
    simulation, wal = snapshot.simulation, snapshot.wal
    contended = simulation.latest_of(Mode.CONTENDED) if simulation is not None else None
    single = simulation.latest_of(Mode.SINGLE_WRITER) if simulation is not None else None
    return SnapshotReport(
        schema=SCHEMA,
        sqlwatch=__version__,
        time=time,
        status=snapshot.status,
        elapsed_s=snapshot.elapsed_ns / 1e9,
        workload=simulation.workload if simulation is not None else None,
        mode=simulation.mode if simulation is not None else None,
        headline=headline,
        commits_per_s=snapshot.commits_per_s,
        reads_per_s=snapshot.reads_per_s,
        own_cpu=snapshot.own_cpu,
        wal=WalNow(wal.file_bytes, wal.live_frames, wal.backlog_frames, wal.resets, wal.checkpoints, len(wal.pins)),
        phase=phase_report(simulation.phase) if simulation is not None else None,
        window=phase_report(simulation.window) if simulation is not None else None,
        run=phase_report(simulation.run) if simulation is not None else None,
        ended_phases=tuple(map(phase_report, simulation.ended_phases)) if simulation is not None else (),
        comparison=comparison(contended, single) if contended is not None and single is not None else None,
        findings=tuple(findings),
        effects=tuple(effects),
    )


def snapshot_line(
    snapshot: Snapshot, headline: str, findings: Sequence[Finding], time: str, effects: Sequence[Shown] = ()
) -> bytes:
    """Return the report as JSON on one line, without a line end."""
    return msgspec.json.encode(snapshot_report(snapshot, headline, findings, time, effects))


def snapshot_json(
    snapshot: Snapshot, headline: str, findings: Sequence[Finding], time: str, effects: Sequence[Shown] = ()
) -> str:
    """Return the report as indented JSON text."""
    return as_lines(snapshot_report(snapshot, headline, findings, time, effects))
