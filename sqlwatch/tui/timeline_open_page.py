"""A wait or a hold that goes on: who, since when, on which rung it sleeps, and who holds the lock meanwhile."""

from __future__ import annotations

from simulators.events import Mode
from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Segment
from sqlwatch.metrics.open_story import OpenStory
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.timeline_wait_lines import lock_lines, rung_lines
from sqlwatch.tui.view import View

_MOST_WAITERS = 20


def open_page(story: OpenStory, view: View) -> Page:
    """Return the page of a transaction whose end has not been told."""
    sections = [Section(_title(story), Ink.STRONG, _what(story, view))]
    if story.got_ns is None:
        sections.append(Section("How it waits", Ink.WAITS, _how(story)))
    if story.meanwhile is not None and story.waited_ns is not None:
        meanwhile = lock_lines(
            story.meanwhile, story.waited_ns,
            asleep=story.mode is Mode.CONTENDED, is_queue=story.mode is Mode.SINGLE_WRITER,
        )  # fmt: skip
        sections.append(Section("The write lock meanwhile", Ink.HOLDS, (*_now(story), *meanwhile)))
    if story.got_ns is not None and story.goes_on:
        sections.append(Section("Who waits for it", Ink.WAITS, _waiters(story)))
    return tuple(sections)


def _title(story: OpenStory) -> str:
    if not story.goes_on:
        return f"A transaction of {story.label} of whose end nothing is told"
    return f"{story.label} waits for the write lock" if story.got_ns is None else f"{story.label} holds the write lock"


def _what(story: OpenStory, view: View) -> tuple[Line, ...]:
    now_ns = view.snapshot.at_ns if view.snapshot is not None else story.seen_ns
    began_ns = story.asked_ns if story.asked_ns is not None else story.got_ns
    database = f", database {story.database + 1}" if story.database else ""
    growing = "" if not story.goes_on else " so far, frozen; space lets it grow" if view.frozen else " so far, growing"
    lines = [line("who", f"worker {story.worker}{database}; its transaction is not finished")]
    if story.asked_ns is not None:
        lines.append(line("asked", f"{units.duration(now_ns - story.asked_ns)} before this picture"))
        waits = "" if story.got_ns is not None else growing
        lines.append(Line("waited" if story.got_ns is not None else "waits", _strong(story.waited_ns, waits)))
    else:
        lines.append(line("waited", "unknown: no look saw it wait"))
    if story.got_ns is not None:
        lines.append(Line("holds" if story.goes_on else "held", _strong(story.seen_ns - story.got_ns, growing)))
    if not story.goes_on and began_ns is not None:
        ended = "its worker has ended; it will never be told" if story.has_ended else "on its way"
        seen = f"last seen {units.duration(now_ns - story.seen_ns)} before this picture"
        lines.append(line("its end", f"{seen}; {ended}"))
    if story.gives_up_in_ns is not None:
        lines.append(line("gives up", f"in {units.duration(story.gives_up_in_ns)}, with a busy error"))
    return tuple(lines)


def _strong(ns: int | None, words: str) -> tuple[Segment, ...]:
    return Segment(units.duration(ns), Ink.STRONG), Segment(words, Ink.MUTED)


def _how(story: OpenStory) -> tuple[Line, ...]:
    if story.mode is Mode.SINGLE_WRITER:
        return (line("", "In the single writer's queue; it sleeps on no rung, its turn wakes it."),)
    if story.mode is Mode.MUTEX:
        return (line("", "Behind the mutex; it sleeps on no rung, whoever lets go wakes it."),)
    if story.rungs is None:
        why = "nobody saw it go on" if not story.goes_on else "this busy policy draws its delays at random"
        return (line("rungs", f"unknown: {why}"),)
    rungs = story.rungs
    now = (
        f"asleep for {units.duration(rungs.sleeps_ns)}; looks again in ~{units.duration(rungs.looks_in_ns)}, "
        "and cannot notice before that the lock is free"
    )
    return (
        line("rungs slept", f"~{len(rungs.slept)}"),
        *rung_lines(rungs.slept, last="taken"),
        line(f"rung {len(rungs.slept) + 1}", now, Ink.WAITS),
    )


def _now(story: OpenStory) -> tuple[Line, ...]:
    if not story.goes_on or story.got_ns is not None:
        return ()
    if not story.holders_now:
        return (line("now", "nobody was found holding it at the newest look"),)
    names = (" for " if story.mode is Mode.SINGLE_WRITER else " and ").join(story.holders_now)
    return (line("now", f"{names} held it at the newest look"),)


def _waiters(story: OpenStory) -> tuple[Line, ...]:
    if not story.waiters:
        return (line("", "Nobody waited at the newest look."),)
    lines = [line(one.label, f"has waited {units.duration(one.waited_ns)}") for one in story.waiters[:_MOST_WAITERS]]
    if len(story.waiters) > _MOST_WAITERS:
        lines.append(line("others", f"{len(story.waiters) - _MOST_WAITERS} more wait"))
    return tuple(lines)
