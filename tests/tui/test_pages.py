"""Pages above the panels: the help is kept between two looks, and a page follows the theme."""

from __future__ import annotations

from sqlwatch.charts.segment import Ink
from sqlwatch.tui.detail_screen import DetailScreen
from sqlwatch.tui.help_screen import HelpScreen
from sqlwatch.tui.inks import DARK, LIGHT, Inks
from sqlwatch.tui.log_screen import LogScreen
from sqlwatch.tui.text_page import TextPage
from tests.tui import observed as states
from tests.tui.conftest import Open, Screen
from tests.tui.fake import make_snapshot


def page(screen: Screen) -> str:
    """What is on screen, in one line."""
    return " ".join(" ".join(screen.lines()).split())


def backgrounds(screen: Screen) -> set[object]:
    """Return the colours behind the text of the page on screen, but for its scroll bar."""
    text = next(strip for strip in screen.app.screen._compositor.render_strips() if strip.text.strip())
    return {segment.style.bgcolor for segment in list(text)[:-1] if segment.style is not None}


async def test_the_help_is_laid_out_once_and_opens_at_its_top(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("question_mark")
        first = screen.app.screen
        top = screen.lines()
        await screen.press("end")
        assert screen.lines() != top
        await screen.press("escape")
        assert not isinstance(screen.app.screen, HelpScreen)
        await screen.press("question_mark")
        assert screen.app.screen is first
        assert screen.lines() == top


async def test_the_kept_help_fits_another_size(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("question_mark", "escape")
        await screen.pilot.resize_terminal(50, 24)
        await screen.press("question_mark")
        kept = screen.lines()
    async with opened(50, 24) as screen:
        await screen.send(make_snapshot())
        await screen.press("question_mark")
        assert screen.lines() == kept


async def test_the_kept_help_says_what_is_hidden_now(watched: Open) -> None:
    async with watched(120, 120) as screen:
        await screen.send(states.healthy())
        await screen.press("question_mark")
        before = page(screen)
        await screen.press("escape")
        await screen.send(states.unprivileged())
        await screen.press("question_mark")
        assert page(screen) != before


async def test_pages_follow_the_theme(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot(20))
        for key, kind in (("question_mark", HelpScreen), ("enter", DetailScreen), ("v", LogScreen)):
            screen.app.theme = DARK.name
            await screen.press(key)
            assert isinstance(screen.app.screen, kind)
            dark = Inks(ansi=False)[Ink.TEXT].bgcolor
            assert backgrounds(screen) == {dark}
            screen.app.theme = LIGHT.name
            await screen.pilot.pause()
            light = Inks(ansi=False, dark=False)[Ink.TEXT].bgcolor
            assert backgrounds(screen) == {light}, key
            await screen.press("escape")
        screen.app.theme = DARK.name
        await screen.pilot.pause()
        await screen.press("question_mark")
        assert backgrounds(screen) == {dark}, "kept, and the theme was changed meanwhile"


async def test_a_page_hides_what_is_below_it(opened: Open) -> None:
    async with opened(80, 24) as screen:
        await screen.send(make_snapshot(20))
        for key in ("question_mark", "enter", "v", "c"):
            await screen.press(key)
            assert screen.app.screen.styles.background.a == 1, f"{key}: panels are drawn with it, under a page"
            await screen.press("escape")


async def test_a_page_that_is_scrolled_stays_there_when_it_is_shown_anew(opened: Open) -> None:
    async with opened(80, 12) as screen:
        await screen.send(make_snapshot(20))
        await screen.press("enter", "down", "down")
        text = screen.app.screen.query_one(TextPage)
        at = text.scroll_offset.y
        assert at > 0
        await screen.send(make_snapshot(21))
        assert text.scroll_offset.y == at
