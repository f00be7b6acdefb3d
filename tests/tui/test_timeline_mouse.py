"""The mouse on lanes, the pages of waits that go on, and what must not break the lock timeline."""

from __future__ import annotations

import pytest
from textual import events
from textual.widget import Widget

from simulators.events import Mode
from sqlwatch.metrics.lanes import LATENESS_NS
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.timeline_control import WINDOWS_NS
from sqlwatch.tui.timeline_lanes_panel import LanesPanel
from tests.tui import observed
from tests.tui.conftest import Open, Screen
from tests.tui.fake import make_snapshot, make_workers


def panel(screen: Screen) -> LanesPanel:
    return screen.app.screen_stack[0].query_one(LanesPanel)


def row_of(screen: Screen, label: str, name: str = "timeline") -> int:
    rows = screen.text(name).splitlines()
    return next(number for number, row in enumerate(rows) if row.lstrip("▸> ").startswith(f"{label} "))


async def click(screen: Screen, label: str, x: int, widget: Widget | None = None) -> None:
    await screen.pilot.click(widget or panel(screen), offset=(x, row_of(screen, label)))
    await screen.pilot.pause()


async def test_a_click_selects_the_event_and_a_second_one_opens_its_page(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        row = screen.text("timeline").splitlines()[row_of(screen, "w5")]
        held = next(x for x, char in enumerate(row) if x > 7 and "\u2801" <= char <= "\u28ff")
        before = screen.text("timeline").splitlines()[1:3]
        await click(screen, "w5", held)
        past = screen.app._view.past
        assert "FROZEN" in screen.text("header"), "as left and right do"
        assert past.event is not None
        assert past.event.worker == 5
        assert screen.text("timeline").splitlines()[1:3] == before, "the picture stays where it was clicked on"
        assert screen.app.lists[0].selected == 5  # type: ignore[attr-defined]
        await click(screen, "w5", held)
        assert isinstance(screen.app.screen, DetailScreen)
        assert "One transaction of w5" in "\n".join(screen.lines())


async def test_a_click_beside_the_bars_selects_the_worker_and_freezes_nothing(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        await click(screen, "w7", 2)
        assert screen.app.lists[0].selected == 7  # type: ignore[attr-defined]
        assert "FROZEN" not in screen.text("header")
        assert screen.app._view.past.event is None
        await screen.pilot.click(panel(screen), offset=(20, 1))  # the lock's own lane
        await screen.pilot.pause()
        assert screen.app.lists[0].selected == 7  # type: ignore[attr-defined]


async def test_the_wheel_zooms_as_the_brackets_do(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        lanes = panel(screen)
        for steps, window_ns in ((1, WINDOWS_NS[2]), (-1, WINDOWS_NS[1]), (-1, WINDOWS_NS[0]), (-1, WINDOWS_NS[0])):
            turned = events.MouseScrollDown if steps > 0 else events.MouseScrollUp
            await screen.pilot._post_mouse_events([turned], lanes, offset=(20, 4))
            await screen.pilot.pause()
            assert screen.app._view.window_ns == window_ns


async def test_in_watch_a_click_selects_the_process(watched: Open) -> None:
    async with watched(200, 60) as screen:
        await screen.send(observed.healthy())
        timeline = screen.app.query_one("#timeline", Widget)
        owners = [pid for pid in timeline._owners if pid is not None]  # type: ignore[attr-defined]
        await screen.pilot.click(timeline, offset=(3, 1 + timeline._owners.index(owners[-1])))  # type: ignore[attr-defined]
        await screen.pilot.pause()
        assert screen.app.lists[1].selected == owners[-1]  # type: ignore[attr-defined]


async def test_a_wait_that_goes_on_has_a_page_that_grows(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot(starving=1))
        await screen.press(*["down"] * 15, "left")
        assert "w16 has waited" in screen.text("headline")
        assert "so far" in screen.text("headline")
        await screen.press("enter")
        page = "\n".join(screen.lines())
        for part in ("w16 waits for the write lock", "frozen; space lets it grow", "rungs slept", "held it", "free"):
            assert part in page, part
        waited = next(line for line in screen.lines() if "waits  " in line)
        await screen.press("space")
        await screen.send(make_snapshot(25, starving=1))
        later = next(line for line in screen.lines() if "waits  " in line)
        assert "so far, growing" in later
        assert later.split()[1] != waited.split()[1]


async def test_when_the_wait_ends_the_page_tells_its_end(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot(starving=1))
        await screen.press(*["down"] * 15, "left", "enter", "space")
        await screen.send(make_snapshot(25))  # w16 takes turns as all the others do, and nothing of its wait is known
        page = "\n".join(screen.lines())
        assert "waits for the write lock" not in page
        assert "its end is either still on its way" in page or "One transaction of w16" in page


async def test_freezing_keeps_the_picture_that_was_on_screen(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot(20))
        drawn = panel(screen).sight_ns
        await screen.send(make_snapshot(20.25))
        assert panel(screen).sight_ns == drawn, "the lanes are drawn only twice a second"
        await screen.press("space")
        assert panel(screen).sight_ns == drawn


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_it_is_resized_while_frozen_in_the_past(opened: Open, glyphs: str) -> None:
    async with opened(200, 50, glyphs=glyphs) as screen:
        await screen.send(make_snapshot(starving=1))
        await screen.press(*["left"] * 9)
        event = screen.app._view.past.event
        screen.app.toggle_panel("throughput")
        for size in ((120, 40), (80, 24), (40, 10), (20, 5), (1, 1), (200, 50)):
            await screen.pilot.resize_terminal(*size)
            await screen.pilot.pause()
            assert screen.app._view.past.event == event
            await screen.press("left", "right")
        lanes = screen.app._view.simulation
        assert lanes is not None
        sight_ns = panel(screen).sight_ns
        assert sight_ns is not None
        assert sight_ns <= lanes.lanes.now_ns - LATENESS_NS


@pytest.mark.parametrize("size", [(200, 50), (120, 40), (40, 10)])
async def test_64_workers_alone_on_the_screen(opened: Open, size: tuple[int, int]) -> None:
    async with opened(*size) as screen:
        workers = make_workers(20, Mode.CONTENDED, 64, 64, starving=2)
        await screen.send(make_snapshot(workers=workers))
        screen.app._rearrange(screen.app._wish._replace(alone="timeline"), "")
        await screen.pilot.pause()
        text = screen.text("timeline")
        assert "held" in text
        assert "w64" in text, "who starves has a lane"
        assert " +" in text, "the others are counted"
        await screen.press("]", "left_square_bracket", "left", "right", "down")
        await click(screen, "w64", size[0] // 2)


async def test_the_end_of_the_ring_is_the_end_of_the_past(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot())
        await screen.press(*["right_square_bracket"] * 3, *["left"] * 100)
        assert "no earlier event is kept" in screen.text("headline")
        past = screen.app._view.past
        await screen.press("left")
        assert screen.app._view.past == past
        assert "·" in screen.text("timeline")


async def test_a_change_of_mode_and_a_worker_that_has_gone(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot(20))
        await screen.press("left", "left")
        await screen.press("space")
        await screen.send(make_snapshot(25, mode=Mode.SINGLE_WRITER, switched_after=21, writers=4))
        assert "w9" not in screen.text("timeline")
        await screen.press("left", "enter")
        assert "single writer's queue" in "\n".join(screen.lines())
