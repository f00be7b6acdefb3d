"""One look at a database, of about a second or until something is found: what `sqlwatch why` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import Look, Message
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.observe.sampling import DEFAULT_RATE_HZ, observe
from sqlwatch.observe.text import printable

if TYPE_CHECKING:
    from sqlwatch.observe.log_files import LogFollower

LOOK_S: Final = 1.02
"""Length of one look: 200 samples, long enough to tell a long hold from short ones; what lasts all of it reads 1.0s."""


LOG_BYTES: Final = 256 * 1024
"""How much of the end of a log is looked at."""


def look_at(
    path: Path,
    duration_s: float = LOOK_S,
    *,
    wait_s: float = 0.0,
    rate_hz: float = DEFAULT_RATE_HZ,
    logs: Sequence[str] = (),
    is_telling: Callable[[Snapshot], bool] | None = None,
) -> Snapshot:
    """Look for `duration_s`; then go on for up to `wait_s` in all until `is_telling` says that a Snapshot is enough.

    `logs` are read from what they got in the last minutes on (the last `LOG_BYTES` of each).
    This process must have no SQLite connection.  Raises CannotObserve if there is nothing to observe, or no longer.
    """
    started_ns = time.monotonic_ns()
    fold = ObservationFold(printable(str(path)), rate_hz, started_ns)

    follower = _follower(logs) if logs else None

    def read_logs() -> None:
        while follower is not None:
            for message in follower.poll():
                fold.add(message)
            if not follower.has_more:
                return

    def is_enough(messages: list[Message]) -> bool:
        for message in messages:
            fold.add(message)
        read_logs()
        has_looked = time.monotonic_ns() - started_ns >= duration_s * 1e9
        is_new = any(isinstance(message, Look) for message in messages)
        return has_looked and is_new and is_telling is not None and is_telling(fold.snapshot(Status.RUNNING))

    try:
        read_logs()
        observe(path, max(duration_s, wait_s), rate_hz, is_enough)
        read_logs()
    finally:
        if follower is not None:
            follower.close()
    return fold.snapshot(Status.ENDED)


def _follower(logs: Sequence[str]) -> LogFollower:
    from sqlwatch.observe.log_files import LogFollower  # watchfiles is loaded only where there is a log

    return LogFollower(logs, history_bytes=LOG_BYTES)
