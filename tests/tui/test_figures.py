"""One Snapshot on the screen and in the JSON: each figure is the same after the same rounding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.cli import exporting
from sqlwatch.diagnose.lesson import Lesson, judge, written
from sqlwatch.diagnose.side_by_side import side_by_side, times_words
from sqlwatch.diagnose.simulation import current_findings
from sqlwatch.metrics.observed import BusyLog
from sqlwatch.metrics.snapshot import Fairness, Period, Pin, Snapshot
from sqlwatch.report.snapshot_json import snapshot_json
from sqlwatch.report.why_json import why_json
from sqlwatch.tui import outgoing
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.columns import state_of
from sqlwatch.tui.comparison_screen import ComparisonScreen
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.export import Exporter
from sqlwatch.tui.modes_panel import FIGURES
from tests.tui import observed
from tests.tui.conftest import Open, Screen, opening
from tests.tui.fake import FakeSession, headline, make_snapshot, queue_waits
from tests.tui.lessons import LESSON, lesson_snapshot

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
        assert report["workload"] in words


WAL_FACTS: tuple[Callable[[Report], str], ...] = (
    lambda wal: f"file {units.size(wal['file_bytes'])}",
    lambda wal: f"{units.count(wal['live_frames'])} frames",
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
            if shown[-1].endswith("x"):
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


async def test_the_waits_show_the_longest_and_what_unfinished_ones_make_of_p99(opened: Open) -> None:
    snapshot = make_snapshot(33, starving=4)
    assert snapshot.simulation is not None
    short = msgspec.structs.replace(snapshot.simulation.phase, lock_wait=queue_waits(100))
    simulation = msgspec.structs.replace(snapshot.simulation, phase=short)
    snapshot = msgspec.structs.replace(snapshot, simulation=simulation)
    phase = reported(snapshot)["phase"]
    async with opened(200, 50) as screen:
        await screen.send(snapshot)
        words = " ".join(screen.text("waits").split())
        assert f"longest {ms(phase['fairness']['longest_wait_ms'])}" in words
        waits = phase["lock_wait_ms"]
        assert waits["with_unfinished"]["p99"] > 2 * waits["p99"]
        assert f"with unfinished {ms(waits['with_unfinished']['p99'])}" in words


@pytest.mark.parametrize("number", range(4))
async def test_the_throughput_now_is_that_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    async with opened(160, 50) as screen:
        await screen.send(snapshot)
        words = " ".join(screen.text("throughput").split())
        assert f"commits, now {units.rate(reported(snapshot)['commits_per_s'])}" in words


@pytest.mark.parametrize("number", [0, 1, 3])
async def test_readers_and_the_single_writer_show_the_figures_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    workers = reported(snapshot)["phase"]["workers"]
    async with opened(160, 60) as screen:
        await screen.send(snapshot)
        lines = [line.removeprefix("▸").split() for line in screen.text("workers").splitlines()]
        shown = {int(words[0]): words[1] for words in lines if words and words[0].isdigit()}
        assert shown == {worker["id"]: worker["role"] for worker in workers}
        title = screen.text("workers").splitlines()[0]
        starved = sum(worker["current_wait_ms"] >= 1000 and worker["commits"] == 0 for worker in workers)
        assert (f"{starved} STARVED" in title) == (starved > 0)


COMPARED: dict[str, Callable[[Report], str]] = {
    "ran for": lambda phase: units.duration(phase["elapsed_s"] * 1e9),
    "commits a second": lambda phase: units.rate(phase["commits_per_s"]),
    "reads a second": lambda phase: units.rate(phase["reads_per_s"]),
    "lock wait p50": lambda phase: ms(phase["lock_wait_ms"]["with_unfinished"]["p50"]),
    "lock wait p99": lambda phase: ms(phase["lock_wait_ms"]["with_unfinished"]["p99"]),
    "lock wait p99.9": lambda phase: ms(phase["lock_wait_ms"]["with_unfinished"]["p999"]),
    "lock wait max": lambda phase: ms(phase["lock_wait_ms"]["with_unfinished"]["max"]),
    "commit latency p50": lambda phase: ms(phase["commit_latency_ms"]["p50"]),
    "commit latency p99": lambda phase: ms(phase["commit_latency_ms"]["p99"]),
    "commit latency p99.9": lambda phase: ms(phase["commit_latency_ms"]["p999"]),
    "commit latency max": lambda phase: ms(phase["commit_latency_ms"]["max"]),
    "fairness (Jain's index)": lambda phase: units.index(phase["fairness"]["jain"]),
    "starved writers": lambda phase: units.number(phase["fairness"]["starved_workers"]),
    "lock free, yet wanted": lambda phase: units.share(phase["wasted_lock_time"]),
    "WAL at its largest": lambda phase: units.size(phase["wal"]["peak_bytes"]),
    "checkpoints": lambda phase: units.number(phase["wal"]["checkpoints"]),
    "busy errors": lambda phase: units.number(phase["busy_errors"]),
}


@pytest.mark.parametrize("number", [1, 3])
async def test_the_comparison_shows_the_figures_of_the_json(opened: Open, number: int) -> None:
    snapshot = snapshots()[number]
    report = reported(snapshot)
    phases = [*report["ended_phases"], report["phase"]]
    async with opened(160, 50) as screen:
        await screen.send(snapshot)
        await screen.press("c")
        assert isinstance(screen.app.screen, ComparisonScreen)
        lines = screen.app.screen.text.splitlines()
        told = {label.strip() for label, _, _ in side_by_side(phases_of(snapshot))}
        assert told <= set(COMPARED), "every figure is held against the JSON"
        for label, figure in COMPARED.items():
            (line,) = (line for line in lines if line.strip().startswith(f"{label} "))
            cells = [word.removeprefix("~") for word in line.strip().removeprefix(label).split()]
            assert [cell for cell in cells if not cell.endswith("x")] == [figure(phase) for phase in phases], label
        if report["comparison"] is not None:
            head = " ".join(lines[1].split())
            assert f"({times_words(report['comparison']['throughput_ratio'])})" in head
            assert f"({times_words(report['comparison']['p99_ratio'])})" in head


def phases_of(snapshot: Snapshot) -> list[Period]:
    assert snapshot.simulation is not None
    return [*snapshot.simulation.ended_phases, snapshot.simulation.phase]


@pytest.mark.parametrize("worker_id", [1, 2, 16])
async def test_the_page_of_a_worker_shows_the_figures_of_the_json(opened: Open, worker_id: int) -> None:
    snapshot = make_snapshot(33, starving=4)
    (worker,) = (one for one in reported(snapshot)["phase"]["workers"] if one["id"] == worker_id)
    async with opened(160, 60) as screen:
        await screen.send(snapshot)
        await screen.press(*["down"] * (worker_id - 1), "enter")
        assert isinstance(screen.app.screen, DetailScreen)
        words = " ".join(screen.app.screen.text.split())
        assert f"process {worker['pid']}" in words
        assert f"commits {worker['commits']:,}, {units.share(worker['share'])} of all writers' commits" in words
        assert f"busy errors {worker['busy_errors']:,}" in words
        assert f"longest {ms(worker['longest_wait_ms'])}, ended or not" in words
        now = f"for {ms(worker['current_wait_ms'])}" if worker["current_wait_ms"] else "no"
        assert f"waits now {now}" in words


async def test_findings_are_those_of_the_json_with_their_evidence(starved: Open) -> None:
    snapshot = make_snapshot(33, starving=4)
    report = json.loads(snapshot_json(snapshot, "", current_findings(snapshot), "2026-01-02T12:00:00"))
    assert len(report["findings"]) >= 2
    async with starved(160, 60) as screen:
        await screen.send(snapshot)
        words = " ".join(screen.text("findings").split())
        for finding in report["findings"]:
            assert f"{finding['severity'].upper()} {finding['summary']}" in words
        screen.app.query_one("#findings").focus()
        await screen.press("enter")
        assert isinstance(screen.app.screen, DetailScreen)
        page = " ".join(screen.app.screen.text.split())
        first = report["findings"][0]
        assert first["code"] in page
        assert " ".join(first["remedy"].split()) in page


@pytest.fixture
def starved() -> Open:
    """Return a way to open the dashboard with the real findings."""
    return opening(
        lambda session, glyphs: SimulateApp(session, headline=headline, findings=current_findings, glyphs=glyphs)
    )


WATCHED = ["healthy", "idle_writer", "pinned", "absent"]


def why(snapshot: Snapshot) -> Report:
    report: Report = json.loads(why_json(snapshot, observed.findings(snapshot), "2026-01-02T12:00:00"))
    return report


@pytest.mark.parametrize("name", WATCHED)
async def test_the_header_of_watch_shows_the_figures_of_the_json(watched: Open, name: str) -> None:
    snapshot = getattr(observed, name)()
    report = why(snapshot)
    async with watched(200, 50) as screen:
        await screen.send(snapshot)
        words = " ".join(screen.text("header").split())
        assert f"commits {units.rate(report['rates']['commits_per_s'])}" in words
        assert f"write lock held {units.share(report['rates']['write_lock_utilisation'])}" in words
        if report["busy_errors"]["visible"]:
            assert f"busy errors {units.count(report['busy_errors']['count'])}" in words
        assert ("NO DATABASE" in words) == (report["absent"] is not None)


@pytest.mark.parametrize("name", WATCHED[:3])
async def test_the_panels_of_watch_show_the_figures_of_the_json(watched: Open, name: str) -> None:
    snapshot = getattr(observed, name)()
    report = why(snapshot)
    async with watched(200, 60) as screen:
        await screen.send(snapshot)
        commits = " ".join(screen.text("commits").split())
        assert f"now {units.rate(report['rates']['commits_per_s'])} " in commits
        wal, title = report["wal"], " ".join(screen.text("wal").splitlines()[0].split())
        assert f"file {units.size(wal['file_bytes'])}" in title
        assert f"{units.count(wal['live_frames'])} frames" in title
        assert f"{units.count(wal['live_frames'] - wal['backfilled_frames'])} to do" in title
        locks = screen.text("locks")
        writer = report["locks"]["write"]
        if writer is not None:
            assert f"{units.duration(writer['held_s'] * 1e9)} {writer['pid']}" in " ".join(locks.split())
        else:
            assert "free" in next(line for line in locks.splitlines() if line.strip().startswith("write"))
        table = [line.removeprefix("▸").split() for line in screen.text("processes").splitlines()]
        cells = {words[0]: words for words in table if words and words[0].isdigit()}
        for one in report["rates"]["by_process"]:
            assert units.share(one["utilisation"]) in cells[str(one["pid"])]
        for one in report["waiters"]:
            assert f"~{units.duration(one['waiting_s'] * 1e9)}" in cells[str(one["pid"])]
        words = " ".join(screen.text("findings").split())
        for finding in report["findings"]:
            assert units.duration(None if finding["since_s"] is None else finding["since_s"] * 1e9) in words


async def test_busy_errors_without_a_log_that_can_be_read_are_unknown_and_not_0(watched: Open) -> None:
    snapshot = observed.healthy()
    assert snapshot.observation is not None
    unread = BusyLog((), ("There is no file app.log.",), {}, 0, ())
    seen = msgspec.structs.replace(snapshot.observation, busy=unread)
    snapshot = msgspec.structs.replace(snapshot, observation=seen)
    report = why(snapshot)["busy_errors"]
    assert (report["visible"], report["count"]) == (False, None)
    async with watched(200, 60) as screen:
        await screen.send(snapshot)
        assert f"busy errors {units.UNKNOWN}" in " ".join(screen.text("header").split())
        assert "0 so far" not in screen.text("busy")
        assert "There is no file app.log." in screen.text("busy")


async def test_the_lesson_shows_the_figures_of_its_export() -> None:
    snapshot = lesson_snapshot(0, repeat=1)
    assert snapshot.lesson is not None
    lesson = Lesson(LESSON, judge(LESSON, snapshot.lesson.ended))
    (texts,) = [exporting._figures(snapshot, "", (), lesson)]
    effects = json.loads(texts[".json"])["effects"]
    assert any(effect["shown"] is not None for effect in effects)
    app = SimulateApp(FakeSession(), headline=headline, lesson=LESSON)
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        screen = Screen(app, pilot, app.session)
        await screen.send(snapshot)
        lines = screen.text("lesson").splitlines()
        for effect in effects:
            if effect["shown"] is not None:
                here = written(effect["figure"], effect["measured"], is_ratio=effect["against"] is not None)
                mark = "shown" if effect["shown"] else "NOT SHOWN"
                assert any(line.startswith(f"{mark} {here} ({effect['expected']})") for line in lines), effect


async def test_an_export_of_the_comparison_is_of_the_comparison(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, exporting._figures)
    app = SimulateApp(FakeSession(), headline=headline, lesson=LESSON, exporter=exporter)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = Screen(app, pilot, app.session)
        await screen.send(lesson_snapshot(0, repeat=1))
        await screen.press("c", "e")
        (text,) = (path.read_text() for path in tmp_path.glob("*.txt"))
        assert "What was expected, and what happened here" in text
        assert outgoing.copied_text(app)[0] == "this page"
