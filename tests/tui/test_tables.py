"""Sorting and filtering the tables of both dashboards."""

from __future__ import annotations

import pytest

from sqlwatch.tui.filter_screen import FilterScreen
from sqlwatch.tui.worker_table import WorkerTable
from tests.tui import observed
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot


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


async def test_the_sort_is_said_also_where_there_is_no_title(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        screen.app.query_one(WorkerTable).focus()
        await screen.press("s")
        assert "by current wait" in screen.text("workers").splitlines()[0]


async def test_a_table_out_of_sight_is_not_sorted_or_filtered(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("4")
        for key in ("s", "slash"):
            await screen.press(key)
            assert "not in sight" in screen.text("headline")
        assert len(screen.app.screen_stack) == 1
