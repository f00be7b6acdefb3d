"""Nothing on the screen is left unexplained: panels, keys, screens of their own."""

from __future__ import annotations

import pytest

from simulators.events import Mode
from sqlwatch.tui.common_guide import COMMON_GUIDE
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
        assert panel.EXPLANATION in panel.text.splitlines()[0]
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


async def test_the_help_tells_of_tables_log_and_exports(opened: Open, watched: Open) -> None:
    for opening in (opened, watched):
        async with opening(100, 160) as screen:
            await screen.press("question_mark")
            page = "\n".join(screen.lines())
            for title, _ in COMMON_GUIDE:
                assert title in page
