"""A dashboard that runs for long keeps nothing of the Snapshots it has shown, in any of its screens."""

from __future__ import annotations

import gc
import weakref

import msgspec
import pytest

from sqlwatch.metrics.snapshot import Snapshot
from tests.tui import observed
from tests.tui.conftest import Open, Screen
from tests.tui.fake import make_snapshot

SHOWN = 12


class Marked(Snapshot, frozen=True, weakref=True):
    """A Snapshot of which it can be told whether anybody still has it."""


def marked(snapshot: Snapshot, number: int) -> Marked:
    values = {name: getattr(snapshot, name) for name in Snapshot.__struct_fields__}
    return Marked(**{**values, "at_ns": snapshot.at_ns + number * 250_000_000})


async def left_after(screen: Screen, snapshot: Snapshot) -> int:
    """Return how many of the Snapshots that were shown still live."""
    known = []
    for number in range(SHOWN):
        one = marked(snapshot, number)
        known.append(weakref.ref(one))
        await screen.send(one)
        del one
    gc.collect()
    return sum(reference() is not None for reference in known)


@pytest.mark.parametrize("keys", [(), ("enter",), ("v",), ("c",), ("question_mark",), ("space",), ("left",)])
async def test_simulate_keeps_no_more_than_it_shows(opened: Open, keys: tuple[str, ...]) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot())
        await screen.press(*keys)
        assert await left_after(screen, make_snapshot()) <= 2, "the one that is shown, and the live one behind it"


@pytest.mark.parametrize("keys", [(), ("enter",), ("v",), ("question_mark",), ("space",)])
async def test_watch_keeps_no_more_than_it_shows(watched: Open, keys: tuple[str, ...]) -> None:
    async with watched(120, 40) as screen:
        await screen.send(observed.idle_writer())
        await screen.press(*keys)
        assert await left_after(screen, observed.idle_writer()) <= 2


def test_a_mark_changes_nothing_else() -> None:
    snapshot = make_snapshot()
    assert msgspec.structs.asdict(marked(snapshot, 0)) == msgspec.structs.asdict(snapshot)
