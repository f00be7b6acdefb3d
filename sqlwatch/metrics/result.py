"""What a finished simulation leaves: its phases, its accounting, and where it ran."""

from __future__ import annotations

from typing import Any

import msgspec

from sqlwatch.metrics.snapshot import Accounting, Period, Snapshot, Timeline


class Environment(msgspec.Struct, frozen=True):
    """Where a simulation ran; `filesystem` is the type of the one that held the databases, None if unknown."""

    sqlite: str
    python: str
    platform: str
    cpus: int
    filesystem: str | None


class Result(msgspec.Struct, frozen=True):
    """A finished simulation, complete or interrupted."""

    workload: dict[str, Any]
    """Every parameter by its TOML key, as text or number that can be given back as an option."""
    environment: Environment
    phases: tuple[Period, ...]
    compared: tuple[Period, Period] | None
    """(contended, single-writer) if both ran."""
    accounting: Accounting
    final: Snapshot
    """The last Snapshot; its workers carry their `exit`."""
    message: str | None = None
    """Why it ended, where that was not the asked duration: one sentence."""
    exit_code: int = 0
    timelines: tuple[Timeline, ...] = ()
    """For each phase the timeline in which it lies; several phases may share one."""
    workloads: tuple[dict[str, Any], ...] = ()
    """For each phase its whole workload, as in `workload`."""
    repeats: tuple[tuple[Period, ...], ...] = ()
    """The phases of every repeat of a lesson, those of the last one (which are `phases`) included."""
    by_phase: dict[str, Accounting] = {}
    """The accounting of each phase of a lesson, over its repeats."""
