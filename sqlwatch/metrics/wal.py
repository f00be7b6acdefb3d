"""The story of the WALs: sizes, live frames, resets, pins, from observations of their headers."""

from __future__ import annotations

from collections.abc import Iterable

from simulators.events import Checkpoint
from sqlwatch.metrics.observations import WalObservation
from sqlwatch.metrics.snapshot import Pin, Wal

_LONGEST_GAP_NS = 500_000_000
"""Time between two looks that still counts as watched."""


_MOST_RESETS = 1 << 16
"""A larger difference of generations between two looks is a new one at random, not so many resets."""


class WalStory:
    """Follows the WALs of all databases of a simulation."""

    def __init__(self, checkpoint_frames: int) -> None:
        self.checkpoints = 0
        self.last_checkpoint: Checkpoint | None = None
        self.peak_bytes: int | None = None
        self.pinned_ns = 0
        self.resets = 0
        self._checkpoint_frames = checkpoint_frames or 1000
        self._latest: dict[int, WalObservation] = {}
        self._generations: dict[int, tuple[int, bool]] = {}
        """Newest generation seen of each database's WAL, and whether the WAL had frames then."""
        self._held_since_ns: dict[tuple[int, int, int], int] = {}

    def add(self, observation: WalObservation) -> tuple[int, int]:
        """Add one look; return (resets seen since the last look, ns for which the WAL was pinned since then)."""
        before = self._latest.get(observation.database)
        self._latest[observation.database] = observation
        self._note_marks(observation)
        total = self.file_bytes
        if total is not None:
            self.peak_bytes = max(self.peak_bytes or 0, total)
        if before is None:
            self._note_generation(observation)
            return 0, 0
        resets = self._note_generation(observation)
        gap_ns = observation.at_ns - before.at_ns
        pinned_ns = gap_ns if gap_ns <= _LONGEST_GAP_NS and self._is_pinned(observation) else 0
        self.resets += resets
        self.pinned_ns += pinned_ns
        return resets, pinned_ns

    def forget_now(self) -> None:
        """Forget the state of the WALs: they are gone.  The sums stay."""
        self._latest.clear()
        self._generations.clear()
        self._held_since_ns.clear()

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Note a checkpoint that a worker ran."""
        self.checkpoints += 1
        if self.last_checkpoint is None or checkpoint.ended_ns > self.last_checkpoint.ended_ns:
            self.last_checkpoint = checkpoint

    @property
    def file_bytes(self) -> int | None:
        """Size of all WAL files now."""
        return _total(observation.file_bytes for observation in self._latest.values())

    @property
    def live_frames(self) -> int | None:
        """Frames that a reader may still need."""
        return _total(observation.live_frames for observation in self._latest.values())

    @property
    def backlog_frames(self) -> int | None:
        """Frames that are not in the database yet."""
        live, copied = self.live_frames, _total(o.backfilled_frames for o in self._latest.values())
        return None if live is None or copied is None else max(live - copied, 0)

    def freeze(self, now_ns: int) -> Wal:
        """Return the state of the WALs now."""
        pins = [
            Pin(mark.slot, mark.frame, now_ns - self._held_since_ns[(o.database, mark.slot, mark.frame)], mark.pid)
            for o in self._latest.values()
            for mark in o.marks
            if mark.held and o.live_frames is not None and mark.frame < o.live_frames and self._is_due(o)
        ]
        return Wal(
            file_bytes=self.file_bytes, peak_bytes=self.peak_bytes, live_frames=self.live_frames,
            backfilled_frames=_total(o.backfilled_frames for o in self._latest.values()),
            backlog_frames=self.backlog_frames, resets=self.resets, checkpoints=self.checkpoints,
            last_checkpoint=self.last_checkpoint, pins=tuple(pins), pinned_ns=self.pinned_ns,
        )  # fmt: skip

    def _note_generation(self, observation: WalObservation) -> int:
        """Return how often the WAL was begun again, at least, since its generation was last seen.

        A writer's or a checkpoint's reset makes the generation larger by one (walRestartHdr in SQLite's wal.c).  The
        first frame of a connection that has never reset the WAL itself may draw a new one at random
        (sqlite3WalFrames): that goes with a reset, seen before if the WAL was seen without frames.
        """
        if observation.generation is None:
            return 0
        before = self._generations.get(observation.database)
        self._generations[observation.database] = observation.generation, bool(observation.live_frames)
        if before is None:
            return 0
        generation, had_frames = before
        steps = (observation.generation - generation) & 0xFFFFFFFF
        return steps if steps < _MOST_RESETS else int(had_frames)

    def _note_marks(self, observation: WalObservation) -> None:
        held = {(observation.database, mark.slot, mark.frame) for mark in observation.marks if mark.held}
        for key in [key for key in self._held_since_ns if key[0] == observation.database and key not in held]:
            del self._held_since_ns[key]
        for key in held:
            self._held_since_ns.setdefault(key, observation.at_ns)

    def _is_due(self, observation: WalObservation) -> bool:
        """Tell whether enough frames wait that a checkpoint would copy them if it could."""
        live, copied = observation.live_frames, observation.backfilled_frames
        return live is not None and copied is not None and live - copied >= self._checkpoint_frames

    def _is_pinned(self, observation: WalObservation) -> bool:
        """Tell whether a checkpoint is due and a held read mark keeps it from going on."""
        if not self._is_due(observation):
            return False
        copied, live = observation.backfilled_frames or 0, observation.live_frames or 0
        return any(
            mark.held and mark.frame < live and (mark.slot == 0 or mark.frame <= copied) for mark in observation.marks
        )


def _total(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
