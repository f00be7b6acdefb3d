"""`sqlwatch scenarios`: list the lessons, explain one, or check that all of them show here what they should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from simulators.scenario import Scenario, builtin, names
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import print_text, say
from sqlwatch.cli.scenario_file import find_scenario

if TYPE_CHECKING:
    from sqlwatch.diagnose.lesson import Shown

_NAME_WIDTH = 20
_LOOK_S = 0.1


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--check", is_flag=True, help="Run all lessons (or NAME) headless and say of each whether it showed.")
def scenarios(name: str | None, check: bool) -> int:
    """List the lessons by source; explain the one called NAME (or in the file NAME).

    With --check the exit code is 1 if an expected effect did not appear.
    """
    chosen = [find_scenario(name)] if name is not None else [builtin(one) for one in names()]
    if check:
        if not chosen[0].effects:
            raise CommandError(f"{name} expects no effects, so there is nothing to check.", ExitCode.USAGE)
        return _check(chosen)
    if name is not None:
        from sqlwatch.report.lesson import explanation

        print_text(explanation(chosen[0], name))
        return ExitCode.DONE
    print_text(_listed(chosen))
    return ExitCode.DONE


def _listed(lessons: list[Scenario]) -> str:
    by_source: dict[str, list[Scenario]] = {}
    for lesson in sorted(lessons, key=lambda one: (one.source, one.name)):
        by_source.setdefault(lesson.source, []).append(lesson)
    lines = []
    for source, group in by_source.items():
        lines.append(f"{source}:")
        lines += [f"  {lesson.name:<{_NAME_WIDTH}} {lesson.title}" for lesson in group]
    lines += ["", "Explain one: sqlwatch scenarios NAME    Run it: sqlwatch simulate NAME"]
    return "\n".join(lines)


def _check(lessons: list[Scenario]) -> int:
    """Run lessons one after the other; a line for each, and 1 if one did not show what it should."""
    from sqlwatch.cli.lesson import prepare
    from sqlwatch.cli.signals import ending_on_signals
    from sqlwatch.diagnose.invariants import faults_of
    from sqlwatch.diagnose.lesson import Lesson, judge
    from sqlwatch.session.errors import SessionError

    failed = 0
    for lesson in lessons:
        session = prepare(lesson, {}, fps=1, sample_rate=200)
        say(f"{lesson.name} ...")
        with ending_on_signals(session) as ended_by:
            session.start()
            # The kernel may hand a signal to another thread; its handler runs when this one wakes up.
            while not session.wait(_LOOK_S):
                pass
        if ended_by.signal is not None:
            return ended_by.exit_code
        try:
            faults = faults_of(session.result().by_phase)
        except SessionError as error:
            raise CommandError(f"{lesson.name}: {error.message}", error.exit_code) from error
        shown = judge(lesson, session.repeats)
        is_shown = Lesson(lesson, shown, faults).is_shown
        failed += not is_shown
        print_text("\n".join(_checked(lesson, shown, faults, is_shown=bool(is_shown))))
    print_text(f"{len(lessons) - failed} of {len(lessons)} lessons showed what they should.")
    return ExitCode.FOUND if failed else ExitCode.DONE


def _checked(lesson: Scenario, shown: Sequence[Shown], faults: Sequence[str], *, is_shown: bool) -> list[str]:
    """Return the line of a lesson that was checked, and a sentence for each effect and each broken invariant."""
    from sqlwatch.report.plain import wrapped

    head = f"{'shown' if is_shown else 'NOT SHOWN':<10} {lesson.name:<{_NAME_WIDTH}} "
    lines = wrapped(f"{lesson.title or lesson.name}", " " * len(head))
    lines[0] = head + lines[0].lstrip()
    for text in (*faults, *(one.words for one in shown)):
        lines += wrapped(text, " " * 11, " " * 13)
    return lines
