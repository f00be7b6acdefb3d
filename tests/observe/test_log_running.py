"""A follower in a thread of its own: woken by notifications, looking now and then where there are none."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest
import watchfiles

from sqlwatch.metrics.log_messages import LogLine, LogMessage
from sqlwatch.observe import log_wake
from sqlwatch.observe.log_files import LogFollower
from sqlwatch.observe.log_patterns import Pattern

from .logs import LOCKED, Follow, append, follow, lines, log
from .programs import wait_until

__all__ = ["follow", "log"]  # fixtures


class Running:
    """A follower in a thread of its own, and what it said."""

    def __init__(self, *patterns: Path | str) -> None:
        self.messages: list[LogMessage] = []
        self.stop = threading.Event()
        self._follower = LogFollower([str(pattern) for pattern in patterns])
        self.thread = threading.Thread(target=self._follower.run, args=(self.messages.append, self.stop))

    def __enter__(self) -> Running:
        self.thread.start()
        wait_until(lambda: bool(self.messages))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        began_s = time.monotonic()
        self.thread.join(10)
        self._follower.close()
        assert not self.thread.is_alive()
        assert time.monotonic() - began_s < 2

    def expect(self, *texts: str) -> None:
        wait_until(lambda: lines(self.messages) == [f"{text}: database is locked" for text in texts])


def threads() -> set[str]:
    return {path.name for path in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize("where", ["app.log", "sub/app.log"])
@pytest.mark.parametrize("beside", ["nothing", "a database"])
def test_running_follows_through_everything_and_ends_when_told(tmp_path: Path, where: str, beside: str) -> None:
    log = tmp_path / where
    if beside == "a database":
        (tmp_path / "app.db-wal").touch()
    before = threads()
    with Running(log) as running:
        log.parent.mkdir(exist_ok=True)
        append(log, "1: " + LOCKED)
        running.expect("1")
        append(log, "2: " + LOCKED)
        running.expect("1", "2")
        log.rename(f"{log}.1")
        append(log, "3: " + LOCKED)
        running.expect("1", "2", "3")
        log.write_text("4: " + LOCKED)
        running.expect("1", "2", "3", "4")
    wait_until(lambda: threads() <= before)  # one of an earlier test may end meanwhile


def test_a_notification_wakes_it_up(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_wake, "LOOK_S", 60.0)
    log.touch()
    with Running(log) as running:
        append(log, "1: " + LOCKED)

        def is_told() -> bool:
            append(log, "something else\n")  # what was written before the watch began waits for what comes later
            return bool(lines(running.messages))

        wait_until(is_told)
        append(log, "2: " + LOCKED)
        running.expect("1", "2")
        append(log, "3: " + LOCKED)
        running.expect("1", "2", "3")


def test_what_was_written_before_the_end_is_told(log: Path) -> None:
    log.touch()
    with Running(log) as running:
        append(log, "1: " + LOCKED)
    assert lines(running.messages) == ["1: database is locked"]


def test_without_notification_the_logs_are_looked_at_now_and_then(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    monkeypatch.setattr(log_wake, "LOOK_S", 0.02)
    log.touch()
    with Running(log) as running:
        append(log, "1: " + LOCKED)
        running.expect("1")


def test_a_failure_of_the_receiver_is_not_taken_for_one_of_notification(log: Path) -> None:
    def fail(message: LogMessage) -> None:
        if isinstance(message, LogLine):
            raise OSError("the receiver is broken")

    log.touch()
    follower = LogFollower([str(log)])
    follower.poll()
    append(log, LOCKED)
    with contextlib.closing(follower), pytest.raises(OSError, match="the receiver is broken"):
        follower.run(fail, threading.Event())


def test_what_is_watched_is_chosen_anew_for_other_logs(
    log: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_wake, "LOOK_S", 0.01)
    (log.parent / "app.db-wal").touch()
    follower = follow(log)
    follower.poll()
    patterns = [Pattern(str(log))]
    chosen = []

    def choose(*_: object) -> log_wake.Watch:
        chosen.append(len(follower._tails))
        return log_wake.Watch((), is_complete=False)

    monkeypatch.setattr(log_wake, "watch_for", choose)
    wakes = log_wake.wake_ups(patterns, lambda: list(follower._tails.values()), threading.Event())
    next(wakes)
    log.touch()
    follower.poll()
    next(wakes)
    assert chosen == [0, 1]


def test_a_directory_with_a_database_is_not_watched(tmp_path: Path, follow: Follow) -> None:
    log = tmp_path / "app.log"
    log.touch()
    follower = follow(log)
    follower.poll()
    tails = list(follower._tails.values())
    patterns = [Pattern(str(log))]
    assert log_wake.watch_for(patterns, tails) == log_wake.Watch((str(tmp_path),), is_complete=True)
    (tmp_path / "app.db-shm").touch()
    assert log_wake.watch_for(patterns, tails) == log_wake.Watch((str(log),), is_complete=False)
    assert not log_wake.watch_for([Pattern(str(tmp_path / "later" / "*.log"))], []).is_complete
    assert not log_wake.watch_for([Pattern(f"{tmp_path}/*/app.log")], []).is_complete
