"""The panels beside a lesson: what is left out, what was switched by hand, and its phases side by side."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from simulators.events import Mode
from simulators.scenario import Scenario, builtin, parse
from sqlwatch.charts.glyphs import BRAILLE
from sqlwatch.cli.lesson import lesson_headline
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.compared_phases import side_phases
from sqlwatch.tui.inks import Inks
from sqlwatch.tui.modes_panel import FIGURES, ModesPanel
from sqlwatch.tui.view import View
from tests.tui.conftest import Open, opening
from tests.tui.fake import headline
from tests.tui.lessons import LESSON, ended_phases, lesson_snapshot

Taught = Callable[..., Open]


@pytest.fixture
def taught() -> Taught:
    """Return a way to say of which lesson the dashboard shall be opened."""

    def of(lesson: Scenario = LESSON) -> Open:
        return opening(lambda session, glyphs: SimulateApp(session, headline=headline, glyphs=glyphs, lesson=lesson))

    return of


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_after_m_the_panel_says_that_it_is_not_the_lesson(taught: Taught, size: tuple[int, int]) -> None:
    async with taught()(*size) as screen:
        await screen.send(lesson_snapshot(switched_to=Mode.SINGLE_WRITER))
        text = " ".join(screen.text("lesson").split())
        assert "NOW contended, switched" in text
        assert "m has switched to single-writer: that counts for nothing in the lesson." in text
        assert "The row 'waiting'" not in text, "what to watch in the phase's own mode"


def test_the_headline_tells_a_phase_from_what_was_switched_in_it() -> None:
    words = lesson_headline(LESSON)
    assert not words(lesson_snapshot()).startswith("switched")
    assert words(lesson_snapshot(switched_to=Mode.SINGLE_WRITER)).startswith("switched in contended: ")


async def test_the_phases_of_the_lesson_stand_side_by_side_as_they_run(taught: Taught) -> None:
    async with taught()() as screen:
        await screen.send(lesson_snapshot())
        head = screen.text("modes").splitlines()[0].split()[-3:]
        assert head == ["contended", "to", "come"]
        await screen.send(lesson_snapshot(status=Status.STOPPING))
        assert screen.text("modes").splitlines()[0].split()[-3:] == head, "it stays while the phase ends"
        await screen.send(lesson_snapshot(1))
        head = screen.text("modes").splitlines()[0].split()[-3:]
        assert head == ["single-writer", "contended", "ratio"], "the lesson measures against single-writer"


@pytest.mark.parametrize("width", [63, 70, 77, 78, 120])
def test_labels_and_the_ratio_go_before_a_third_column(width: int) -> None:
    snapshot = lesson_snapshot(1)
    assert snapshot.simulation is not None
    third = msgspec.structs.replace(snapshot.simulation.phase, name="three", mode=None, started_ns=1)
    assert snapshot.lesson is not None
    phases = (*LESSON.phases, msgspec.structs.replace(LESSON.phases[0], name="three"))
    run = msgspec.structs.replace(snapshot.lesson, ended=((ended_phases()[0], third),))
    view = View(
        BRAILLE, msgspec.structs.replace(snapshot, lesson=run),
        lesson=Lesson(msgspec.structs.replace(LESSON, phases=phases), ()),
    )  # fmt: skip
    head, *rows = [
        "".join(part.text for part in row)
        for row in ModesPanel(Inks(ansi=False), view, id="modes").draw(view, width, 9)
    ]
    assert head.rstrip().endswith("ratio")
    assert ("three" in head) is (width >= 77)
    for figure, row in zip(FIGURES, rows, strict=True):
        assert row.startswith(f"  {figure.label} ")


def test_phases_of_one_mode_are_told_apart_and_the_base_stands_first() -> None:
    called = ("one", "two", "three", "four")
    phases = "".join(f'[[phases]]\nname = "{name}"\n' for name in called)
    effect = '[[effects]]\nsays = "s"\nfigure = "jain"\nof = "one"\nagainst = "three"\nat-least = 1\n'
    lesson = Lesson(parse(f"{phases}{effect}[workload]\nwriters = 2\nduration = '1s'\n", "x.toml"), ())
    first, _ = ended_phases()
    ended = tuple(
        msgspec.structs.replace(first, name=name, started_ns=first.started_ns + number)
        for number, name in enumerate((*called[:3], "switched in three: single-writer"))
    )
    snapshot = lesson_snapshot()
    assert snapshot.simulation is not None
    assert snapshot.lesson is not None
    live = msgspec.structs.replace(snapshot.simulation.phase, name="four", started_ns=first.started_ns + 9)
    snapshot = msgspec.structs.replace(
        snapshot,
        simulation=msgspec.structs.replace(snapshot.simulation, phase=live),
        lesson=msgspec.structs.replace(snapshot.lesson, ended=(ended,)),
    )
    view = View(BRAILLE, snapshot, lesson=lesson)
    assert [period.name for period in side_phases(view, 3)] == ["three", "two", "four"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (200, 50)])
async def test_what_has_no_room_ends_in_whole_and_is_said_to_go_on(taught: Taught, size: tuple[int, int]) -> None:
    long = msgspec.structs.replace(LESSON, expect=builtin("starvation").expect)
    async with taught(long)(*size) as screen:
        await screen.send(lesson_snapshot())
        text = " ".join(screen.text("lesson").split())
        assert "enter here: all of it" in text
        means, more, rest = text.partition("means ")[2].partition(" enter here: all of it")
        assert not more or (means.endswith((".", "…")) and not rest)
        if size[0] >= 120:
            assert means.endswith("look only every 100 ms." if size[0] == 120 else "(0.083 of 12)."), means
    async with taught()(*size) as screen:
        await screen.send(lesson_snapshot())
        assert ("all of it" in screen.text("lesson")) is (size[0] == 80), "at the others nothing is left out"
