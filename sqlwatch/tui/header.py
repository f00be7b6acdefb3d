"""The header: mode, state, elapsed time and the figures that count; it stays live while the display is frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, whole_parts, width_of
from sqlwatch.metrics.snapshot import Status
from sqlwatch.tui.inks import MODE_BADGE
from sqlwatch.tui.panel import Rows
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View

_CPU_WIDTH: Final = 4
_GAP: Final = "  "
_QUIET = (Status.RUNNING, Status.WARMING_UP, Status.STARTING)


class Header(Rows):
    """One or two lines at the top; what does not fit into the first goes into the second, before the workload."""

    STAYS_LIVE = True

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return badge, state and figures, and in the second line the workload in words."""
        state = whole_parts([_badge(view), state_of(view)], width)
        first, rest = filled([state, *_figures(view)], width)
        rows = [first]
        if height > 1:
            rows.append(whole_parts([*rest, *_workload(view, width)], width))
        return rows


def _badge(view: View) -> Row:
    """Return the mode; its word stands inside its colour."""
    if view.status is Status.SWITCHING:
        return (Segment(" switching... ", Ink.ALERT_BADGE),)
    simulation = view.simulation
    if simulation is None:
        return (Segment("sqlwatch", Ink.STRONG),)
    return (Segment(f" {simulation.mode.value.upper()} ", MODE_BADGE[simulation.mode]),)


def filled(parts: Sequence[Row], width: int) -> tuple[Row, Sequence[Row]]:
    """Return a line of as many parts as fit whole, and the parts that did not fit; the first part always stands."""
    fitting, used = 1, width_of(parts[0])
    while fitting < len(parts) and (used := used + len(_GAP) + width_of(parts[fitting])) <= width:
        fitting += 1
    return whole_parts(parts[:fitting], width, _GAP), parts[fitting:]


def state_of(view: View) -> Row:
    """Say whether the display is frozen, and what the session is doing."""
    word = view.status.value
    if view.frozen:
        return (Segment(" FROZEN ", Ink.ALERT_BADGE), Segment(f" {word}", Ink.MUTED))
    if view.status in _QUIET or view.status is Status.SWITCHING:
        return (Segment("" if view.status is Status.SWITCHING else word),)
    return (Segment(f" {word.upper()} ", Ink.ALERT_BADGE),)


def _figures(view: View) -> list[Row]:
    """Return the figures of the first line, the most important first."""
    snapshot = view.snapshot
    if snapshot is None:
        return []
    figures = [
        (Segment(units.clock(snapshot.elapsed_ns), Ink.STRONG),),
        figure(units.rate(view.commits_per_s), units.RATE_WIDTH, "commits"),
    ]
    if snapshot.simulation is not None:
        busy = snapshot.simulation.run.busy_errors
        text = units.count(busy).ljust(units.COUNT_WIDTH)
        figures.append(figure(text, units.COUNT_WIDTH, "busy errors", Ink.WARNING if busy else Ink.STRONG))
    figures.append(figure(units.share(snapshot.own_cpu), _CPU_WIDTH, "own CPU"))
    if snapshot.simulation is not None and snapshot.simulation.run.reads:
        figures.append(figure(units.rate(view.reads_per_s), units.RATE_WIDTH, "reads"))
    return figures


def figure(value: str, width: int, name: str, ink: Ink = Ink.STRONG) -> Row:
    """Return a figure with its name, in a place of its own so that nothing moves when it changes."""
    return (Segment(f"{name} ", Ink.MUTED), Segment(value.rjust(width), ink))


def _workload(view: View, width: int) -> list[Row]:
    """Return the workload in words, cut at a comma where it is too long."""
    simulation = view.simulation
    if simulation is None:
        return []
    text = clean(simulation.workload)
    while len(text) > width and ", " in text:
        text = text.rpartition(", ")[0]
    return [(Segment(text, Ink.MUTED),)]
