"""The phases of a simulation, one after the other."""

from __future__ import annotations

from simulators.events import Mode
from simulators.fleet import Fleet, FleetState
from simulators.workload import Workload
from sqlwatch.metrics.fold import SimulationFold


class Schedule:
    """Takes the fleet through its phases: a warm-up, then each mode of the program for the workload's duration."""

    def __init__(
        self, workload: Workload, program: list[Mode], fleet: Fleet, fold: SimulationFold, name: str | None = None
    ) -> None:
        self.work_is_done = False
        """Whether the present phase has done the work that was fixed for it."""
        self._is_skipped = False
        self._workload, self._fleet, self._fold = workload, fleet, fold
        self._program = list(program)
        self._name = name
        self._is_warming_up = workload.warm_up.mean_ns > 0
        if self._is_warming_up:
            fleet.begin_phase("warm-up", self._program[0], warm_up=True)
        else:
            self._begin_next()

    @property
    def next_mode(self) -> Mode | None:
        """The mode of the phase that follows the present one, or the one that is warmed up for; None after the last."""
        following = self._program[self._is_warming_up :]
        return following[0] if following else None

    def skip(self) -> None:
        """End the warm-up or the phase at the next look; nothing before the workload has begun."""
        self._is_skipped = self._fleet.state is not FleetState.STARTING

    def is_done(self, *, is_held: bool = False) -> bool:
        """Begin the next phase if it is time; return True when there is none left.

        A phase that is held goes on past its duration until it is skipped; fixed work ends it all the same.
        """
        fold, fleet = self._fold, self._fleet
        if fleet.state is not FleetState.RUNNING or fleet.has_operations:
            return False
        is_skipped, self._is_skipped = self._is_skipped, False
        if self._is_warming_up:
            if not fold.is_warming_up:  # somebody switched modes meanwhile: that phase is the first of the program
                self._is_warming_up = False
                self._program.pop(0)
            elif is_skipped or fold.phase_ran_ns >= self._workload.warm_up.mean_ns:
                self._is_warming_up = False
                self._begin_next()
            return False
        duration = self._workload.duration
        is_late = duration is not None and not is_held and fold.phase_ran_ns >= duration.ns
        self.work_is_done = self._workload.transactions > 0 and fleet.is_idle
        is_over = is_skipped or is_late or self.work_is_done
        if is_over and self._program:
            self._begin_next()
            return False
        return is_over

    def _begin_next(self) -> None:
        mode = self._program.pop(0)
        self._fleet.begin_phase(self._name or mode.value, mode)
