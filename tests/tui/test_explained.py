"""Nothing on the screen is left unexplained: panels, keys, screens of their own."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.screen import ModalScreen

from simulators.events import Mode
from sqlwatch.charts.glyphs import BRAILLE
from sqlwatch.tui.common_guide import COMMON_GUIDE
from sqlwatch.tui.comparison_screen import ComparisonScreen
from sqlwatch.tui.confirm_screen import ConfirmScreen
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.filter_screen import FilterScreen
from sqlwatch.tui.help_screen import HelpScreen
from sqlwatch.tui.lesson_picker import LessonPicker
from sqlwatch.tui.log_screen import LogScreen
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.panel import Panel
from tests.tui import observed
from tests.tui.conftest import Open, Screen
from tests.tui.fake import make_snapshot


async def explained(screen: Screen) -> None:
    """Every panel says in its title line what it shows, whole, while it has the focus and the screen."""
    panels = list(screen.app.query(Panel))
    assert len(panels) >= 6
    for panel in panels:
        assert panel.TITLE
        assert panel.EXPLANATION
        panel.can_focus = True
        panel.focus()
        await screen.press("f")
        assert panel.TITLE in panel.text.splitlines()[0]
        assert panel.EXPLANATION.format(**BRAILLE.signs) in panel.text.splitlines()[0]
        await screen.press("f")


async def test_every_panel_of_simulate_explains_itself(opened: Open) -> None:
    async with opened(120, 60) as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        await explained(screen)


async def test_every_panel_of_watch_explains_itself(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(observed.pinned())
        await explained(screen)


async def test_every_panel_has_a_number_key_of_its_title(opened: Open, watched: Open) -> None:
    for opening in (opened, watched):
        async with opening() as screen:
            for number, name in enumerate(screen.app.PANELS, 1):
                if name == "lesson":
                    continue  # it has the key L
                (key,) = (key for key in screen.app.KEYS if key.action == f"toggle_panel({number})")
                title = screen.app.query_one(f"#{name}", Panel).TITLE
                assert key.description.lower() == f"panel: {title}".lower()


async def test_the_palette_finds_every_action(opened: Open, watched: Open) -> None:
    for opening in (opened, watched):
        async with opening() as screen:
            titles = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
            for key in screen.app.KEYS:
                if key.action != "command_palette":
                    assert key.description.capitalize() in titles


async def palette_titles(screen: Screen) -> list[str]:
    return [command.title for command in screen.app.get_system_commands(screen.app.screen)]


PAGES = {"v": LogScreen, "c": ComparisonScreen, "enter": DetailScreen, "question_mark": HelpScreen}


@pytest.mark.parametrize("key", PAGES)
async def test_the_palette_of_a_page_finds_its_own_actions_and_all_others(opened: Open, key: str) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        await screen.press(key)
        page = screen.app.screen
        assert isinstance(page, PAGES[key])
        titles = await palette_titles(screen)
        assert len(titles) == len(set(titles)), "nothing is offered twice"
        for binding in page.own_bindings():
            if binding.action != "app.command_palette":
                assert binding.description.capitalize() in titles
        bound = {binding.action.removeprefix("app.") for binding in page.own_bindings()}
        for one in screen.app.KEYS:
            if one.action not in bound:
                assert one.description.capitalize() in titles
        await screen.press("ctrl+p")
        assert isinstance(screen.app.screen, CommandPalette)
        await screen.press("escape")
        assert screen.app.screen is page


def screens() -> list[type[PageScreen]]:
    found = PageScreen.__subclasses__()
    return [*found, *(below for one in found for below in one.__subclasses__())]


def test_every_page_is_tried_above() -> None:
    assert set(screens()) == set(PAGES.values())
    assert {kind for kind in ModalScreen.__subclasses__() if kind.__module__.startswith("sqlwatch.")} == {
        PageScreen, FilterScreen, LessonPicker, ConfirmScreen,
    }, "what is no page asks for one thing, and says its keys"  # fmt: skip


async def test_an_action_of_the_dashboard_closes_the_page_above_it(opened: Open) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press("c")
        commands = {one.title: one.callback for one in screen.app.get_system_commands(screen.app.screen)}
        commands["The event log"]()
        await screen.pilot.pause()
        await screen.pilot.pause()
        assert isinstance(screen.app.screen, LogScreen)
        assert len(screen.app.screen_stack) == 2
        commands = {one.title: one.callback for one in screen.app.get_system_commands(screen.app.screen)}
        commands["Freeze the display"]()
        await screen.pilot.pause()
        await screen.pilot.pause()
        assert isinstance(screen.app.screen, LogScreen), "what the page does itself leaves it open"
        assert "FROZEN" in screen.text("header")


@pytest.mark.parametrize("words", ["sort the table", "the event log", "export what is on screen", "show the detail"])
async def test_an_action_is_found_by_its_words_and_done(opened: Open, words: str) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        (command,) = (one for one in screen.app.get_system_commands(screen.app.screen) if one.title.lower() == words)
        before = (len(screen.app.screen_stack), screen.text("headline"))
        command.callback()
        await screen.pilot.pause()
        await screen.pilot.pause()
        assert (len(screen.app.screen_stack), screen.text("headline")) != before


async def test_the_help_tells_of_grey_cells_and_of_ten_or_more(opened: Open) -> None:
    async with opened(100, 160) as screen:
        await screen.press("question_mark")
        page = " ".join(" ".join(screen.lines()).split())
        assert "The first ones are grey: the warm-up (--warm-up)" in page
        assert "+ stands for ten or more" in page


async def test_the_help_tells_of_tables_log_and_exports(opened: Open, watched: Open) -> None:
    for opening in (opened, watched):
        async with opening(100, 160) as screen:
            await screen.press("question_mark")
            page = "\n".join(screen.lines())
            for title, _ in COMMON_GUIDE:
                assert title in page
