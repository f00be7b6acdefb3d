"""Using the dashboard of `watch`: cursor, pages of detail, freezing, help, mouse, leaving."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sqlwatch.charts import units
from sqlwatch.metrics.observations import LockName
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.findings_panel import FindingsPanel
from sqlwatch.tui.help_screen import HelpScreen
from sqlwatch.tui.watch_app import WatchApp
from sqlwatch.tui.watch_processes import ProcessTable
from tests.tui import observed as states
from tests.tui.conftest import Open, Screen
from tests.tui.fake import FakeSession

LOG_HINT = "not visible: start with --log FILE"


def page(screen: Screen) -> str:
    return "\n".join(screen.lines())


async def test_up_and_down_go_over_findings_and_processes(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        processes, findings = screen.app.query_one(ProcessTable), screen.app.query_one(FindingsPanel)
        assert processes.selected == 48_211
        assert screen.text("processes").count("▸") == 1
        await screen.press("down")
        assert processes.selected == 48_300
        await screen.press("up", "up")
        assert (findings.has_cursor, processes.has_cursor) == (True, False)
        assert findings.selected == ("busy-errors", None, 0)
        assert "▸WARNING" in screen.text("findings")
        assert "▸ 48211" not in screen.text("processes")
        await screen.press("up", "up")
        assert findings.selected == ("idle-writer", 48_211, 0)
        await screen.press("down", "down")
        assert processes.has_cursor
        assert processes.selected == 48_211
        await screen.press(*["down"] * 20)
        assert processes.selected == 47_020


async def test_the_cursor_stays_on_its_process(watched: Open) -> None:
    async with watched(80, 24) as screen:
        await screen.send(states.idle_writer())
        await screen.press("down", "down", "down")
        assert screen.app.query_one(ProcessTable).selected == 48_302
        before = states.idle_writer()
        assert before.observation is not None
        fewer = tuple(one for one in before.observation.participants if one.pid != 48_300)
        await screen.send(states.snapshot(msgspec.structs.replace(before.observation, participants=fewer)))
        assert screen.app.query_one(ProcessTable).selected == 48_302
        assert "▸  48302" in screen.text("processes")


async def test_the_focus_takes_the_cursor_along_and_explains(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        await screen.press("tab")
        assert screen.app.query_one(FindingsPanel).has_cursor
        assert "shows evidence and what to do" in screen.text("findings")
        await screen.press("enter")
        assert "What to do" in page(screen)
        await screen.press("escape", "escape")
        assert screen.app.focused is None
        assert "shows evidence and what to do" not in screen.text("findings")


async def test_all_that_is_known_of_a_process(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(states.idle_writer())
        await screen.press("enter")
        assert isinstance(screen.app.screen, DetailScreen)
        for part in (
            "/usr/bin/python3 /srv/shop/bin/import_orders.py --batch 5000 --source s3",
            "asleep (S)",
            "100% of the last 10s",
            "write  exclusive, for 18s",
            "dms    shared, for at least 42s",
            "wal       open for writing",
            "CRITICAL  18s",
            "Now: end process 48211 (kill 48211)",
            "clock_nanosleep",
            "⣿⣿⣿",
        ):
            assert part in page(screen), part
        await screen.press("escape")
        assert not isinstance(screen.app.screen, DetailScreen)


async def test_a_page_of_detail_follows_and_survives_the_end_of_its_process(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(states.idle_writer())
        await screen.press("enter")
        assert "holds" in page(screen)
        await screen.send(states.healthy())
        await screen.pilot.pause()
        assert "It is not at the database any more" in page(screen)


async def test_the_page_of_a_finding_says_what_to_do_and_stays_after_it(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("up", "up", "enter")
        for part in (
            "CRITICAL",
            "What to do",
            "Commit before",
            "Now: end process",
            "idle-writer",
            "48211 /usr/bin/python3",
            "held     18s",
            "waiters  48300, 48301",
            f"peer     {units.UNKNOWN}",
        ):
            assert part in page(screen), part
        await screen.send(states.healthy())
        await screen.pilot.pause()
        assert "NO LONGER FOUND" in page(screen)
        assert "Commit before" in page(screen)


async def test_freezing_holds_everything_but_the_header(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        before = {name: screen.text(name) for name in ("headline", "findings", "locks", "processes")}
        lanes = screen.text("timeline").splitlines()[1:]
        await screen.press("space")
        await screen.send(states.absent())
        assert "FROZEN" in screen.text("header")
        assert "NO DATABASE" in screen.text("header")
        assert {name: screen.text(name) for name in before} == before
        assert screen.text("timeline").splitlines()[1:] == lanes
        await screen.press("enter")
        assert "FROZEN" in page(screen)
        assert "48211" in page(screen)
        await screen.press("space")
        await screen.pilot.pause()
        assert "It is not at the database any more" in page(screen)
        await screen.press("escape")
        assert "waiting for it to appear" in screen.text("locks")
        assert "FROZEN" not in screen.text("header")


async def test_reset_reaches_the_session_and_is_answered(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.healthy())
        await screen.press("0")
        assert screen.session.calls == ["start", "reset"]
        assert "statistics begin again" in screen.text("headline")


async def test_enter_where_there_is_nothing(watched: Open) -> None:
    async with watched() as screen:
        await screen.press("enter")
        assert not isinstance(screen.app.screen, DetailScreen)
        assert "nothing is selected" in screen.text("headline")


async def test_help_explains_the_panels_and_lists_the_keys(watched: Open) -> None:
    async with watched(120, 120) as screen:
        await screen.send(states.healthy())
        await screen.press("f1")
        assert isinstance(screen.app.screen, HelpScreen)
        for part in (
            "Locks now",
            "Write lock",
            "Findings",
            "Busy errors",
            "Not visible here and now",
            "ctrl+p",
            "enter",
        ):
            assert part in page(screen), part
        assert "single-writer" not in page(screen)
        await screen.press("escape")
        assert not isinstance(screen.app.screen, HelpScreen)


async def test_help_can_be_read_above_a_page_of_detail(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(states.idle_writer())
        await screen.press("enter", "question_mark")
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.send(states.healthy())
        await screen.press("escape")
        assert isinstance(screen.app.screen, DetailScreen)


async def test_a_click_on_a_process_and_on_a_finding(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        await screen.pilot.click(ProcessTable, offset=(5, 4))
        assert screen.app.query_one(ProcessTable).selected == 48_301
        await screen.pilot.click(FindingsPanel, offset=(5, 4))
        await screen.pilot.pause()
        assert screen.app.query_one(FindingsPanel).has_cursor
        assert screen.app.query_one(FindingsPanel).selected == ("busy-errors", None, 0)
        footer = screen.text("footer")
        await screen.pilot.click("#footer", offset=(footer.index("Detail"), 0))
        await screen.pilot.pause()
        assert isinstance(screen.app.screen, DetailScreen)


async def test_an_observation_that_ends_says_why(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.healthy())
        ended = msgspec.structs.replace(states.healthy(), status=Status.ENDED, message="The sampler has died.")
        await screen.send(ended)
        assert "ENDED" in screen.text("header")
        assert "The sampler has died." in screen.text("headline")
        await screen.press("0")
        assert screen.session.calls == ["start"]
        assert "q quits" in screen.text("headline")


async def test_the_theme_changes_and_every_action_is_in_the_palette(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        titles = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        assert {"Show the detail", "Freeze the display", "Help", "Quit", "Light theme"} <= titles
        screen.app.theme = "sqlwatch-light"
        await screen.pilot.pause()
        assert "48211" in screen.text("locks")


@pytest.mark.parametrize("keys", [["q"], ["ctrl+c"], ["question_mark", "ctrl+c"], ["enter", "ctrl+c"]])
async def test_leaving_stops_the_session_once(keys: list[str]) -> None:
    session = FakeSession()
    app = WatchApp(session, headline=states.verdict, findings=states.findings)
    async with app.run_test() as pilot:
        await pilot.pause()
        session.send(states.idle_writer())
        await pilot.pause()
        await pilot.press(*keys)
    assert app.return_code == 0
    assert session.calls == ["start", "stop"]


async def test_a_session_that_ends_without_a_word_ends_the_dashboard() -> None:
    session = FakeSession()
    app = WatchApp(session, headline=states.verdict, findings=states.findings)
    async with app.run_test() as pilot:
        await pilot.pause()
        session.ended = True
        async with asyncio.timeout(20):
            while app.return_code is None:
                await asyncio.sleep(0.02)
    assert app.return_code == 0


async def test_without_colour_nothing_is_lost(watched: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with watched(glyphs="ascii") as screen:
        await screen.send(states.idle_writer())
        assert screen.app.ansi
        assert all(line.isascii() for line in screen.lines())
        assert "CRITICAL" in screen.text("findings")
        assert "~~~~" in screen.text("timeline")
        assert "####" in screen.text("timeline")
        assert ">  48211" in screen.text("processes")


def test_wrong_options_are_refused() -> None:
    judged = {"headline": states.verdict, "findings": states.findings}
    with pytest.raises(ValueError, match="fps: 0 is out of range"):
        WatchApp(FakeSession(), **judged, fps=0)
    with pytest.raises(ValueError, match="no set 'emoji'"):
        WatchApp(FakeSession(), **judged, glyphs="emoji")


async def test_locks_follow_the_newest_snapshot(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        snapshot = states.idle_writer()
        assert snapshot.observation is not None
        kept = tuple(lock for lock in snapshot.observation.locks if lock.lock is not LockName.WRITE)
        await screen.send(states.idle_writer(locks=kept))
        assert "write              free" in screen.text("locks")
