"""The throughput: colours of the modes that ran, and none for a warm-up between two of them; marks of pauses."""

from __future__ import annotations

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.charts.segment import Ink
from sqlwatch.metrics.snapshot import Mark, MarkKind, Pause
from sqlwatch.tui.panel import Panel
from sqlwatch.tui.phases import inks_over_time
from tests.tui.conftest import Open
from tests.tui.fake import SECOND, STARTED_NS, make_snapshot


def test_a_warm_up_has_the_colour_of_no_mode() -> None:
    snapshot = make_snapshot(20, mode=Mode.SINGLE_WRITER, switched_after=10)
    simulation = snapshot.simulation
    assert simulation is not None
    timeline = msgspec.structs.replace(snapshot.timeline, period_ns=SECOND, end_ns=STARTED_NS + 20 * SECOND)
    assert inks_over_time(timeline, simulation, 22) == (
        [Ink.SERIES] * 2 + [Ink.CONTENDED] * 10 + [Ink.SINGLE_WRITER] * 10
    )
    first = msgspec.structs.replace(simulation.ended_phases[0], until_ns=STARTED_NS + 7 * SECOND)
    warmed_up = msgspec.structs.replace(simulation, ended_phases=(first,))
    assert inks_over_time(timeline, warmed_up, 20) == (
        [Ink.CONTENDED] * 7 + [Ink.SERIES] * 3 + [Ink.SINGLE_WRITER] * 10
    )


async def test_a_pause_is_marked_with_its_length_on_both_charts(opened: Open) -> None:
    snapshot = make_snapshot(20)
    for until_ns, words in ((None, "│ paused──"), (STARTED_NS + 15 * SECOND, "│ paused 5.0s──")):
        pauses = (
            Pause(STARTED_NS + 3 * SECOND, STARTED_NS + 3 * SECOND + 1),
            Pause(STARTED_NS + 10 * SECOND, until_ns),
        )
        timeline = msgspec.structs.replace(snapshot.timeline, pauses=pauses, marks=())
        async with opened(120, 40) as screen:
            await screen.send(msgspec.structs.replace(snapshot, timeline=timeline))
            for panel in ("throughput", "wal"):
                assert words in screen.text(panel)
                assert screen.text(panel).count("paused") == 1, "one that is shorter than a cell leaves no gap"


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_every_mark_of_the_wal_that_is_in_sight_is_named_where_there_is_room(opened: Open, glyphs: str) -> None:
    signs = GLYPH_SETS[glyphs]
    seconds = (
        (MarkKind.CHECKPOINT, 9.0), (MarkKind.WAL_RESET, 9.25), (MarkKind.CHECKPOINT, 14), (MarkKind.WAL_RESET, 14),
    )  # fmt: skip
    marks = tuple(Mark(STARTED_NS + round(at * SECOND), kind, "") for kind, at in seconds)
    snapshot = make_snapshot(20)
    for chosen, named in ((marks, "c r b"), (marks[:1], "c"), ((), "")):
        timeline = msgspec.structs.replace(snapshot.timeline, marks=chosen)
        async with opened(200, 50, glyphs=glyphs) as screen:
            await screen.send(msgspec.structs.replace(snapshot, timeline=timeline))
            title = screen.text("wal").splitlines()[0]
            for sign, glyph, words in (
                ("c", signs.checkpoint, "checkpoint"), ("r", signs.reset, "reset"),
                ("b", signs.both, "checkpoint+reset"),
            ):  # fmt: skip
                assert (f" {glyph} {words} " in title) is (sign in named.split()), (title, words)
    async with opened(120, 40, glyphs=glyphs) as screen:
        await screen.send(snapshot)
        assert f" {signs.both} checkpoint+reset" in screen.text("wal").splitlines()[0]
        screen.app.query_one("#wal", Panel).focus()
        await screen.pilot.pause()
        title = screen.text("wal").splitlines()[0]
        assert f"{signs.checkpoint} checkpoint, {signs.reset} reset, {signs.both} both" in title
