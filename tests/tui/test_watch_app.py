"""The dashboard of an observed database: what each state looks like, and what keys do."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from sqlwatch.charts import units
from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.observations import Hidden, LockName
from sqlwatch.metrics.observed import BusyLog
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.tui.watch_app import WatchApp
from tests.tui import observed as states
from tests.tui.conftest import Open, Screen
from tests.tui.fake import FakeSession

LOG_HINT = "not visible: start with --log FILE"


def page(screen: Screen) -> str:
    return "\n".join(screen.lines())


async def test_before_the_first_snapshot_nothing_is_claimed(watched: Open) -> None:
    async with watched() as screen:
        assert "starting" in screen.text("header")
        assert "starting: nothing has been seen yet" in screen.text("headline")
        for panel in ("findings", "locks", "timeline", "wal", "processes", "busy"):
            assert "nothing has been seen yet" in screen.text(panel), panel
        assert "nothing found" not in page(screen)
        assert "free" not in page(screen)


async def test_before_the_first_look_nothing_is_claimed_either(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.starting())
        assert "orders.db" in screen.text("header")
        assert "starting" in screen.text("headline")
        assert "nothing found" not in page(screen)
        assert "free" not in page(screen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_an_absent_database_is_waited_for(watched: Open, size: tuple[int, int]) -> None:
    async with watched(*size) as screen:
        await screen.send(states.absent())
        assert "NO DATABASE" in screen.text("header")
        assert "waiting for it to appear" in screen.text("locks")
        assert "nothing found" not in screen.text("findings")
        if size[0] >= 80:
            assert "There is no file" in screen.text("locks")


async def test_it_appears_and_goes_away_again(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.absent())
        await screen.send(states.healthy())
        assert "NO DATABASE" not in screen.text("header")
        assert "free" in screen.text("locks")
        assert "nothing found" in screen.text("findings")
        await screen.send(states.absent())
        assert "waiting for it to appear" in screen.text("locks")


async def test_a_healthy_database(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.healthy())
        for part in ("WAL", "180/s", "0:42", "200/s", "2.1%", "31%"):
            assert part in screen.text("header"), part
        assert "nothing found" in screen.text("findings")
        assert "write              free" in screen.text("locks")
        assert "2 readers, the oldest 40200 report.js" in screen.text("locks")
        assert "open in 6 processes" in screen.text("locks")
        assert "7.6k in all" in screen.text("commits")
        assert "412 to do" in screen.text("wal")
        assert "none so far in /var/log/shop/app.log" in screen.text("busy")
        assert "0 so far" in screen.text("busy")


async def test_the_idle_writer_and_those_who_wait_for_it(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.idle_writer())
        assert "48211" in screen.text("headline")
        locks = screen.text("locks").splitlines()
        write = next(line for line in locks if line.lstrip().startswith("write"))
        assert "18s 48211 python3 import_orders.py" in write
        assert "asleep: clock_nanosleep" in screen.text("locks")
        assert "~18s 5 (inferred): 48300 worker.py" in screen.text("locks")
        assert "CRITICAL    18s" in screen.text("findings")
        assert f"WARNING       {units.UNKNOWN}" in screen.text("findings")
        assert "now:     end process 48211 (kill 48211)" in screen.text("findings")
        lanes = {line.split()[0]: line for line in screen.text("timeline").splitlines()[1:-1]}
        assert "⣿" in lanes["48211"]
        assert "100%" in lanes["48211"]
        assert "╌" in lanes["48300"]
        assert "╌" not in lanes["48211"]
        row = next(line for line in screen.text("processes").splitlines() if "48300" in line)
        assert "~18s" in row
        assert "23ms" in row
        assert "14 so far  4 in 10s  14 busy  2 slow" in screen.text("busy")
        assert "3.0s ago  busy" in screen.text("busy").splitlines()[1], "the newest line comes first"
        assert "busy errors 14" in screen.text("header")


async def test_brackets_zoom_the_lanes(watched: Open) -> None:
    async with watched(200, 50) as screen:

        def ticks() -> str:
            return next(line for line in screen.text("timeline").splitlines() if line.endswith("now"))

        await screen.send(states.idle_writer())
        first = ticks()
        assert "-30s" in first
        await screen.press("left_square_bracket")
        assert "-10s" in ticks()
        assert "-15s" not in ticks()
        assert "10s" in screen.text("headline")
        await screen.press("right_square_bracket")
        assert ticks() == first
        await screen.press("right_square_bracket")
        assert "-60s" in ticks()


async def test_a_lower_bound_is_never_shown_as_the_whole_truth(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.pinned())
        assert ">42s 1 reader; 51007 metabase.jar PINS 18k frames" in screen.text("locks")
        assert "PINNED >42s" in screen.text("wal")
        await screen.press("down", "enter")
        assert "holds back 17,660 frames (it sees up to frame 800), for at least 42s" in page(screen)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_errors_of_a_log_that_is_not_there_are_unknown(watched: Open, size: tuple[int, int]) -> None:
    plain = states.healthy()
    assert plain.observation is not None
    log = BusyLog((), ("There is no log app.log yet.",), {}, 0, ())
    async with watched(*size) as screen:
        await screen.send(
            msgspec.structs.replace(plain, observation=msgspec.structs.replace(plain.observation, busy=log))
        )
        assert size[0] < 80 or f"busy errors {units.UNKNOWN} (no log yet)" in screen.text("header")
        assert "There is no log app.log yet." in screen.text("busy")
        assert "so far" not in screen.text("busy")


async def test_a_database_that_one_process_keeps_shows_no_free_write_lock(watched: Open) -> None:
    plain = states.idle_writer()
    assert plain.observation is not None
    locks = tuple(
        msgspec.structs.replace(lock, lock=LockName.EXCLUSIVE) for lock in plain.observation.held(LockName.WRITE)
    )
    kept = msgspec.structs.replace(plain.observation, locks=locks)
    async with watched() as screen:
        await screen.send(msgspec.structs.replace(plain, observation=kept))
        assert "shut out by the exclusive lock" in screen.text("locks")
        assert "exclusive      18s 48211" in screen.text("locks")


async def test_a_rollback_journal_has_no_wal(watched: Open) -> None:
    async with watched() as screen:
        await screen.send(states.rollback())
        assert "rollback journal" in screen.text("header")
        assert "no WAL: journal mode rollback; journal now 13KiB" in screen.text("wal")
        for name in ("reserved      2.0s 600 php", "pending       1.5s 600 php", "1 reader: 601 web.php"):
            assert name in screen.text("locks"), name
        assert "info" in screen.text("findings")
        await screen.pilot.resize_terminal(80, 24)
        await screen.pilot.pause()
        rows = [line.split()[0] for line in screen.text("locks").splitlines()]
        assert rows == ["exclusive", "pending", "readers"], "not the lesser lock of the same process"


async def test_deleted_files_and_lost_locks_are_named(watched: Open) -> None:
    async with watched(120, 60) as screen:
        await screen.send(states.replaced())
        assert "the database is gone" in screen.text("commits")
        assert ">7.6k in all" in screen.text("commits")
        assert "STOPPED" in screen.text("processes")
        await screen.press("enter")
        assert "wal       DELETED, yet open for writing" in page(screen)
        assert "database  REPLACED, yet open for writing" in page(screen)
        await screen.press("escape", "down", "enter")
        assert "LOST LOCKS" in page(screen)
        assert "forked from process 700" in page(screen)


async def test_what_is_hidden_is_said_and_not_zero(watched: Open) -> None:
    async with watched(120, 80) as screen:
        await screen.send(states.unprivileged())
        assert "5 things not visible, see ?" in screen.text("header")
        assert "BEHIND" in screen.text("header")
        assert "31% missed" in screen.text("header")
        assert "waiting            not visible" in screen.text("locks")
        assert ">12s not named by the kernel" in screen.text("locks")
        assert LOG_HINT in screen.text("busy")
        assert f"busy errors {units.UNKNOWN} (no --log)" in screen.text("header")
        await screen.press("question_mark")
        words = " ".join(page(screen).split())
        for hidden in (Hidden.ACTIVITY, Hidden.WAITERS, Hidden.UNNAMED_HOLDER):
            assert hidden.value in words, hidden
        assert "busy errors: run with --log FILE" in words
        assert "this machine was too busy to take them all" in words


async def test_locks_that_cannot_be_asked_for_are_not_free(watched: Open) -> None:
    async with watched() as screen:
        snapshot = states.healthy()
        assert snapshot.observation is not None
        blind = states.look([], hidden=(Hidden.LOCKS,))
        await screen.send(states.snapshot(states.observed(look=blind, locks=())))
        assert "not visible" in screen.text("locks")
        assert "free" not in screen.text("locks")


@pytest.mark.parametrize(("height", "words"), [(20, f"busy errors: {LOG_HINT}"), (40, LOG_HINT)])
async def test_busy_errors_are_not_visible_without_a_log(watched: Open, height: int, words: str) -> None:
    async with watched(120, height) as screen:
        await screen.send(states.pinned())
        assert words in screen.text("busy")


async def test_a_log_that_cannot_be_read_is_named(watched: Open) -> None:
    async with watched() as screen:
        snapshot = states.healthy()
        assert snapshot.observation is not None
        assert snapshot.observation.busy is not None
        log = msgspec.structs.replace(snapshot.observation.busy, trouble=("app.log cannot be read: no permission.",))
        await screen.send(states.snapshot(msgspec.structs.replace(snapshot.observation, busy=log)))
        assert "app.log cannot be read: no permission." in screen.text("busy")


async def test_findings_and_verdict_are_worked_out_once_a_snapshot() -> None:
    calls: Counter[str] = Counter()

    def verdict(snapshot: Snapshot) -> str:
        calls["verdict"] += 1
        return states.verdict(snapshot)

    def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
        calls["findings"] += 1
        return states.findings(snapshot)

    session = FakeSession()
    app = WatchApp(session, headline=verdict, findings=findings)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        screen = Screen(app, pilot, session)
        await screen.send(states.idle_writer())
        await screen.press("tab", "down", "enter", "escape", "up", "question_mark", "escape")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert calls == {"verdict": 1, "findings": 1}
        await screen.press("space")
        await screen.send(states.idle_writer())
        assert calls == {"verdict": 1, "findings": 1}, "nobody sees them while the display is frozen"
