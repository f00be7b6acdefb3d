"""The lesson beside the running charts: the question, how far it is, what to watch now, what has shown so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from simulators.scenario import Scenario
from sqlwatch.charts.segment import Ink, Row, Segment, whole_parts, width_of
from sqlwatch.diagnose.lesson import Lesson, Shown, written
from sqlwatch.metrics.snapshot import LessonRun, Status
from sqlwatch.tui.panel import Panel, cut
from sqlwatch.tui.text import begun, clean, wrapped
from sqlwatch.tui.view import View

_AMPLE_ROWS = 6
"""From this height of the body on the question has a place of its own; below, it stands in the title line."""

_ALL: Row = (Segment("enter", Ink.KEY), Segment(" here: all of it", Ink.MUTED))
"""Said where not all of the lesson has room: enter is its panel's own only while that has the focus."""

_SWITCHED = "has switched to {}: that counts for nothing in the lesson. m: back, n: next phase"

MARKS = {True: "shown", False: "NOT SHOWN", None: "unknown"}


class LessonPanel(Panel):
    """What a lesson asks and how far it is."""

    TITLE = "Lesson"
    EXPLANATION = "what the lesson asks and has shown; enter: the whole of it, n: next phase, c: compare"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.lesson_page", "the lesson in full")]
    _is_ample = False

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the title line and the body; where rows are few, the question is in the title line."""
        self._is_ample = height > _AMPLE_ROWS
        return super().draw(view, width, height)

    def facts(self, view: View) -> list[Row]:
        """Say which lesson it is and how often it is repeated, or the question where it has no place of its own."""
        lesson, run = view.lesson, run_of(view)
        if lesson is None:
            return []
        scenario = lesson.scenario
        is_pushed_out = not self._is_ample and any(one.shown is not None for one in lesson.shown)
        if is_pushed_out and scenario.question:
            return [(Segment(cut(clean(scenario.question), self.size.width - len(self.TITLE) - 6)),)]
        facts: list[Row] = [(Segment(clean(scenario.name), Ink.STRONG),)]
        if run is not None and run.repeats > 1:
            facts.append((Segment(f"repeat {run.repeat + 1} of {run.repeats}", Ink.MUTED),))
        return facts

    def body(self, view: View, width: int, height: int) -> list[Row]:
        """Return as much as there is room for: steps and what to watch come first, then effects, question and why."""
        lesson = view.lesson
        if lesson is None:
            return [(Segment(cut("no lesson runs; o lists them", width), Ink.MUTED),)]
        blocks = _blocks(lesson, run_of(view), view.status, width, height)
        given = [0] * len(blocks)
        for index in (1, 2, 3, 0, *[2, 3, 0] * height, *[4] * height):
            if sum(given) < height and given[index] < len(blocks[index]):
                given[index] += 1
        rows: list[Row] = []
        if blocks[4] and not given[4]:
            blocks[1] = [whole_parts([blocks[1][0], _ALL], width) or blocks[1][0]]
        for index, block in enumerate(blocks):
            more = _ALL if index == 4 else ()
            rows += block[: given[index]] if index in (1, 3) else _shortened(block, given[index], width, more)
        return rows


def run_of(view: View) -> LessonRun | None:
    """Return how far the lesson is, if there is one and it has begun."""
    return view.snapshot.lesson if view.snapshot is not None else None


def _blocks(lesson: Lesson, run: LessonRun | None, status: Status, width: int, height: int) -> list[list[Row]]:
    """Return question, steps, what to watch, effects so far, and what it means, each at its full length."""
    scenario = lesson.scenario
    is_over = status is Status.ENDED
    watch = _labelled("watch", _watch(scenario, run), width)
    if run is not None and run.switched_to is not None:
        watch = _labelled("m", _SWITCHED.format(run.switched_to.value), width, Ink.WARNING)
    if is_over:
        watch = _labelled("over", "c compares the phases; o opens another lesson; enter here tells it all", width)
    question = _labelled("", scenario.question, width, Ink.STRONG)
    means = _labelled("means", scenario.expect, width)
    return [question, [_steps(scenario, run, width, is_over=is_over)], watch, _effects(lesson.shown, width), means]


def _watch(scenario: Scenario, run: LessonRun | None) -> str:
    return scenario.watch_of(scenario.phases[run.phase if run is not None else 0])


def _steps(scenario: Scenario, run: LessonRun | None, width: int, *, is_over: bool) -> Row:
    """Return the phases as a line: those that are done, the present one, those to come."""
    names = [clean(phase.name) for phase in scenario.phases]
    now = len(names) if is_over else run.phase if run is not None else 0
    parts: list[Row] = []
    if now:
        parts.append((Segment("done ", Ink.MUTED), Segment(", ".join(names[:now]), Ink.MUTED)))
    if now < len(names):
        word = " WAITS FOR n " if run is not None and run.awaits_next else " NOW "
        is_switched = run is not None and run.switched_to is not None
        name: Row = (Segment(f" {names[now]}", Ink.STRONG), Segment(", switched" if is_switched else "", Ink.WARNING))
        parts.append((Segment(word, Ink.ALERT_BADGE), *name))
    if names[now + 1 :]:
        parts.append((Segment("to come ", Ink.MUTED), Segment(", ".join(names[now + 1 :]))))
    row = whole_parts(parts, 9999)
    if width_of(row) <= width:
        is_held = run is not None and run.is_held
        hint: Row = (Segment("held until n" if is_held else "n: next phase", Ink.MUTED),)
        return row if is_over else whole_parts([*parts, hint], width)
    if is_over:
        return (Segment(f"all {len(names)} phases are done", Ink.MUTED),)
    place: Row = (Segment(f"{now + 1} of {len(names)}", Ink.MUTED),)
    coming: Row = (Segment("next ", Ink.MUTED), Segment(names[now + 1])) if names[now + 1 :] else ()
    return whole_parts([place, parts[1 if now else 0], coming], width)


def _effects(shown: Sequence[Shown], width: int) -> list[Row]:
    """Return a line for each effect that can be told by now: whether it showed, and the figure."""
    rows: list[Row] = []
    for one in (one for one in shown if one.shown is not None):
        ink = Ink.STRONG if one.shown else Ink.WARNING
        here = written(one.figure, one.measured, is_ratio=one.against is not None)
        against = f" against {one.against}" if one.against is not None else ""
        head: Row = (Segment(f"{MARKS[one.shown]} ", ink), Segment(f"{here} ", Ink.STRONG))
        words = clean(f"({one.expected}) {one.says}: {one.of}{against}")
        rows.append((*head, Segment(cut(words, width - width_of(head)), Ink.MUTED)))
    return rows


def _labelled(label: str, text: str, width: int, ink: Ink = Ink.TEXT) -> list[Row]:
    """Return a text in lines of `width`, after its label."""
    head = f"{label} " if label else ""
    lines = wrapped(clean(f"{head}{text}"), width, 99) if text else []
    if not lines:
        return []
    first: Row = (Segment(head, Ink.MUTED), Segment(lines[0][len(head) :], ink))
    return [first, *((Segment(line, ink),) for line in lines[1:])]


def _shortened(block: list[Row], rows: int, width: int, more: Row = ()) -> list[Row]:
    """Return as many rows of a text; where some are left out, it ends after a sentence or a clause, and `more` follows.

    It stands in the last row, or below it.
    """
    if rows == 0 or rows >= len(block):
        return block[:rows]
    head, (_, ink) = "".join(text for text, _ in block[0][:-1]), block[0][-1]
    gap = 2 if more else 0
    words = head + " ".join(row[-1].text for row in block)
    lines = begun(words, width, rows, gap + width_of(more))
    result: list[Row] = [(Segment(line, ink),) for line in lines]
    if head and lines and lines[0].startswith(head.rstrip()):
        result[0] = (Segment(lines[0][: len(head)], Ink.MUTED), Segment(lines[0][len(head) :], ink))
    if more and lines and len(lines[-1]) + gap + width_of(more) <= width:
        result[-1] = (*result[-1], Segment(" " * gap), *more)
    elif more and len(lines) < rows:
        result.append(more)
    return result
