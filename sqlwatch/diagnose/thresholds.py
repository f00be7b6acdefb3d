"""From where on a figure is worth a word: every threshold of the diagnosis, in one place."""

from __future__ import annotations

from typing import Final

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

    news_ns: int = 8_000_000_000
    """How long the death of a worker is the headline."""


DEFAULT: Final = Thresholds()
"""What is used where nobody says otherwise."""
