"""Words and keys go when there is nothing left that they tell of or can do."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from simulators.events import Mode
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.keys import KEYS
from tests.tui.conftest import Open
from tests.tui.fake import make_snapshot, make_workers


def with_exit(worker_id: int) -> Snapshot:
    """A Snapshot in which that worker has been killed."""
    workers = make_workers(21, Mode.CONTENDED, 16, 2)
    dead = (msgspec.structs.replace(one, exit="killed" if one.id == worker_id else None) for one in workers)
    return make_snapshot(21, workers=tuple(dead))


@pytest.mark.parametrize(
    ("keys", "words", "done"),
    [
        (["p"], "pausing the workload", lambda: make_snapshot(21, status=Status.PAUSED)),
        (["K", "y"], "killing worker 1", lambda: with_exit(1)),
        (["w"], "adding a writer", lambda: make_snapshot(21, writers=17)),
        (["R"], "removing a reader", lambda: make_snapshot(21, readers=1)),
    ],
)
async def test_words_of_something_under_way_go_when_it_is_done(
    opened: Open, keys: list[str], words: str, done: Callable[[], Snapshot]
) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot())
        await screen.press(*keys)
        assert words in screen.text("headline")
        await screen.send(make_snapshot(20.25))
        assert words in screen.text("headline"), "it is not done yet"
        await screen.send(done())
        assert words not in screen.text("headline")
        await screen.press("0")
        await screen.send(done())
        assert "statistics begin again" in screen.text("headline"), "other words stay until they can have been read"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_after_the_end_the_footer_offers_only_what_still_does_something(
    opened: Open, size: tuple[int, int]
) -> None:
    useless = [key.footer for key in KEYS if key.needs_run and key.footer]
    async with opened(*size) as screen:
        await screen.send(make_snapshot())
        assert "Mode" in screen.text("footer")
        assert "Pause" in screen.text("footer")
        await screen.send(make_snapshot(status=Status.ENDED))
        assert "q Quit" in screen.text("footer")
        assert "Lessons" in screen.text("footer")
        assert not [word for word in useless if word in screen.text("footer")]
        for key in KEYS:
            if key.needs_run:
                await screen.press(key.keys[0])
        assert screen.session.calls == ["start"], "they do nothing"


@pytest.mark.parametrize(
    ("status", "words"), [(Status.STOPPING, "too late for that key"), (Status.ENDED, "the run has ended")]
)
async def test_a_key_that_comes_too_late_is_told_why_it_does_nothing(opened: Open, status: Status, words: str) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(status=status))
        await screen.press("m")
        assert words in screen.text("headline")
        assert screen.session.calls == ["start"]


@pytest.mark.parametrize(("key", "who"), [("W", "writer"), ("R", "reader")])
async def test_nobody_is_removed_where_nobody_is_left(opened: Open, key: str, who: str) -> None:
    async with opened() as screen:
        await screen.send(make_snapshot(workers=()))
        await screen.press(key)
        assert f"there is no {who} to remove" in screen.text("headline")
        assert screen.session.calls == ["start"]


async def test_without_a_focus_the_first_panel_in_sight_is_maximised(opened: Open) -> None:
    async with opened(120, 40) as screen:
        await screen.send(make_snapshot())
        await screen.press("f")
        assert "lock waits alone" in screen.text("headline")
        assert "no lesson runs" not in "\n".join(screen.lines())
