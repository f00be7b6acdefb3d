"""The fold of a simulation: events and observations in, Snapshots out.  It has no clock: time comes with the events."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from simulators.events import (
    Batch,
    Mode,
    PhaseStarted,
    Role,
    Running,
    SlotSample,
    Tick,
    WorkerExited,
    WorkerStarted,
    WorkerState,
    is_busy,
)
from simulators.quantities import BusyPolicy
from sqlwatch.metrics.fairness import starved_after_ns
from sqlwatch.metrics.ladder import delays_of
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.observations import WalObservation
from sqlwatch.metrics.positions import RoundStory
from sqlwatch.metrics.recents import Recents
from sqlwatch.metrics.snapshot import MarkKind, Period, Simulation, Snapshot, Status, Wal
from sqlwatch.metrics.tally import Tally, WorkerNow
from sqlwatch.metrics.timeline import TimelineBuilder
from sqlwatch.metrics.wal import WalStory

WINDOW_SLICES: Final = 10
SLICE_NS: Final = 1_000_000_000
"""The sliding window is this many slices of this length."""

KEPT_PHASES: Final = 20
"""Ended phases that stay apart; older ones live on in the whole run's figures."""

SETTLED_AFTER_NS: Final = 2_000_000_000
"""An ended phase changes no more after this long: by then all its batches have come and its streaks are judged."""

_NOTHING_IS_LATER_NS: Final = 2**62

FoldInput = Batch | SlotSample | WorkerStarted | WorkerExited | PhaseStarted | Running | Tick | WalObservation


class SimulationFold:
    """Folds the messages of one simulation."""

    def __init__(
        self, workload_words: str, databases: int, checkpoint_frames: int, earlier: tuple[Period, ...] = (),
        *, has_wal: bool = True, has_rounds: bool = False,
        busy: BusyPolicy = BusyPolicy(),  # noqa: B008  # a frozen value
    ) -> None:  # fmt: skip
        """Begin; `earlier` are phases of other runs, which stand before the ended ones of this.

        With `has_rounds` all writers begin their transactions together, want the same lock, and every one of these is
        an event.
        """
        self.received = 0
        """Transactions that arrived in batches, warm-up included."""
        self.commits_received = 0
        self.withdrawn = 0
        self.in_doubt = 0
        self.news = 0
        """Counts what the workers have told and begun: while it stays, only clocks have gone on."""
        self._words = workload_words
        self._next_mode: Mode | None = None
        self._databases = databases
        self._earlier = earlier
        self._has_wal = has_wal
        self._has_rounds = has_rounds
        self._rounds: dict[int, RoundStory] = {}
        """By the number of the phase."""
        self._started_ns: int | None = None
        self._now_ns = 0
        self._late_ns = 0
        """How much later than usual batches may come."""
        self._running = False
        self._ran_ns = 0
        self._own_cpu: float | None = None
        self._workers: dict[int, WorkerNow] = {}
        self._phases: dict[int, Tally] = {}
        self._ended: dict[int, Period] = {}
        self._current: Tally | None = None
        self._past = Tally("run", None, -1, 0)
        self._slices: deque[Tally] = deque([Tally("window", None, -1, 0)], maxlen=WINDOW_SLICES)
        self._closed: Tally | None = None
        """The sum of all slices but the newest, which do not change any more; made when it is needed."""
        self._fresh = Tally("fresh", None, -1, 0)
        """What was told of the current phase since somebody looked: not yet in it, nor in the newest slice."""
        self._timeline = TimelineBuilder()
        self._wal = WalStory(checkpoint_frames)
        self._recents = Recents()
        self._lanes = LaneRing(databases, delays_of(busy), round(busy.limit_ms * 1e6))

    def add(self, message: FoldInput) -> None:
        """Take in one message."""
        self.news += not isinstance(message, (SlotSample, WalObservation, Tick))
        match message:
            case Batch():
                self._add_batch(message)
            case SlotSample():
                self._advance(message.at_ns)
                self._late_ns = message.late_ns
                self._add_slots(message)
            case WalObservation():
                self._add_wal(message)
            case Tick():
                self._advance(message.at_ns)
                if self._current is not None:
                    _settle(self._current, message.at_ns)
                self._own_cpu = message.own_cpu if message.own_cpu is not None else self._own_cpu
            case PhaseStarted():
                self._begin_phase(message)
            case Running():
                self._advance(message.at_ns)
                if self._running and not message.running:
                    self._take_back(self._now_ns - message.at_ns)
                    if self._current is not None:
                        self._current.until_ns = max(message.at_ns, self._current.started_ns)
                self._running = message.running
                self._timeline.note_pause(message.at_ns, begins=message.paused, ends=message.running)
            case WorkerStarted():
                self._workers[message.worker] = WorkerNow(message.worker, message.pid, message.role, message.database)
                self._lanes.start(message.worker, message.role, message.database)
                if message.role is Role.WRITER:
                    self._join(message.worker)
            case WorkerExited():
                self._end_worker(message)

    def describe(self, workload_words: str, next_mode: Mode | None = None) -> None:
        """Take in other words for the workload, whose workers may have come or gone, and what follows by itself."""
        self._words, self._next_mode = workload_words, next_mode

    @property
    def phase_ran_ns(self) -> int:
        """How long the workload has run in the current phase, pauses not counted."""
        return self._current.ran_ns if self._current is not None else 0

    @property
    def is_warming_up(self) -> bool:
        """Whether the current phase is in no figure."""
        return self._current is not None and self._current.warm_up

    def snapshot(self, status: Status, message: str | None = None) -> Snapshot:
        """Return all that is known at the time of the newest message."""
        now_ns = self._now_ns
        if status is Status.ENDED:
            for tally in self._phases.values():
                _settle(tally, _NOTHING_IS_LATER_NS)
            self._late_ns = 0
        self._count_fresh()
        window = self._window()
        return Snapshot(
            at_ns=now_ns,
            status=status,
            elapsed_ns=self._ran_ns,
            commits_per_s=window.per_second(window.committed),
            reads_per_s=window.per_second(window.reads),
            wal=self._wal.freeze(now_ns) if self._has_wal else Wal(resets=None, checkpoints=None, pinned_ns=None),
            timeline=self._timeline.freeze(now_ns - self._late_ns),
            own_cpu=self._own_cpu,
            message=message,
            simulation=self._simulation(window) if self._current is not None else None,
            started_ns=self._started_ns,
        )

    # Messages.

    def _add_batch(self, batch: Batch) -> None:
        self.received += batch.finished
        self.commits_received += batch.committed
        self.withdrawn += batch.withdrawn
        self.in_doubt += batch.in_doubt
        phase = self._phases.get(batch.phase, self._past)
        (self._fresh if phase is self._current else phase).add_batch(batch)
        if phase is not self._past:
            phase.add_details(batch)
        if self._has_rounds and batch.role is Role.WRITER and phase is not self._past:
            self._rounds.setdefault(phase.number, RoundStory()).add(batch.worker, batch.transactions)
        self._recents.add(batch)
        self._lanes.add_batch(batch, phase.mode or Mode.CONTENDED)
        for checkpoint in batch.checkpoints:
            self._wal.add_checkpoint(checkpoint)
            if checkpoint.backfilled_frames:
                text = f"checkpoint {checkpoint.backfilled_frames} of {checkpoint.wal_frames} frames"
                self._timeline.mark(checkpoint.ended_ns, MarkKind.CHECKPOINT, text, batch.worker)
        busy = sum(count for code, count in batch.errors.items() if is_busy(code))
        self._timeline.add_batch(batch.since_ns, batch.until_ns, batch.committed, batch.reads, busy)

    def _add_slots(self, sample: SlotSample) -> None:
        current = self._current
        self._lanes.add_sample(sample)
        for seen in sample.workers:
            now = self._workers.get(seen.worker)
            if now is not None and now.exit is None:
                self.news += now.state is not seen.state
                now.state, now.since_ns, now.queue_depth = seen.state, seen.since_ns, seen.queue_depth
        if current is None or sample.phase != current.number:
            return
        self._fresh.add_looks(sample)
        limit_ns = self._starved_after_ns()
        for now in self._workers.values():
            now.starved = now.role is Role.WRITER and now.waited_ns(sample.at_ns) > limit_ns
            if now.starved:
                current.starved.add(now.id)
                self._slices[-1].starved.add(now.id)

    def _add_wal(self, observation: WalObservation) -> None:
        resets, pinned_ns = self._wal.add(observation)
        for tally in (self._current, self._slices[-1]):
            if tally is not None:
                tally.wal_resets += resets
                tally.pinned_ns += pinned_ns
                tally.add_wal_bytes(self._wal.file_bytes)
        if resets:
            self._timeline.mark(observation.at_ns, MarkKind.WAL_RESET, "the WAL starts again from its beginning")
        self._timeline.add_wal(observation.at_ns, self._wal.file_bytes, self._wal.live_frames, self._wal.backlog_frames)

    def _begin_phase(self, message: PhaseStarted) -> None:
        self._advance(message.at_ns)
        if self._started_ns is None:
            self._started_ns = message.at_ns
        self._count_fresh()
        tally = Tally(message.name, message.mode, message.phase, message.at_ns, warm_up=message.warm_up)
        changes_mode = self._current is not None and self._current.mode is not message.mode
        if self._current is None or self._current.warm_up or changes_mode:
            self._timeline.mark(message.at_ns, MarkKind.PHASE, message.mode.value)
        if self._current is not None:
            self._current.ended_ns = message.at_ns
        self._phases[message.phase] = self._current = tally
        self._slices.clear()
        self._begin_slice(Tally("window", message.mode, message.phase, message.at_ns))
        for now in self._workers.values():
            if now.role is Role.WRITER and now.exit is None:
                self._join(now.id)
        ended = [number for number in self._phases if number != message.phase]
        for number in ended[: max(len(ended) - KEPT_PHASES, 0)]:
            old = self._phases.pop(number)
            self._ended.pop(number, None)
            self._rounds.pop(number, None)
            if not old.warm_up:
                self._past.merge(old)

    def _join(self, worker: int) -> None:
        if self._current is not None:
            self._current.members.add(worker)

    def _end_worker(self, message: WorkerExited) -> None:
        now = self._workers[message.worker]
        now.exit = message.exit
        now.state = WorkerState.ENDED if message.exit == "ok" else WorkerState.DEAD
        now.starved = False
        self._lanes.end(message.worker, message.at_ns)
        if message.exit != "ok":
            words = f"{now.role.value} {now.id} (pid {now.pid}): {message.exit}"
            self._timeline.mark(message.at_ns, MarkKind.WORKER_EXIT, words, now.id)

    # Time.

    def _advance(self, now_ns: int) -> None:
        """Let time pass up to `now_ns`, counting it where the workload runs."""
        passed_ns = now_ns - self._now_ns if self._now_ns else 0
        if passed_ns < 0:
            return
        self._now_ns = now_ns
        newest = self._slices[-1]
        if self._running and self._current is not None:
            self._ran_ns += passed_ns
            self._current.ran_ns += passed_ns
            self._current.until_ns = now_ns
            newest.ran_ns += passed_ns
        if now_ns - newest.started_ns >= SLICE_NS:
            self._count_fresh()
            self._begin_slice(Tally("window", newest.mode, newest.number, now_ns))

    def _begin_slice(self, slice_: Tally) -> None:
        self._slices.append(slice_)
        self._closed = None

    def _count_fresh(self) -> None:
        """Count what is fresh for the phase and for the window: once for many batches, since each costs twice."""
        if self._current is not None:
            self._current.merge(self._fresh)
            self._slices[-1].merge(self._fresh)
            self._fresh = Tally("fresh", None, -1, 0)

    def _take_back(self, late_ns: int) -> None:
        """Uncount running time, where the end of it is told late."""
        self._ran_ns = max(self._ran_ns - late_ns, 0)
        for tally in (self._current, self._slices[-1]):
            if tally is not None:
                tally.ran_ns = max(tally.ran_ns - late_ns, 0)

    # Views.

    def _simulation(self, window: Period) -> Simulation:
        current = self._current
        assert current is not None
        assert current.mode is not None
        run = Tally("run", None, -1, self._started_ns or 0)
        run.merge(self._past)
        ended = []
        for tally in self._phases.values():
            if not tally.warm_up:
                run.merge(tally)
                if tally is not current:
                    ended.append(self._freeze_ended(tally))
        return Simulation(
            workload=self._words,
            next_mode=self._next_mode,
            mode=current.mode,
            databases=self._databases,
            run=self._freeze(run),
            phase=self._freeze(current),
            window=window,
            ended_phases=(*self._earlier, *ended),
            recent=self._recents.newest,
            grave=self._recents.grave,
            forgotten=self._recents.forgotten,
            newest_of=self._recents.of_workers,
            starved_after_ns=self._starved_after_ns(),
            lanes=self._lanes.freeze(self._now_ns, current.mode, self._late_ns),
        )

    def _freeze_ended(self, tally: Tally) -> Period:
        """Return an ended phase; once its last batches must have arrived it is frozen for good."""
        if tally.number not in self._ended:
            _settle(tally, self._now_ns)
            period = self._freeze(tally, is_current=False)
            if self._now_ns - (tally.ended_ns or self._now_ns) < SETTLED_AFTER_NS:
                return period
            self._ended[tally.number] = period
        return self._ended[tally.number]

    def _window(self) -> Period:
        *closed, newest = self._slices
        oldest = self._slices[0]
        if self._closed is None:
            self._closed = Tally("window", oldest.mode, oldest.number, oldest.started_ns)
            for tally in closed:
                self._closed.merge(tally)
        total = Tally("window", oldest.mode, oldest.number, oldest.started_ns)
        total.merge(self._closed)
        total.merge(newest)
        if self._current is not None:
            total.members = {w for w in self._current.members if self._workers[w].exit is None}
        return self._freeze(total)

    def _freeze(self, tally: Tally, *, is_current: bool = True) -> Period:
        period = tally.freeze(self._workers, self._now_ns, is_current=is_current, has_wal=self._has_wal)
        rounds = self._rounds.get(tally.number) if self._phases.get(tally.number) is tally else None
        if rounds is None:
            return period
        positions = rounds.freeze(
            tally.members, is_over=not is_current or not self._running, polls=tally.mode is Mode.CONTENDED
        )
        return msgspec.structs.replace(period, positions=positions)

    def _starved_after_ns(self) -> int:
        writers = sum(now.role is Role.WRITER and now.exit is None for now in self._workers.values())
        ran_ns = sum(tally.ran_ns for tally in self._slices)
        committed = sum(tally.committed for tally in self._slices)
        return starved_after_ns(writers, committed / (ran_ns / 1e9) if ran_ns else None)


def _settle(tally: Tally, now_ns: int) -> None:
    """Judge the streaks of a phase as far as all that belongs to them has arrived."""
    for streaks in tally.streaks.values():
        streaks.settle(now_ns)
