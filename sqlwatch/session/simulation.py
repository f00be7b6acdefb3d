"""A simulation as a session: the fleet is the source, the fold makes Snapshots of what it says."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from simulators.events import Batch, Mode, Role, Tick, WorkerExited
from simulators.fleet import Fleet, FleetState
from simulators.place import Place, PlaceError, check_database_path, create_place
from simulators.prepare import PrepareError, make_databases
from simulators.spawning import start_tracker
from simulators.workload import Workload
from sqlwatch.metrics.fold import SimulationFold
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Period, Snapshot, Status
from sqlwatch.observe.wal import WalReader
from sqlwatch.session.commands import Commands
from sqlwatch.session.conclusion import conclude
from sqlwatch.session.errors import CANNOT_EXIT, USAGE_EXIT, SessionError
from sqlwatch.session.own_cpu import OwnCpu
from sqlwatch.session.pace import Pace
from sqlwatch.session.schedule import Schedule

SIZE_INTERVAL_NS: Final = 250_000_000
"""How often the size limit is checked."""

CHANGING_NS: Final = 5_000_000
"""How long to rest at most while the fleet starts, ends or changes, which it does step by step."""

PAUSED_RESTS_S: Final = (0.05, 0.1, 0.3, 0.6, 5.0)
"""How long to rest, time after time, while the workload is paused and nothing is heard; in the end the last again."""

PAUSED_SNAPSHOT_NS: Final = 4_500_000_000
"""How far Snapshots are apart at least while the workload is paused and nothing happens."""

MESSAGE_NS: Final = 10_000_000_000
"""For how long of running a message is in the Snapshots; those of the end and the result keep the newest one."""

_FATAL_CODES: Final = {
    13: "The disk is full (SQLITE_FULL)",
    10: "SQLite cannot read or write its files (SQLITE_IOERR)",
    8: "The database cannot be written (SQLITE_READONLY)",
    11: "The database is damaged (SQLITE_CORRUPT)",
    14: "SQLite cannot open its files (SQLITE_CANTOPEN)",
}
"""Primary result codes (https://sqlite.org/rescode.html) after which going on shows nothing."""


class SimulationSession:
    """A simulation from start to end, in a thread of its own that owns the fleet."""

    def __init__(
        self,
        workload: Workload,
        *,
        database: Path | None = None,
        compare: bool = False,
        snapshots_per_s: float = 4,
        sample_rate_hz: int = 200,
        phase: str | None = None,
        earlier: tuple[Period, ...] = (),
    ) -> None:
        """Prepare; `phase` names the only phase, and `earlier` are phases that were run by sessions before this.

        What runs in another mode than the workload's, after a switch, does not bear that name.
        """
        self.latest: Snapshot | None = None
        """The newest Snapshot."""
        self._workload = workload
        self._database = database
        self._program = [Mode.CONTENDED, Mode.SINGLE_WRITER] if compare else [workload.mode]
        self._watched = Pace(snapshot_ns=round(1e9 / snapshots_per_s), look_ns=round(1e9 / sample_rate_hz))
        self._pace = self._watched
        self._phase = phase
        self._earlier = earlier
        self._on_snapshot: Callable[[Snapshot], None] | None = None
        self._commands = Commands()
        self._schedule: Schedule | None = None
        self._is_held = False
        self._rests = 0
        """Taken since something was heard."""
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._result: Result | None = None
        self._message: str | None = None
        self._said_ns = 0
        """How long the workload had run when the message came."""
        self._exit_code = 0
        self._thread = threading.Thread(target=self._run_guarded, name="session")
        start_tracker()

    # Called from other threads.

    def check(self) -> None:
        """Raise SessionError if the database cannot be where the user wants it; starts nothing."""
        if self._database is not None:
            try:
                check_database_path(self._database, self._workload.databases)
            except PlaceError as error:
                raise _session_error(error) from error

    def start(self, on_snapshot: Callable[[Snapshot], None] | None = None) -> None:
        """Start; `on_snapshot` is called from the session's thread with each Snapshot."""
        self._on_snapshot = on_snapshot
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once.  One that never was started has ended then."""
        self._stop.set()
        self._commands.ring()
        if self._thread.ident is None and not self._ended.is_set():
            self._failure = SessionError("The simulation was ended before it began.", 0)
            self._ended.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        return self._ended.wait(timeout_s)

    @property
    def started(self) -> bool:
        """Whether it has begun, and perhaps ended."""
        return self._thread.ident is not None

    @property
    def ended(self) -> bool:
        """Whether the session is over, with all its processes and files."""
        return self._ended.is_set()

    @property
    def has_fixed_work(self) -> bool:
        """Whether its writers have a number of transactions to do, in each of its phases anew."""
        return self._workload.transactions > 0

    @property
    def was_cut_short(self) -> bool:
        """Whether it ended before the work that was fixed was done, so that its length says nothing."""
        return self.has_fixed_work and not (self._schedule is not None and self._schedule.work_is_done)

    def result(self) -> Result:
        """Return what the run left; raise SessionError if it could not run.  Only after the end."""
        if self._failure is not None:
            raise self._failure
        assert self._result is not None
        return self._result

    def pause(self) -> None:
        """Have all workers come to rest."""
        self._commands.put(Fleet.pause)

    def resume(self) -> None:
        """Go on after a pause."""
        self._commands.put(Fleet.resume)

    def toggle_mode(self) -> None:
        """Switch between contended and single-writer."""
        self._commands.put(self._toggle_mode)

    def add_writer(self) -> None:
        """Start one more writer."""
        self._commands.put(self._add_writer)

    def remove_writer(self) -> None:
        """End the newest writer once its transaction is done."""
        self._commands.put(partial(Fleet.remove, role=Role.WRITER))

    def add_reader(self) -> None:
        """Start one more reader."""
        self._commands.put(partial(Fleet.add, role=Role.READER))

    def remove_reader(self) -> None:
        """End the newest reader once its transaction is done."""
        self._commands.put(partial(Fleet.remove, role=Role.READER))

    def kill(self, worker_id: int) -> None:
        """Kill a worker with SIGKILL."""
        self._commands.put(partial(Fleet.kill, worker=worker_id))

    def reset(self) -> None:
        """Begin the statistics anew, as a new phase in the same mode."""
        self._commands.put(self._reset)

    def next_phase(self) -> None:
        """End the warm-up, or the phase, as if its time were over; nothing while the workers start."""
        self._commands.put(lambda fleet: self._schedule.skip() if self._schedule is not None else None)

    def hold_phase(self, is_held: bool) -> None:
        """Let a phase go on past its duration until `next_phase`, or no longer so."""
        self._is_held = is_held

    def attend(self, is_watched: bool) -> None:
        """Say whether anybody watches: else all is still counted, but looks and Snapshots are rarer."""
        self._commands.put(partial(self._attend, is_watched=is_watched))

    # The session's thread.

    def _run_guarded(self) -> None:
        try:
            self._run()
        except (PlaceError, PrepareError) as error:
            self._failure = _session_error(error)
        except BaseException as error:  # noqa: BLE001  # handed to whoever asks for the result
            self._failure = error
        finally:
            self._ended.set()

    def _run(self) -> None:
        workload = self._workload
        place = create_place(workload.databases, self._database)
        try:
            sqlite = make_databases(get_context("spawn"), list(place.databases), with_wal=workload.has_wal)
            fleet = Fleet(workload, place)
            fold = SimulationFold(
                workload.in_words(), workload.databases, workload.autocheckpoint, self._earlier,
                has_wal=workload.has_wal, busy=workload.busy,
                has_rounds=workload.arrival.pause_ns is not None and workload.databases == 1,
            )  # fmt: skip
            try:
                try:
                    self._drive(fleet, fold, place)
                finally:
                    self._end_fleet(fleet, fold)
                self._result = conclude(
                    workload, fleet, fold, place, sqlite,
                    phases_before=len(self._earlier), message=self._message, exit_code=self._exit_code,
                )  # fmt: skip
            finally:
                fleet.kill_all()
                fleet.close()
        finally:
            place.remove()
        self._publish(self._result.final)

    def _drive(self, fleet: Fleet, fold: SimulationFold, place: Place) -> None:
        """Run the program of phases until it is done, somebody says stop, or a limit is reached."""
        paths = place.databases if self._workload.has_wal else ()
        readers = [WalReader(path, number) for number, path in enumerate(paths)]
        next_sample_ns = next_wal_ns = next_size_ns = snapshot_ns = news = 0
        own_cpu = OwnCpu()
        told: FleetState | None = None
        pace = self._pace
        schedule = self._schedule = Schedule(self._workload, self._program, fleet, fold, self._phase)
        with contextlib.ExitStack() as open_readers:
            bell = open_readers.enter_context(self._commands.heard())
            for reader in readers:
                open_readers.callback(reader.close)
            while not self._stop.is_set() and not schedule.is_done(is_held=self._is_held):
                if self._commands.waiting:
                    self._obey(fleet)
                self._fold_messages(fleet, fold)
                now_ns = time.monotonic_ns()
                if pace is not self._pace:
                    fold.add(fleet.slot_sample(pace.weight))
                    pace = self._pace
                    next_sample_ns = next_wal_ns = snapshot_ns = 0
                if now_ns >= next_sample_ns:
                    next_sample_ns = now_ns + pace.sample_ns
                    fold.add(fleet.slot_sample(pace.weight))
                if now_ns >= next_wal_ns:
                    next_wal_ns = now_ns + pace.wal_ns
                    for reader in readers:
                        fold.add(reader.read(now_ns))
                if now_ns >= next_size_ns:
                    next_size_ns = now_ns + SIZE_INTERVAL_NS
                    self._check_size(place)
                is_still = fleet.state is FleetState.PAUSED and fold.news == news
                gap_ns = max(pace.snapshot_ns, PAUSED_SNAPSHOT_NS if is_still else 0)
                if now_ns - snapshot_ns >= gap_ns or fleet.state is not told:
                    snapshot_ns, news, told = now_ns, fold.news, fleet.state
                    fold.add(Tick(now_ns, own_cpu.share(now_ns)))
                    fold.describe(self._workload_words(fleet), schedule.next_mode)
                    self._publish(fold.snapshot(_status(fleet, fold), self._words(fleet)))
                self._rest(fleet, bell, snapshot_ns + gap_ns)
            fold.add(fleet.slot_sample(pace.weight))
            for reader in readers:
                fold.add(reader.read(time.monotonic_ns()))

    def _rest(self, fleet: Fleet, bell: int, due_ns: int) -> None:
        """Only look for a while, or until a Snapshot is due; while paused, rest.  Who asks for something ends both."""
        if fleet.state is FleetState.PAUSED:
            was_woken = fleet.rest(PAUSED_RESTS_S[min(self._rests, len(PAUSED_RESTS_S) - 1)], bell)
            self._rests = 0 if was_woken else self._rests + 1
        else:
            is_steady = fleet.state is FleetState.RUNNING and not fleet.has_operations
            rest_ns = self._pace.rest_ns if is_steady else CHANGING_NS
            until_ns = min(time.monotonic_ns() + rest_ns, due_ns)
            was_woken = fleet.look_until(until_ns, self._pace.look_ns, bell)
        if was_woken and not self._commands.quieten() and fleet.state is FleetState.RUNNING:
            self._pace = self._pace.reading_like(self._watched)  # a queue filled up: its worker must not wait for us

    def _obey(self, fleet: Fleet) -> None:
        """Carry out what was asked for, and look soon for its effect."""
        self._rests = 0
        for command in self._commands.take():
            command(fleet)

    def _attend(self, fleet: Fleet, *, is_watched: bool) -> None:
        self._pace = self._watched if is_watched else self._watched.at_leisure()
        fleet.batch_length.change(self._pace.batch_ns)

    def _end_fleet(self, fleet: Fleet, fold: SimulationFold) -> None:
        fleet.stop()
        self._publish(fold.snapshot(Status.STOPPING, self._message))
        while fleet.state is not FleetState.ENDED:
            self._fold_messages(fleet, fold)
            time.sleep(0.005)
        self._fold_messages(fleet, fold)

    def _fold_messages(self, fleet: Fleet, fold: SimulationFold) -> None:
        for message in fleet.step():
            fold.add(message)
            if isinstance(message, Batch) and message.errors:
                self._check_errors(message)
            elif isinstance(message, WorkerExited) and message.exit != "ok":
                self._note_exit(message, fleet)

    def _check_errors(self, batch: Batch) -> None:
        for code in batch.errors:
            if code > 0 and code & 0xFF in _FATAL_CODES and self._exit_code == 0:
                self._say(f"{_FATAL_CODES[code & 0xFF]}: the run was ended after what it had done by then.")
                self._exit_code = CANNOT_EXIT
                self._stop.set()

    def _toggle_mode(self, fleet: Fleet) -> None:
        mode = Mode.CONTENDED if fleet.mode is Mode.SINGLE_WRITER else Mode.SINGLE_WRITER
        fleet.begin_phase(self._name_in(mode), mode)

    def _reset(self, fleet: Fleet) -> None:
        fleet.begin_phase(self._name_in(fleet.asked_mode))

    def _name_in(self, mode: Mode) -> str:
        """Return the name of a phase that somebody begins in a mode."""
        if self._phase is None:
            return mode.value
        return self._phase if mode is self._workload.mode else f"switched in {self._phase}: {mode.value}"

    def _add_writer(self, fleet: Fleet) -> None:
        if not fleet.add(Role.WRITER) and fleet.has_crew:
            self._say(f"A writer cannot be added: the {self._workload.worker_kind.value}s share one process.")

    def _note_exit(self, exited: WorkerExited, fleet: Fleet) -> None:
        handle = fleet.handles[exited.worker - 1]
        if self._exit_code == 0:
            who = f"The {handle.role.value} {handle.id} (pid {handle.pid})"
            again = " and was started again" if handle.role is Role.SINGLE_WRITER else ""
            if fleet.has_crew and handle.role is not Role.READER:
                who, again = f"The process of all writers (pid {handle.pid})", ""
            self._say(f"{who} ended: {exited.exit}{again}.")
        if not fleet.living(Role.WRITER) and not fleet.living(Role.READER) and not self._stop.is_set():
            self._say(f"Every worker has ended; the last one: {exited.exit}.")
            self._exit_code = CANNOT_EXIT if not handle.was_killed else 0
            self._stop.set()

    def _check_size(self, place: Place) -> None:
        limit = self._workload.max_size
        if place.size_bytes() > limit.bytes and not self._stop.is_set():
            self._say(f"The databases have reached --max-size {limit}, so the run was ended early.")
            self._stop.set()

    def _workload_words(self, fleet: Fleet) -> str:
        """Describe the workload with the workers that live now; while they start it is as many as were asked for."""
        if fleet.state is FleetState.STARTING:
            return self._workload.in_words()
        return self._workload.in_words(len(fleet.living(Role.WRITER)), len(fleet.living(Role.READER)))

    def _say(self, message: str) -> None:
        self._message, self._said_ns = message, self._ran_ns

    @property
    def _ran_ns(self) -> int:
        """How long the workload had run at the newest Snapshot."""
        return self.latest.elapsed_ns if self.latest is not None else 0

    def _words(self, fleet: Fleet) -> str | None:
        """Return how far starting has come, or the newest message while it is news."""
        if fleet.state is FleetState.STARTING:
            return fleet.ready_words()
        return self._message if self._ran_ns - self._said_ns < MESSAGE_NS else None

    def _publish(self, snapshot: Snapshot) -> None:
        self.latest = snapshot
        if self._on_snapshot is not None:
            self._on_snapshot(snapshot)


def _status(fleet: Fleet, fold: SimulationFold) -> Status:
    is_warming_up = fleet.state is FleetState.RUNNING and fold.is_warming_up
    return Status.WARMING_UP if is_warming_up else Status(fleet.state.value)


def _session_error(error: PlaceError | PrepareError) -> SessionError:
    is_usage = isinstance(error, PlaceError) and error.is_usage
    return SessionError(str(error), USAGE_EXIT if is_usage else CANNOT_EXIT)
