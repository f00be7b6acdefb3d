"""What keys do and what states look like."""

from __future__ import annotations

import asyncio
import re
import time
from types import SimpleNamespace

import msgspec
import pytest

from simulators.events import Mode, WorkerState
from sqlwatch.charts.segment import Ink, plain
from sqlwatch.metrics.snapshot import Status, Wal
from sqlwatch.tui import session_app
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.confirm_screen import ConfirmScreen
from sqlwatch.tui.help_screen import HelpScreen
from sqlwatch.tui.worker_table import WorkerTable
from tests.tui.conftest import Open, Screen
from tests.tui.fake import FakeSession, headline, make_snapshot, make_workers

PATIENCE_S = 30


async def test_the_session_starts_after_the_first_picture(opened: Open) -> None:
    async with opened() as screen:
        assert "starting" in screen.text("header")
        assert "no waits yet" in screen.text("waits")


@pytest.mark.parametrize("early_s", [1e-9, 0.02])
async def test_a_snapshot_that_comes_too_early_is_drawn_all_the_same(
    opened: Open, monkeypatch: pytest.MonkeyPatch, early_s: float
) -> None:
    async with opened() as screen:
        now_s = 1000.0
        monkeypatch.setattr(session_app, "time", SimpleNamespace(monotonic=lambda: now_s))
        await screen.send(make_snapshot(starving=3))
        before = screen.text("workers")
        now_s += screen.app.least_gap_s - early_s
        screen.session.send(make_snapshot())
        deadline = time.monotonic() + PATIENCE_S
        while screen.text("workers") == before:
            assert time.monotonic() < deadline, "it is not drawn"
            await screen.pilot.pause(0.02)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_the_starving_worker_is_named(opened: Open, size: tuple[int, int]) -> None:
    async with opened(*size) as screen:
        await screen.send(make_snapshot(starving=3))
        assert "CONTENDED" in screen.text("header")
        assert "275/s" in screen.text("header")
        assert "worker 14" in screen.text("headline")
        row = next(line for line in screen.text("workers").splitlines() if "14 writer" in line)
        assert "20s" in row
        assert "STARVED" in row


@pytest.mark.parametrize(
    ("key", "call"),
    [
        ("m", "toggle_mode"), ("p", "pause"), ("w", "add_writer"), ("W", "remove_writer"), ("r", "add_reader"),
        ("R", "remove_reader"), ("0", "reset"),
    ],
)  # fmt: skip
async def test_keys_reach_the_session(opened: Open, key: str, call: str) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press(key)
        assert screen.session.calls == ["start", call]


async def test_p_pauses_and_resumes(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("p", "p")
        assert screen.session.calls == ["start", "pause", "resume"]
        await screen.send(make_snapshot(status=Status.PAUSED))
        assert "PAUSED" in screen.text("header")


async def test_m_is_answered_at_once_and_until_the_mode_has_changed(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("m")
        assert "switching..." in screen.text("header")
        await screen.send(make_snapshot(20.25))
        assert "switching..." in screen.text("header")
        await screen.send(make_snapshot(20.5, status=Status.SWITCHING))
        assert "switching..." in screen.text("header")
        await screen.send(make_snapshot(23, mode=Mode.SINGLE_WRITER, switched_after=21))
        assert "SINGLE-WRITER" in screen.text("header")
        assert "switching..." not in screen.text("header")


async def test_both_modes_are_drawn_on_one_axis_once_both_have_run(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        assert "press m" in screen.text("modes")
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        waits = screen.text("waits")
        assert "contended" in waits
        assert "single-writer" in waits
        assert waits.count("100us") == 1
        assert "275/s" in screen.text("modes")
        assert "338/s" in screen.text("modes")
        assert "~37%" in screen.text("modes")
        assert "single-writer" in screen.text("throughput")
        assert "queue 6" in screen.text("workers")


async def test_a_mode_that_follows_by_itself_is_to_come(opened: Open) -> None:
    async with opened() as screen:
        for status, words in ((Status.RUNNING, "to come"), (Status.PAUSED, "to come"), (Status.STOPPING, "press m")):
            snapshot = make_snapshot(status=status)
            assert snapshot.simulation is not None
            simulation = msgspec.structs.replace(snapshot.simulation, next_mode=Mode.SINGLE_WRITER)
            await screen.send(msgspec.structs.replace(snapshot, simulation=simulation))
            assert words in screen.text("modes").splitlines()[0]


async def test_freezing_holds_the_panels_while_the_header_stays_live(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(20))
        before = screen.text("workers"), screen.text("throughput"), screen.text("headline")
        await screen.press("space")
        await screen.send(make_snapshot(31, starving=2))
        assert (screen.text("workers"), screen.text("throughput"), screen.text("headline")) == before
        assert "FROZEN" in screen.text("header")
        assert "0:31" in screen.text("header")
        await screen.press("space")
        assert "FROZEN" not in screen.text("header")
        assert "STARVED" in screen.text("workers")
        assert "starved" in screen.text("headline")


async def test_a_frozen_display_goes_on_with_the_newest_snapshot_at_once(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(20))
        await screen.press("space")
        await screen.send(make_snapshot(21))
        screen.session.send(make_snapshot(22))  # waits: a frozen display has a picture a second
        await screen.press("space")
        assert "0:22" in screen.text("header")


async def test_the_session_is_told_whether_anybody_watches(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(20))
        assert not [call for call in screen.session.calls if call.startswith("attend")]
        await screen.press("left", "left", "space", "space")
        await screen.send(make_snapshot(21, status=Status.ENDED))
        told = [call for call in screen.session.calls if call.startswith("attend")]
        assert told == ["attend False", "attend True", "attend False", "attend True"]


async def test_l_changes_the_scale(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        assert "0.01%" in screen.text("waits")
        await screen.press("l")
        assert "0.01%" not in screen.text("waits")
        assert "linear" in screen.text("waits")


async def test_the_cursor_stays_on_its_worker(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("down", "down")
        table = screen.app.query_one(WorkerTable)
        assert table.selected == 3
        await screen.send(make_snapshot(starving=4))
        assert table.selected == 3
        assert "▸  3" in screen.text("workers")
        assert [f"{number} writer" in screen.text("workers") for number in (13, 14, 15, 16)] == [True] * 4
        await screen.press(*["up"] * 30)
        assert table.selected == 3, "it is among the first rows, and they are in the order of their numbers"
        await screen.press(*["down"] * 30)
        assert table.selected == 18


async def test_until_it_is_moved_the_cursor_stays_too_and_hides_no_starving_worker(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        assert screen.app.query_one(WorkerTable).selected == 1
        await screen.send(make_snapshot(starving=4))
        assert screen.app.query_one(WorkerTable).selected == 1
        assert "▸  1 writer" in screen.text("workers")
        assert [f"{number} writer" in screen.text("workers") for number in (13, 14, 15, 16)] == [True] * 4


async def test_killing_asks_first(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("down", "K")
        assert isinstance(screen.app.screen, ConfirmScreen)
        assert "Kill worker 2, a writer (process 40002)?" in "\n".join(screen.lines())
        await screen.press("n")
        assert screen.session.calls == ["start"]
        await screen.press("K", "enter")
        assert screen.session.calls == ["start"], "the harmless answer has the focus"
        await screen.press("K", "y")
        assert screen.session.calls == ["start", "kill 2"]
        assert not isinstance(screen.app.screen, ConfirmScreen)


async def test_a_dead_worker_is_not_killed_again(opened: Open) -> None:
    async with opened() as screen:
        snapshot = make_snapshot(writers=2, readers=0)
        await screen.press("K")
        assert "no living worker" in screen.text("headline")
        await screen.send(snapshot)
        assert isinstance(screen.app.screen, ConfirmScreen) is False


async def test_help_lists_every_key_and_closes(opened: Open) -> None:
    async with opened(120, 160) as screen:
        await screen.press("question_mark")
        assert isinstance(screen.app.screen, HelpScreen)
        page = "\n".join(screen.lines())
        for part in ("ctrl+p", "space", "backoff rungs", "STARVED", "Kill the worker"):
            assert part in page
        await screen.press("escape")
        assert not isinstance(screen.app.screen, HelpScreen)


async def test_every_action_is_in_the_palette(opened: Open) -> None:
    async with opened() as screen:
        titles = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        assert {"Kill the selected worker", "Contended / single-writer", "Freeze the display", "Help"} <= titles


async def test_tab_explains_the_panels(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("tab")
        assert "how many of the waits took how long" in screen.text("waits")
        await screen.press("tab")
        assert "how many of the waits took how long" not in screen.text("waits")
        assert "a lane a worker" in screen.text("timeline")
        await screen.press("tab")
        assert "commits a second" in screen.text("throughput")


async def test_what_the_session_says_while_it_starts_and_ends(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(0.1, status=Status.STARTING, message="starting 18 processes: 7 ready"))
        assert "starting 18 processes: 7 ready" in screen.text("headline")
        await screen.send(make_snapshot(30, status=Status.ENDED, message="The disk is full (SQLITE_FULL)."))
        assert "The disk is full (SQLITE_FULL)." in screen.text("headline")
        assert "ENDED" in screen.text("header")
        await screen.press("m")
        assert screen.session.calls == ["start"]
        assert "q quits" in screen.text("headline")


async def test_a_click_on_a_row_and_on_a_key(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        table = screen.app.query_one(WorkerTable)
        await screen.pilot.click(WorkerTable, offset=(5, 6))
        assert table.selected == 5
        footer = screen.text("footer")
        await screen.pilot.click("#footer", offset=(footer.index("+reader"), 0))
        assert screen.session.calls == ["start", "add_reader"]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_stops_the_session_once(key: str) -> None:
    session = FakeSession()
    app = SimulateApp(session, headline=headline)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(key)
    assert app.return_code == 0
    assert session.calls == ["start", "stop"]
    session.send(make_snapshot())  # a late Snapshot finds nobody, and nothing happens


async def test_ctrl_c_leaves_from_help_and_question_too() -> None:
    for key in ("question_mark", "K"):
        session = FakeSession()
        app = SimulateApp(session, headline=headline)
        async with app.run_test() as pilot:
            await pilot.pause()
            session.send(make_snapshot())
            await pilot.pause()
            await pilot.press(key)
            await pilot.press("ctrl+c")
        assert app.return_code == 0
        assert session.calls == ["start", "stop"]


async def test_a_session_that_ends_without_a_word_ends_the_dashboard() -> None:
    session = FakeSession()
    app = SimulateApp(session, headline=headline)
    async with app.run_test() as pilot:
        await pilot.pause()
        session.ended = True
        async with asyncio.timeout(20):
            while app.return_code is None:
                await asyncio.sleep(0.02)
    assert app.return_code == 0


async def test_only_the_newest_of_many_snapshots_is_drawn(opened: Open) -> None:
    async with opened() as screen:
        for second in range(20, 40):
            screen.session.send(make_snapshot(second))
        async with asyncio.timeout(20):
            while "0:39" not in screen.text("header"):
                await screen.pilot.pause()
        assert screen.app._mailbox.replaced >= 18


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="fps: 11 is out of range"):
        SimulateApp(FakeSession(), headline=headline, fps=11)
    with pytest.raises(ValueError, match="no set 'ansi'"):
        SimulateApp(FakeSession(), headline=headline, glyphs="ansi")


async def test_without_a_wal_its_panel_says_so(opened: Open) -> None:
    async with opened(80, 24) as screen:
        snapshot = make_snapshot()
        none = Wal(resets=None, checkpoints=None, pinned_ns=None)
        await screen.send(msgspec.structs.replace(snapshot, wal=none))
        assert "no WAL: this workload runs with a rollback" in screen.text("wal").replace("\n ", " ")


async def test_a_headline_stays_until_it_can_have_been_read(opened: Open) -> None:
    starving, calm = make_snapshot(starving=3), make_snapshot()
    async with opened() as screen:
        for after_ms, status, words in (
            (0, Status.RUNNING, "are starved"),
            (1_000, Status.RUNNING, "are starved"),
            (2_000, Status.RUNNING, "get their turn"),
            (2_100, Status.PAUSED, "get their turn"),
            (2_200, Status.RUNNING, "get their turn"),
        ):
            shown = starving if after_ms == 0 else calm
            await screen.send(msgspec.structs.replace(shown, at_ns=starving.at_ns + after_ms * 10**6, status=status))
            assert words in screen.text("headline")


async def test_a_workload_at_rest_has_no_rate(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(status=Status.PAUSED))
        assert "275/s" not in screen.text("header")
        assert "commits      \N{EN DASH}" in screen.text("header")
        assert "275/s" not in screen.text("throughput").splitlines()[0]


async def test_while_a_single_writer_serves_it_alone_holds(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        holding = [line for line in screen.text("workers").splitlines() if "holding" in line]
        assert all("single" in line for line in holding)
        assert "served" in screen.text("workers")


async def test_the_modes_are_compared_by_ratios_once_both_have_run_for_a_while(opened: Open) -> None:
    def ratios(screen: Screen) -> list[str]:
        return [word for word in screen.text("modes").split() if re.fullmatch(r"[\d.]+k?x", word)]

    async with opened(120, 40) as screen:
        await screen.send(make_snapshot(20))
        assert not ratios(screen)
        await screen.send(make_snapshot(21, mode=Mode.SINGLE_WRITER, switched_after=20))
        assert not ratios(screen), "after a second they would say nothing"
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        assert "ratio" in screen.text("modes")
        assert len(ratios(screen)) >= 4


@pytest.mark.parametrize("size", [(120, 40), (200, 50), (80, 24)])
async def test_who_starves_looks_so_also_under_the_cursor(opened: Open, size: tuple[int, int]) -> None:
    async with opened(*size) as screen:
        await screen.send(make_snapshot(20, starving=3))
        table = screen.app.query_one(WorkerTable)
        table.select(14)
        (row,) = (row for row in table._rows if plain(row).startswith("▸ 14"))
        assert "STARVED" in plain(row)
        assert {segment.ink for segment in row if segment.text.strip()} == {Ink.CURSOR_WARNING}


async def test_a_small_fleet_has_a_title_and_its_sort_covers_no_column(opened: Open) -> None:
    snapshot = make_snapshot(workers=make_workers(20, Mode.CONTENDED, 3, 0))
    async with opened(120, 40) as screen:
        await screen.send(snapshot)
        title, heading, *rows = screen.text("workers").splitlines()
        assert "3 writers" in title
        assert len(rows) >= 3
        await screen.press("s")
        sorted_title, same_heading, *_ = screen.text("workers").splitlines()
        assert "by current wait" in sorted_title
        assert same_heading == heading


async def test_pausing_moves_no_worker_to_another_place(opened: Open) -> None:
    async with opened(80, 24) as screen:
        running = make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20)
        await screen.send(running)
        assert running.simulation is not None
        before = [line.split()[0] for line in screen.text("workers").replace("▸", " ").splitlines()]
        resting = tuple(
            msgspec.structs.replace(worker, state=WorkerState.PARKED, current_wait_ns=0, starved=False)
            for worker in running.simulation.phase.workers
        )
        phase = msgspec.structs.replace(running.simulation.phase, workers=resting)
        simulation = msgspec.structs.replace(running.simulation, phase=phase)
        await screen.send(msgspec.structs.replace(running, simulation=simulation, status=Status.PAUSED))
        assert [line.split()[0] for line in screen.text("workers").replace("▸", " ").splitlines()] == before
