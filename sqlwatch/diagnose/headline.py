"""One line of plain words for what is happening now, computed from a Snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulators.events import Mode, Role, WorkerState
from sqlwatch.charts import units
from sqlwatch.diagnose.side_by_side import ratio, times_words
from sqlwatch.diagnose.thresholds import DEFAULT, Thresholds
from sqlwatch.metrics.snapshot import MarkKind, Period, Simulation, Snapshot, Status, Worker


def headline(snapshot: Snapshot, thresholds: Thresholds = DEFAULT) -> str:
    """Say in one line what is happening now; the most pressing thing wins."""
    if (words := _of_status(snapshot)) is not None:
        return words
    if snapshot.simulation is None:
        return snapshot.message or "nothing has been measured yet"
    now = _Now(snapshot, snapshot.simulation, thresholds)
    return next(words for rule in _RULES if (words := rule(now)) is not None)


@dataclass(frozen=True)
class _Now:
    """A Snapshot of a running simulation, and what the rules ask of it more than once."""

    snapshot: Snapshot
    simulation: Simulation
    limits: Thresholds

    @property
    def window(self) -> Period:
        """The last seconds."""
        return self.simulation.window

    @property
    def writers(self) -> list[Worker]:
        """Writers that live."""
        return [worker for worker in self.window.workers if worker.role is Role.WRITER and worker.exit is None]

    @property
    def waiting(self) -> list[Worker]:
        """Writers that wait for the write lock, or in the single writer's queue."""
        return [writer for writer in self.writers if writer.current_wait_ns > 0]

    @property
    def wait_p99(self) -> str:
        """The p99 of the window's waits, the ones without an end at their length so far."""
        return units.duration(self.window.all_waits.percentile_ns(99))

    @property
    def top(self) -> tuple[Worker, float] | None:
        """The writer with the most commits of the window, and its share; None before the first commit."""
        writers = [writer for writer in self.window.workers if writer.role is Role.WRITER and writer.committed]
        if not writers or not self.window.committed:
            return None
        first = max(writers, key=lambda writer: writer.committed)
        return first, first.committed / self.window.committed

    @property
    def seconds(self) -> str:
        """The length of the window."""
        return units.duration(self.window.elapsed_ns)


def _of_status(snapshot: Snapshot) -> str | None:
    """Say what the session is doing, where that is all there is to say."""
    match snapshot.status:
        case Status.STARTING:
            return snapshot.message or "starting the workers"
        case Status.WARMING_UP:
            return "warming up: nothing is counted yet"
        case Status.PAUSED:
            return "paused: all workers rest, and the time does not count"
        case Status.SWITCHING:
            return "switching: every transaction under way comes to its end first"
        case Status.STOPPING:
            return "ending: the workers finish what they have begun"
        case Status.ENDED:
            return snapshot.message or _ended(snapshot.simulation)
        case Status.RUNNING:
            return None


def _ended(simulation: Simulation | None) -> str:
    if simulation is None or not simulation.run.elapsed_ns:
        return "ended before anything was measured"
    run = simulation.run
    return f"ended: {run.committed:,} commits in {units.duration(run.elapsed_ns)}"


# The rules, most pressing first; each returns None where it has nothing to say.


def _died(now: _Now) -> str | None:
    exits = [mark for mark in now.snapshot.timeline.marks if mark.kind is MarkKind.WORKER_EXIT]
    if not exits or now.snapshot.at_ns - exits[-1].at_ns > now.limits.news_ns:
        return None
    fresh = [mark for mark in exits if now.snapshot.at_ns - mark.at_ns <= now.limits.news_ns]
    if len(fresh) > 1:
        return f"{len(fresh)} workers have just ended, the last one {fresh[-1].text}; {_goes_on(now)}"
    return f"{fresh[-1].text}; {_goes_on(now)}"


def _goes_on(now: _Now) -> str:
    left = len(now.writers)
    return f"{_writers(left)} go{'es' if left == 1 else ''} on" if left else "no writer is left"


def _nobody_writes(now: _Now) -> str | None:
    if now.writers:
        return None
    readers = [w for w in now.window.workers if w.role is Role.READER and w.exit is None]
    if not readers:
        return "no worker is left"
    count = f"{len(readers)} reader{'s read' if len(readers) > 1 else ' reads'}"
    return f"nobody writes; {count} {units.rate(now.snapshot.reads_per_s)}"


def _long_hold(now: _Now) -> str | None:
    owner = Role.SINGLE_WRITER if now.simulation.mode is Mode.SINGLE_WRITER else Role.WRITER
    holders = [w for w in now.window.workers if w.role is owner and w.state is WorkerState.HOLDING and w.exit is None]
    longest = max(holders, key=lambda worker: worker.state_for_ns or 0, default=None)
    if longest is None or (longest.state_for_ns or 0) < now.limits.long_hold_ns:
        return None
    others = len([writer for writer in now.waiting if writer.id != longest.id])
    wait = f"{others} wait{'s' if others == 1 else ''} for it" if others else "nobody waits for it"
    who = "the single writer" if owner is Role.SINGLE_WRITER else f"worker {longest.id}"
    return f"{who} has held the write lock for {units.duration(longest.state_for_ns)} by now; {wait}"


def _starved(now: _Now) -> str | None:
    starved = [writer for writer in now.writers if writer.starved]
    if not starved:
        return None
    least = _whole(min(writer.current_wait_ns for writer in starved))
    if len(starved) == 1:
        who = f"worker {starved[0].id} has waited over {least}"
    else:
        who = f"{len(starved)} of {len(now.writers)} writers have waited over {least}"
    return f"{who}: {_takers(now, {writer.id for writer in starved})}"


def _takers(now: _Now, starved: set[int]) -> str:
    """Say who gets the turns that the starved ones do not get."""
    if now.top is None:
        return f"nobody has committed in the last {now.seconds}"
    first, share = now.top
    if share >= now.limits.every_turn_share:
        return f"worker {first.id} takes {'' if share > 0.995 else 'nearly '}every turn"
    if share >= now.limits.hog_share:
        return f"worker {first.id} took {units.share(share)} of the turns in the last {now.seconds}"
    lucky = [w for w in now.writers if w.committed and w.id not in starved]
    return f"{len(lucky)} other{'s take' if len(lucky) != 1 else ' takes'} the turns"


def _busy_errors(now: _Now) -> str | None:
    window = now.window
    if not window.busy_errors:
        return None
    said = f"{_count(window.busy_errors, 'busy error')} in the last {now.seconds}"
    if window.finished:
        said += f", {units.share(window.busy_errors / window.finished)} of all transactions"
    if window.busy_snapshot_errors * 2 > window.busy_errors:
        return f"{said}: who read first may not write once another has committed (SQLITE_BUSY_SNAPSHOT)"
    longest_ns = window.given_up_waits.max_ns
    if window.given_up_waits.count and longest_ns > now.limits.quiet_wait_ns:
        return f"{said}: writers give up after waiting for up to {units.duration(longest_ns)}"
    return f"{said}: the lock is taken, and they do not wait for it"


def _other_errors(now: _Now) -> str | None:
    count = now.window.other_errors
    if not count:
        return None
    return f"{_count(count, 'transaction')} failed in the last {now.seconds}, and not because the lock was taken"


def _pinned(now: _Now) -> str | None:
    wal, pins = now.snapshot.wal, now.snapshot.wal.pins
    oldest = max(pins, key=lambda pin: pin.held_ns, default=None)
    if oldest is None or oldest.held_ns < now.limits.pinned_ns:
        return None
    who = f"process {oldest.pid}" if oldest.pid else "a reader"
    backlog = "" if wal.backlog_frames is None else f"; {wal.backlog_frames:,} frames wait to be copied"
    return (
        f"the WAL is pinned: {who} has kept its snapshot at frame {oldest.frame:,} "
        f"for over {_whole(oldest.held_ns)}{backlog}"
    )


def _just_begun(now: _Now) -> str | None:
    if now.window.elapsed_ns >= now.limits.settled_ns:
        return None
    return f"{now.simulation.phase.name} has just begun"


def _idle(now: _Now) -> str | None:
    if now.window.committed or now.waiting:
        return None
    return f"quiet: nobody has committed or waited in the last {now.seconds}"


def _wasted(now: _Now) -> str | None:
    window = now.window
    wasted = window.wasted_lock_time or 0.0
    is_queue = now.simulation.mode is Mode.SINGLE_WRITER
    if is_queue or window.looks < now.limits.least_looks or wasted < now.limits.wasted_info:
        return None
    why = "the mutex wakes the next one late"
    if now.simulation.mode is Mode.CONTENDED:
        why = "waiters sleep in their backoff"
    free = f"the lock is free {units.share(wasted)} of the time while somebody waits"
    return f"{free}: {why} (last {now.seconds}, p99 wait {now.wait_p99})"


def _queue(now: _Now) -> str | None:
    if now.simulation.mode is not Mode.SINGLE_WRITER:
        return None
    window = now.window
    depth = sum(worker.queue_depth for worker in window.workers if worker.role is Role.SINGLE_WRITER)
    p99 = f"p99 {units.duration(window.commit_latency.percentile_ns(99))}"
    gain, reason = _gain(now)
    databases = now.simulation.databases
    who = "one writer serves" if databases == 1 else f"{databases} single writers serve"
    if depth and window.groups and window.committed > window.groups * 1.5:
        size = window.committed / window.groups
        commits = "commits" if databases == 1 else "commit"
        return f"{gain}{who} a queue of {depth} and {commits} {size:.1f} requests at once ({reason}{p99})"
    if depth:
        turns = "and nobody sleeps while the lock is free" if reason else "every request waits its turn"
        return f"{gain}{who} a queue of {depth}{',' if reason else ':'} {turns} ({reason}{p99})"
    return f"{gain}{who} {_writers(len(now.writers))}, and nobody queues now ({reason}{p99})"


def _gain(now: _Now) -> tuple[str, str]:
    """Say how many times the contended commits these are, and how much less lock time is wasted; empty if untold.

    The phases of a lesson are other workloads as well: the lesson compares them.
    """
    phase, base = now.simulation.phase, now.simulation.latest_of(Mode.CONTENDED)
    if (
        now.snapshot.lesson is not None
        or base is None
        or min(phase.elapsed_ns, base.elapsed_ns) < now.limits.comparable_ns
    ):
        return "", ""
    times = ratio(base.per_second(base.committed), phase.per_second(phase.committed))
    if times is None:
        return "", ""
    before, after = base.wasted_lock_time, phase.wasted_lock_time
    saves = before is not None and after is not None and before - after >= now.limits.wasted_info
    reason = f"wasted {units.share(after)}, was {units.share(before)}; " if saves and times > 1 else ""
    return f"{times_words(times)} the commits of {base.name}: ", reason


def _hog(now: _Now) -> str | None:
    if now.top is None or len(now.writers) < 3:
        return None
    first, share = now.top
    if share < now.limits.hog_share:
        return None
    longest = units.duration(max((writer.longest_wait_ns for writer in now.writers), default=0))
    took = f"worker {first.id} took {units.share(share)} of the turns in the last {now.seconds}"
    return f"{took}; the others waited for up to {longest}"


def _mutex(now: _Now) -> str | None:
    if now.simulation.mode is not Mode.MUTEX or not now.waiting:
        return None
    waiting = _waiting(now).removesuffix(" now")
    return f"{waiting} for the mutex, asleep until it is free (p99 wait {now.wait_p99})"


def _saturated(now: _Now) -> str | None:
    window = now.window
    if window.looks < now.limits.least_looks or (window.lock_utilisation or 0) < now.limits.saturated_utilisation:
        return None
    return f"{_held(now)}: {_waiting(now)} (p99 wait {now.wait_p99})"


def _usual(now: _Now) -> str | None:
    p99_ns = now.window.all_waits.percentile_ns(99) or 0.0
    if p99_ns <= now.limits.quiet_wait_ns:
        return f"quiet: {_held(now)}, and 99 of 100 waits end within {units.duration(p99_ns)}"
    return f"{_waiting(now)}, and {_held(now)} (p99 wait {units.duration(p99_ns)})"


def _held(now: _Now) -> str:
    """Say how much of the time the lock is held; of several locks it is the mean."""
    share = now.window.lock_utilisation
    if share is None:
        return f"{units.rate(now.snapshot.commits_per_s)} commits"
    lock = "the write lock" if now.simulation.databases == 1 else "each write lock"
    return f"{lock} is held {units.share(share)} of the time" if share >= 0.001 else f"{lock} is hardly ever held"


def _waiting(now: _Now) -> str:
    count, writers = len(now.waiting), _writers(len(now.writers))
    return f"{count} of {writers} wait{'s' * (count == 1)} now" if count else f"none of {writers} waits now"


_RULES: Final[tuple[Callable[[_Now], str | None], ...]] = (
    _died, _nobody_writes, _long_hold, _starved, _busy_errors, _other_errors, _pinned, _just_begun, _idle, _wasted,
    _queue, _hog, _mutex, _saturated, _usual,
)  # fmt: skip
"""The last one always has something to say."""


def _writers(count: int) -> str:
    return _count(count, "writer")


def _count(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _whole(duration_ns: int) -> str:
    """Write a duration rounded down to a whole second, so that `over` is true.

    >>> _whole(1_000_000_000), _whole(3_999_000_000), _whole(75_000_000_000), _whole(900_000_000)
    ('1 s', '3 s', '75 s', '900 ms')
    """
    return f"{duration_ns // 10**9} s" if duration_ns >= 10**9 else f"{duration_ns // 10**6} ms"
