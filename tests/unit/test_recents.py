"""The rings of the newest transactions: short waits push no grave one out."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Counts
from simulators.transactions import GRAVE_WAIT_NS
from sqlwatch.metrics.recents import NEWEST, OF_A_WORKER, Recents
from sqlwatch.metrics.snapshot import Recent
from tests.unit.test_fold import MS, S, batch, fold_with, simulation, transaction


def test_many_short_waits_push_no_grave_one_out() -> None:
    late = transaction(1, 2 * S, wait_ns=GRAVE_WAIT_NS)
    short = [transaction(number, 2 * S) for number in range(2, NEWEST + 12)]
    waited = msgspec.structs.replace(batch(1, late), lock_wait=Counts((150,), (1,), GRAVE_WAIT_NS, GRAVE_WAIT_NS))
    found = simulation(fold_with(waited, batch(2, *short)))
    assert list(found.grave) == [Recent(1, late)]
    assert (len(found.recent), found.forgotten) == (NEWEST, 10)
    assert found.recent[-1] == Recent(2, short[-1])
    assert len(found.newest_of[2]) == OF_A_WORKER


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 300), st.sampled_from([0, 5, 517, 1])), max_size=60))
def test_what_is_grave_does_not_depend_on_how_it_came(events: list[tuple[int, int, int]]) -> None:
    recents, grave = Recents(), []
    for number, (worker, wait_ms, outcome) in enumerate(events):
        one = transaction(number, 2 * S, wait_ns=wait_ms * MS, outcome=outcome)
        waits = Counts((100,), (1,), wait_ms * MS, wait_ms * MS)
        errors = {outcome: 1} if outcome else {}
        recents.add(msgspec.structs.replace(batch(worker, one), lock_wait=waits, errors=errors))
        if outcome or wait_ms * MS >= GRAVE_WAIT_NS:
            grave.append(Recent(worker, one))
    assert list(recents.grave) == grave
    assert len(recents.newest) + len(grave) == len(events)
    assert recents.forgotten == 0
