"""The series over time: what was returned before is returned again only where nothing in it has changed."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics import timeline
from sqlwatch.metrics.snapshot import MarkKind
from sqlwatch.metrics.timeline import LATENESS_NS, PERIOD_NS, TimelineBuilder

Step = Callable[[TimelineBuilder], object]


def counts(at_ns: int) -> Step:
    return lambda builder: builder.add_counts(at_ns, 1, 2, 3)


def wal(at_ns: int) -> Step:
    return lambda builder: builder.add_wal(at_ns, at_ns // 1000, 5, None)


def mark(at_ns: int) -> Step:
    return lambda builder: builder.mark(at_ns, MarkKind.PHASE, "contended")


def begin(at_ns: int) -> Step:
    return lambda builder: builder.note_pause(at_ns, begins=True, ends=False)


def end(at_ns: int) -> Step:
    return lambda builder: builder.note_pause(at_ns, begins=False, ends=True)


MOMENTS = st.integers(1, 8).map(lambda period: period * PERIOD_NS + LATENESS_NS)
STEPS = st.lists(st.tuples(MOMENTS.flatmap(lambda at: st.sampled_from([counts, wal, mark, begin, end]).map(
    lambda make: make(at))), MOMENTS), min_size=1, max_size=30)  # fmt: skip


@given(STEPS, st.integers(2, 6))
def test_what_is_returned_again_is_what_would_be_made_anew(steps: list[tuple[Step, int]], cells: int) -> None:
    with mock.patch.object(timeline, "CELLS", cells):  # so few that the oldest are dropped
        builder = TimelineBuilder()
        for step, look_ns in steps:
            step(builder)
            frozen = builder.freeze(look_ns)
            assert frozen == builder._freeze(frozen.end_ns)


def test_only_a_change_makes_another_timeline() -> None:
    builder = TimelineBuilder()
    builder.add_counts(PERIOD_NS, 1, 0, 0)
    now_ns = 2 * PERIOD_NS + LATENESS_NS
    first = builder.freeze(now_ns)
    builder.add_counts(now_ns, 1, 0, 0)  # not in a complete cell
    assert builder.freeze(now_ns) is first
    builder.add_counts(PERIOD_NS, 1, 0, 0)
    assert builder.freeze(now_ns).commits == (2,)


def test_a_cell_that_is_dropped_is_not_returned_again() -> None:
    with mock.patch.object(timeline, "CELLS", 3):
        builder = TimelineBuilder()
        builder.add_counts(PERIOD_NS, 1, 0, 0)
        now_ns = 3 * PERIOD_NS + LATENESS_NS
        assert builder.freeze(now_ns).commits == (1, 0)
        builder.add_counts(now_ns + PERIOD_NS, 1, 0, 0)
        assert builder.freeze(now_ns).commits == (0,)
