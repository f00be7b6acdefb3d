"""The comparison: what a lesson has shown, or contended against single-writer, with the phases side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulators.scenario import Scenario
from sqlwatch.charts.aligned import aligned
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.charts.side_table import side_table
from sqlwatch.diagnose import findings
from sqlwatch.diagnose.compared import phases_in_words
from sqlwatch.diagnose.lesson import Lesson, Shown, expected_words, here_words, source_words, verdict_so_far
from sqlwatch.diagnose.rounds import round_headings, round_rows, round_words
from sqlwatch.diagnose.side_by_side import base_of, in_words, side_by_side, side_notes
from sqlwatch.diagnose.sweeps import SWEEP_HEADINGS, sweep_rows, sweep_words, sweeps
from sqlwatch.metrics.snapshot import LessonRun, Period, Status
from sqlwatch.tui.compared_phases import live_name, phases_of_lesson
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.findings_panel import WORDS
from sqlwatch.tui.lesson_panel import MARKS, run_of
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_AROUND = 8
"""Columns of the screen that are not the table's: padding, indent, scrollbar."""
_WIDEST = 120


_TURNED = (
    "A queue helps where writers sleep while the lock is free: transactions with pauses between them, or bursts. Tiny "
    "ones without a pause lose by it (the lesson hot-loop); where hardly any two meet, nothing changes (--think 500ms)."
)


def comparison_page(columns: Callable[[], int]) -> Callable[[View], Page]:
    """Return a way to make the page from a View, for a terminal of that many columns."""

    def page(view: View) -> Page:
        width = max(min(columns() - _AROUND, _WIDEST), 24)
        return _of_lesson(view, view.lesson, width) if view.lesson is not None else _of_modes(view, width)

    return page


def _of_lesson(view: View, lesson: Lesson, width: int) -> Page:
    scenario, run = lesson.scenario, run_of(view)
    is_over = view.status is Status.ENDED
    phases = phases_of_lesson(view, lesson)
    base = base_of(scenario, phases)
    sections = [
        Section(
            clean(f"{scenario.name}: {scenario.title}"), Ink.STRONG,
            tuple(line("", clean(text)) for text in (scenario.question, _stand(lesson, run, is_over=is_over)) if text),
        ),
        Section("Verdict", Ink.STRONG, (line("", _verdict(lesson, is_over=is_over), Ink.STRONG),)),
        Section("What was expected, and what happened here", Ink.STRONG, tuple(map(_effect, lesson.shown))),
        Section(
            "What was compared", Ink.STRONG,
            tuple(line(clean(name), clean(words)) for name, words in phases_in_words(scenario)),
        ),
        Section("Why", Ink.STRONG, _text(scenario.expect)),
        Section("When it would not happen", Ink.STRONG, _text(scenario.vanish)),
        Section("The phases side by side", Ink.STRONG, _table(phases, base, width, live_name(view))),
        *_sweeps(scenario, phases),
        *_rounds(phases),
        Section(
            clean(f"Published: {scenario.cited}"), Ink.STRONG,
            tuple(line("", clean(f"{row.what}: {row.value}")) for row in scenario.published),
        ),
    ]  # fmt: skip
    return tuple(section for section in sections if section.lines)


def _of_modes(view: View, width: int) -> Page:
    """Return the newest phase of each mode side by side, as far as they have run."""
    phases = [period for _, period in view.phases()]
    if not phases:
        return (Section("Comparison", Ink.STRONG, (line("", "nothing has been measured yet"),)),)
    base = phases[0]
    head = [line("", in_words(base, other), Ink.STRONG) for other in phases[1:]]
    if not head:
        words = f"Only {base.name} has run so far: esc, then m runs the other mode, and c compares the two."
        head.append(line("", words))
    found = tuple(line(WORDS[one.severity], clean(one.summary)) for one in findings(phases))
    why = (Section("Findings", Ink.STRONG, found),) if found else ()
    turned = (Section("When it would not happen", Ink.STRONG, (line("", _TURNED),)),) if len(phases) > 1 else ()
    return (
        Section("The modes side by side, the newest phase of each", Ink.STRONG, tuple(head)),
        *why,
        *turned,
        Section("Figures", Ink.STRONG, _table(phases, base, width, live_name(view))),
    )


def _stand(lesson: Lesson, run: LessonRun | None, *, is_over: bool) -> str:
    """Say how far the lesson is."""
    scenario = lesson.scenario
    if run is None:
        return "It has not begun yet."
    repeats = f", repeat {run.repeat + 1} of {run.repeats}" if run.repeats > 1 else ""
    if is_over:
        times = f"; all phases ran {len(run.ended)} times, the newest run of each is shown" if run.repeats > 1 else ""
        return f"It is over{times}. esc shows the charts, o opens another lesson; q leaves and prints this."
    return f"Phase {run.phase + 1} of {len(scenario.phases)} is running: {scenario.phases[run.phase].name}{repeats}."


def _verdict(lesson: Lesson, *, is_over: bool) -> str:
    words = clean(verdict_so_far(lesson.shown, lesson.faults, is_over=is_over))
    return f"{words[0].upper()}{words[1:]}."


def _effect(one: Shown) -> Line:
    """Return an effect: whether it showed, the figure here, what was expected, what the source says."""
    ink = {True: Ink.STRONG, False: Ink.WARNING, None: Ink.MUTED}[one.shown]
    row: Row = (
        Segment(clean(f"{one.says}: ")),
        Segment(clean(here_words(one)), ink),
        Segment(clean(f"; {expected_words(one)}"), Ink.MUTED),
    )
    if one.published is not None:
        row = (*row, Segment(f"; {source_words(one)}", Ink.MUTED))
    return Line(MARKS[one.shown], row)


def _table(phases: Sequence[Period], base: Period | None, width: int, live: str) -> tuple[Line, ...]:
    if not phases:
        return (line("", "no phase has been measured yet"),)
    names = [clean(phase.name) + (" (now)" if phase.name == live else "") for phase in phases]
    rows = side_table(names, side_by_side(phases, base), width)
    return (*(Line("", row) for row in rows), line("", clean(side_notes(phases, base)), Ink.MUTED))


def _sweeps(scenario: Scenario, phases: Sequence[Period]) -> list[Section]:
    """Return how much faster each phase of a sweep was than its first."""
    return [
        Section(
            clean(f"{swept.name}: how much faster than {swept.steps[0].phase}"), Ink.STRONG,
            (*_aligned((SWEEP_HEADINGS, *sweep_rows(swept)), gap=2), line("", clean(sweep_words(swept)))),
        )
        for swept in sweeps(scenario, phases)
    ]  # fmt: skip


def _rounds(phases: Sequence[Period]) -> list[Section]:
    """Return who got the lock as which, of each phase that ran in rounds."""
    sections = []
    for phase in phases:
        positions = phase.positions
        if positions is not None:
            table = _aligned((round_headings(positions), *round_rows(positions)), gap=1) if positions.rounds else ()
            words = (line("", clean(sentence)) for sentence in round_words(positions))
            title = clean(f"{phase.name}: how often each writer got the lock as the first, the second, ...")
            sections.append(Section(title, Ink.STRONG, (*table, *words)))
    return sections


def _aligned(rows: Sequence[Sequence[str]], gap: int) -> tuple[Line, ...]:
    heading, *others = (clean(text) for text in aligned(rows, gap))
    return (Line("", (Segment(heading, Ink.MUTED),)), *(Line("", (Segment(text),)) for text in others))


def _text(text: str) -> tuple[Line, ...]:
    return (line("", clean(text)),) if text else ()
