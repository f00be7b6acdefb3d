"""Starts the workers of a workload: each in a process of its own, or all writers together in one."""

from __future__ import annotations

from multiprocessing.context import SpawnContext

from simulators.events import Role
from simulators.handle import Handle, start_alone, start_together
from simulators.place import Place
from simulators.slots import Slots
from simulators.worker import Setup
from simulators.workload import WorkerKind, Workload


class Starter:
    """Knows which workers a workload has, and starts them."""

    def __init__(self, workload: Workload, place: Place, slots: Slots, context: SpawnContext) -> None:
        self.has_crew = workload.worker_kind is not WorkerKind.PROCESS
        """Whether all writers live in one process."""
        self._workload, self._place, self._slots, self._context = workload, place, slots, context

    @property
    def attendants(self) -> list[Role]:
        """The roles of which every database has one worker in a process of its own."""
        roles = [] if self.has_crew else [Role.SINGLE_WRITER]  # a crew brings its own
        if self._workload.pin_reader.mean_ns:
            roles.append(Role.PINNED_READER)
        if self._workload.checkpointer.kind is not None:
            roles.append(Role.CHECKPOINTER)
        return roles

    @property
    def count(self) -> int:
        """How many workers there are at first."""
        workload = self._workload
        attendants = len(self.attendants) + self.has_crew
        return attendants * workload.databases + workload.writers + workload.readers

    def one(self, number: int, role: Role, database: int) -> Handle:
        """Start worker `number` in a process of its own."""
        return start_alone(self._context, self._setup(number, role, database), self._slots)

    def crew(self) -> list[Handle]:
        """Start all writers, and a single writer for each database, in one process."""
        databases = self._workload.databases
        places = [(Role.WRITER, number % databases) for number in range(self._workload.writers)]
        places += [(Role.SINGLE_WRITER, number) for number in range(databases)]
        setups = [self._setup(number, role, database) for number, (role, database) in enumerate(places, start=1)]
        return start_together(self._context, setups, self._slots)

    def _setup(self, number: int, role: Role, database: int) -> Setup:
        return Setup(
            worker=number, role=role, slot=number - 1, database=database, path=self._place.databases[database],
            socket=self._place.socket(database), mutex=self._place.mutex(database), rounds=self._place.rounds,
            stderr=self._place.stderr(number), workload=self._workload,
        )  # fmt: skip
