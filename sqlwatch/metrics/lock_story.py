"""Who held the write lock: shares of a sliding window, longest holds, and lanes over time, from the looks' counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from sqlwatch.metrics.lock_spans import LockSpan, SpanRing, WaitSeen, span_of
from sqlwatch.metrics.observations import HeldRun, LockName, LockSample, Process, Waiter
from sqlwatch.metrics.observed import Lane

WINDOW_NS: Final = 10_000_000_000
"""Length of the sliding window."""
LANE_PERIOD_NS: Final = 200_000_000
LANE_CELLS: Final = 300
"""Cells kept: a minute."""
MOST_LANES: Final = 64
WAIT_GAP_NS: Final = 700_000_000
"""A waiter that three looks in a row did not find asleep waits no more."""

KEPT_HOLDERS: Final = 1_000
"""Processes whose longest and latest hold are kept; those that held it least lately are forgotten."""

_OLD_RUNS: Final = 64


class _Cell:
    """The looks of one cell of the lanes."""

    __slots__ = ("held", "looks", "waiting")

    def __init__(self) -> None:
        self.looks = 0
        self.held: dict[int, int] = {}
        self.waiting: set[int] = set()


class LockStory:
    """Follows the write lock through `LockSample` messages; times are CLOCK_MONOTONIC ns."""

    def __init__(self) -> None:
        self.looks = 0
        """Looks of the window, as `missed`, `held` and `held_by`."""
        self.missed = 0
        self._held: dict[int, int] = {}
        self._held_anyhow = 0
        self._window: deque[LockSample] = deque()
        self._ongoing: HeldRun | None = None
        self._ended: deque[HeldRun] = deque(maxlen=_OLD_RUNS)
        self._longest: dict[int, HeldRun] = {}
        self._last_held_ns: dict[int, int] = {}
        """As `_longest`, by process; who held the lock last comes last."""
        self._first_cell = 0
        self._cells: deque[_Cell] = deque()
        self._waits: dict[int, WaitSeen] = {}
        self._spans = SpanRing()

    def add(self, sample: LockSample) -> None:
        """Take in what the looks since the last message saw."""
        self._window.append(sample)
        self._count(sample, 1)
        while self._window[0].since_ns < sample.at_ns - WINDOW_NS and len(self._window) > 1:
            self._count(self._window.popleft(), -1)
        cell = self._cell(sample.at_ns)
        cell.looks += sample.looks
        for held in sample.held:
            if held.lock is LockName.WRITE:
                cell.held[held.pid] = cell.held.get(held.pid, 0) + held.looks
        self._ongoing = None
        for run in sample.runs:
            if run.lock is LockName.WRITE:
                self._add_run(run)

    def add_waiters(self, at_ns: int, waiters: Iterable[Waiter] | None) -> None:
        """Take in who seemed to wait at one look."""
        for waiter in waiters or ():
            wait = self._waits.get(waiter.pid)
            if wait is None or at_ns - wait.seen_ns > WAIT_GAP_NS or self._has_got(waiter.pid, wait):
                self._end_wait(waiter.pid)
                self._waits[waiter.pid] = wait = WaitSeen(at_ns)
            wait.add(at_ns, waiter.delay_ns)
            self._cell(at_ns).waiting.add(waiter.pid)
        for pid in [pid for pid, wait in self._waits.items() if at_ns - wait.seen_ns > WAIT_GAP_NS]:
            self._end_wait(pid)

    def forget_now(self) -> None:
        """Forget who holds and waits, and begin the window anew: there is no database."""
        self._ongoing = None
        self._window.clear()
        self._held.clear()
        self.looks = self.missed = self._held_anyhow = 0
        for pid in list(self._waits):
            self._end_wait(pid)

    @property
    def window_ns(self) -> int:
        """Time that the window covers."""
        return self._window[-1].at_ns - self._window[0].since_ns if self._window else 0

    @property
    def utilisation(self) -> float | None:
        """Share of the window's looks in which anybody held the write lock."""
        return min(self._held_anyhow / self.looks, 1.0) if self.looks else None

    def utilisation_of(self, pid: int) -> float | None:
        """Share of the window's looks in which this process held the write lock."""
        return min(self._held.get(pid, 0) / self.looks, 1.0) if self.looks else None

    @property
    def holders(self) -> set[int]:
        """Processes that held the write lock in the window."""
        return set(self._held)

    @property
    def waiters(self) -> dict[int, int]:
        """Processes that seem to wait, with the moment since which; who has held the lock since waits no more."""
        return {pid: wait.since_ns for pid, wait in self._waits.items() if not self._has_got(pid, wait)}

    @property
    def on_lanes(self) -> set[int]:
        """Processes that have a lane."""
        return {pid for cell in self._cells for pid in (*cell.held, *cell.waiting)}

    def longest_of(self, pid: int) -> HeldRun | None:
        """Return the longest run of looks that found this process holding, of the whole observation."""
        return self._longest.get(pid)

    def last_held_ns(self, pid: int) -> int | None:
        """Return when this process was last seen holding."""
        return self._last_held_ns.get(pid)

    def longest_of_window(self, now_ns: int) -> HeldRun | None:
        """Return the longest hold that ended in the window or goes on."""
        runs = [run for run in self._ended if run.until_ns >= now_ns - WINDOW_NS]
        runs += [self._ongoing] if self._ongoing is not None else []
        return max(runs, key=lambda run: run.until_ns - run.since_ns, default=None)

    def lengths_of(self, pid: int) -> tuple[int, ...]:
        """Return how many holds of this process ended after which length, as `Participant.hold_lengths`."""
        return self._spans.lengths_of(pid)

    def spans(self, now_ns: int) -> tuple[LockSpan, ...]:
        """Return what lies on the lanes: holds and waits that have ended, then those that go on or ended just now."""
        ended = self._spans.since(now_ns - LANE_CELLS * LANE_PERIOD_NS)
        hold = span_of(self._ongoing) if self._ongoing is not None else None
        waits = [wait.span(pid, goes_on=not self._has_got(pid, wait)) for pid, wait in self._waits.items()]
        return (*ended, *([hold] if hold is not None else ()), *waits)

    def lanes(self, now_ns: int, known: Mapping[int, Process]) -> tuple[int, tuple[Lane, ...]]:
        """Return (end of the newest complete cell, a lane for each process that held or waited, with what is known)."""
        complete = max(now_ns // LANE_PERIOD_NS - self._first_cell, 0)
        cells = list(self._cells)[:complete]
        pids = dict.fromkeys(pid for cell in reversed(cells) for pid in (*cell.held, *cell.waiting))
        chosen = sorted(list(pids)[:MOST_LANES])
        lanes = tuple(
            Lane(
                pid,
                tuple(min(cell.held.get(pid, 0) / cell.looks, 1.0) if cell.looks else None for cell in cells),
                tuple(pid in cell.waiting for cell in cells),
                known.get(pid),
            )
            for pid in chosen
        )
        return (self._first_cell + len(cells)) * LANE_PERIOD_NS, lanes

    def _has_got(self, pid: int, wait: WaitSeen) -> bool:
        """Tell whether a process was found holding the lock since it was last found waiting."""
        return self._last_held_ns.get(pid, 0) > wait.seen_ns

    def _end_wait(self, pid: int) -> None:
        wait = self._waits.pop(pid, None)
        if wait is not None:
            self._spans.add_wait(pid, wait)

    def _count(self, sample: LockSample, sign: int) -> None:
        self.looks += sign * sample.looks
        self.missed += sign * sample.missed
        for held in sample.held:
            if held.lock is LockName.WRITE:
                self._held[held.pid] = looks = self._held.get(held.pid, 0) + sign * held.looks
                self._held_anyhow += sign * held.looks
                if not looks:
                    del self._held[held.pid]

    def _add_run(self, run: HeldRun) -> None:
        if run.is_ongoing:
            self._ongoing = run
        else:
            self._keep(run)
            self._spans.add_hold(run)
        known = self._longest.get(run.pid)
        if known is None or run.until_ns - run.since_ns >= known.until_ns - known.since_ns:
            self._longest[run.pid] = run
        self._last_held_ns[run.pid] = max(run.until_ns, self._last_held_ns.pop(run.pid, 0))
        if len(self._last_held_ns) > KEPT_HOLDERS:
            forgotten = next(iter(self._last_held_ns))
            del self._last_held_ns[forgotten], self._longest[forgotten]
            self._spans.forget(forgotten)

    def _keep(self, run: HeldRun) -> None:
        """Keep an ended run if it may be the longest of the window: the ring never fills with short ones."""
        length_ns = run.until_ns - run.since_ns
        while self._ended and self._ended[-1].until_ns - self._ended[-1].since_ns <= length_ns:
            self._ended.pop()
        self._ended.append(run)

    def _cell(self, at_ns: int) -> _Cell:
        number = at_ns // LANE_PERIOD_NS
        if not self._cells:
            self._first_cell = number
        if number - (self._first_cell + len(self._cells)) > LANE_CELLS:
            self._cells.clear()
            self._first_cell = number
        while self._first_cell + len(self._cells) <= number:
            self._cells.append(_Cell())
            if len(self._cells) > LANE_CELLS:
                self._cells.popleft()
                self._first_cell += 1
        return self._cells[max(number - self._first_cell, 0)]
