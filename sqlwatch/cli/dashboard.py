"""Running sessions in the dashboard, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from sqlwatch.cli.exporting import exporter
from sqlwatch.cli.lesson import lesson_headline
from sqlwatch.cli.signals import ending_on_signals
from sqlwatch.diagnose.headline import headline
from sqlwatch.diagnose.simulation import current_findings
from sqlwatch.session.scenario import ScenarioSession
from sqlwatch.session.simulation import SimulationSession
from sqlwatch.tui.protocol import Opened
from sqlwatch.tui.run import run_dashboard

Session = SimulationSession | ScenarioSession


def run_in_terminal(
    session: Session, open_lesson: Callable[[str], ScenarioSession], *, fps: int, glyphs: str, mouse: bool
) -> tuple[int, Session]:
    """Show the session, and lessons opened after it, until the dashboard is left; then wait for their end.

    Return 0 or 128 + the signal that ended it, and the session that was started last (the first if none was).
    """
    sessions: list[Session] = [session]

    def open_next(name: str) -> Opened:
        lesson = open_lesson(name)
        newest = [each for each in sessions if each.started][-1:]
        sessions[:] = [each for each in sessions if not each.ended or each in newest]
        sessions.append(lesson)
        return _opened(lesson)

    first = _opened(session)
    try:
        code = run_dashboard(
            session, headline=first.headline, findings=current_findings, exporter=exporter(), fps=fps, glyphs=glyphs,
            mouse=mouse, lesson=first.lesson, open_lesson=open_next,
        )  # fmt: skip
    finally:
        # The dashboard's own handlers are gone with it; ctrl+c must not cut short the end of the workers.
        for each in sessions:
            with ending_on_signals(each):
                each.stop()
                each.wait()
    return code, next((each for each in reversed(sessions) if each.started), session)


def _opened(session: Session) -> Opened:
    if isinstance(session, ScenarioSession):
        return Opened(session, lesson_headline(session.scenario), session.scenario)
    return Opened(session, headline)
