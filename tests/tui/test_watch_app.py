"""The dashboard of an observed database: what each state looks like, and what keys do."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import pytest

from sqlwatch.charts import units
from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.observations import Hidden, LockName
from sqlwatch.metrics.snapshot import Snapshot, Status
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


async def test_before_the_first_snapshot_nothing_is_claimed(watched: Open) -> None:
    async with watched() as screen:
        assert "starting" in screen.text("header")
        assert "starting: nothing has been seen yet" in screen.text("headline")
        for panel in ("findings", "locks", "timeline", "wal", "processes", "busy"):
            assert "nothing has been seen yet" in screen.text(panel), panel
        assert "nothing found" not in page(screen)
        assert "free" not in page(screen)


async def test_before_the_first_look_nothing_is_claimed_either(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.starting())
        assert "orders.db" in screen.text("header")
        assert "starting" in screen.text("headline")
        assert "nothing found" not in page(screen)
        assert "free" not in page(screen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_an_absent_database_is_waited_for(watched: Open, size: tuple[int, int]) -> None:
    async with watched(*size) as screen:
        await screen.send(states.absent())
        assert "NO DATABASE" in screen.text("header")
        assert "waiting for it to appear" in screen.text("locks")
        assert "nothing found" not in screen.text("findings")
        if size[0] >= 80:
            assert "There is no file" in screen.text("locks")


async def test_it_appears_and_goes_away_again(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.absent())
        await screen.send(states.healthy())
        assert "NO DATABASE" not in screen.text("header")
        assert "free" in screen.text("locks")
        assert "nothing found" in screen.text("findings")
        await screen.send(states.absent())
        assert "waiting for it to appear" in screen.text("locks")


async def test_a_healthy_database(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.healthy())
        for part in ("WAL", "180/s", "0:42", "200/s", "2.1%", "31%"):
            assert part in screen.text("header"), part
        assert "nothing found" in screen.text("findings")
        assert "write              free" in screen.text("locks")
        assert "2 readers, the oldest 40200 node" in screen.text("locks")
        assert "open in 6 processes" in screen.text("locks")
        assert "7.6k in all" in screen.text("commits")
        assert "412 to do" in screen.text("wal")
        assert "none so far in /var/log/shop/app.log" in screen.text("busy")
        assert "0 so far" in screen.text("busy")


async def test_the_idle_writer_and_those_who_wait_for_it(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        assert "48211" in screen.text("headline")
        locks = screen.text("locks").splitlines()
        write = next(line for line in locks if line.lstrip().startswith("write"))
        assert "18s 48211 python3 import_orders.py" in write
        assert "asleep: clock_nanosleep" in screen.text("locks")
        assert "~18s 5 (inferred): 48300 python3" in screen.text("locks")
        assert "CRITICAL    18s" in screen.text("findings")
        assert f"WARNING       {units.UNKNOWN}" in screen.text("findings")
        assert "do this: It began a transaction" in screen.text("findings")
        lanes = {line.split()[0]: line for line in screen.text("timeline").splitlines()[1:-1]}
        assert "⣿" in lanes["48211"]
        assert "100%" in lanes["48211"]
        assert "╌" in lanes["48300"]
        assert "╌" not in lanes["48211"]
        row = next(line for line in screen.text("processes").splitlines() if "48300" in line)
        assert "~18s" in row
        assert "23ms" in row
        assert "14 so far, 4 in the last 10s  14 busy  2 slow" in screen.text("busy")
        assert "3.0s ago  busy" in screen.text("busy").splitlines()[1], "the newest line comes first"
        assert "busy errors 14" in screen.text("header")


async def test_brackets_zoom_the_lanes(watched: Open) -> None:
    async with watched(200, 50) as screen:

        def ticks() -> str:
            return next(line for line in screen.text("timeline").splitlines() if line.endswith("now"))

        await screen.send(states.idle_writer())
        first = ticks()
        assert "-30s" in first
        await screen.press("left_square_bracket")
        assert "-10s" in ticks()
        assert "-15s" not in ticks()
        assert "10s" in screen.text("headline")
        await screen.press("right_square_bracket")
        assert ticks() == first
        await screen.press("right_square_bracket")
        assert "-60s" in ticks()


async def test_a_lower_bound_is_never_shown_as_the_whole_truth(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.pinned())
        assert ">42s 1 reader; 51007 java PINS 18k frames" in screen.text("locks")
        assert "PINNED >42s" in screen.text("wal")
        await screen.press("down", "enter")
        assert "holds back 17,660 frames (it sees up to frame 800), for at least 42s" in page(screen)


async def test_a_rollback_journal_has_no_wal(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.rollback())
        assert "rollback journal" in screen.text("header")
        assert "no WAL: journal mode rollback; journal now 13KiB" in screen.text("wal")
        for name in ("reserved      2.0s 600 php", "pending       1.5s 600 php", "2 readers"):
            assert name in screen.text("locks"), name
        assert "info" in screen.text("findings")


async def test_deleted_files_and_lost_locks_are_named(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(states.replaced())
        assert "the database is gone" in screen.text("commits")
        assert ">7.6k in all" in screen.text("commits")
        assert "STOPPED" in screen.text("processes")
        await screen.press("enter")
        assert "wal       DELETED, yet open for writing" in page(screen)
        assert "database  REPLACED, yet open for writing" in page(screen)
        await screen.press("escape", "down", "enter")
        assert "LOST LOCKS" in page(screen)
        assert "forked from process 700" in page(screen)


async def test_what_is_hidden_is_said_and_not_zero(watched: Open) -> None:
    async with watched(120, 80) as screen:
        await screen.send(states.unprivileged())
        assert "6 things not visible, see ?" in screen.text("header")
        assert "BEHIND" in screen.text("header")
        assert "31% missed" in screen.text("header")
        assert "waiting            not visible" in screen.text("locks")
        assert ">12s not named by the kernel" in screen.text("locks")
        assert LOG_HINT in screen.text("busy")
        assert "busy errors" not in screen.text("header")
        await screen.press("question_mark")
        words = " ".join(page(screen).split())
        for hidden in (Hidden.ACTIVITY, Hidden.WAITERS, Hidden.UNNAMED_HOLDER):
            assert hidden.value in words, hidden
        assert "busy errors: run with --log FILE" in words
        assert "this machine was too busy to take them all" in words


async def test_locks_that_cannot_be_asked_for_are_not_free(watched: Open) -> None:
    async with watched() as screen:
        snapshot = states.healthy()
        assert snapshot.observation is not None
        blind = states.look([], hidden=(Hidden.LOCKS,))
        await screen.send(states.snapshot(states.observed(look=blind, locks=())))
        assert "not visible" in screen.text("locks")
        assert "free" not in screen.text("locks")


@pytest.mark.parametrize(("height", "words"), [(20, f"busy errors: {LOG_HINT}"), (40, LOG_HINT)])
async def test_busy_errors_are_not_visible_without_a_log(watched: Open, height: int, words: str) -> None:
    async with watched(120, height) as screen:
        await screen.send(states.pinned())
        assert words in screen.text("busy")


async def test_a_log_that_cannot_be_read_is_named(watched: Open) -> None:
    async with watched() as screen:
        snapshot = states.healthy()
        assert snapshot.observation is not None
        assert snapshot.observation.busy is not None
        log = msgspec.structs.replace(snapshot.observation.busy, trouble=("app.log cannot be read: no permission.",))
        await screen.send(states.snapshot(msgspec.structs.replace(snapshot.observation, busy=log)))
        assert "app.log cannot be read: no permission." in screen.text("busy")


async def test_findings_and_verdict_are_worked_out_once_a_snapshot() -> None:
    calls: Counter[str] = Counter()

    def verdict(snapshot: Snapshot) -> str:
        calls["verdict"] += 1
        return states.verdict(snapshot)

    def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
        calls["findings"] += 1
        return states.findings(snapshot)

    session = FakeSession()
    app = WatchApp(session, headline=verdict, findings=findings)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = Screen(app, pilot, session)
        await screen.send(states.idle_writer())
        await screen.press("tab", "down", "enter", "escape", "up", "question_mark", "escape")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert calls == {"verdict": 1, "findings": 1}
        await screen.press("space")
        await screen.send(states.idle_writer())
        assert calls == {"verdict": 1, "findings": 1}, "nobody sees them while the display is frozen"


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
            "Until then: end that process",
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
        before = {name: screen.text(name) for name in ("headline", "findings", "locks", "processes", "timeline")}
        await screen.press("space")
        await screen.send(states.absent())
        assert "FROZEN" in screen.text("header")
        assert "NO DATABASE" in screen.text("header")
        assert {name: screen.text(name) for name in before} == before
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
    async with watched(120, 100) as screen:
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
