"""Logs for tests: what a follower said of them, and how they grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sqlwatch.metrics.log_messages import LogLine, LogMessage, LogSources
from sqlwatch.observe.log_files import LogFollower

LOCKED = "database is locked\n"

Follow = Callable[..., LogFollower]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.fixture
def follow() -> Iterator[Follow]:
    with ExitStack() as made:

        def start(*patterns: Path | str, history_bytes: int = 0) -> LogFollower:
            return made.enter_context(closing(LogFollower([str(one) for one in patterns], history_bytes=history_bytes)))

        yield start


def lines(messages: list[LogMessage]) -> list[str]:
    return [message.text for message in messages if isinstance(message, LogLine)]


def sources(messages: list[LogMessage]) -> LogSources:
    (message,) = [message for message in messages if isinstance(message, LogSources)]
    return message


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)
