"""Looks for garbage when nobody waits for an answer, instead of whenever enough objects have been made."""

from __future__ import annotations

import asyncio
import gc
from typing import Final

from textual.app import App

_ROUND_S: Final = 2.0
_ROUNDS_UNTIL_ALL: Final = 30
"""In each round what is young is looked through, in every so many everything is."""
_QUIET_S: Final = 0.4
"""So long after a page was opened or closed its picture is there, and who goes on at once waits for no collection."""
_OBJECTS_UNTIL_COLLECTION: Final = 50_000
"""Python itself looks only when so many have been made between two rounds."""


class Collector:
    """Collects the garbage of an app, which must not be one of several in the process."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._rounds = 0
        self._pending: asyncio.TimerHandle | None = None
        # What was imported never becomes garbage: no need to look through it again and again.
        gc.freeze()
        gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)

    def start(self) -> None:
        """Begin, in the app's loop."""
        self._app.set_interval(_ROUND_S, self._collect_in_rounds)
        self._app.screen_change_signal.subscribe(self._app, lambda _: self._pages_change())

    def _pages_change(self) -> None:
        """Collect soon, when no more pages are opened or closed: one that was leaves thousands of objects."""
        if self._pending is not None:
            self._pending.cancel()
        self._pending = asyncio.get_running_loop().call_later(_QUIET_S, gc.collect)

    def _collect_in_rounds(self) -> None:
        self._rounds += 1
        gc.collect(1 if self._rounds % _ROUNDS_UNTIL_ALL else 2)
