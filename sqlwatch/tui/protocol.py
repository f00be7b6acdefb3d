"""What the dashboard asks of a session, whatever its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from simulators.scenario import Scenario
from sqlwatch.metrics.snapshot import Snapshot


class WatchSessionProtocol(Protocol):
    """What every session can do: all that is asked of one that only observes.

    Every method returns at once, its effect shows in later Snapshots.
    """

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """Begin; `on_snapshot` is called from the session's own thread, some times a second."""

    def reset(self) -> None:
        """Begin the statistics again."""

    def attend(self, is_watched: bool) -> None:
        """Say whether anybody watches what is new; while nobody does it may cost less, but must lose nothing."""

    def stop(self) -> None:
        """Ask the session to end."""

    @property
    def ended(self) -> bool:
        """Whether the session's thread is done; a Snapshot with Status.ENDED was sent before."""


class SessionProtocol(WatchSessionProtocol, Protocol):
    """A running simulation."""

    def pause(self) -> None:
        """Stop the workload for a while."""

    def resume(self) -> None:
        """Let the workload go on."""

    def toggle_mode(self) -> None:
        """Switch between contended and single-writer."""

    def add_writer(self) -> None:
        """Start one more writer."""

    def remove_writer(self) -> None:
        """End the newest writer."""

    def add_reader(self) -> None:
        """Start one more reader."""

    def remove_reader(self) -> None:
        """End the newest reader."""

    def kill(self, worker_id: int) -> None:
        """Kill a worker (SIGKILL)."""

    def next_phase(self) -> None:
        """End the present phase as if its time were over."""

    def hold_phase(self, is_held: bool) -> None:
        """Let each phase go on until `next_phase`, or no longer so."""


@dataclass(frozen=True)
class Opened:
    """A session that has not been started, and what to say of it."""

    session: SessionProtocol
    headline: Callable[[Snapshot], str]
    lesson: Scenario | None = None
