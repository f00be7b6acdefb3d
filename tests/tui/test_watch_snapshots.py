"""Pictures of whole screens; after a wanted change make them again with `pytest tests/tui --snapshot-update`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.watch_app import WatchApp
from tests.tui import observed as states
from tests.tui.test_snapshots import Canned, Compare

CASES: dict[str, tuple[Callable[[], Snapshot], tuple[int, int], str]] = {
    "idle-writer": (states.idle_writer, (120, 40), "braille"),
    "pinned-80x24": (states.pinned, (80, 24), "braille"),
    "wide": (states.healthy, (200, 50), "block"),
}


@pytest.mark.parametrize("case", CASES)
def test_screen(case: str, snap_compare: Compare) -> None:
    make, size, glyphs = CASES[case]
    app = WatchApp(Canned(make()), headline=states.verdict, findings=states.findings, glyphs=glyphs)

    async def drawn(pilot: Pilot[Any]) -> None:
        while app._live.snapshot is None:
            await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=drawn)
