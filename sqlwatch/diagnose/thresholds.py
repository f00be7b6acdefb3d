"""From where on a figure is worth a word: every threshold of the diagnosis, in one place."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a simulation's headline and findings; shares are 0..1, durations `_ns`, sizes `_bytes`."""

    every_turn_share: float = 0.9
    """A writer with this share of the commits takes (nearly) every turn; what is left is too little to live on."""

    hog_share: float = 0.5
    """A writer with this share takes more turns than all others together; judged among three writers or more."""

    saturated_utilisation: float = 0.9
    """A lock held this much has no room: at 0.9 a queue in front of it is nine long on average (M/M/1)."""

    wasted_info: float = 0.05
    """Lock free while somebody waits: below this it is lost among the other costs of a transaction."""

    wasted_warning: float = 0.15
    """From here on throughput suffers plainly; runs with think time and SQLite's own backoff show 0.2 to 0.4."""

    least_looks: int = 100
    """Samples below which a sampled share says too little: half a second at 200 Hz."""

    long_hold_ns: int = 250_000_000
    """A hold that makes everybody else sleep on the 100 ms rungs of SQLite's backoff."""

    pinned_share: float = 0.1
    """A WAL that could not be checkpointed for this share of a phase, and at least for `pinned_ns`, grows for it."""

    pinned_ns: int = 1_000_000_000

    unchecked_wal_bytes: int = 16 * 2**20
    """A WAL this long without a checkpoint: four times the size at which SQLite would run one by itself."""

    quiet_wait_ns: int = 500_000
    """Waits up to this are those of an uncontended lock: half of SQLite's shortest sleep."""

    settled_ns: int = 500_000_000
    """Running time below which a phase has no figures worth reading."""

    comparable_ns: int = 2_000_000_000
    """Running time below which the rate of a phase is not held against that of another one."""

    news_ns: int = 8_000_000_000
    """How long the death of a worker is the headline."""


DEFAULT: Final = Thresholds()
"""What is used where nobody says otherwise."""


def _limit(words: str) -> msgspec.Meta:
    return msgspec.Meta(description=words, ge=0)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of what is wrong with an observed database; the descriptions are shown to users.

    Names end in `_ns`, `_bytes` or `_share`; others are counts.
    """

    long_hold_ns: Annotated[
        int, _limit("Holding the write lock for so long is long: everybody else sleeps on SQLite's longest delays.")
    ] = 500_000_000
    exclusive_ns: Annotated[
        int, _limit("The whole database locked for so long is locking_mode=EXCLUSIVE, not the closing of a connection.")
    ] = 500_000_000
    idle_cpu_share: Annotated[
        float, _limit("A holder that uses less CPU than this and sleeps is idle, where its system call is not visible.")
    ] = 0.05
    saturated_share: Annotated[
        float, _limit("A write lock held for this share of the time has no room: at 0.9 a queue is nine long.")
    ] = 0.9
    hog_share: Annotated[
        float, _limit("A process with this share of all the time the write lock was held takes nearly every turn.")
    ] = 0.8
    hog_utilisation_share: Annotated[
        float, _limit("A hog is only worth a word if the write lock is held for this share of the time.")
    ] = 0.5
    least_looks: Annotated[int, _limit("Shares of the time are judged from so many looks on.")] = 100
    pinned_frames: Annotated[
        int, _limit("A reader pins the WAL if so many frames were written since its snapshot: a checkpoint was due.")
    ] = 1000
    pinned_ns: Annotated[int, _limit("... and if it has kept its snapshot for so long while we looked.")] = 700_000_000
    spilled_frames: Annotated[
        int, _limit("So many uncommitted frames in the WAL do not fit into a page cache of the default size.")
    ] = 1000
    unchecked_bytes: Annotated[
        int, _limit("So much waits to be copied where checkpoints are off: four times what makes SQLite run one.")
    ] = 16 * 2**20
    oversized_bytes: Annotated[
        int, _limit("A -wal file of this size with next to nothing in it wastes disk space.")
    ] = 16 * 2**20


DEFAULT_LIMITS: Final = Limits()
