"""From the collector's thread to the screen: at most one Snapshot waits, and the newest replaces it."""

from __future__ import annotations

from threading import Lock

from sqlwatch.metrics.snapshot import Snapshot


class Mailbox:
    """Holds the newest Snapshot until it is taken; safe between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: Snapshot | None = None
        self._closed = False
        self.replaced = 0
        """Snapshots that a newer one replaced before they were drawn."""

    def put(self, snapshot: Snapshot) -> bool:
        """Leave a Snapshot; return True if the receiver has to be told, False if it was told already (or is gone)."""
        with self._lock:
            if self._closed:
                return False
            waiting = self._newest is not None
            self.replaced += waiting
            self._newest = snapshot
            return not waiting

    def take(self) -> Snapshot | None:
        """Take the newest Snapshot out; None if there is none."""
        with self._lock:
            snapshot, self._newest = self._newest, None
            return snapshot

    @property
    def waiting(self) -> bool:
        """Whether a Snapshot has not been taken yet."""
        return self._newest is not None

    def close(self) -> None:
        """Accept nothing any more."""
        with self._lock:
            self._closed, self._newest = True, None
