"""How often a simulation's session does what: at the pace of its display, or at leisure while nobody watches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from simulators.telemetry import BATCH_NS


@dataclass(frozen=True)
class Pace:
    """How far apart things are, in ns.  What workers count and list is the same at every pace."""

    snapshot_ns: int
    look_ns: int
    """Looks at who holds the write lock and who waits for it."""
    rest_ns: int = 50_000_000
    """How long to do nothing but look while the workload runs: so late may a command be, and a batch be read."""
    sample_ns: int = 50_000_000
    """Samples of the workers' states."""
    wal_ns: int = 100_000_000
    """Looks at the -shm and -wal headers."""
    batch_ns: int = BATCH_NS
    weight: int = 1
    """For how much time a look, and a sample of the states, stands beside those of a session that is watched."""

    def reading_like(self, other: Pace) -> Pace:
        """Return this pace, with batches read as often as at another one."""
        return replace(self, rest_ns=other.rest_ns)

    def at_leisure(self) -> Pace:
        """Return the pace for a time in which nobody watches.

        What workers do is known before it is `batch_ns` + `rest_ns` old, far less than the two seconds after which runs
        of the same winner are judged (`fairness.Streaks`).
        """
        return Pace(
            snapshot_ns=max(self.snapshot_ns, _SNAPSHOT_NS),
            look_ns=self.look_ns * _LOOKS,
            rest_ns=self.rest_ns * _LOOKS,
            sample_ns=self.sample_ns * _LOOKS,
            wal_ns=self.wal_ns * _WAL_LOOKS,
            batch_ns=self.batch_ns * _BATCHES,
            weight=self.weight * _LOOKS,
        )


_SNAPSHOT_NS: Final = 4_000_000_000
_LOOKS: Final = 9
_BATCHES: Final = 5
_WAL_LOOKS: Final = 4
"""How many times rarer they are at leisure; each cell of the charts over time (500 ms) has a batch and a look."""
