"""The colours of the throughput: those of the modes that ran, and none for a warm-up between two of them."""

from __future__ import annotations

import msgspec

from simulators.events import Mode
from sqlwatch.charts.segment import Ink
from sqlwatch.tui.phases import inks_over_time
from tests.tui.fake import SECOND, STARTED_NS, make_snapshot


def test_a_warm_up_has_the_colour_of_no_mode() -> None:
    snapshot = make_snapshot(20, mode=Mode.SINGLE_WRITER, switched_after=10)
    simulation = snapshot.simulation
    assert simulation is not None
    timeline = msgspec.structs.replace(snapshot.timeline, period_ns=SECOND, end_ns=STARTED_NS + 20 * SECOND)
    assert inks_over_time(timeline, simulation, 22) == (
        [Ink.SERIES] * 2 + [Ink.CONTENDED] * 10 + [Ink.SINGLE_WRITER] * 10
    )
    first = msgspec.structs.replace(simulation.ended_phases[0], until_ns=STARTED_NS + 7 * SECOND)
    warmed_up = msgspec.structs.replace(simulation, ended_phases=(first,))
    assert inks_over_time(timeline, warmed_up, 20) == (
        [Ink.CONTENDED] * 7 + [Ink.SERIES] * 3 + [Ink.SINGLE_WRITER] * 10
    )
