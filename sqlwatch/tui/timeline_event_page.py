"""One event of the lock timeline: who waited, how long, which rungs it slept, and who held the lock meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from simulators.events import Mode, Outcome
from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Segment
from sqlwatch.metrics.result_codes import message_of
from sqlwatch.metrics.wait_story import WaitStory, wait_story
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.view import EventKey, View

_MOST_HOLDERS = 20


def event_page(event: EventKey) -> Callable[[View], Page]:
    """Return what makes the page of an event."""

    def make(view: View) -> Page:
        simulation = view.simulation
        story = wait_story(simulation.lanes, *event) if simulation is not None else None
        if story is None:
            gone = line("", "This event is not kept any more: only the newest ones are, for about half a minute.")
            return (Section("Event", Ink.STRONG, (gone,)),)
        return (
            Section(f"One transaction of {story.label}", Ink.STRONG, _what(story, view)),
            Section("How it waited", Ink.WAITS, _how(story)),
            Section("The write lock meanwhile", Ink.HOLDS, _meanwhile(story)),
        )

    return make


def _what(story: WaitStory, view: View) -> tuple[Line, ...]:
    transaction = story.transaction
    now_ns = view.snapshot.at_ns if view.snapshot is not None else transaction.done_ns
    held_ns = transaction.released_ns - transaction.got_ns if transaction.got_ns else None
    database = f", database {story.database + 1}" if story.database else ""
    return (
        line("who", f"worker {story.worker}, its transaction number {transaction.number}{database}"),
        line("asked", f"{units.duration(now_ns - transaction.asked_ns)} before this picture"),
        Line("waited", (Segment(units.duration(story.waited_ns), Ink.STRONG),)),
        line("held", units.duration(held_ns)),
        line("outcome", _outcome(transaction.outcome), Ink.WARNING if transaction.outcome else Ink.TEXT),
    )


def _outcome(outcome: int) -> str:
    words = {
        int(Outcome.COMMITTED): "committed",
        int(Outcome.WITHDRAWN): "withdrawn: the workload came to rest; no error",
        int(Outcome.WRITER_DIED): "lost: the single writer died",
        int(Outcome.UNKNOWN): "in doubt: the single writer died",
    }
    return words.get(outcome) or message_of(outcome)


def _how(story: WaitStory) -> tuple[Line, ...]:
    retries = story.transaction.retries
    if story.mode is Mode.SINGLE_WRITER:
        return (line("", "In the single writer's queue; it slept on no rung, its turn woke it."),)
    if not retries:
        how = "behind the mutex" if story.mode is Mode.MUTEX else "for the lock or for the processor"
        return (line("", f"It found the lock free at its first look; it waited {how}, and did not sleep."),)
    lines = [line("busy retries", str(retries))]
    if story.sleeps is None:
        lines.append(line("rungs", "unknown: this busy policy draws its delays at random"))
        return tuple(lines)
    found = "got it" if story.transaction.got_ns else "taken"
    last = len(story.sleeps) - 1
    lines += [
        line(
            f"rung {number + 1}",
            f"slept {units.duration(rung.slept_ns).rjust(5)}, looked ~{units.duration(rung.looked_ns)} after asking: "
            f"{found if number == last else 'taken'}",
        )
        for number, rung in enumerate(story.sleeps)
    ]
    return tuple(lines)


def _meanwhile(story: WaitStory) -> tuple[Line, ...]:
    if not story.waited_ns:
        return (line("", "It did not wait."),)
    lines = [
        line(
            holder.label,
            f"held it {holder.times} time{'s' * (holder.times != 1)}, {units.duration(holder.held_ns)} "
            f"({units.share(holder.held_ns / story.waited_ns)})",
        )
        for holder in story.holders[:_MOST_HOLDERS]
    ]
    if len(story.holders) > _MOST_HOLDERS:
        lines.append(line("others", f"{len(story.holders) - _MOST_HOLDERS} more workers held it"))
    free = units.share(story.free_ns / story.waited_ns)
    asleep = " while this worker slept" if story.transaction.retries and story.mode is not Mode.SINGLE_WRITER else ""
    lines.append(line("free", f"{units.duration(story.free_ns)} ({free}){asleep}", Ink.WARNING if asleep else Ink.TEXT))
    if story.unknown_ns:
        share = units.share(story.unknown_ns / story.waited_ns)
        words = "unknown: others wrote short transactions then, which are only counted"
        lines.append(line("unknown", f"{units.duration(story.unknown_ns)} ({share}); {words}"))
    return tuple(lines)
