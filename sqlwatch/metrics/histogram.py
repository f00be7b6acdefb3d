"""Histograms of durations on the fixed edges of `simulators.buckets`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

import msgspec

from simulators.buckets import BUCKET_COUNT, LOWER_EDGES_NS, bucket_of
from simulators.events import Counts


class Histogram(msgspec.Struct, frozen=True):
    """A frozen histogram: a count per bucket, the sum and the largest value in ns.

    Bucket edges are fixed (`simulators.buckets`), so two histograms can always be added or laid over each other.
    """

    counts: tuple[int, ...] = ()
    count: int = 0
    sum_ns: int = 0
    max_ns: int = 0

    def percentile_ns(self, percent: float) -> float | None:
        """Return the duration in ns that `percent` % of the values do not exceed; None if there are no values.

        Linear within the bucket, so at most an eighth off; never above the largest value.
        """
        if not self.count:
            return None
        rank = self.count * percent / 100
        seen = 0
        for index, count in enumerate(self.counts):
            if count and seen + count >= rank:
                low, high = LOWER_EDGES_NS[index], min(LOWER_EDGES_NS[index + 1], max(self.max_ns, 1))
                return min(low + (high - low) * max(rank - seen, 0) / count, float(self.max_ns))
            seen += count
        return float(self.max_ns)

    @property
    def mean_ns(self) -> float | None:
        """The arithmetic mean in ns, from the sum; None if there are no values."""
        return self.sum_ns / self.count if self.count else None

    def including(self, durations_ns: Iterable[int]) -> Histogram:
        """Return this histogram with more values, for example waits that have not ended yet."""
        builder = HistogramBuilder()
        builder.add_histogram(self)
        for duration_ns in durations_ns:
            builder.add(duration_ns)
        return builder.freeze()

    def nonempty(self) -> list[tuple[int, int]]:
        """Return (upper edge in ns, count) of each bucket that has values, ascending."""
        return [(LOWER_EDGES_NS[index + 1], count) for index, count in enumerate(self.counts) if count]


EMPTY = Histogram()


class HistogramBuilder:
    """The mutable side of `Histogram`."""

    __slots__ = ("count", "counts", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self.counts = [0] * BUCKET_COUNT
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Add one duration in ns; a negative one counts as 0."""
        duration_ns = max(duration_ns, 0)
        self.counts[bucket_of(duration_ns)] += 1
        self.count += 1
        self.sum_ns += duration_ns
        self.max_ns = max(self.max_ns, duration_ns)

    def add_counts(self, counts: Counts) -> None:
        """Add what a worker's batch counted."""
        if not counts.counts:
            return
        target = self.counts
        for index, count in zip(counts.buckets, counts.counts, strict=True):
            target[index] += count
        self.count += sum(counts.counts)
        self.sum_ns += counts.sum_ns
        self.max_ns = max(self.max_ns, counts.max_ns)

    def add_histogram(self, other: Histogram | HistogramBuilder) -> None:
        """Add all values of another histogram."""
        if other.count:
            self.counts = list(map(operator.add, self.counts, other.counts))
            self.count += other.count
            self.sum_ns += other.sum_ns
            self.max_ns = max(self.max_ns, other.max_ns)

    def freeze(self) -> Histogram:
        """Return the values so far, frozen."""
        return Histogram(tuple(self.counts), self.count, self.sum_ns, self.max_ns) if self.count else EMPTY


def merged(histograms: Sequence[Histogram]) -> Histogram:
    """Return one histogram with the values of all."""
    builder = HistogramBuilder()
    for histogram in histograms:
        builder.add_histogram(histogram)
    return builder.freeze()
