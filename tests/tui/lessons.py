"""A lesson for the dashboard's tests, and Snapshots of it that are the same in every run."""

from __future__ import annotations

import msgspec

from simulators.events import Mode
from simulators.scenario import parse
from sqlwatch.metrics.snapshot import LessonRun, Period, Snapshot, Status
from tests.tui.fake import SECOND, STARTED_NS, make_period, make_snapshot, make_workers

LESSON = parse(
    """
title = "One queue is enough"
source = "nobody, chapter 3"
question = "Sixteen writers want one lock: does a queue before SQLite serve them better than SQLite's own sleep?"
watch = "The longest wait."
expect = "Yes. Who sleeps misses the moment in which the lock is free; who queues is called."
vanish = "Let them write seldom: --think 2s."
repeats = 2
[workload]
writers = 16
duration = "20s"
[[phases]]
name = "contended"
watch = "The row 'waiting': digits far to the right starve."
[[phases]]
name = "single-writer"
workload = { mode = "single-writer" }
[[effects]]
says = "longest wait"
figure = "longest_wait_ms"
of = "contended"
against = "single-writer"
at-least = 5
published = 20
[[effects]]
says = "fairness (Jain's index)"
figure = "jain"
of = "single-writer"
at-least = 0.95
[[effects]]
says = "throughput"
figure = "commits_per_s"
of = "single-writer"
against = "contended"
at-least = 3
[[published]]
what = "waits, one after another"
value = "12 to 250 ms"
""",
    "queue.toml",
    "queue",
)


def ended_phases() -> tuple[Period, Period]:
    """Both phases of a repeat."""
    modes = (Mode.CONTENDED, Mode.SINGLE_WRITER)
    first, second = (make_period(mode, 20, STARTED_NS, make_workers(20, mode, 16, 0)) for mode in modes)
    return msgspec.structs.replace(first, errors={5: 3, 517: 4}), second


def lesson_snapshot(
    phase: int = 0, *, repeat: int = 0, seconds: float = 20, status: Status = Status.RUNNING,
    is_held: bool = False, awaits_next: bool = False, switched_to: Mode | None = None,
) -> Snapshot:  # fmt: skip
    """A Snapshot in a phase of a repeat; at the end, with all that was left."""
    mode = switched_to or (Mode.SINGLE_WRITER if phase else Mode.CONTENDED)
    both = ended_phases()
    over = status is Status.ENDED
    ended = (both,) * repeat + (both[: phase + 1 if over else phase],)
    run = LessonRun(phase, repeat, 2, ended, is_held, awaits_next, switched_to=switched_to)
    snapshot = make_snapshot(seconds + phase * 20, mode=mode, switched_after=20 if phase else None, status=status)
    assert snapshot.elapsed_ns >= seconds * SECOND
    return msgspec.structs.replace(snapshot, lesson=run)


def last_snapshot() -> Snapshot:
    """The end of the lesson."""
    return lesson_snapshot(1, repeat=1, status=Status.ENDED)
