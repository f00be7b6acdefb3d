"""Lessons in the dashboard: the panel, the phases by key, the comparison, and opening another lesson."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec
import pytest

from simulators.events import Mode
from simulators.scenario import Scenario, builtin, names
from sqlwatch.charts.segment import plain
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.comparison_screen import ComparisonScreen
from sqlwatch.tui.help_screen import HelpScreen
from sqlwatch.tui.lesson_picker import LessonPicker
from sqlwatch.tui.protocol import Opened
from tests.tui.conftest import Screen
from tests.tui.fake import FakeSession, headline, make_snapshot
from tests.tui.lessons import LESSON, ended_phases, last_snapshot, lesson_snapshot
from tests.tui.test_sizes import HOSTILE

SIZES = [(120, 40), (80, 24), (40, 12)]
PATIENCE_S = 20


class Opener:
    """Prepares lessons with fake sessions."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, FakeSession]] = []

    def __call__(self, name: str) -> Opened:
        session = FakeSession()
        self.opened.append((name, session))
        return Opened(session, lambda snapshot: f"{name}: {headline(snapshot)}", builtin(name))


Open = Callable[..., AbstractAsyncContextManager[Screen]]


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def taught(opener: Opener) -> Open:
    """Return a way to open the dashboard of a lesson at a size; without a lesson for None."""

    @asynccontextmanager
    async def open_at(
        width: int = 120, height: int = 40, *, lesson: Scenario | None = LESSON, glyphs: str = "braille"
    ) -> AsyncIterator[Screen]:
        session = FakeSession()
        app = SimulateApp(session, headline=headline, glyphs=glyphs, lesson=lesson, open_lesson=opener)
        async with app.run_test(size=(width, height)) as pilot:
            await pilot.pause()
            yield Screen(app, pilot, session)

    return open_at


async def until(screen: Screen, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await screen.pilot.pause(0.01)


def page(screen: Screen) -> str:
    """The text of the whole comparison, also what is scrolled out of sight."""
    assert isinstance(screen.app.screen, ComparisonScreen)
    lines = []
    for section in screen.app.screen._page:
        lines += [section.title, *(f"{label} {plain(row)}" for label, row in section.lines)]
    return "\n".join(lines)


@pytest.mark.parametrize("size", SIZES)
async def test_the_panel_says_which_phase_runs_and_what_to_watch_in_it(taught: Open, size: tuple[int, int]) -> None:
    async with taught(*size) as screen:
        assert "NOW  contended" in screen.text("lesson"), "also before the first Snapshot"
        await screen.send(lesson_snapshot())
        text = screen.text("lesson")
        assert "NOW  contended" in text
        assert "The row 'waiting'" in text, "what to watch in this phase"
        await screen.send(lesson_snapshot(1))
        text = screen.text("lesson")
        assert "NOW  single-writer" in text
        assert "The longest wait." in text, "a phase without words of its own has those of the lesson"
        if size[0] > 40:
            assert "done contended" in text
            assert "Sixteen writers want one lock" in text
            assert "n: next phase" in text
        if size[1] == 40:
            assert "queue  repeat 1 of 2" in text
            assert "who queues is called" in text


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_effects_are_judged_as_phases_end(taught: Open, size: tuple[int, int]) -> None:
    async with taught(*size) as screen:
        await screen.send(lesson_snapshot(1))
        assert "shown" not in screen.text("lesson").lower()
        await screen.send(lesson_snapshot(0, repeat=1))
        lines = screen.text("lesson").splitlines()
        shown = next(line for line in lines if line.startswith("shown"))
        assert "(at least 5x) longest wait: contended" in shown
        assert float(shown.split()[1].rstrip("x")) >= 5
        if size[1] == 40:
            assert any(line.startswith("NOT SHOWN") and "throughput" in line for line in lines)


async def test_l_hides_the_panel_and_shows_it_again(taught: Open) -> None:
    async with taught() as screen:
        panel = screen.app.query_one("#lesson")
        await screen.press("L")
        assert not panel.display
        await screen.press("L")
        assert panel.display


async def test_without_a_lesson_the_keys_say_so(taught: Open) -> None:
    async with taught(lesson=None) as screen:
        await screen.send(make_snapshot())
        assert not screen.app.query_one("#lesson").display
        for key, words in (
            ("L", "no lesson runs"),
            ("n", "only a lesson has phases"),
            ("N", "only a lesson has phases"),
        ):
            await screen.press(key)
            assert words in screen.text("headline")
        assert screen.session.calls == ["start"]


async def test_n_ends_the_phase_once_there_is_one(taught: Open) -> None:
    async with taught() as screen:
        await screen.press("n")
        assert "nothing to end" in screen.text("headline")
        await screen.send(lesson_snapshot(status=Status.STARTING))
        await screen.press("n")
        assert "next_phase" not in screen.session.calls
        await screen.send(lesson_snapshot())
        await screen.press("n")
        assert screen.session.calls == ["start", "resume", "next_phase"], "a paused phase ends, too"
        assert "its figures so far count" in screen.text("headline")


async def test_after_n_the_pause_is_over(taught: Open) -> None:
    async with taught() as screen:
        await screen.send(lesson_snapshot())
        await screen.press("p", "n", "p")
        assert screen.session.calls == ["start", "pause", "resume", "next_phase", "pause"]


async def test_capital_n_holds_the_phases_and_lets_them_go(taught: Open) -> None:
    async with taught() as screen:
        await screen.send(lesson_snapshot())
        await screen.press("N")
        assert screen.session.calls == ["start", "hold_phase True"]
        await screen.send(lesson_snapshot(is_held=True, awaits_next=True, status=Status.PAUSED))
        assert "WAITS FOR n" in screen.text("lesson")
        assert "held until n" in screen.text("lesson")
        await screen.press("N")
        assert screen.session.calls[-1] == "hold_phase False"


async def test_enter_on_the_panel_and_the_palette_show_the_whole_lesson(taught: Open) -> None:
    async with taught() as screen:
        screen.app.query_one("#lesson").focus()
        await screen.press("enter")
        assert isinstance(screen.app.screen, HelpScreen)
        text = "\n".join(screen.lines())
        for words in ("One queue is enough", "Let them write seldom", "12 to 250 ms", "contended: The row 'waiting'"):
            assert words in text
        await screen.press("escape")
        titles = {command.title for command in screen.app.get_system_commands(screen.app.screen)}
        assert "The lesson in full" in titles
        assert {f"Run lesson: {name}" for name in names()} <= titles


async def test_a_broken_invariant_goes_before_every_effect(taught: Open) -> None:
    async with taught(120, 40) as screen:
        snapshot = last_snapshot()
        assert snapshot.lesson is not None
        run = msgspec.structs.replace(snapshot.lesson, faults=("contended: 1 update was lost.",))
        await screen.send(msgspec.structs.replace(snapshot, lesson=run))
        assert "BROKEN, so that no figure can be trusted: contended: 1 update was lost." in " ".join(
            page(screen).split()
        )


@pytest.mark.parametrize("size", SIZES)
async def test_the_comparison_opens_at_the_end_and_again_by_key(taught: Open, size: tuple[int, int]) -> None:
    async with taught(*size) as screen:
        await screen.send(lesson_snapshot(1, repeat=1))
        assert not isinstance(screen.app.screen, ComparisonScreen)
        await screen.send(last_snapshot())
        text = page(screen)
        for words in (
            "queue: One queue is enough", "Verdict", "Not shown: throughput", "in contended, ", "in single-writer",
            "the source says 20x", "contended 16 writers", "commit latency p99.9", "SQLITE_BUSY_SNAPSHOT",
            "Published: nobody, chapter 3", "who queues is called", "Let them write seldom", "WAL at its largest",
        ):  # fmt: skip
            assert words in text
        assert all(len(line) == size[0] for line in screen.lines())
        await screen.press("escape")
        assert not isinstance(screen.app.screen, ComparisonScreen)
        assert "ENDED" in screen.text("header"), "back at the charts of the last phase"
        await screen.press("c")
        assert page(screen) == text
        await screen.press("c")
        assert not isinstance(screen.app.screen, ComparisonScreen)


async def test_the_comparison_can_be_seen_at_any_time(taught: Open) -> None:
    async with taught() as screen:
        await screen.press("c")
        assert "no phase has been measured yet" in page(screen)
        await screen.send(lesson_snapshot())
        assert "contended (now)" in page(screen), "it follows"
        await screen.send(lesson_snapshot(1))
        text = page(screen)
        assert "single-writer (now)" in text
        assert "Not over yet; none of the 3 effects can be told so far" in text
        await screen.pilot.resize_terminal(60, 20)
        await screen.pilot.pause()
        assert all(len(line) == 60 for line in screen.lines())


async def test_a_page_that_is_open_at_the_end_stays_open(taught: Open) -> None:
    async with taught() as screen:
        await screen.press("question_mark")
        await screen.send(last_snapshot())
        assert isinstance(screen.app.screen, HelpScreen)
        await screen.press("escape")
        assert "c compares" not in screen.text("headline")  # that is the business of the headline of the lesson
        await screen.press("c")
        assert "It is over" in page(screen)


async def test_without_a_lesson_c_compares_the_modes(taught: Open) -> None:
    async with taught(80, 24, lesson=None) as screen:
        await screen.press("c")
        assert "nothing has been measured yet" in page(screen)
        await screen.send(make_snapshot())
        assert "Only contended has run so far" in page(screen)
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        text = page(screen)
        assert "single-writer against contended: 338/s commits instead of 275/s (1.23x), a commit latency" in text
        assert "single-writer (now)" in text
        assert "WARNING contended: the write lock was free 37% of the time while somebody waited" in text
        assert "When it would not happen" in text
        await screen.send(make_snapshot(50, mode=Mode.SINGLE_WRITER, switched_after=20))
        assert page(screen) != text, "it follows"


async def test_the_comparison_of_two_modes_opens_at_the_end(taught: Open) -> None:
    async with taught(lesson=None) as screen:
        await screen.send(make_snapshot(40, mode=Mode.SINGLE_WRITER, switched_after=20))
        assert not isinstance(screen.app.screen, ComparisonScreen)
        await screen.send(make_snapshot(41, mode=Mode.SINGLE_WRITER, switched_after=20, status=Status.ENDED))
        assert "338/s commits instead of 275/s" in page(screen)
    async with taught(lesson=None) as screen:
        await screen.send(make_snapshot(status=Status.ENDED))
        assert not isinstance(screen.app.screen, ComparisonScreen), "one mode is compared to nothing"


async def test_what_is_chosen_in_the_list_follows_the_present_run(taught: Open, opener: Opener) -> None:
    async with taught() as screen:
        await screen.send(lesson_snapshot(1))
        await screen.press("l", "space", "o")
        assert isinstance(screen.app.screen, LessonPicker)
        text = "\n".join(screen.lines())
        length = f"{builtin('starvation').length_s:.0f}s"
        for words in ("Blog post", "starvation", length, "queue", "Compares: contended, single-writer"):
            assert words in text
        await screen.press(*"everybody turn")
        text = "\n".join(screen.lines())
        assert "starvation" in text
        assert "open-loop" not in text
        assert "One writer takes every turn" in text, "the details of the only one left"
        screen.session.ended = False
        await screen.press("enter")
        assert [name for name, _ in opener.opened] == ["starvation"]
        session = opener.opened[0][1]
        await until(screen, lambda: session.calls == ["start"])
        assert screen.session.calls == ["start", "attend False", "stop", "attend True"], "it was frozen before"
        assert "NOW  contended" in screen.text("lesson")
        assert "starvation" in screen.text("lesson")
        assert "275/s" not in screen.text("header"), "nothing of the run before is left"
        assert "linear" in screen.text("waits"), "how one looks stays"
        await screen.press("left_square_bracket")
        assert "the lanes show" in screen.text("headline"), "so does the window"
        session.send(make_snapshot(3))
        await until(screen, lambda: "starvation: all 16 writers" in screen.text("headline"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (60, 16)])
async def test_the_list_cuts_after_whole_words(taught: Open, opener: Opener, size: tuple[int, int]) -> None:
    known = {word for name in names() for word in f"{builtin(name).question} {builtin(name).source}".split()}
    async with taught(*size, lesson=None) as screen:
        await screen.press("o")
        await screen.pilot.resize_terminal(size[0] - 1, size[1])
        await screen.pilot.pause()
        cut = [line[: line.index("…")].split()[-1] for line in screen.lines()[2:] if "…" in line]
        assert cut
        assert [word for word in cut if word not in known and f"{word}," not in known] == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_at_any_size(taught: Open, opener: Opener, size: tuple[int, int]) -> None:
    async with taught(*size, lesson=None) as screen:
        await screen.press("o", "down", "down", "pagedown", "up")
        assert "esc goes back" in "\n".join(screen.lines())
        await screen.press(*"no such lesson", "enter")
        assert isinstance(screen.app.screen, LessonPicker)
        await screen.press("escape")
        assert not isinstance(screen.app.screen, LessonPicker)
        assert opener.opened == []
        assert screen.session.calls == ["start"]


async def test_a_lesson_can_be_opened_after_the_end_and_from_the_comparison(taught: Open, opener: Opener) -> None:
    async with taught() as screen:
        await screen.send(last_snapshot())
        screen.session.ended = True
        await screen.press("o", *"hot-loop", "enter")
        await until(screen, lambda: opener.opened and opener.opened[0][1].calls == ["start"])
        assert "hot-loop" in screen.text("lesson")


async def test_a_lesson_run_from_the_palette_closes_the_comparison(taught: Open, opener: Opener) -> None:
    async with taught() as screen:
        await screen.send(last_snapshot())
        commands = {command.title: command.callback for command in screen.app.get_system_commands(screen.app.screen)}
        commands["Run lesson: herd"]()
        await until(screen, lambda: opener.opened[0][1].calls == ["start"])
        assert not isinstance(screen.app.screen, ComparisonScreen)
        assert "herd" in screen.text("lesson")


async def test_leaving_while_a_run_ends_begins_nothing(opener: Opener) -> None:
    session = Lingering()
    app = SimulateApp(session, headline=headline, open_lesson=opener)
    async with app.run_test() as pilot:
        await pilot.pause()
        app.run_lesson("starvation")
        await pilot.pause()
        assert session.calls == ["start", "stop"]
        await pilot.press("q")
    assert app.return_code == 0
    assert opener.opened[0][1].calls == []


class Lingering(FakeSession):
    """A session that takes its time to end."""

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_texts_in_a_lesson_stay_texts(taught: Open, size: tuple[int, int]) -> None:
    hostile = msgspec.structs.replace(LESSON, title=HOSTILE, question=HOSTILE, watch=HOSTILE, expect=HOSTILE, name="h")
    async with taught(*size, lesson=hostile, glyphs="ascii") as screen:
        first, _ = ended_phases()
        snapshot = last_snapshot()
        assert snapshot.lesson is not None
        phases = (msgspec.structs.replace(first, name=HOSTILE), *snapshot.lesson.ended[0])
        run = msgspec.structs.replace(snapshot.lesson, ended=(phases,))
        await screen.send(lesson_snapshot(1))
        await screen.send(msgspec.structs.replace(snapshot, lesson=run))
        for key in ("escape", "o", "escape"):
            assert all(line.isprintable() for line in screen.lines())
            await screen.press(key)


@pytest.mark.parametrize(
    ("keys", "sign"),
    [
        (["o"], "fair-retry"), (["question_mark"], "Lock waits"), (["ctrl+p"], "Search"), (["c"], "esc goes back"),
        (["v"], "events"), (["enter"], "process"), (["slash"], "enter keeps it"), (["K"], "SIGKILL"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_page_is_ascii_where_the_terminal_has_nothing_else(
    taught: Open, size: tuple[int, int], keys: list[str], sign: str
) -> None:
    async with taught(*size, glyphs="ascii") as screen:
        await screen.send(make_snapshot(20, starving=2, switched_after=8, mode=Mode.SINGLE_WRITER))
        await screen.press(*keys)
        lines = screen.lines()
        assert any(sign in line for line in lines), lines
        assert all(line.isascii() for line in lines), lines
