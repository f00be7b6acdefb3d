"""A browser that may go away: when its server is gone, output is dropped and the dashboard is told."""

from __future__ import annotations

import contextlib
import os
from typing import Protocol

from textual.app import App
from textual.drivers.web_driver import WebDriver


class _Served(Protocol):
    def take_signals(self) -> None:
        """Have signals end the session and the app."""

    def hang_up(self) -> None:
        """Leave because the browser is gone."""


class BrowserDriver(WebDriver):
    """Textual's driver for the web, but a closed pipe ends the app with `hang_up`, and signals end it as in a terminal.

    Afterwards standard output is standard error: the browser reads no more, and what is printed then is for people.
    """

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._served: _Served = app  # type: ignore[assignment]
        write = self._write

        def write_or_drop(data: bytes) -> int:
            with contextlib.suppress(OSError):  # the server is gone: the end of stdin tells the app
                while data:
                    data = data[write(data) :]
            return 0

        self._write = write_or_drop  # type: ignore[assignment]

    def start_application_mode(self) -> None:
        """Begin to draw; Textual's own handlers of signals would leave the session as it is."""
        super().start_application_mode()
        self._served.take_signals()

    def run_input_thread(self) -> None:
        """Read what the browser sends until the end; an end that was not asked for is a lost browser."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended already
                self._loop.call_soon_threadsafe(self._served.hang_up)

    def close(self) -> None:
        """Let go of the browser."""
        super().close()
        if self._key_thread.is_alive():
            self._key_thread.join()
        os.dup2(2, self.fileno)
