"""The lock timeline: what it says at a glance, zoom, freeze, the way through the past, and one event's page."""

from __future__ import annotations

import pytest
from msgspec import structs

from simulators.events import Batch, Mode, Role, SlotSample, WorkerSample, WorkerState
from sqlwatch.charts import units
from sqlwatch.metrics import lane_picture
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.lanes import LATENESS_NS
from sqlwatch.metrics.meanwhile import Meanwhile, MeanwhileHeld
from sqlwatch.metrics.snapshot import Period, Simulation, Status, Worker
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.timeline_control import WINDOWS_NS
from sqlwatch.tui.timeline_lanes_panel import LanesPanel, chosen_lanes
from sqlwatch.tui.timeline_wait_lines import lock_lines
from tests.tui.conftest import Open, Screen
from tests.tui.fake import SECOND, make_snapshot, make_workers


def lane(screen: Screen, label: str) -> str:
    """The lane of a worker, or of the lock."""
    rows = screen.text("timeline").splitlines()
    return next(row for row in rows if row.lstrip("▸> ").startswith(f"{label} "))


def view(screen: Screen) -> tuple[int, int, object]:
    past = screen.app._view.past
    return screen.app._view.window_ns, past.back_ns, past.event


async def test_one_sees_the_lock_free_while_all_sleep(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot(starving=1))
        title = screen.text("timeline").splitlines()[0]
        assert "wasted" in title
        assert "exact" in title
        held, wasted = lane(screen, "held"), lane(screen, "wasted")
        gaps = [cell for cell in range(7, 100) if wasted[cell] == "⣿"]
        assert gaps, "there are moments in which nobody holds and somebody waits"
        assert all(held[cell] in "·⡀⢀⣀" for cell in gaps), "where one is full the other is empty, or nearly"
        sleeper = lane(screen, "w16")
        assert set(sleeper[7:100]) == {"╌", "▲"}, "it sleeps and looks in vain"
        assert sleeper.rstrip().endswith("0%")
        legend = screen.text("timeline").splitlines()[-1]
        for word in ("holds", "asleep", "looks", "busy error", "idle"):
            assert word in legend


async def test_in_single_writer_mode_one_holds_and_the_others_queue(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot(mode=Mode.SINGLE_WRITER, switched_after=5))
        assert "⣿⣿" in lane(screen, "s19")
        assert "─" in lane(screen, "w1")
        assert "▲" not in screen.text("timeline")
        assert "asleep" not in screen.text("timeline")


async def test_lanes_and_their_axis_stand_still_whatever_the_shares_are(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = set()
    for share in (0.0, 0.0004, 0.04, 0.9996, 1.0):
        words = units.marked(units.share(share))
        with monkeypatch.context() as patch:
            patch.setattr(units, "share", lambda _, words=words: words)
            async with opened(200, 60) as screen:
                await screen.send(make_snapshot())
                rows = screen.text("timeline").splitlines()[1:-1]
        end = max(map(len, rows)) - units.SHARE_WIDTH
        drawn.add("\n".join(row[:end] for row in rows))
    assert len(drawn) == 1


@pytest.mark.parametrize("mode", [Mode.CONTENDED, Mode.SINGLE_WRITER])
@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_the_legend_stands_still_from_exact_to_sampled(
    opened: Open, glyphs: str, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_picture, "MOST_EVENTS", 200)
    async with opened(120, 40, glyphs=glyphs) as screen:
        await screen.send(make_snapshot(mode=mode, switched_after=5))
        legends, titles = set(), set()
        for _ in range(6):
            title, *_, legend = screen.text("timeline").splitlines()
            legends.add(legend)
            titles.add("exact" in title)
            await screen.press("right_square_bracket")
        assert titles == {True, False}
        assert len(legends) == 1
        assert legends.pop().split("  ")[0].lstrip().endswith("holds")


async def test_brackets_zoom_between_fixed_windows(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        assert "250ms" in screen.text("timeline")
        await screen.press("left_square_bracket")
        assert "100ms" in screen.text("timeline").splitlines()[0]
        await screen.press("left_square_bracket")
        assert "no other window" in screen.text("headline")
        await screen.press(*["right_square_bracket"] * 12)
        assert screen.app._view.window_ns == WINDOWS_NS[-1]
        assert "30s" in screen.text("timeline").splitlines()[0]


async def test_while_the_workload_is_paused_the_lanes_stay_at_its_last_moments(opened: Open) -> None:
    async with opened(200, 60) as screen:
        running = make_snapshot()
        await screen.send(running)
        simulation = running.simulation
        assert simulation is not None
        lanes = structs.replace(
            simulation.lanes, now_ns=running.at_ns + 10 * SECOND, parked_ns=simulation.lanes.newest_ns
        )
        paused = structs.replace(
            running, at_ns=lanes.now_ns, status=Status.PAUSED, simulation=structs.replace(simulation, lanes=lanes)
        )
        before = {label: lane(screen, label) for label in ("held", "wasted", "w1", "w2")}
        await screen.send(paused)
        assert {label: lane(screen, label) for label in before} == before
        assert "-10.3s" in screen.text("timeline"), "the axis says how long ago that is"
        await screen.press("left")
        assert "w1 waited" in screen.text("headline"), "one goes through it as through a frozen picture"


async def test_while_paused_another_mode_changes_nothing_in_the_picture_of_the_one_before(opened: Open) -> None:
    async with opened(200, 60) as screen:
        running = make_snapshot(workers=make_workers(20, Mode.SINGLE_WRITER, 4, 2))
        simulation = running.simulation
        assert simulation is not None
        lanes = structs.replace(simulation.lanes, parked_ns=simulation.lanes.newest_ns)
        drawn = set()
        for number, mode in enumerate((Mode.CONTENDED, Mode.SINGLE_WRITER)):
            kept = structs.replace(simulation, lanes=lanes, mode=mode)
            at_ns = running.at_ns + number * SECOND
            await screen.send(structs.replace(running, at_ns=at_ns, status=Status.PAUSED, simulation=kept))
            drawn.add(screen.text("timeline"))
        (text,) = drawn
        assert "s7" not in text
        assert "asleep" in text
        assert "queued" not in text
        assert lane(screen, "w1").rstrip().endswith("%")


async def test_a_stretch_with_both_modes_has_the_signs_and_lanes_of_both(opened: Open) -> None:
    async with opened(200, 60) as screen:
        snapshot = make_snapshot(mode=Mode.SINGLE_WRITER, writers=2, readers=0)
        simulation = snapshot.simulation
        assert simulation is not None
        lanes = structs.replace(simulation.lanes, mode=Mode.CONTENDED)
        await screen.send(structs.replace(snapshot, simulation=structs.replace(simulation, lanes=lanes)))
        legend = next(row for row in screen.text("timeline").splitlines() if " holds " in row)
        assert all(word in legend for word in ("asleep", "looks", "queued"))
        assert "awake" not in legend
        assert lane(screen, "s3")


@pytest.mark.parametrize("writers", [1, 16])
async def test_what_the_signs_mean_stands_below_the_lanes_wherever_a_row_is_left(opened: Open, writers: int) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot(writers=writers, readers=0))
        height = screen.app.query_one("#timeline").size.height
        assert (height < 10) is (writers == 1)
        title, *rows = screen.text("timeline").splitlines()
        assert [" holds " in row and "looks" in row for row in rows if row].count(True) == 1
        assert "holds" not in title


async def test_of_the_keys_as_many_stand_in_the_title_as_fit(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for most_events, word in ((10_000, "exact"), (1, "sampled")):
        monkeypatch.setattr(lane_picture, "MOST_EVENTS", most_events)
        for width, keys in ((120, ["zoom"]), (200, ["zoom", "left right the past"])):
            async with opened(width, 40) as screen:
                await screen.send(make_snapshot())
                await screen.press("space")
                title = screen.text("timeline").splitlines()[0]
                assert f"250ms {word}" in title
                assert [key for key in ("zoom", "left right the past") if key in title] == keys


async def test_left_freezes_and_goes_back_event_by_event(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        await screen.press("left")
        assert "FROZEN" in screen.text("header")
        _, _, newest = view(screen)
        before = screen.text("timeline")
        await screen.send(make_snapshot(21))
        assert screen.text("timeline") == before, "the past stands still"
        backs = []
        for _ in range(12):
            await screen.press("left")
            backs.append(view(screen)[1])
        assert backs == sorted(backs)
        assert backs[-1] > 0, "the window goes back with the cursor"
        assert lane(screen, "w1").startswith("▸")
        assert "w1 waited" in screen.text("headline")
        await screen.press(*["right"] * 12)
        assert view(screen)[2] == newest
        await screen.press(*["right"] * 3)
        assert "no event further on" in screen.text("headline")
        await screen.press("space")
        assert view(screen)[1:] == (0, None)
        assert "FROZEN" not in screen.text("header")


async def test_the_cursor_goes_to_another_worker_at_about_the_same_time(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        await screen.press("left", "left", "down")
        event = screen.app._view.past.event
        assert event is not None
        assert event.worker == 2
        assert lane(screen, "w2").startswith("▸")


async def test_an_event_stays_in_sight_when_the_window_changes(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot())
        await screen.press(*["left"] * 8, "right_square_bracket", "left_square_bracket", "left_square_bracket")
        simulation = screen.app._view.simulation
        assert simulation is not None
        window_ns, back_ns, event = view(screen)
        own = simulation.lanes.lane(1)
        assert own is not None
        found = [one for chunk in own.chunks for one in chunk.transactions if one.number == event.number]  # type: ignore[attr-defined]
        end_ns = simulation.lanes.now_ns - LATENESS_NS - back_ns
        assert end_ns - window_ns <= found[0].done_ns <= end_ns


async def test_enter_tells_who_waited_on_which_rungs_and_who_held_meanwhile(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot())
        await screen.press("left")
        simulation = screen.app._view.simulation
        assert simulation is not None
        own = simulation.lanes.lane(1)
        assert own is not None
        retries = {one.number: one.retries for chunk in own.chunks for one in chunk.transactions}
        for _ in range(30):
            event = screen.app._view.past.event
            assert event is not None
            if retries[event.number] >= 3:
                break
            await screen.press("left")
        await screen.press("enter")
        assert isinstance(screen.app.screen, DetailScreen)
        page = "\n".join(screen.lines())
        for part in ("One transaction of w1", "busy retries", "rung 3", "slept", "got it", "held it 1 time", "free"):
            assert part in page, part
        await screen.press("escape")
        assert not isinstance(screen.app.screen, DetailScreen)


def test_in_a_queue_the_others_are_served() -> None:
    lock = Meanwhile((MeanwhileHeld(6, "w6", 2, 3_000_000),), 3_000_000, 1_000_000, 0)
    for is_queue, words in ((True, "was served 2 times"), (False, "held it 2 times")):
        lines = lock_lines(lock, 4_000_000, asleep=False, is_queue=is_queue)
        assert words in "".join(segment.text for segment in lines[0].text)


async def test_a_worker_without_events_says_so(opened: Open) -> None:
    async with opened(200, 60) as screen:
        await screen.send(make_snapshot(starving=1))
        await screen.press(*["down"] * 15, "left")
        assert "w16 has waited" in screen.text("headline")


@pytest.mark.parametrize("glyphs", ["braille", "block", "ascii"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (62, 30)])
async def test_it_draws_at_any_size_and_height(opened: Open, size: tuple[int, int], glyphs: str) -> None:
    async with opened(*size, glyphs=glyphs) as screen:
        assert isinstance(screen.app, SimulateApp)
        screen.app.toggle_panel("timeline")
        screen.app.toggle_panel("timeline")
        await screen.send(make_snapshot(starving=2))
        panel = screen.app.query_one(LanesPanel)
        for height in range(1, 25):
            rows = panel.draw(screen.app._view, size[0], height)
            assert len(rows) <= height
        text = screen.text("timeline")
        assert not panel.display or "held" in text
        if glyphs == "ascii":
            assert text.isascii()


def starving_simulation(*waits_s: float, winner: int = 0) -> Simulation:
    """Writers that have waited so long, all others not at all; the winner did all that was done lately."""
    workers = tuple(
        Worker(number, 1, Role.WRITER, 0, WorkerState.WAITING, 0, round(wait_s * SECOND), starved=wait_s > 1)
        for number, wait_s in enumerate(waits_s, 1)
    )
    lanes = LaneRing(1, None, SECOND)
    for worker in workers:
        lanes.start(worker.id, Role.WRITER, 0)
        lanes.add_sample(SlotSample(SECOND, 1, 1, (0,), (0,), (WorkerSample(worker.id, WorkerState.WAITING, 0),)))
    lanes.add_batch(Batch(winner, Role.WRITER, 0, 1, 9 * SECOND, 9 * SECOND + 1, 100, 100), Mode.CONTENDED)
    period = Period("", Mode.CONTENDED, 1, 0, 1, workers=workers)
    frozen = lanes.freeze(10 * SECOND, Mode.CONTENDED)
    return Simulation("", Mode.CONTENDED, 1, period, period, period, lanes=frozen)


def chosen(simulation: Simulation, followed: int | None = None, in_sight: tuple[int, ...] = ()) -> list[int]:
    return [one.worker for one in chosen_lanes(simulation, 3, {Mode.CONTENDED}, followed, in_sight)]


def test_without_room_for_all_lanes_those_are_drawn_that_tell_most() -> None:
    assert chosen(starving_simulation(0, 0, 0, 0, 0)) == [1, 2, 3]
    waits = (0, 2, 0, 4, 3)
    assert chosen(starving_simulation(*waits)) == [2, 4, 5], "who starves, before who does not"
    assert chosen(starving_simulation(0, 2, 3, 4, 5)) == [3, 4, 5], "the longest"
    assert chosen(starving_simulation(*waits, winner=3)) == [3, 4, 5], "who takes all turns now, before who starves"
    assert chosen(starving_simulation(*waits, winner=3), followed=1) == [1, 3, 4], "the cursor's, before all"


def test_a_lane_stays_in_sight_until_its_place_is_needed() -> None:
    calm, one = starving_simulation(0, 0, 0, 0, 0), starving_simulation(0, 0, 0, 0, 5)
    assert chosen(one, in_sight=(1, 2, 3)) == [1, 2, 5]
    assert chosen(calm, in_sight=(1, 2, 5)) == [1, 2, 5]


async def test_the_live_lanes_have_the_worker_under_the_tables_cursor_once_it_was_moved(opened: Open) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot())
        assert " w12 " not in screen.text("timeline")
        await screen.press(*["down"] * 11)
        assert " w12 " in screen.text("timeline")
        assert "FROZEN" not in screen.text("header")
        await screen.send(make_snapshot(21))
        assert " w12 " in screen.text("timeline")
