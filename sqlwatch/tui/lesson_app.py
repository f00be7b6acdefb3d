"""What the dashboard does about lessons: the panel, the phases by key, the comparison, and opening another lesson."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand

from simulators.scenario import Scenario, names
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.dashboard_app import DashboardApp
from sqlwatch.tui.protocol import Opened, SessionProtocol
from sqlwatch.tui.view import NEWEST, View

if TYPE_CHECKING:
    from textual.screen import Screen

    from sqlwatch.tui.comparison_screen import ComparisonScreen

_NO_LESSON = "no lesson runs; o lists the lessons"


class LessonApp(DashboardApp):
    """A dashboard of simulations, of which some are lessons."""

    session: SessionProtocol
    _paused = False
    """Whether the workload was asked to rest."""

    def __init__(
        self,
        session: SessionProtocol,
        *,
        lesson: Scenario | None = None,
        open_lesson: Callable[[str], Opened] | None = None,
        **options: Any,
    ) -> None:
        """Prepare for a session that has not been started; raise ValueError for a wrong fps or glyph set.

        `lesson` is what the session runs, if that is a lesson; `open_lesson` prepares the one of a name; `options` are
        those of every dashboard.
        """
        super().__init__(session, **options)
        self._open_lesson = open_lesson
        self._opening: Opened | None = None
        self._comparison: ComparisonScreen | None = None
        self._take_lesson(lesson)

    def _take_lesson(self, lesson: Scenario | None) -> None:
        """Show a lesson from its beginning, or none."""
        self._scenario = lesson
        self._judged_phases = -1
        panels = tuple(name for name in self.PANELS if name != "lesson" or lesson is not None)
        self._wish = self._wish._replace(panels=panels, asked=("lesson",) if lesson is not None else (), alone=None)
        if lesson is not None:
            from sqlwatch.diagnose.lesson import Lesson  # only for lessons: the first picture comes sooner

            self._live = self._view = replace(self._view, lesson=Lesson(lesson, ()))

    def judged(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with the headline and with the effects of the lesson, as far as they can be told."""
        return self._with_effects(super().judged(view, snapshot), snapshot)

    def _with_effects(self, view: View, snapshot: Snapshot) -> View:
        if self._scenario is None or snapshot.lesson is None:
            return view
        ended = snapshot.lesson.ended
        count = sum(map(len, ended))
        if count == self._judged_phases:
            return view
        from sqlwatch.diagnose.lesson import Lesson, judge

        self._judged_phases = count
        return replace(view, lesson=Lesson(self._scenario, judge(self._scenario, ended), snapshot.lesson.faults))

    def draw(self, snapshot: Snapshot) -> None:
        """Show a Snapshot; the last one of a lesson, or of a run with several modes, brings the comparison."""
        super().draw(snapshot)
        run = snapshot.lesson
        has_phases = any(run.ended) if run is not None else len(self._live.phases()) > 1
        is_over = snapshot.status is Status.ENDED and has_phases
        if is_over and self._opening is None and len(self.screen_stack) == 1:
            self.action_compare()

    def show(self) -> None:
        """Draw what changed, also in the comparison."""
        super().show()
        if self._comparison is not None:
            self._comparison.show(self._view)

    def action_lesson(self) -> None:
        """Hide the panel of the lesson, or show it."""
        if self._scenario is None:
            self.say(_NO_LESSON)
        else:
            self.toggle_panel("lesson")

    def action_lesson_page(self) -> None:
        """Show all that the lesson says of itself."""
        if self._scenario is None:
            self.say(_NO_LESSON)
            return
        from sqlwatch.tui.help_screen import HelpScreen  # only when it is wanted
        from sqlwatch.tui.lesson_page import paragraphs

        self.push_screen(HelpScreen(self._view.glyphs, paragraphs(self._scenario), (), self._inks))

    def action_next_phase(self) -> None:
        """End the present phase; its figures so far count."""
        snapshot = self._live.snapshot
        if self._scenario is None:
            self.say("only a lesson has phases; o lists the lessons")
        elif snapshot is None or self._live.status is Status.STARTING:
            words = "the phase has not begun yet; there is nothing to end"
            self.say(words, lambda newer: newer.status is not Status.STARTING)
        elif not self.is_over():
            self._paused = False
            self.session.resume()
            self.session.next_phase()
            awaits = snapshot.lesson is not None and snapshot.lesson.awaits_next
            words = "the next phase begins" if awaits else "this phase ends; its figures so far count"
            self.say(words, lambda newer: _step(newer) != _step(snapshot))

    def action_hold_phase(self) -> None:
        """Let phases go on until the key for the next one, or by themselves again."""
        run = self._live.snapshot.lesson if self._live.snapshot is not None else None
        if self._scenario is None or run is None:
            self.say("only a lesson has phases; o lists the lessons" if self._scenario is None else "not begun yet")
        elif not self.is_over():
            self.session.hold_phase(not run.is_held)
            self.say("phases end with their time again" if run.is_held else "phases go on until n is pressed")

    def action_compare(self) -> None:
        """Show the phases side by side, as far as they have run."""
        if self._comparison is not None:
            return
        from sqlwatch.tui.comparison_screen import ComparisonScreen  # only when it is wanted

        self._comparison = ComparisonScreen(self._view, self._inks, self.size.width)
        self.push_screen(self._comparison, lambda _: self._forget_comparison())

    def _forget_comparison(self) -> None:
        self._comparison = None

    def action_open_lesson(self) -> None:
        """List the lessons, and run the one that is chosen."""
        if self._open_lesson is None:
            self.say("lessons cannot be opened here")
            return
        from sqlwatch.tui.lesson_picker import LessonPicker  # only when it is wanted

        self.push_screen(LessonPicker(self._scenario), self.run_lesson)

    def run_lesson(self, name: str | None) -> None:
        """End the present run, then begin the lesson of that name; nothing where there is no name."""
        if name is None or self._open_lesson is None:
            return
        if self._comparison is not None and self.screen is self._comparison:
            self._comparison.dismiss()
        self._opening = self._open_lesson(name)
        self.follow_with(self._opening.session)
        live = replace(self._live, frozen=False, past=NEWEST)
        self.change(live, f"ending this run; then the lesson {name} begins")

    def session_changed(self) -> None:
        """Begin with an empty picture: the session before is over."""
        opened, self._opening = self._opening, None
        if opened is None:
            return
        self._headline = opened.headline
        live = self._live
        self._live = self._view = View(live.glyphs, logarithmic=live.logarithmic, window_ns=live.window_ns)
        self._take_lesson(opened.lesson)
        self.arrange(self.size)
        self.show()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer the lesson in full and every lesson to run, besides the actions of the keys."""
        yield from super().get_system_commands(screen)
        yield SystemCommand("The lesson in full", "All that it says of itself.", self._runner("lesson_page"))
        if self._open_lesson is not None:
            for name in names():
                yield SystemCommand(f"Run lesson: {name}", "Ends the present run.", self._lesson_runner(name))

    def _lesson_runner(self, name: str) -> Callable[[], None]:
        return lambda: self.run_lesson(name)


def _step(snapshot: Snapshot) -> tuple[int, int] | None:
    """Return which repeat of which phase runs; None where no lesson does."""
    run = snapshot.lesson
    return (run.repeat, run.phase) if run is not None else None
