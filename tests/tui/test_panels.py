"""Panels that are hidden, shown, and given all the room."""

from __future__ import annotations

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.tui.modes_panel import ModesPanel
from sqlwatch.tui.panel import Panel
from tests.tui import observed
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot


async def test_a_number_hides_its_panel_and_shows_it_again(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        assert screen.app.query_one("#wal").display
        before = screen.app.query_one("#throughput").size.width
        await screen.press("3")
        assert not screen.app.query_one("#wal").display
        assert screen.app.query_one("#throughput").size.width > before
        assert "WAL: hidden" in screen.text("headline")
        await screen.press("3")
        assert screen.app.query_one("#wal").display
        assert "checkpoints" in screen.text("wal") or "file" in screen.text("wal")


async def test_a_panel_without_room_makes_room_when_it_is_asked_for(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        assert not screen.app.query_one("#modes").display
        await screen.press("5")
        assert "Jain" in screen.text("modes")
    async with opened(40, 10) as screen:
        await screen.send(make_snapshot())
        await screen.press("5")
        assert "no room" in screen.text("headline")


async def test_f_gives_one_panel_all_the_room(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("tab", "tab", "f")
        shown = [widget.id for widget in screen.app.query(Panel) if widget.display]
        assert shown == ["throughput"]
        assert screen.app.query_one("#throughput").size.height >= 18
        await screen.press("f")
        assert screen.app.query_one("#workers").display


async def test_the_last_panel_in_sight_stays(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press(*"1234567")
        assert sum(panel.display for panel in screen.app.query(Panel)) == 1
        assert "stays" in screen.text("headline")


async def test_the_compared_modes_keep_their_heads_under_the_explanation(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        heads = screen.text("modes").splitlines()[0].partition("  ")[2]
        assert heads.split() == ["contended", "single-writer", "ratio"]
        panel = screen.app.query_one("#modes", ModesPanel)
        panel.focus()
        for key in ("left_square_bracket", "f"):
            await screen.press(key)
            title, row, first = screen.text("modes").splitlines()[:3]
            assert "ratio: times the first" in title
            assert row.split() == heads.split()
            assert row.index("single-writer") + len("single-writer") == first.index("338/s") + len("338/s")


@pytest.mark.parametrize("name", ["throughput", "wal"])
async def test_the_axis_reaches_the_figure_in_the_title(opened: Open, name: str) -> None:
    async with opened() as screen:
        snapshot = make_snapshot(1)
        wal = msgspec.structs.replace(snapshot.wal, file_bytes=14 * 2**20)
        await screen.send(msgspec.structs.replace(snapshot, commits_per_s=823.0, wal=wal))
        title, top = screen.text(name).splitlines()[:2]
        assert ("823/s" if name == "throughput" else "14MiB") in title
        assert top.split("│")[0].strip() == ("1.0k/s" if name == "throughput" else "20MiB")


async def test_the_axes_of_a_watched_database_reach_the_figures_in_the_titles(watched: Open) -> None:
    async with watched() as screen:
        snapshot = observed.healthy()
        wal = msgspec.structs.replace(snapshot.wal, file_bytes=900 * 2**20)
        await screen.send(msgspec.structs.replace(snapshot, commits_per_s=82_300.0, wal=wal))
        for name, now, top in (("commits", "82k/s", "100k/s"), ("wal", "900MiB", "1.0GiB")):
            assert now in screen.text(name).splitlines()[0]
            assert any(row.split("│")[0].strip() == top for row in screen.text(name).splitlines()[1:])
