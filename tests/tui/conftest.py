"""The dashboard with a fake session, at any size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from textual.pilot import Pilot

from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.watch_app import WatchApp
from tests.tui import observed
from tests.tui.fake import FakeSession, headline


class Screen:
    """A running dashboard and what to do with it."""

    def __init__(self, app: DashboardApp, pilot: Pilot[None], session: FakeSession) -> None:
        self.app = app
        self.pilot = pilot
        self.session = session

    async def send(self, snapshot: Snapshot) -> None:
        """Send a Snapshot and wait until it is drawn."""
        self.app._drawn_s = 0.0  # no waiting for the next frame: tests send as fast as they like
        self.session.send(snapshot)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def text(self, name: str) -> str:
        """What a panel shows."""
        return self.app.screen_stack[0].query_one(f"#{name}", Rows).text

    def lines(self) -> list[str]:
        """The whole screen as the terminal would show it."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        lines = ["".join(segment.text for segment in strip) for strip in strips]
        assert len(lines) == height
        assert all(len(line) == width for line in lines)
        return lines


Open = Callable[..., AbstractAsyncContextManager[Screen]]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the looks the same on every machine."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def opened() -> Open:
    """Return a way to open the dashboard at a size."""

    return opening(lambda session, glyphs: SimulateApp(session, headline=headline, glyphs=glyphs))


@pytest.fixture
def watched() -> Open:
    """Return a way to open the dashboard of an observed database at a size."""
    judged = {"headline": observed.verdict, "findings": observed.findings}
    return opening(lambda session, glyphs: WatchApp(session, **judged, glyphs=glyphs))


def opening(make: Callable[[FakeSession, str], DashboardApp]) -> Open:
    """Return a way to open what `make` makes, at a size."""

    @asynccontextmanager
    async def open_at(width: int = 120, height: int = 40, *, glyphs: str = "braille") -> AsyncIterator[Screen]:
        session = FakeSession()
        app = make(session, glyphs)
        async with app.run_test(size=(width, height)) as pilot:
            await pilot.pause()
            assert session.calls == ["start"]
            yield Screen(app, pilot, session)

    return open_at
