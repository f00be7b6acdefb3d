"""Who has to be in sight where not all workers have room: one answer for the table and for the lanes; pure."""

from __future__ import annotations

from typing import Final

from simulators.events import Mode, Role
from sqlwatch.metrics.lanes import Lanes, chunks_in
from sqlwatch.metrics.snapshot import Simulation, Worker

SERVES: Final = 0
"""The rank of the single writer while the others queue for it."""
_LATELY_NS: Final = 1_000_000_000


def precedence(simulation: Simulation) -> dict[int, int]:
    """Return a rank for each worker: the one that serves, who wins, who starves, writers, others, the dead.

    Who wins at this moment goes before those who have won in the last seconds.
    """
    winners, winner = simulation.window.winners, _winner_now(simulation.lanes)
    return {worker.id: _rank(worker, simulation.mode, winners, winner) for worker in simulation.phase.workers}


def _winner_now(lanes: Lanes) -> int | None:
    """Return who did most of all transactions of the last second, more than all others together; None if nobody did."""
    from_ns = lanes.newest_ns - _LATELY_NS
    done = {
        lane.worker: sum(chunk.finished for chunk in chunks_in(lane, from_ns, lanes.newest_ns))
        for lane in lanes.lanes
        if lane.role is Role.WRITER
    }
    return next((worker for worker, count in done.items() if 2 * count > sum(done.values())), None)


def _rank(worker: Worker, mode: Mode, winners: frozenset[int], winner: int | None) -> int:
    if worker.exit is not None:
        return 6
    if worker.role is Role.SINGLE_WRITER:
        return SERVES if mode is Mode.SINGLE_WRITER else 5
    if worker.id == winner:
        return 1
    if worker.id in winners:
        return 2
    if worker.starved:
        return 3
    return 4 if worker.role is Role.WRITER else 5
