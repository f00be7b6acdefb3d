"""What the pages of finished and of open waits say alike: the rungs that were slept, and the lock meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink
from sqlwatch.metrics.meanwhile import Meanwhile
from sqlwatch.metrics.wait_story import Sleep
from sqlwatch.tui.detail_screen import Line, line

_MOST_HOLDERS: Final = 20
_FIRST_RUNGS: Final = 12
_LAST_RUNGS: Final = 2
"""Of a longer ladder the rungs in between, which are all alike, are one line."""


def rung_lines(sleeps: Sequence[Sleep], *, last: str) -> list[Line]:
    """Return a line for each rung that was slept; `last` is what the last look found."""
    lines = [
        line(
            f"rung {number + 1}",
            f"slept {units.duration(rung.slept_ns).rjust(5)}, looked ~{units.duration(rung.looked_ns)} after asking: "
            f"{last if number == len(sleeps) - 1 else 'taken'}",
        )
        for number, rung in enumerate(sleeps)
    ]
    left_out = sleeps[_FIRST_RUNGS:-_LAST_RUNGS]
    if len(left_out) < 2:
        return lines
    slept = {rung.slept_ns for rung in left_out}
    each = f"{units.duration(slept.pop())} each" if len(slept) == 1 else "of several lengths"
    words = f"{len(left_out)} more sleeps, {each}, and the lock was taken at every look"
    return [*lines[:_FIRST_RUNGS], line("...", words), *lines[-_LAST_RUNGS:]]


def lock_lines(lock: Meanwhile, waited_ns: int, *, asleep: bool, is_queue: bool) -> tuple[Line, ...]:
    """Return who held the lock in a wait, when it was free, and of what nothing is known.

    In a queue the single writer holds it for its clients.
    """
    if waited_ns <= 0:
        return (line("", "It did not wait."),)
    held = "was served" if is_queue else "held it"
    lines = [
        line(
            holder.label,
            f"{held} {holder.times} time{'s' * (holder.times != 1)}, {units.duration(holder.held_ns)} "
            f"({units.share(holder.held_ns / waited_ns)})",
        )
        for holder in lock.holders[:_MOST_HOLDERS]
    ]
    if len(lock.holders) > _MOST_HOLDERS:
        lines.append(line("others", f"{len(lock.holders) - _MOST_HOLDERS} more workers {held}"))
    free = f"{units.duration(lock.free_ns)} ({units.share(lock.free_ns / waited_ns)})"
    words = " while this worker slept" if asleep else ""
    lines.append(line("free", free + words, Ink.WARNING if asleep else Ink.TEXT))
    if lock.unknown_ns:
        share = units.share(lock.unknown_ns / waited_ns)
        words = "others' transactions may lie there that are only counted, or not told yet"
        lines.append(line("unknown", f"{units.duration(lock.unknown_ns)} ({share}); {words}"))
    return tuple(lines)
