"""One Snapshot on the screen and in the JSON: each figure is the same after the same rounding."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.metrics.snapshot import Fairness, Pin, Snapshot
from sqlwatch.report.snapshot_json import snapshot_json
from sqlwatch.tui.columns import state_of
from sqlwatch.tui.modes_panel import FIGURES
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot

Report = dict[str, Any]


def reported(snapshot: Snapshot) -> Report:
    report: Report = json.loads(snapshot_json(snapshot, "", (), "2026-01-02T12:00:00"))
    return report


def ms(value: float | None) -> str:
    """A duration of the JSON, which has ms, as the screen writes it."""
    return units.duration(None if value is None else value * 1e6)


def snapshots() -> list[Snapshot]:
    """A phase alone, two modes side by side, a moment at which hardly anything is known, and a pinned WAL."""
    first = make_snapshot(1)
    assert first.simulation is not None
    bare = msgspec.structs.replace(
        first.simulation.phase, committed=0, elapsed_ns=0, lock_utilisation=None, wasted_lock_time=None,
        fairness=Fairness(), workers=(), unfinished_waits_ns=(),
    )  # fmt: skip
    unknown = msgspec.structs.replace(
        first, commits_per_s=None, reads_per_s=None, own_cpu=None,
        simulation=msgspec.structs.replace(first.simulation, phase=bare, run=bare, window=bare),
    )  # fmt: skip
    pinned = make_snapshot(33, starving=4)
    pinned = msgspec.structs.replace(pinned, wal=msgspec.structs.replace(pinned.wal, pins=(Pin(1, 7, 10**9, 5),)))
    return [make_snapshot(20), make_snapshot(45, mode=Mode.SINGLE_WRITER, switched_after=25), unknown, pinned]


@pytest.mark.parametrize("number", range(4))
async def test_the_header_shows_the_figures_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    report = reported(snapshot)
    async with opened(160, 50) as screen:
        await screen.send(snapshot)
        words = " ".join(screen.text("header").split())
        assert units.clock(report["elapsed_s"] * 1e9) in words
        assert f"commits {units.rate(report['commits_per_s'])}" in words
        assert f"busy errors {units.count(report['run']['busy_errors'])}" in words
        assert f"own CPU {units.share(report['own_cpu'])}" in words
        assert f"reads {units.rate(report['reads_per_s'])}" in words
        assert report["mode"].upper() in words


WAL_FACTS: tuple[Callable[[Report], str], ...] = (
    lambda wal: f"file {units.size(wal['file_bytes'])}",
    lambda wal: f"{units.count(wal['live_frames'])} live frames",
    lambda wal: f"{units.count(wal['checkpoints'])} checkpoints",
    lambda wal: f"{units.count(wal['resets'])} resets",
    lambda wal: f"{units.count(wal['backlog_frames'])} not yet copied",
)


@pytest.mark.parametrize("number", range(4))
async def test_the_facts_of_the_wal_are_those_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    wal = reported(snapshot)["wal"]
    async with opened(160, 50) as screen:
        await screen.send(snapshot)
        screen.app.query_one("#wal").focus()
        await screen.press("f", "escape")
        title = " ".join(screen.text("wal").splitlines()[0].split())
        for fact in WAL_FACTS:
            assert fact(wal) in title
        assert ("PINNED by 1 reader" in title) == (wal["pinning_readers"] == 1)


PHASE: dict[str, Callable[[Report], str]] = {
    "commits": lambda phase: units.rate(phase["commits_per_s"]),
    "commit latency p99": lambda phase: ms(phase["commit_latency_ms"]["p99"]),
    "longest lock wait": lambda phase: ms(phase["fairness"]["longest_wait_ms"]),
    "starved writers": lambda phase: units.count(phase["fairness"]["starved_workers"]),
    "fairness (Jain, 1 = even)": lambda phase: units.index(phase["fairness"]["jain"]),
    "wasted (free, yet wanted)": lambda phase: units.share(phase["wasted_lock_time"]),
    "lock held": lambda phase: units.share(phase["lock_utilisation"]),
    "lock wait p50": lambda phase: ms(phase["lock_wait_ms"]["p50"]),
}


@pytest.mark.parametrize("number", range(4))
async def test_the_modes_show_the_figures_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    report = reported(snapshot)
    phases = [*report["ended_phases"], report["phase"]]
    assert [figure.label for figure in FIGURES] == list(PHASE), "every figure of the panel is held against the JSON"
    async with opened(160, 50) as screen:
        await screen.send(snapshot)
        lines = screen.text("modes").splitlines()[1:]
        for label, figure in PHASE.items():
            (line,) = (line for line in lines if line.strip().startswith(label))
            shown = [cell.removeprefix("~") for cell in line.strip().removeprefix(label).split()]
            if shown[-1].startswith("x"):
                assert len(phases) == 2
                shown.pop()
            assert shown == [figure(phase) for phase in phases], label


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_the_workers_show_the_figures_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    assert snapshot.simulation is not None
    known = {worker.id: worker for worker in snapshot.simulation.phase.workers}
    serves = snapshot.simulation.mode is Mode.SINGLE_WRITER
    async with opened(160, 60) as screen:
        await screen.send(snapshot)
        lines = [line.removeprefix("▸").split() for line in screen.text("workers").splitlines()]
        cells = {int(words[0]): words for words in lines if words and words[0].isdigit()}
        for worker in reported(snapshot)["phase"]["workers"]:
            words = cells[worker["id"]]
            expected = [str(worker["id"]), worker["role"], state_of(known[worker["id"]], serves=serves)]
            if worker["role"] == "writer":
                expected += [ms(worker["current_wait_ms"])] if worker["current_wait_ms"] else []
                expected += [units.count(worker["commits"]), units.share(worker["share"])]
                expected += [ms(worker["longest_wait_ms"]), units.count(worker["busy_errors"])]
            assert words[: len(expected)] == expected


async def test_the_waits_show_the_figures_of_the_json(opened: Open) -> None:
    snapshot = make_snapshot(45, mode=Mode.SINGLE_WRITER, switched_after=25)
    report = reported(snapshot)
    async with opened(200, 50) as screen:
        await screen.send(snapshot)
        lines = screen.text("waits").splitlines()
        for phase in (*report["ended_phases"], report["phase"]):
            (line,) = (line for line in lines if line.strip().startswith(f"{phase['name']} "))
            words = " ".join(line.split())
            waits = phase["lock_wait_ms"]
            assert f"p99 wait {ms(waits['p99'])}" in words
            assert f"commits {units.rate(phase['commits_per_s'])}" in words
            assert f"p50 {ms(waits['p50'])}" in words
            assert f"{units.count(waits['count'])} waits" in words
