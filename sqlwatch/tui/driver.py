"""A terminal that may go away: when it is closed, output is dropped and the dashboard is told, once."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable
from typing import IO, Protocol

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class _Hangable(Protocol):
    def hang_up(self) -> None:
        """Leave because the terminal is gone."""


class _Output:
    """The terminal's file; once it cannot be written, what is written is dropped.

    Without this the thread that writes would die, and the next writes would wait for it for ever.
    """

    def __init__(self, file: IO[str], on_gone: Callable[[], None]) -> None:
        self._file = file
        self._on_gone = on_gone
        self._gone = False

    def fileno(self) -> int:
        """Return the file's descriptor."""
        return self._file.fileno()

    def write(self, text: str) -> int:
        """Write, or drop the text if the terminal is gone."""
        self._try(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, unless the terminal is gone."""
        self._try(self._file.flush)

    def _try(self, call: Callable[[], object]) -> None:
        if self._gone:
            return
        try:
            call()
        except OSError:  # EIO: the other side of the terminal is closed
            self._gone = True
            self._on_gone()


class TerminalDriver(LinuxDriver):
    """Textual's driver, but a closed terminal ends the app with `hang_up` instead of a traceback or a busy loop."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._watch: select.epoll | None = None
        if self._file is not None:
            self._file = _Output(self._file, self._report_gone)  # type: ignore[assignment]

    def start_application_mode(self) -> None:
        """Take the terminal over, and watch for its end."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._watch is None and hasattr(select, "epoll"):
            self._watch = select.epoll()
            with contextlib.suppress(PermissionError):  # a file or /dev/null cannot hang up
                self._watch.register(self.fileno, 0)  # no event asked for: only hang-up and error are reported
                self._loop.add_reader(self._watch.fileno(), self._report_gone)

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self._unwatch()
        super().stop_application_mode()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._loop.remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def _run_input_thread(self) -> None:
        """Read keys until the end; a terminal that cannot be read any more is a closed one."""
        try:
            self.run_input_thread()
        except OSError:
            self._report_gone()

    def _report_gone(self) -> None:
        """Tell the app, from whatever thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended already
            self._loop.call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        self._unwatch()
        self.exit_event.set()
        app: _Hangable = self._app  # type: ignore[assignment]
        app.hang_up()
