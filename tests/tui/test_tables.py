"""Sorting and filtering the tables of both dashboards."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.charts.segment import plain
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.confirm_screen import ConfirmScreen
from sqlwatch.tui.filter_screen import FilterScreen
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.view import View
from sqlwatch.tui.worker_table import WorkerTable
from tests.tui import observed
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot, make_workers


def order_of(text: str) -> list[int]:
    """Numbers of the workers as the table lists them."""
    first = [line.removeprefix("▸").split()[:1] for line in text.splitlines()]
    return [int(words[0]) for words in first if words and words[0].isdigit()]


async def test_a_filter_is_typed_and_kept_and_taken_away(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("slash")
        assert isinstance(screen.app.screen, FilterScreen)
        await screen.press(*"read")
        assert order_of(screen.text("workers")) == [17, 18]
        assert "filter: read" in screen.text("workers")
        await screen.press("enter")
        assert not isinstance(screen.app.screen, FilterScreen)
        assert order_of(screen.text("workers")) == [17, 18]
        assert screen.session.calls == ["start"], "what is typed is no order"
        await screen.press("escape")
        assert "filter" not in screen.text("workers")
        assert order_of(screen.text("workers"))[0] == 1


@pytest.mark.parametrize(
    ("presses", "words", "first"),
    [(1, "by current wait", 14), (2, "by share", 1), (3, "by longest wait", 14), (4, "by busy errors", 2)],
)
async def test_s_sorts_the_workers_and_says_how(opened: Open, presses: int, words: str, first: int) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot(starving=3))
        assert order_of(screen.text("workers"))[:2] == [1, 2]
        await screen.press(*["s"] * presses)
        assert words in screen.text("workers")
        assert f"workers {words}" in screen.text("headline")
        assert order_of(screen.text("workers"))[0] == first
        await screen.press(*["s"] * (5 - presses))
        assert words not in screen.text("workers")
        assert order_of(screen.text("workers"))[:2] == [1, 2]


async def test_the_processes_are_sorted_and_filtered_too(watched: Open) -> None:
    async with watched(120, 40) as screen:
        await screen.send(observed.healthy())
        await screen.press("s")
        assert "by pid" in screen.text("processes")
        pids = order_of(screen.text("processes"))
        assert len(pids) > 1
        assert pids == sorted(pids)
        await screen.press("slash", *str(pids[-1]), "enter")
        assert order_of(screen.text("processes")) == pids[-1:]
        assert f"filter: {pids[-1]}  by pid" in screen.text("processes")


async def test_a_filter_that_nothing_passes_says_so(opened: Open, watched: Open) -> None:
    for opening, name, snapshot in (
        (opened, "workers", make_snapshot()), (watched, "processes", observed.healthy()),
    ):  # fmt: skip
        async with opening(40, 12) as screen:
            await screen.send(snapshot)
            await screen.press("slash", *"zzz", "enter")
            assert f"none of the {name} has 'zzz'" in screen.text(name)
            await screen.press("enter")
            assert "nothing is selected" in screen.text("headline")
            await screen.press("escape")
            assert order_of(screen.text(name))


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 40)])
@pytest.mark.parametrize("has_focus", [False, True])
async def test_sort_and_filter_are_said_in_a_title_and_cover_no_head(
    opened: Open, size: tuple[int, int], has_focus: bool
) -> None:
    async with opened(*size) as screen:
        await screen.send(make_snapshot())
        heads = [word for word in " ".join(screen.text("workers").splitlines()[:2]).split() if word.isalpha()]
        if has_focus:
            screen.app.query_one(WorkerTable).focus()
        await screen.press("s")
        assert "by current wait" in screen.text("workers").splitlines()[0]
        await screen.press("slash", *"writer", "enter")
        title, heading, *rows = screen.text("workers").splitlines()
        assert "filter: writer" in title
        assert "by current wait" in title or size[0] == 40
        assert heading.split()[:5] == ["#", "role", "state", "waits", "done"]
        assert {"share", "longest", "busy"} & set(heads) == {"share", "longest", "busy"} & set(heading.split())
        assert rows


def test_what_is_in_view_is_said_where_it_covers_no_head() -> None:
    table = WorkerTable(Inks(ansi=False), View(GLYPH_SETS["ascii"]), id="workers")
    assert plain(table.heading("   # role  busy    ", "1-5/11", 23)) == "   # role  busy  1-5/11"
    assert table.said_first() == []
    assert plain(table.heading("   # role  busy    ", "1-5/11", 22)) == "   # role  busy       "
    assert [plain(row) for row in table.said_first()] == ["1-5/11"]
    assert plain(table.heading(" command            pins", "1-5/11", 24)) == " command  1-5/11    pins"
    assert table.said_first() == []


def contended(at_s: float, waits_s: Mapping[int, float], shares: Mapping[int, float], *, writers: int = 16) -> Snapshot:
    """Writers of which some have waited for so long, starved from a second on, and some take such shares of all."""
    workers = tuple(
        msgspec.structs.replace(
            worker, current_wait_ns=int(waits_s.get(worker.id, 0.0) * 1e9), starved=waits_s.get(worker.id, 0.0) >= 1,
            share=shares.get(worker.id, 0.0) if worker.share is not None else None,
        )
        for worker in make_workers(at_s, Mode.CONTENDED, writers, 2)
    )  # fmt: skip
    return make_snapshot(at_s, workers=workers)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_who_takes_every_turn_is_in_sight_together_with_who_starves(opened: Open, size: tuple[int, int]) -> None:
    starved = {number: 3.0 for number in range(1, 31) if number != 29}
    async with opened(*size) as screen:
        await screen.send(contended(20, {}, {}, writers=30))
        await screen.send(contended(30, starved, {29: 0.97}, writers=30))
        rows = screen.text("workers").splitlines()
        assert any("29 writer" in row and "97%" in row for row in rows)
        assert sum("STARVED" in row for row in rows) >= 3


async def test_rows_stay_while_nobody_else_has_to_be_seen(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(contended(19, {}, {}))
        await screen.send(contended(20, {12: 5.0, 13: 5.0, 14: 5.0}, {9: 0.9}))
        assert order_of(screen.text("workers")) == [1, 9, 12, 13, 14]
        await screen.send(contended(21, {2: 1.5, 12: 6.0, 13: 6.0, 14: 6.0, 3: 1.5, 4: 1.5}, {9: 0.9}))
        assert order_of(screen.text("workers")) == [1, 9, 12, 13, 14], "newcomers of the same rank push nobody out"
        await screen.send(contended(22, {13: 7.0, 14: 7.0}, {9: 0.8}))
        assert order_of(screen.text("workers")) == [1, 9, 12, 13, 14], "nobody else has to be seen"


async def test_the_cursor_does_not_wander_and_kill_names_its_worker(opened: Open) -> None:
    async with opened(80, 24) as screen:
        table = screen.app.query_one(WorkerTable)
        await screen.send(contended(20, {5: 0.5}, {}))
        chosen = table.selected
        for second, waiting in ((21, {7: 4.0, 9: 2.0}), (22, dict.fromkeys(range(3, 17), 6.0)), (23, {16: 0.1})):
            await screen.send(contended(second, waiting, {11: 0.8}))
            assert table.selected == chosen
            (row,) = (line for line in screen.text("workers").splitlines() if line.startswith("▸") and "writer" in line)
            assert order_of(row) == [chosen]
        await screen.press("K")
        assert isinstance(screen.app.screen, ConfirmScreen)
        assert f"Kill worker {chosen}, a writer" in "\n".join(screen.lines())


@pytest.mark.parametrize("presses", range(1, 5))
async def test_a_sorted_table_is_sorted_with_the_cursor_on_top_until_it_is_moved(opened: Open, presses: int) -> None:
    async with opened(80, 24) as screen:
        table = screen.app.query_one(WorkerTable)
        await screen.send(contended(20, {5: 0.5}, {}))
        await screen.press("down", "down", *["s"] * presses)
        for second, waiting in ((21, {7: 4.0, 9: 2.0}), (22, dict.fromkeys(range(3, 17), 6.0)), (23, {16: 0.1})):
            snapshot = contended(second, waiting, {11: 0.8})
            await screen.send(snapshot)
            assert snapshot.simulation is not None
            expected = sorted(snapshot.simulation.phase.workers, key=table.sort.rank)  # type: ignore[type-var,arg-type]
            assert order_of(screen.text("workers")) == [worker.id for worker in expected[:4]]
            assert table.selected == expected[0].id
        await screen.press("K", "n")
        held = table.selected
        await screen.send(contended(24, {4: 3.0}, {12: 0.9}))
        assert table.selected == held, "what was asked about keeps the cursor"


async def test_a_table_out_of_sight_is_not_sorted_or_filtered(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("4")
        for key in ("s", "slash"):
            await screen.press(key)
            assert "not in sight" in screen.text("headline")
        assert len(screen.app.screen_stack) == 1
