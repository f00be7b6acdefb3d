"""`sqlwatch simulate`: run a workload, in the dashboard on a terminal, headless otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from simulators.quantities import Duration
from simulators.scenario import Scenario
from simulators.workload import PARAMETERS, Mode, Workload, WorkloadError, from_mapping
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import has_terminal
from sqlwatch.cli.scenario_file import find_scenario
from sqlwatch.cli.wanted import summary_options, wanted
from sqlwatch.cli.web_options import WebAddress, serve_in_browser, web_options

HEADLESS_DURATION: Final = Duration(10_000_000_000)
"""How long each phase runs headless if nothing else is said."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _workload_options(command: _Command) -> _Command:
    """Give a command an option for each parameter of a workload, of the same name as its TOML key."""
    for parameter in reversed(PARAMETERS):
        name = parameter.key.replace("-", "_")
        allowed = "" if parameter.is_flag else f"{parameter.allowed}; "
        text = f"{parameter.description} [{allowed}default: {parameter.default}]"
        if parameter.is_flag:
            command = click.option(f"--{parameter.key}/--no-{parameter.key}", name, default=None, help=text)(command)
        else:
            command = click.option(f"--{parameter.key}", name, metavar=parameter.metavar, help=text)(command)
    return command


class WorkloadCommand(click.Command):
    """A command whose help lists the parameters of the workload apart from its other options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two sections, each in the order in which they are defined."""
        keys = {parameter.key.replace("-", "_") for parameter in PARAMETERS}
        for title, is_workload in (("Options", False), ("The workload", True)):
            options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
            chosen = [one for one in options if (one.name in keys) is is_workload]
            with formatter.section(title):
                formatter.write_dl([record for one in chosen if (record := one.get_help_record(ctx)) is not None])


@click.command(cls=WorkloadCommand)
@click.argument("scenario", required=False, metavar="[SCENARIO or FILE.toml]")
@click.option("--compare", is_flag=True, help="Run contended, then single-writer, and put them side by side.")
@click.option("--db", type=click.Path(path_type=Path), help="Keep the database here; by default it is temporary.")
@click.option("--headless", is_flag=True, help="No dashboard; by itself when there is no terminal.")
@summary_options
@click.option("--fps", type=click.IntRange(1, 10), default=4, show_default=True, help="Pictures a second.")
@click.option("--glyphs", type=click.Choice(["braille", "block", "ascii"]), default="braille", show_default=True)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option(
    "--sample-rate", type=click.IntRange(10, 1000), default=200, show_default=True, metavar="HZ",
    help="Looks a second at who holds and who waits.",
)  # fmt: skip
@click.option("--step", is_flag=True, help="Lessons in the dashboard: each phase goes on until you press n.")
@web_options
@_workload_options
def simulate(
    scenario: str | None,
    compare: bool,
    db: Path | None,
    headless: bool,
    format_: str,
    output: Path | None,
    html: Path | None,
    fail_on: tuple[str, ...],
    interval: str,
    fps: int,
    glyphs: str,
    no_mouse: bool,
    sample_rate: int,
    step: bool,
    web: WebAddress | None,
    **given: Any,
) -> int:
    """Run writers and readers that fight for one SQLite database, and show who waits, who starves, what it costs.

    SCENARIO is the name of a lesson (see sqlwatch scenarios), FILE.toml one of your own, or just a table
    [workload] with the parameters below as keys; options override it.

    \b
    sqlwatch simulate                        contention; m turns it into a queue
    sqlwatch simulate starvation             a lesson: run, compared, judged
    sqlwatch simulate --headless --compare   both modes in figures
    """  # noqa: D301 (click keeps the lines after this sign as they are)
    from sqlwatch.session.errors import SessionError
    from sqlwatch.session.simulation import SimulationSession

    is_headless = headless or not (web or has_terminal())
    lesson = find_scenario(scenario) if scenario is not None else Scenario()
    parameters = {key.replace("_", "-"): value for key, value in given.items() if value is not None}
    if step and is_headless:
        raise CommandError("--step waits for a key, and there is no dashboard to press it in.", ExitCode.USAGE)
    results = wanted(format_, output, html, fail_on, db, interval, is_headless=is_headless)
    if lesson.phases:
        if compare or db is not None:
            raise CommandError(
                "A lesson has phases and databases of its own; leave --compare and --db out.", ExitCode.USAGE
            )
        from sqlwatch.cli.lesson import prepare, run_lesson

        if web is not None:
            prepare(lesson, parameters, fps=fps, sample_rate=sample_rate)
            return serve_in_browser(web, f"sqlwatch simulate {lesson.name}")
        return run_lesson(
            lesson, parameters, results, is_headless=is_headless, fps=fps, glyphs=glyphs, mouse=not no_mouse,
            sample_rate=sample_rate, by_hand=step,
        )  # fmt: skip
    workload = _read_workload({**lesson.workload, **parameters}, needs_duration=is_headless or compare)
    if compare and workload.mode is not Mode.CONTENDED:
        raise CommandError(
            f"--compare runs contended and then single-writer, so mode {workload.mode.value} cannot be had with it.",
            ExitCode.USAGE,
        )
    if web is not None:
        return serve_in_browser(web, "sqlwatch simulate")
    session = SimulationSession(
        workload,
        database=db,
        compare=compare,
        snapshots_per_s=results.snapshots_per_s or fps,
        sample_rate_hz=sample_rate,
    )
    from sqlwatch.cli.summary import conclude

    try:
        session.check()
    except SessionError as error:
        raise CommandError(error.message, error.exit_code) from error
    if is_headless:
        from sqlwatch.cli.summary import run_and_write
        from sqlwatch.diagnose.headline import headline

        length_s = workload.duration.ns / 1e9 * (1 + compare) if workload.duration else None
        signal_code = run_and_write(session, workload.in_words(), length_s, results, headline)
        return conclude(session, signal_code, results, shows_text=False)
    from sqlwatch.cli.dashboard import run_in_terminal
    from sqlwatch.cli.lesson import opener

    open_lesson = opener(fps=fps, sample_rate=sample_rate, by_hand=step)
    signal_code, last = run_in_terminal(session, open_lesson, fps=fps, glyphs=glyphs, mouse=not no_mouse)
    return conclude(last, signal_code, results, shows_text=True)


def _read_workload(mapping: dict[str, Any], *, needs_duration: bool) -> Workload:
    try:
        workload = from_mapping(mapping)
        if needs_duration and workload.duration is None and not workload.transactions:
            workload = from_mapping({**mapping, "duration": str(HEADLESS_DURATION)})
    except WorkloadError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return workload
