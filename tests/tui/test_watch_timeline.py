"""The write-lock lanes of `watch`: the way through the frozen past, and the page of one hold or wait."""

from __future__ import annotations

import msgspec

from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.watch_timeline_panel import TimelinePanel
from tests.tui import observed as states
from tests.tui.conftest import Open, Screen


def page(screen: Screen) -> str:
    return "\n".join(screen.lines())


def lanes(screen: Screen) -> list[str]:
    return screen.text("timeline").splitlines()[1:]


def changed(**changes: object) -> Snapshot:
    before = states.idle_writer()
    assert before.observation is not None
    return states.snapshot(msgspec.structs.replace(before.observation, **changes))


async def test_left_freezes_and_goes_back_through_holds_and_waits(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("down")
        await screen.press("left")
        assert "FROZEN" in screen.text("header")
        assert "48300 worker.py seemed to wait for >18s so far" in screen.text("headline")
        assert "left right the past" in screen.text("timeline")
        before = lanes(screen)
        await screen.send(states.absent())
        assert lanes(screen) == before, "the past stands still"
        await screen.press("left")
        assert "seemed to wait for >750ms; enter tells all of it" in screen.text("headline")
        assert "▸48300" in screen.text("timeline").replace(" ", "")
        await screen.press("left")
        assert "held the lock for ~405ms" in screen.text("headline")
        await screen.press("left")
        assert "no earlier event is kept" in screen.text("headline")
        await screen.press("right", "right", "right")
        assert "no event further on" in screen.text("headline")
        await screen.press("space")
        assert screen.app._view.past.event is None


async def test_the_page_of_a_wait_tells_its_rungs_and_who_held_the_lock(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("down", "left", "left", "enter")
        assert isinstance(screen.app.screen, DetailScreen)
        for part in (
            "48300 worker.py seemed to wait for the lock",
            "waited  >750ms",
            "at least: looks at how it sleeps are four a second",
            "50ms rung   found asleep on it by 1 look",
            "100ms rung  found asleep on it by 3 looks",
            "Who held the write lock meanwhile",
            "of the looks nobody held it",
        ):
            assert part in page(screen), part
        await screen.press("left")
        assert "48300 worker.py held the write lock" in page(screen)
        assert "half of the 5.0ms between looks at either end" in page(screen)
        await screen.press("escape")
        assert not isinstance(screen.app.screen, DetailScreen)
        assert "held the lock for ~405ms" in screen.text("headline")


async def test_the_page_of_a_hold_that_goes_on_names_who_waits(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("left", "enter")
        for part in (
            "48211 import_orders.py holds the write lock",
            "~18s so far, frozen",
            "48300 worker.py  for 18s of it",
        ):
            assert part in page(screen), part
        assert page(screen).count("of it") == 5, "all five that wait"
        await screen.press("escape", "space")
        await screen.send(changed(spans=()))
        await screen.press("left")
        assert "no hold or wait of this process is kept" in screen.text("headline")


async def test_waiters_that_cannot_be_seen_are_not_nobody(watched: Open) -> None:
    async with watched(120, 40) as screen:
        blind = states.idle_writer().observation
        assert blind is not None
        assert blind.look is not None
        await screen.send(changed(look=msgspec.structs.replace(blind.look, waiters=None)))
        await screen.press("left", "enter")
        assert "Not visible: needs root or the same user." in page(screen)


async def test_a_click_on_a_lane_selects_the_hold_there_and_a_second_one_opens_it(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        panel = screen.app.query_one(TimelinePanel)
        row = next(number for number, text in enumerate(screen.text("timeline").splitlines()) if "48211" in text)
        await screen.pilot.click(panel, offset=(panel._plot.stop - 3, row))
        await screen.pilot.pause()
        assert "FROZEN" in screen.text("header")
        event = screen.app._view.past.event
        assert event is not None
        assert event.worker == 48_211
        await screen.pilot.click(panel, offset=(panel._plot.stop - 3, row))
        await screen.pilot.pause()
        assert "48211 import_orders.py holds the write lock" in page(screen)


async def test_a_click_where_nothing_is_selects_the_process_only(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        panel = screen.app.query_one(TimelinePanel)
        row = next(number for number, text in enumerate(screen.text("timeline").splitlines()) if "48303" in text)
        await screen.pilot.click(panel, offset=(panel._plot.start + 1, row))
        await screen.pilot.pause()
        assert "FROZEN" not in screen.text("header")
        assert "no event there" in screen.text("headline")
        assert screen.app.table.selected == 48_303  # type: ignore[attr-defined]


async def test_the_window_moves_to_what_is_selected(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("left_square_bracket")
        await screen.press("down", "left", "left")
        past = screen.app._view.past
        assert past.back_ns > 0, "20 s ago lies before a window of 10 s"
        assert past.event is not None
        ends_s = (states.idle_writer().observation.lane_end_ns - past.back_ns - states.STARTED_NS) / states.SECOND  # type: ignore[union-attr]
        assert ends_s - 10 <= 20.5 < 21.25 <= ends_s
        axis = lanes(screen)[-1]
        assert "now" not in axis
        assert "-25s" in axis
        await screen.press("right_square_bracket", "right_square_bracket")
        assert "now" in lanes(screen)[-1], "a minute is more than is known"


async def test_the_page_of_a_process_tells_how_long_its_holds_were(watched: Open) -> None:
    async with watched(120, 70) as screen:
        await screen.send(states.idle_writer())
        await screen.press("enter")
        text = page(screen)
        for part in ("How long its holds were", "one look", "30ms..100ms", "40 ", "Its newest holds and waits"):
            assert part in text, part
        assert "300ms..1.0s" not in text, "classes without a hold are left out"
        await screen.press("escape", "down", "enter")
        assert "~waited" in page(screen)
        assert "No hold that has ended was seen yet." in page(screen)


async def test_what_a_process_did_that_is_gone_can_still_be_gone_through(watched: Open) -> None:
    async with watched(120, 40) as screen:
        before = states.idle_writer().observation
        assert before is not None
        others = tuple(one for one in before.participants if one.pid != 48_300)
        kept = tuple(
            msgspec.structs.replace(lane, process=states.process(48_300, "python3 worker.py"))
            if lane.pid == 48_300
            else lane
            for lane in before.lanes
        )
        await screen.send(changed(participants=others, lanes=kept))
        panel = screen.app.query_one(TimelinePanel)
        row = next(number for number, text in enumerate(screen.text("timeline").splitlines()) if "48300" in text)
        assert "48300 worker.py" in screen.text("timeline")
        await screen.pilot.click(panel, offset=(panel._plot.stop - 3, row))
        await screen.pilot.pause()
        assert "48300 worker.py seemed to wait for >18s so far" in screen.text("headline")
        await screen.press("left")
        assert "48300 worker.py seemed to wait for >750ms" in screen.text("headline")
        await screen.press("enter")
        assert "48300 worker.py seemed to wait for the lock" in page(screen)


async def test_without_a_table_left_begins_with_what_happened_last(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(changed(participants=()))
        await screen.press("left")
        assert "48211" in screen.text("headline")
        assert "held the lock for ~18s so far" in screen.text("headline")
        await screen.press("enter")
        assert "holds the write lock" in page(screen)


async def test_a_filter_takes_the_past_along_to_its_process(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(states.idle_writer())
        await screen.press("left", "slash", *"48301", "enter")
        assert "48301 worker.py" in screen.text("headline")
        await screen.press("left")
        assert "48301 worker.py held the lock" in screen.text("headline")
        await screen.press("enter")
        assert "48301 worker.py held the write lock" in page(screen)
