"""The repeats of a lesson's phases: the main figures of each, and their median and range; pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from sqlwatch.diagnose.lesson import FIGURES, written
from sqlwatch.metrics.snapshot import Period

MAIN: Final[Mapping[str, str]] = {
    "elapsed_s": "ran for",
    "commits_per_s": "commits",
    "reads_per_s": "reads",
    "lock_wait_p50_ms": "lock wait p50",
    "lock_wait_p99_ms": "lock wait p99",
    "lock_wait_max_ms": "lock wait max",
    "commit_latency_p50_ms": "commit latency p50",
    "commit_latency_p99_ms": "commit latency p99",
    "commit_latency_max_ms": "commit latency max",
    "jain": "Jain's index",
    "busy_errors": "busy errors",
    "wasted_lock_time": "lock free, yet wanted",
    "wal_peak_bytes": "WAL at its largest",
}
"""The figures of `FIGURES` that are told of each repeat, and what they are called."""

_TOLD: Final = ("commits_per_s", "lock_wait_p99_ms", "commit_latency_p99_ms", "jain")
"""Those whose range is told in words: where noise matters most."""


class Spread(msgspec.Struct, frozen=True):
    """One figure over the repeats."""

    median: float
    low: float
    high: float


def repeats_of(name: str, repeats: Sequence[Sequence[Period]]) -> tuple[Period, ...]:
    """Return the periods of one phase, in the order of the repeats in which it ran to its end."""
    return tuple(period for periods in repeats for period in periods if period.name == name)


def main_figures(period: Period) -> dict[str, float | None]:
    """Return the main figures of one repeat, by their names."""
    return {name: FIGURES[name](period) for name in MAIN}


def spread(periods: Sequence[Period]) -> dict[str, Spread]:
    """Return median and range of each main figure that is known in all of the repeats; empty if there is but one."""
    if len(periods) < 2:
        return {}
    found = {}
    for name in MAIN:
        values = [value for period in periods if (value := FIGURES[name](period)) is not None]
        if len(values) == len(periods):
            found[name] = Spread(statistics.median(values), min(values), max(values))
    return found


def spread_words(periods: Sequence[Period]) -> str:
    """Write median and range of what noise moves most; empty if there is but one repeat."""
    found = spread(periods)
    parts = []
    for name in _TOLD:
        if name in found:
            median, low, high = (written(name, value, is_ratio=False) for value in msgspec.structs.astuple(found[name]))
            parts.append(f"{MAIN[name]} {median} ({low} to {high})")
    return ", ".join(parts)
