"""One look at a database, of about a second or until something is found: what `sqlwatch why` does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.observations import Look, Message
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.observe.sampling import DEFAULT_RATE_HZ, observe
from sqlwatch.observe.text import printable

LOOK_S: Final = 1.0
"""Length of one look: 200 samples, and long enough to tell a long hold from short ones."""


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

    This process must have no SQLite connection.  Raises CannotObserve if there is nothing to observe, or no longer.
    """
    started_ns = time.monotonic_ns()
    fold = ObservationFold(printable(str(path)), rate_hz, started_ns)

    def is_enough(messages: list[Message]) -> bool:
        for message in messages:
            fold.add(message)
        has_looked = time.monotonic_ns() - started_ns >= duration_s * 1e9
        is_new = any(isinstance(message, Look) for message in messages)
        return has_looked and is_new and is_telling is not None and is_telling(fold.snapshot(Status.RUNNING))

    observe(path, max(duration_s, wait_s), rate_hz, is_enough)
    return fold.snapshot(Status.ENDED)
