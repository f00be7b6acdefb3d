"""When to look at logs again: watchfiles tells where it can, once a second where it cannot."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import msgspec
import watchfiles

from sqlwatch.observe.log_patterns import Pattern
from sqlwatch.observe.log_tail import Tail

LOOK_S: Final = 1.0
"""How often logs are looked at where nobody tells of changes."""
QUIET_LOOKS: Final = 5
"""Even where somebody tells, they are looked at after so many times that, and so is what is to be watched."""
STEP_MS: Final = 50
"""How often watchfiles looks at its own list, and whether it is to stop."""
TOGETHER_MS: Final = 200
"""Changes that follow so closely are one."""
_BESIDE_A_DATABASE: Final = ("-wal", "-shm", "-journal")


class Watch(msgspec.Struct, frozen=True):
    """What to watch, and whether that tells of everything that can happen to the logs."""

    paths: tuple[str, ...]
    is_complete: bool


def watch_for(patterns: Sequence[Pattern], tails: Sequence[Tail]) -> Watch:
    """Return the directories of logs, or the logs themselves where a database lies beside them.

    Each write to a file in a watched directory costs its writer time: a database's writers shall not pay for us.
    """
    real = {os.path.realpath(tail.path) for tail in tails}
    named = {os.path.realpath(pattern.directory) for pattern in patterns}
    is_complete = not any(pattern.has_magic_directory for pattern in patterns)
    is_complete &= all(os.path.realpath(tail.path) == os.path.abspath(tail.path) for tail in tails)  # noqa: PTH100
    paths = set()
    for directory in named | {os.path.dirname(path) for path in real}:  # noqa: PTH120 - they are realpath's strings
        if _may_be_watched(directory):
            paths.add(directory)
        else:
            is_complete = False
            paths |= {path for path in real if os.path.dirname(path) == directory}  # noqa: PTH120
    is_complete &= not any(tail.is_on_a_network for tail in tails)
    return Watch(tuple(sorted(path for path in paths if os.path.exists(path))), is_complete)  # noqa: PTH110


def wake_ups(patterns: Sequence[Pattern], tails: Callable[[], Sequence[Tail]], stop: threading.Event) -> Iterator[None]:
    """Yield whenever the logs should be looked at, until `stop` is set; leaves no thread behind."""
    while not stop.is_set():
        try:
            yield from _while_watched(patterns, tails, stop)
        except (OSError, RuntimeError):  # a directory has gone, or the system grants no more watches
            stop.wait(LOOK_S)
            yield


def _while_watched(
    patterns: Sequence[Pattern], tails: Callable[[], Sequence[Tail]], stop: threading.Event
) -> Iterator[None]:
    """Yield at changes, and so often without any; return when other paths are to be watched."""

    def opened() -> list[tuple[str, int]]:
        return [(tail.path, tail.descriptor) for tail in tails()]

    def concerns(_: watchfiles.Change, path: str) -> bool:
        name = os.path.basename(path)  # noqa: PTH119 - called for each change
        return name in names or any(pattern.may_match(name) for pattern in patterns)

    known, watch = opened(), watch_for(patterns, tails())
    names = {os.path.basename(os.path.realpath(path)) for path, _ in known}  # noqa: PTH119
    again_s = time.monotonic() + QUIET_LOOKS * LOOK_S
    looks = QUIET_LOOKS - 1  # what happened before the watch began is seen at its first look
    with contextlib.closing(_changes(watch.paths, concerns, stop)) as changes:
        for change in changes:
            looks += 1
            if not change and watch.is_complete and looks < QUIET_LOOKS:
                continue
            looks = 0
            yield
            if opened() != known:
                return
            if time.monotonic() >= again_s:
                again_s = time.monotonic() + QUIET_LOOKS * LOOK_S
                if watch_for(patterns, tails()) != watch:
                    return


def _changes(
    paths: Sequence[str], concerns: Callable[[watchfiles.Change, str], bool], stop: threading.Event
) -> Generator[bool, None, None]:
    """Yield True for changes, False each `LOOK_S` without any."""
    if not paths:
        while not stop.wait(LOOK_S):
            yield False
        return
    yield from map(bool, watchfiles.watch(
        *paths, watch_filter=concerns, debounce=TOGETHER_MS, step=STEP_MS, stop_event=stop,
        rust_timeout=round(LOOK_S * 1000), yield_on_timeout=True, raise_interrupt=False, recursive=False,
        ignore_permission_denied=True,
    ))  # fmt: skip


def _may_be_watched(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return not any(entry.name.endswith(_BESIDE_A_DATABASE) for entry in entries)
    except OSError:
        return False
