"""One event of the lock timeline: who waited, how long, which rungs it slept, and who held the lock meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from simulators.events import Mode, Outcome
from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Segment
from sqlwatch.metrics.lane_events import EventKey, event_of
from sqlwatch.metrics.open_story import open_story
from sqlwatch.metrics.result_codes import message_of
from sqlwatch.metrics.wait_story import WaitStory, wait_story
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.timeline_open_page import open_page
from sqlwatch.tui.timeline_wait_lines import lock_lines, rung_lines
from sqlwatch.tui.view import View


def event_page(event: EventKey) -> Callable[[View], Page]:
    """Return what makes the page of an event; one that goes on becomes the finished one when its end is told."""

    def make(view: View) -> Page:
        simulation = view.simulation
        if simulation is None:
            return _gone(event)
        lanes = simulation.lanes
        found = event_of(lanes, event)
        if found is not None and found.key.number:
            story = wait_story(lanes, found.key.worker, found.key.number)
            return finished_page(story, view) if story is not None else _gone(event)
        so_far = open_story(lanes, event)
        if so_far is None:
            return _gone(event)
        return open_page(so_far, view)

    return make


def _gone(event: EventKey) -> Page:
    words = "This event is not kept any more: only the newest ones are, for about half a minute."
    if not event.number:
        words = "It has ended, and its end is either still on its way, or it was so short that it was only counted."
    return (Section("Event", Ink.STRONG, (line("", words),)),)


def finished_page(story: WaitStory, view: View) -> Page:
    """Return the page of a transaction that has ended."""
    is_queue = story.mode is Mode.SINGLE_WRITER
    is_asleep = bool(story.transaction.retries) and not is_queue
    meanwhile = lock_lines(story.meanwhile, story.waited_ns, asleep=is_asleep, is_queue=is_queue)
    return (
        Section(f"One transaction of {story.label}", Ink.STRONG, _what(story, view)),
        Section("How it waited", Ink.WAITS, _how(story)),
        Section("The write lock meanwhile", Ink.HOLDS, meanwhile),
    )


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
    return (*lines, *rung_lines(story.sleeps, last="got it" if story.transaction.got_ns else "taken"))
