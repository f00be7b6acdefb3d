"""Garbage is collected at quiet moments: after a page was closed."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator

import pytest

from sqlwatch.tui.garbage import Collector
from sqlwatch.tui.log_screen import LogScreen
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot

PATIENCE_S = 30


@pytest.fixture
def no_other_collection() -> Iterator[None]:
    threshold = gc.get_threshold()
    gc.disable()
    yield
    gc.enable()
    gc.set_threshold(*threshold)
    gc.unfreeze()


async def test_a_closed_page_is_collected(opened: Open, no_other_collection: None) -> None:
    async with opened() as screen:
        Collector(screen.app).start()
        await screen.send(make_snapshot())
        await screen.press("v")
        assert isinstance(screen.app.screen, LogScreen)
        page = weakref.ref(screen.app.screen)
        await screen.press("escape")
        deadline = time.monotonic() + PATIENCE_S
        while page() is not None:
            assert time.monotonic() < deadline, "the closed page is still there"
            await screen.pilot.pause(0.02)
        assert not isinstance(screen.app.screen, LogScreen)
