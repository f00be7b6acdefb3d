"""The screen that lists the lessons by source: type to filter, enter runs the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import ClassVar

from rich.console import Console, ConsoleOptions
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from simulators.scenario import Scenario, builtin, names
from sqlwatch.charts import units
from sqlwatch.tui.panel import cut
from sqlwatch.tui.places import WIDE_COLUMNS
from sqlwatch.tui.text import clean

_NAME_WIDTH = 20


@cache
def lessons() -> tuple[Scenario, ...]:
    """Return the lessons that come with sqlwatch, by source."""
    return tuple(sorted(map(builtin, names()), key=lambda lesson: (lesson.source, lesson.name)))


class Line:
    """A line of the list: words in bold and others, cut after a whole word where the list is narrower."""

    def __init__(self, bold: str, words: str = "") -> None:
        self._bold, self._words = bold, words

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        bold = cut(self._bold, options.max_width)
        words = cut(self._words, options.max_width - len(bold))
        yield Text(bold, "bold", no_wrap=True).append(words, "not bold")


class LessonPicker(ModalScreen[str | None]):
    """Ends with the name of the lesson to run, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
        Binding("up", "move('cursor_up')", "up", show=False),
        Binding("down", "move('cursor_down')", "down", show=False),
        Binding("pageup", "move('page_up')", "page up", show=False),
        Binding("pagedown", "move('page_down')", "page down", show=False),
    ]
    CSS = """
    LessonPicker { background: $background; }
    LessonPicker #hint { color: $text-muted; height: auto; }
    LessonPicker Input { height: 1; }
    LessonPicker #parts { height: 1fr; layout: vertical; }
    LessonPicker OptionList { height: 1fr; border: none; padding: 0; background: $background; }
    LessonPicker #about { height: auto; max-height: 50%; padding: 0 1; }
    LessonPicker.-wide #parts { layout: horizontal; }
    LessonPicker.-wide OptionList { width: 1fr; }
    LessonPicker.-wide #about { width: 1fr; height: 100%; max-height: 100%; }
    LessonPicker.-small #about { display: none; }
    """

    def __init__(self, own: Scenario | None = None) -> None:
        """Prepare; `own` is a lesson of the user's own, listed first."""
        super().__init__()
        self._lessons = (own, *lessons()) if own is not None and own.name not in names() else lessons()

    def compose(self) -> ComposeResult:
        """Lay out the filter, the list, and what is under its cursor."""
        yield Static("enter ends the present run and begins the lesson, esc goes back, typing filters", id="hint")
        yield Input(placeholder="type a part of a name, title, question or source", compact=True)
        with Container(id="parts"):
            yield OptionList(compact=True, markup=False)
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", markup=False, id="detail")

    def on_mount(self) -> None:
        """List all lessons; the keys go to the filter."""
        self._list(self._lessons)
        self.query_one(Input).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Put the details beside the list where there is room, below it otherwise, and nowhere on small screens."""
        self.set_class(event.size.width >= WIDE_COLUMNS, "-wide")
        self.set_class(event.size.height < 18 and event.size.width < WIDE_COLUMNS, "-small")

    def _list(self, chosen: Sequence[Scenario]) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        source = None
        for lesson in chosen:
            if lesson.source != source:
                source = lesson.source
                options.add_option(Option(Line(clean(source or "sqlwatch")), disabled=True))
            options.add_option(Option(_line_of(lesson), id=lesson.name))
        if chosen:
            options.highlighted = 1
        else:
            self.query_one("#detail", Static).update("No lesson has these words.")

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        words = event.value.lower().split()
        self._list([lesson for lesson in self._lessons if all(word in _searched(lesson) for word in words)])

    @on(Input.Submitted)
    def _submit(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            options.action_select()

    @on(OptionList.OptionSelected)
    def _select(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    @on(OptionList.OptionHighlighted)
    def _show_details(self, event: OptionList.OptionHighlighted) -> None:
        lesson = next((lesson for lesson in self._lessons if lesson.name == event.option.id), None)
        if lesson is not None:
            self.query_one("#detail", Static).update(self._details(lesson))

    def _details(self, lesson: Scenario) -> Text:
        phases = ", ".join(phase.name for phase in lesson.phases)
        repeats = f" in {lesson.repeats} repeats" if lesson.repeats > 1 else ""
        length = f"for about {_length(lesson)}" if lesson.length_s else "until their work is done"
        parts = [
            ("", lesson.title), ("Question: ", lesson.question), ("Compares: ", f"{phases}; {length}{repeats}"),
            ("Watch: ", lesson.watch), ("Source: ", lesson.cited),
        ]  # fmt: skip
        text = Text()
        for label, words in parts:
            if words:
                text.append(label, "bold").append(clean(words), "" if label else "bold")
                text.append("\n")
        return text

    def action_move(self, action: str) -> None:
        """Move the cursor of the list while the keys go to the filter."""
        getattr(self.query_one(OptionList), f"action_{action}")()


def _line_of(lesson: Scenario) -> Line:
    words = f"{_length(lesson):>5}  {clean(lesson.question or lesson.title)}"
    return Line(f"  {clean(lesson.name):<{_NAME_WIDTH}} ", words)


def _length(lesson: Scenario) -> str:
    """Return how long the phases take in all; unknown where they end with their work."""
    return units.duration(lesson.length_s * 1e9) if lesson.length_s else units.UNKNOWN


def _searched(lesson: Scenario) -> str:
    return f"{lesson.name} {lesson.title} {lesson.question} {lesson.cited}".lower()
