"""What is on screen: a Snapshot and the few choices of the person who looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from simulators.events import Mode
from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.diagnose.finding import Finding
from sqlwatch.diagnose.lesson import Lesson
from sqlwatch.metrics.lane_events import EventKey
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.snapshot import Period, Simulation, Snapshot, Status

MODES = (Mode.CONTENDED, Mode.MUTEX, Mode.SINGLE_WRITER)
"""In the order in which they are drawn."""


class Past(NamedTuple):
    """Where one looks in the frozen past: how long before its newest moment the lanes end, and at which event."""

    back_ns: int = 0
    event: EventKey | None = None


NEWEST: Final = Past()


@dataclass(frozen=True)
class View:
    """One state of the screen; `switching` is set between the key and the first Snapshot that knows of it."""

    glyphs: GlyphSet
    snapshot: Snapshot | None = None
    headline: str = ""
    findings: tuple[Finding, ...] = ()
    """What is wrong at the moment of the Snapshot, the gravest first."""
    lesson: Lesson | None = None
    """The lesson that runs, with the effects of the phases that have ended; None where none runs."""
    notice: str = ""
    """A few words in answer to a key, for a moment."""
    frozen: bool = False
    logarithmic: bool = True
    switching: bool = False
    window_ns: int = 0
    """Time that the lanes show; 0 until the app says how much."""
    past: Past = NEWEST
    cursor: int | None = None
    """The worker or process on which somebody has put the table's cursor; None until then."""

    @property
    def followed(self) -> int | None:
        """Whose lane has room before all others: that of the event under the past's cursor, else the table's cursor."""
        return self.past.event.worker if self.past.event is not None else self.cursor

    @property
    def simulation(self) -> Simulation | None:
        """The simulation's part of the Snapshot, if there is one yet."""
        return self.snapshot.simulation if self.snapshot else None

    @property
    def observation(self) -> Observed | None:
        """The part of the Snapshot that an observed database has, if there is one yet."""
        return self.snapshot.observation if self.snapshot else None

    @property
    def status(self) -> Status:
        """What the session is doing; a switch shows as soon as its key was pressed."""
        if self.snapshot is None:
            return Status.STARTING
        if self.switching and self.snapshot.status in (Status.RUNNING, Status.WARMING_UP, Status.PAUSED):
            return Status.SWITCHING
        return self.snapshot.status

    @property
    def commits_per_s(self) -> float | None:
        """The rate of commits now; None before there is one, and while the workload rests: it has none then."""
        return self.snapshot.commits_per_s if self.snapshot and self.status is not Status.PAUSED else None

    @property
    def reads_per_s(self) -> float | None:
        """The rate of reads now, as that of commits."""
        return self.snapshot.reads_per_s if self.snapshot and self.status is not Status.PAUSED else None

    def phases(self) -> list[tuple[Mode, Period]]:
        """Return the newest phase of each mode that has run, in drawing order."""
        simulation = self.simulation
        if simulation is None:
            return []
        found = [(mode, simulation.latest_of(mode)) for mode in MODES]
        return [(mode, period) for mode, period in found if period is not None]
