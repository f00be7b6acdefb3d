"""The throughput: colours of the modes that ran, and none for a warm-up between two of them; marks of pauses."""

from __future__ import annotations

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.charts.segment import Ink, plain
from sqlwatch.charts.series import Happening, Series, time_chart
from sqlwatch.metrics.snapshot import Mark, MarkKind, Pause
from sqlwatch.tui.panel import Panel
from sqlwatch.tui.phases import inks_over_time, stretches_of
from tests.tui.conftest import Open
from tests.tui.fake import SECOND, STARTED_NS, make_snapshot


def test_a_warm_up_has_the_colour_of_no_mode() -> None:
    snapshot = make_snapshot(20, mode=Mode.SINGLE_WRITER, switched_after=10)
    simulation = snapshot.simulation
    assert simulation is not None
    timeline = msgspec.structs.replace(snapshot.timeline, period_ns=SECOND, end_ns=STARTED_NS + 20 * SECOND)
    assert inks_over_time(timeline, stretches_of(simulation), 22) == (
        [Ink.SERIES] * 2 + [Ink.CONTENDED] * 10 + [Ink.SINGLE_WRITER] * 10
    )
    first = msgspec.structs.replace(simulation.ended_phases[0], until_ns=STARTED_NS + 7 * SECOND)
    warmed_up = msgspec.structs.replace(simulation, ended_phases=(first,))
    assert inks_over_time(timeline, stretches_of(warmed_up), 20) == (
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


async def test_the_pause_that_goes_on_and_the_longest_are_named_before_short_ones(opened: Open) -> None:
    snapshot = make_snapshot(20)
    ended = tuple(
        Pause(STARTED_NS + round(at_s * SECOND), STARTED_NS + round(until_s * SECOND))
        for at_s, until_s in ((3, 8), (9, 10), (11, 12))
    )
    for last_s, words in ((15, "│────│───────│ paused──"), (19.5, "│ paused──paused │")):
        pauses = (*ended, Pause(STARTED_NS + round(last_s * SECOND), None))
        timeline = msgspec.structs.replace(snapshot.timeline, pauses=pauses, marks=())
        async with opened(120, 40) as screen:
            await screen.send(msgspec.structs.replace(snapshot, timeline=timeline))
            for panel in ("throughput", "wal"):
                text = screen.text(panel)
                assert words in text
                assert "│ paused──" in text, "the longest: left of its bar nobody paused, and right of it is less room"


def test_words_take_their_places_in_order_of_importance() -> None:
    def drawn(*happenings: tuple[int, str]) -> str:
        marks = [Happening(ago_s * SECOND, "|", Ink.STRONG, words, words.split(" ")[0]) for ago_s, words in happenings]
        series = Series([1.0] * 30, SECOND, [Ink.SERIES] * 30)
        return plain(time_chart(series, 37, 3, GLYPH_SETS["ascii"], write=str, happenings=marks)[-1])[7:]

    assert drawn((20, "long"), (6, "short")) == "----------| long--short |-----"
    assert drawn((3, "goes on"), (14, "short"), (28, "first")) == "-| first--short |--goes on |--"
    assert drawn((14, "short"), (3, "goes on"), (28, "first")) == "-| first--------| short----|--"
    assert drawn((14, "much too long"), (3, ""), (28, "first")) == "-| first--------| much-----|--"


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
