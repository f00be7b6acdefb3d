"""The page of a worker, the findings of a phase, and the event log."""

from __future__ import annotations

import pytest

from simulators.events import Mode
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.log_screen import LogScreen
from tests.tui.conftest import Open, Screen
from tests.tui.fake import FakeSession, headline, make_snapshot

SIZES = [(120, 40), (80, 24), (40, 12)]


def page(screen: Screen) -> str:
    """The text of the screen above the panels."""
    shown = screen.app.screen
    assert isinstance(shown, DetailScreen | LogScreen)
    return shown.text


@pytest.mark.parametrize("size", SIZES)
async def test_enter_shows_all_that_is_known_of_a_worker(opened: Open, size: tuple[int, int]) -> None:
    async with opened(*size) as screen:
        await screen.send(make_snapshot())
        await screen.press("down", "enter")
        text = page(screen)
        for words in (
            "Worker 2, a writer", "40002", "a fair share would be 6.2% (1 of 16)", "3 commits in a row",
            "SQLITE_BUSY: database is locked", "SQLITE_BUSY_SNAPSHOT: database is locked", "look",
        ):  # fmt: skip
            assert words in text
        assert all(len(line) <= 120 for line in screen.lines())
        (long_wait,) = (line for line in text.splitlines() if "131ms" in line and "committed" in line)
        assert long_wait.split() == ["500ms", "131ms", "9", "2.0ms", "committed"]
        states = next(line for line in text.splitlines() if line.strip().startswith("waiting ") and "%" in line)
        assert "75%" in states
        await screen.press("escape")
        assert not isinstance(screen.app.screen, DetailScreen)


async def test_the_page_of_a_worker_follows_and_goes_to_its_neighbours(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(starving=3))
        await screen.press("enter", "right", "right")
        assert "Worker 3," in page(screen)
        await screen.press("left")
        assert "Worker 2," in page(screen)
        await screen.press(*["left"] * 3)
        assert "Worker 1," in page(screen)
        before = page(screen)
        await screen.send(make_snapshot(40))
        assert page(screen) != before
        await screen.press("space")
        held = page(screen)
        await screen.send(make_snapshot(50))
        assert page(screen) == held
        assert "FROZEN" in "\n".join(screen.lines())


async def test_a_starving_worker_and_one_without_a_wait_say_so(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(writers=2, readers=1, starving=1))
        await screen.press("down", "enter")
        assert "waits longer than 1.0s, ten times its fair turn" in page(screen)
        assert "none has ended with it yet" in page(screen)
        await screen.press("right")
        assert "Worker 3, a reader" in page(screen)
        assert "Its waits" not in page(screen)


async def test_a_worker_that_is_gone_is_said_to_be_gone(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press(*["down"] * 3, "enter")
        await screen.send(make_snapshot(21, writers=2, readers=0))
        assert "It has no part in this phase" in page(screen)


HOG = Finding(
    "write-lock-hog", Severity.WARNING, "contended: 3 of 16 writers starved", 40_001, None,
    {"phase": "contended", "top_share": 0.5, "longest_wait_ms": 20_000.0}, "Let all writes go through one writer.",
)  # fmt: skip


@pytest.mark.parametrize("size", [(120, 40), (80, 40)])
async def test_findings_show_their_evidence_and_remedy(size: tuple[int, int]) -> None:
    session = FakeSession()
    app = SimulateApp(session, headline=headline, findings=lambda snapshot: (HOG,) if snapshot.simulation else ())
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot, session)
        await pilot.pause()
        if not screen.app.query_one("#findings").display:
            await screen.press("7")
        assert "nothing has been seen yet" in screen.text("findings")
        await screen.send(make_snapshot())
        assert "3 of 16 writers starved" in screen.text("findings")
        await screen.press(*["down"] * 18)
        assert "▸WARNING" in screen.text("findings")
        assert "▸" not in screen.text("workers"), "the cursor is in one list"
        await screen.press("enter")
        for words in ("40001 worker 1, a writer", "20s", "50%", "Let all writes go through one writer."):
            assert words in page(screen)
        await screen.press("escape", "up")
        assert "▸" in screen.text("workers")


async def test_without_a_finding_the_panel_says_so(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        assert "nothing is wrong in this phase so far" in screen.text("findings")


@pytest.mark.parametrize("size", SIZES)
async def test_the_log_lists_what_happened_in_its_order(opened: Open, size: tuple[int, int]) -> None:
    async with opened(*size) as screen:
        await screen.send(make_snapshot(20, mode=Mode.SINGLE_WRITER, switched_after=19.9))
        await screen.press("v")
        times = [line.split()[0] for line in page(screen).splitlines() if line[:9].strip()[:1].isdigit()]
        assert times == sorted(times)
        assert times[-1] == "0:20.000"
        assert len(times) == screen.app.size.height - 3
        await screen.press("slash", *"busy", "enter")
        events = page(screen).splitlines()[3:]
        assert len([line for line in events if line.strip()]) == 1
        assert "5.0s" in events[0]
        assert "BUSY" in events[0]
        await screen.press("escape")
        assert isinstance(screen.app.screen, LogScreen), "first the filter goes"
        await screen.press("escape")
        assert not isinstance(screen.app.screen, LogScreen)


@pytest.mark.parametrize(("words", "count"), [("#3", 3), ("100ms", 2), ("checkpoint", 4), ("wait #3 1ms", 3), ("x", 0)])
async def test_the_log_is_filtered_by_worker_kind_and_length(opened: Open, words: str, count: int) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(20))
        await screen.press("v", "slash")
        await screen.press(*("space" if char == " " else char for char in words), "enter")
        assert f"{count} of " in page(screen).splitlines()[0]
        assert ("no event fits" in page(screen)) == (count == 0)


async def test_the_log_holds_still_while_it_is_scrolled(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(20, writers=32))
        await screen.press("v")
        assert "follows" in page(screen).splitlines()[0]
        await screen.press("up", "up")
        held = page(screen)
        assert "HELD" in held.splitlines()[0]
        await screen.send(make_snapshot(21, writers=32))
        assert page(screen).splitlines()[3:] == held.splitlines()[3:]
        await screen.press("end")
        assert "follows" in page(screen).splitlines()[0]
        assert "0:21.000" in page(screen).splitlines()[-1]


async def test_the_log_says_how_much_it_keeps(opened: Open) -> None:
    async with opened(160, 20) as screen:
        await screen.press("v")
        assert "nothing has happened yet" in page(screen)
        await screen.send(make_snapshot())
        assert "kept: 2,000 newest, 1,000 errors and waits over 100ms" in page(screen)
        assert "12k older ones gone" in page(screen)


@pytest.mark.parametrize("width", [80, 70, 40, 20])
async def test_the_keys_of_the_log_are_told_whole(opened: Open, width: int) -> None:
    whole = ["esc back", "/ filter", "arrows, page up/down scroll", "end follows", "space freezes"]
    async with opened(width, 24) as screen:
        await screen.press("v")
        told = screen.lines()[1].strip().split("  ")
        assert told == whole[: len(told)]
        assert len(told) == len(whole) or width < 80
        await screen.press("slash", *"busy", "enter")
        assert screen.lines()[1].startswith("esc shows all  ")
