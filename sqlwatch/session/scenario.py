"""A scenario as a session: its phases one after the other, each with workers and databases of its own."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from simulators.scenario import Scenario
from simulators.spawning import start_tracker
from sqlwatch.diagnose.invariants import faults_of
from sqlwatch.diagnose.side_by_side import newest_phases
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Accounting, LessonRun, Period, Snapshot, Status
from sqlwatch.session.errors import SessionError
from sqlwatch.session.simulation import SimulationSession

_LOOK_S: Final = 0.05
"""How often a phase that waits for the next one looks whether the session was ended."""


class ScenarioSession:
    """Runs all phases of a scenario, as often as it says; its Snapshots are those of the phase under way."""

    def __init__(
        self, scenario: Scenario, given: Mapping[str, Any] | None = None, *, snapshots_per_s: float = 4,
        sample_rate_hz: int = 200, by_hand: bool = False,
    ) -> None:  # fmt: skip
        """Prepare; `given` parameters go before those of the phases.  Raises WorkloadError if they do not fit.

        `by_hand` runs all phases once, each until `next_phase`.
        """
        phases = [msgspec.structs.replace(p, workload={**p.workload, **(given or {})}) for p in scenario.phases]
        self.scenario = msgspec.structs.replace(
            scenario, phases=tuple(phases), repeats=1 if by_hand else scenario.repeats
        )
        """What is run, with the `given` parameters in its phases."""
        self.latest: Snapshot | None = None
        """The newest Snapshot."""
        self.repeats: list[tuple[Period, ...]] = []
        """The periods of all phases, for each repeat that is over or under way."""
        self._workloads = [self.scenario.workload_of(phase) for phase in self.scenario.phases]
        self._runs = list(itertools.product(range(self.scenario.repeats), range(len(self._workloads))))
        self._at = (0, 0)
        self._is_held = by_hand
        self._is_watched = True
        self._is_waiting = False
        self._go_on = threading.Event()
        self._options = {"snapshots_per_s": snapshots_per_s, "sample_rate_hz": sample_rate_hz}
        self._on_snapshot: Callable[[Snapshot], None] | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._present: SimulationSession | None = None
        self._results: list[Result] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run_guarded, name="scenario")
        start_tracker()

    def start(self, on_snapshot: Callable[[Snapshot], None] | None = None) -> None:
        """Start; `on_snapshot` is called with each Snapshot."""
        self._on_snapshot = on_snapshot
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        with self._lock:
            self._stop.set()
            if self._present is not None:
                self._present.stop()
        if self._thread.ident is None and not self._ended.is_set():
            self._failure = SessionError("The scenario was ended before it began.", 0)
            self._ended.set()

    def pause(self) -> None:
        """Have all workers come to rest."""
        self._ask(SimulationSession.pause)

    def resume(self) -> None:
        """Go on after a pause."""
        self._ask(SimulationSession.resume)

    def toggle_mode(self) -> None:
        """Switch between contended and single-writer, for the rest of the phase.

        What runs in another mode than the phase's own counts for nothing in the scenario.
        """
        self._ask(SimulationSession.toggle_mode)

    def add_writer(self) -> None:
        """Start one more writer."""
        self._ask(SimulationSession.add_writer)

    def remove_writer(self) -> None:
        """End the newest writer."""
        self._ask(SimulationSession.remove_writer)

    def add_reader(self) -> None:
        """Start one more reader."""
        self._ask(SimulationSession.add_reader)

    def remove_reader(self) -> None:
        """End the newest reader."""
        self._ask(SimulationSession.remove_reader)

    def kill(self, worker_id: int) -> None:
        """Kill a worker with SIGKILL."""
        self._ask(lambda session: session.kill(worker_id))

    def reset(self) -> None:
        """Begin the statistics of the phase anew."""
        self._ask(SimulationSession.reset)

    def next_phase(self) -> None:
        """End the present phase as if its time were over, and begin the next one, or end if there is none."""
        self._go_on.set()
        self._ask(SimulationSession.next_phase)

    def hold_phase(self, is_held: bool) -> None:
        """Have each phase go on until `next_phase`, or no longer so; fixed work ends, and the next phase waits."""
        self._is_held = is_held
        self._ask(lambda session: session.hold_phase(is_held))

    def attend(self, is_watched: bool) -> None:
        """Say whether anybody watches, also what follows; see `SimulationSession.attend`."""
        self._is_watched = is_watched
        self._ask(lambda session: session.attend(is_watched))

    def _ask(self, order: Callable[[SimulationSession], None]) -> None:
        with self._lock:
            if self._present is not None:
                order(self._present)

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

    def result(self) -> Result:
        """Return what each phase left when it last ran; raise SessionError if none could run.  Only after the end."""
        if self._failure is not None:
            raise self._failure
        phases = newest_phases(self.scenario, self.repeats)
        return _merged(self.scenario, self._results, phases, tuple(self.repeats))

    def _run_guarded(self) -> None:
        try:
            for number, (repeat, phase) in enumerate(self._runs):
                if number > 0:
                    self._wait_while_held()
                if not self._run_phase(repeat, phase) or self._results[-1].exit_code:
                    break
            if not self._results:
                raise SessionError("The scenario was ended before anything was measured.", 0)  # noqa: TRY301
        except BaseException as error:  # noqa: BLE001  # handed to whoever asks for the result
            self._failure = error
        finally:
            self._ended.set()

    def _wait_while_held(self) -> None:
        """After a phase that ended by itself although it was held: wait for `next_phase`, or for the end."""
        self._is_waiting = self._is_held and not self._go_on.is_set()
        if self._is_waiting and self.latest is not None:
            self._pass_on(msgspec.structs.replace(self.latest, status=Status.PAUSED))
        while self._is_held and not self._stop.is_set() and not self._go_on.wait(_LOOK_S):
            pass
        self._is_waiting = False

    def _run_phase(self, repeat: int, phase: int) -> bool:
        """Run one phase and return whether it could begin; raise SessionError."""
        earlier = self.repeats[repeat] if repeat < len(self.repeats) else ()
        name = self.scenario.phases[phase].name
        session = SimulationSession(self._workloads[phase], phase=name, earlier=earlier, **self._options)  # type: ignore[arg-type]
        session.hold_phase(self._is_held)
        session.attend(self._is_watched)
        self._at = (repeat, phase)
        self._go_on.clear()
        with self._lock:
            if self._stop.is_set():
                return False
            self._present = session
        if repeat == len(self.repeats):
            self.repeats.append(())
        session.start(self._pass_on)
        session.wait()
        result = session.result()
        self._results.append(result)
        self.repeats[-1] = (*self.repeats[-1], *_left_by(session))
        return True

    def _pass_on(self, snapshot: Snapshot) -> None:
        """Pass a Snapshot on; the end of a phase is not the end."""
        repeats, results = self.repeats, self._results
        if snapshot.status is Status.ENDED and self._present is not None:
            repeats = [*repeats[:-1], (*repeats[-1], *_left_by(self._present))]
            results = [*results, self._present.result()]
        repeat, phase = self._at
        faults = faults_of(_by_phase(self.scenario, results))
        mode = snapshot.simulation.mode if snapshot.simulation is not None else None
        run = LessonRun(
            phase, repeat, self.scenario.repeats, tuple(repeats), self._is_held, self._is_waiting, faults,
            switched_to=mode if mode is not self._workloads[phase].mode else None,
        )  # fmt: skip
        snapshot = msgspec.structs.replace(snapshot, lesson=run)
        if snapshot.status is Status.ENDED and len(self._results) + 1 < len(self._runs) and not self._stop.is_set():
            snapshot = msgspec.structs.replace(snapshot, status=Status.STOPPING)
        self.latest = snapshot
        if self._on_snapshot is not None:
            self._on_snapshot(snapshot)


def _left_by(session: SimulationSession) -> tuple[Period, ...]:
    """Return the phases of a session; one without all the work that was fixed for it does not bear the phase's name."""
    phases = session.result().phases
    if not session.has_fixed_work:
        return phases
    whole = phases[-1:] if not session.was_cut_short else ()
    cut = (msgspec.structs.replace(one, name=f"{one.name} (cut short)") for one in phases[: len(phases) - len(whole)])
    return (*cut, *whole)


def _merged(
    scenario: Scenario, results: list[Result], phases: tuple[Period, ...], repeats: tuple[tuple[Period, ...], ...]
) -> Result:
    """Return one result for all runs: the phases of the last repeat, and the accounting of all."""
    last = results[-1]
    messages = [result.message for result in results if result.message]
    sources = [_source(results, phase) for phase in phases]
    return Result(
        workload=scenario.workload, environment=last.environment, phases=phases, compared=None,
        accounting=_sum([result.accounting for result in results]), final=last.final,
        message=messages[-1] if messages else None, exit_code=max(result.exit_code for result in results),
        timelines=tuple(source.final.timeline for source in sources),
        workloads=tuple(source.workload for source in sources), repeats=repeats,
        by_phase=_by_phase(scenario, results),
    )  # fmt: skip


def _source(results: list[Result], phase: Period) -> Result:
    """Return the result that a phase is from; no two phases start at the same moment."""
    return next(result for result in results if phase.started_ns in [one.started_ns for one in result.phases])


def _by_phase(scenario: Scenario, results: list[Result]) -> dict[str, Accounting]:
    """Return the accounting of each phase that has run; results come in the order of the phases, repeat by repeat."""
    parts: dict[str, list[Accounting]] = {}
    for phase, result in zip(itertools.cycle(scenario.phases), results, strict=False):
        parts.setdefault(phase.name, []).append(result.accounting)
    return {name: _sum(accountings) for name, accountings in parts.items()}


def _sum(parts: list[Accounting]) -> Accounting:
    """Add up; increments only over the phases that have any, and of the checks of integrity the worst."""
    worst = max(parts, key=lambda part: (bool(part.integrity_errors), part.integrity != "ok"))
    totals: dict[str, int | str | None] = {
        "integrity": worst.integrity,
        "integrity_errors": worst.integrity_errors and sum(part.integrity_errors or 0 for part in parts),
    }
    for name in Accounting.__struct_fields__:
        if name in totals:
            continue
        applies = [part for part in parts if not name.startswith("increments") or part.increments_expected is not None]
        values = [getattr(part, name) for part in applies]
        totals[name] = sum(values) if values and None not in values else None
    return msgspec.convert(totals, Accounting)
