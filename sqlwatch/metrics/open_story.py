"""A wait or a hold that no batch tells of yet: what is known of it so far."""

from __future__ import annotations

import msgspec

from simulators.events import Mode, Role, WorkerState
from sqlwatch.metrics.ladder import looks_ns
from sqlwatch.metrics.lane_events import EventKey, Untold, untold
from sqlwatch.metrics.lanes import Lanes, WorkerLane
from sqlwatch.metrics.meanwhile import Meanwhile, meanwhile
from sqlwatch.metrics.wait_story import Sleep


class Rungs(msgspec.Struct, frozen=True):
    """How far a sleeper has come on the ladder; it wakes up a little late each time: these times are the earliest."""

    slept: tuple[Sleep, ...]
    sleeps_ns: int
    """Length of the sleep it is in."""
    looks_in_ns: int


class Waiter(msgspec.Struct, frozen=True):
    """Somebody who waits for the lock now."""

    label: str
    waited_ns: int


class OpenStory(msgspec.Struct, frozen=True):
    """All that is known so far of a transaction that has not ended, or of whose end nothing has been told."""

    worker: int
    label: str
    database: int
    mode: Mode
    asked_ns: int | None
    """None where no wait was seen."""
    got_ns: int | None
    """None where it has not got the lock, as far as was seen."""
    seen_ns: int
    """Until when it was seen."""
    goes_on: bool
    has_ended: bool
    """Whether the worker has ended, so that it will never tell."""
    waited_ns: int | None
    rungs: Rungs | None
    """None where it does not sleep on rungs, or none are known."""
    gives_up_in_ns: int | None
    """How long until the busy error; None where there is none to come."""
    holders_now: tuple[str, ...]
    """Who held the lock at the newest look, as far as was seen; the single writer first, then for whom."""
    meanwhile: Meanwhile | None
    """The lock within the wait."""
    waiters: tuple[Waiter, ...]
    """Who waits for the lock that it holds, longest first."""


def open_story(lanes: Lanes, key: EventKey) -> OpenStory | None:
    """Return the story of a wait or hold that is not told yet; None if it was not kept, or has been told."""
    lane = lanes.lane(key.worker)
    seen = untold(lane) if lane is not None and not key.number else None
    if lane is None or seen is None or not seen.from_ns <= key.seen_ns <= seen.until_ns:
        return None
    wait, hold = seen.wait, seen.hold
    until_ns = hold.from_ns if hold is not None else seen.until_ns
    waited_ns = until_ns - wait.from_ns if wait is not None else None
    waits_on = wait is not None and hold is None and seen.goes_on
    polls = lanes.mode is Mode.CONTENDED
    return OpenStory(
        worker=lane.worker,
        label=lane.label,
        database=lane.database,
        mode=lanes.mode,
        asked_ns=wait.from_ns if wait is not None else None,
        got_ns=hold.from_ns if hold is not None else None,
        seen_ns=seen.until_ns,
        goes_on=seen.goes_on,
        has_ended=seen.has_ended,
        waited_ns=waited_ns,
        rungs=_rungs(lanes, waited_ns) if waited_ns is not None and waits_on and polls else None,
        gives_up_in_ns=max(lanes.limit_ns - (waited_ns or 0), 0) if waits_on and polls and lanes.limit_ns else None,
        holders_now=_holders_now(lanes, lane) if waits_on else (),
        meanwhile=meanwhile(lanes, lane, wait.from_ns, until_ns, is_told=False) if wait is not None else None,
        waiters=_waiters(lanes, lane, seen) if hold is not None and seen.goes_on else (),
    )


def _rungs(lanes: Lanes, waited_ns: int) -> Rungs | None:
    """Return the rungs slept so far, as SQLite's ladder has them."""
    delays = lanes.delays_ns
    if not delays or delays[-1] <= 0:
        return None
    looks = looks_ns(delays, waited_ns)
    befores = (0, *looks)
    slept = tuple(Sleep(look - before, look) for before, look in zip(befores, looks, strict=False))
    sleeps_ns = delays[min(len(looks), len(delays) - 1)]
    if lanes.limit_ns:
        sleeps_ns = min(sleeps_ns, max(lanes.limit_ns - befores[-1], 0))
    return Rungs(slept, sleeps_ns, max(befores[-1] + sleeps_ns - waited_ns, 0))


def _holders_now(lanes: Lanes, own: WorkerLane) -> tuple[str, ...]:
    """Return whom the newest look found holding the lock: the single writer first, then for whom it works."""
    found = [
        lane
        for lane in lanes.lanes
        if lane.database == own.database and lane.runs and lane.runs[-1].state is WorkerState.HOLDING
    ]
    return tuple(lane.label for lane in sorted(found, key=lambda lane: lane.role is not Role.SINGLE_WRITER))


def _waiters(lanes: Lanes, own: WorkerLane, seen: Untold) -> tuple[Waiter, ...]:
    """Return who waits at the newest look, and for how long."""
    waiting = [
        Waiter(lane.label, seen.until_ns - lane.runs[-1].from_ns)
        for lane in lanes.lanes
        if lane.database == own.database and lane.runs and lane.runs[-1].state is WorkerState.WAITING
    ]
    return tuple(sorted(waiting, key=lambda waiter: -waiter.waited_ns))
