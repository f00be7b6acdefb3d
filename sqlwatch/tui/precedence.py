"""Who has to be in sight where not all workers have room: one answer for the table and for the lanes; pure."""

from __future__ import annotations

from typing import Final

from simulators.events import Mode, Role
from sqlwatch.metrics.snapshot import Simulation, Worker

SERVES: Final = 0
"""The rank of the single writer while the others queue for it."""


def precedence(simulation: Simulation) -> dict[int, int]:
    """Return a rank for each worker: the one that serves, who wins, who starves, writers, others, the dead."""
    winners = simulation.window.winners
    return {worker.id: _rank(worker, simulation.mode, winners) for worker in simulation.phase.workers}


def _rank(worker: Worker, mode: Mode, winners: frozenset[int]) -> int:
    if worker.exit is not None:
        return 5
    if worker.role is Role.SINGLE_WRITER:
        return SERVES if mode is Mode.SINGLE_WRITER else 4
    if worker.id in winners:
        return 1
    if worker.starved:
        return 2
    return 3 if worker.role is Role.WRITER else 4
