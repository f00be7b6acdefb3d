"""Pictures of whole screens; after a wanted change make them again with `pytest tests/tui --snapshot-update`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from simulators.events import Mode
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.app import SimulateApp
from tests.tui.fake import FakeSession, headline, make_snapshot
from tests.tui.lessons import LESSON, last_snapshot, lesson_snapshot

Compare = Callable[..., bool]


class Canned(FakeSession):
    """A session that sends one Snapshot as soon as it starts."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self._snapshot = snapshot

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        super().start(on_snapshot)
        on_snapshot(self._snapshot)


def both_modes() -> Snapshot:
    return make_snapshot(45, mode=Mode.SINGLE_WRITER, switched_after=25)


CASES: dict[str, tuple[Callable[[], Snapshot], tuple[int, int], str, list[str]]] = {
    "contended": (lambda: make_snapshot(20), (120, 40), "braille", []),
    "both-modes": (both_modes, (120, 40), "braille", []),
    "wide": (lambda: make_snapshot(60, starving=5), (200, 50), "block", []),
    "starving-80x24": (lambda: make_snapshot(20, starving=3), (80, 24), "braille", []),
    "both-modes-80x24": (both_modes, (80, 24), "block", []),
    "small": (lambda: make_snapshot(20, starving=3), (40, 12), "braille", []),
    "ascii": (both_modes, (100, 40), "ascii", []),
    "frozen": (lambda: make_snapshot(20), (80, 24), "braille", ["space"]),
    "past": (lambda: make_snapshot(20, starving=2), (120, 45), "block", ["left", "left", "left", "left"]),
    "worker": (lambda: make_snapshot(20, starving=2), (120, 40), "braille", ["down", "enter"]),
    "events-80x24": (lambda: make_snapshot(20), (80, 24), "braille", ["v"]),
    "kill": (lambda: make_snapshot(20), (80, 24), "braille", ["down", "K"]),
    "help": (lambda: make_snapshot(20), (80, 24), "braille", ["question_mark"]),
    "ended": (
        lambda: make_snapshot(30, status=Status.ENDED, message="The databases reached --max-size (2GiB)."),
        (80, 24), "braille", [],
    ),
}  # fmt: skip


LESSON_CASES: dict[str, tuple[Callable[[], Snapshot], tuple[int, int], list[str]]] = {
    "lesson": (lambda: lesson_snapshot(1, repeat=1), (120, 40), []),
    "comparison": (last_snapshot, (120, 60), []),
    "comparison-80x24": (last_snapshot, (80, 24), ["pagedown"]),
}


@pytest.mark.parametrize("case", LESSON_CASES)
def test_lesson(case: str, snap_compare: Compare) -> None:
    make, size, keys = LESSON_CASES[case]
    app = SimulateApp(Canned(make()), headline=headline, lesson=LESSON)

    async def drawn(pilot: Pilot[Any]) -> None:
        while app._live.snapshot is None or app._live.snapshot.lesson is None:
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=drawn)


@pytest.mark.parametrize("case", CASES)
def test_screen(case: str, snap_compare: Compare) -> None:
    make, size, glyphs, keys = CASES[case]
    app = SimulateApp(Canned(make()), headline=headline, glyphs=glyphs)

    async def drawn(pilot: Pilot[Any]) -> None:
        while app._live.snapshot is None:
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=drawn)
