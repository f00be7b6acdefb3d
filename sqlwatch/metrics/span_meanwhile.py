"""What others did at the write lock during a span of time, as far as the looks tell; pure."""

from __future__ import annotations

from typing import NamedTuple

from sqlwatch.metrics.lock_spans import LockSpan, SpanKind
from sqlwatch.metrics.observed import Observed


class HeldMeanwhile(NamedTuple):
    """How much of a span a process held the write lock: share of the looks, 0..1."""

    pid: int
    share: float


class WaitedMeanwhile(NamedTuple):
    """For how much of a span a process seemed to wait."""

    pid: int
    waited_ns: int


def holders_during(observed: Observed, span: LockSpan) -> list[HeldMeanwhile] | None:
    """Return who held the lock during a span, the greatest share first; None where nobody looked or it is forgotten.

    The lanes' cells are weighed by how much of each lies within the span; of a single look's span its cell is taken.
    """
    period_ns = observed.lane_period_ns
    if not period_ns:
        return None
    last = observed.lane_end_ns // period_ns
    weights = {
        number: max(min((number + 1) * period_ns, span.until_ns) - max(number * period_ns, span.since_ns), 1)
        for number in range(span.since_ns // period_ns, min(span.until_ns // period_ns + 1, last))
    }
    found: list[HeldMeanwhile] = []
    looked = 0
    for lane in observed.lanes:
        first = last - len(lane.held)
        shares = [(weight, lane.held[number - first]) for number, weight in weights.items() if number >= first]
        known = [(weight, share) for weight, share in shares if share is not None]
        total = sum(weight for weight, _ in known)
        looked = max(looked, total)
        held = sum(weight * share for weight, share in known)
        if held:
            found.append(HeldMeanwhile(lane.pid, held / total))
    return sorted(found, key=lambda one: (-one.share, one.pid)) if looked else None


def waiters_during(observed: Observed, span: LockSpan) -> list[WaitedMeanwhile]:
    """Return which other processes seemed to wait during a span, who waited longest first."""
    waited: dict[int, int] = {}
    for one in observed.spans:
        overlap_ns = min(one.until_ns, span.until_ns) - max(one.since_ns, span.since_ns)
        if one.kind is SpanKind.WAITED and one.pid != span.pid and overlap_ns >= 0:
            waited[one.pid] = waited.get(one.pid, 0) + overlap_ns
    return [WaitedMeanwhile(pid, ns) for pid, ns in sorted(waited.items(), key=lambda item: (-item[1], item[0]))]
