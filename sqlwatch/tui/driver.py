"""A terminal that may go away, stall, or be left for a while: the dashboard never waits for it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Protocol

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import InBandWindowResize

from sqlwatch.tui.link import Link
from sqlwatch.tui.screen_copy import ScreenCopy
from sqlwatch.tui.terminal_input import RingingEvent, read_messages


class _Shown(Protocol):
    """What the driver asks of the app."""

    forget_screen: Callable[[], None]
    """Called before a picture that is to be sent whole."""

    def hang_up(self) -> None:
        """Leave because the terminal is gone."""

    def hold_pictures(self) -> None:
        """Draw nothing until `show_pictures`."""

    def show_pictures(self, load_s: float) -> None:
        """Draw what has changed since `hold_pictures`; a picture takes `load_s` longer to arrive than it might."""

    def come_back(self) -> None:
        """Go on after the terminal was somebody else's."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, but what it writes goes through a Link, and a closed terminal ends the app with `hang_up`."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._shown: _Shown = app  # type: ignore[assignment]
        self._shown.forget_screen = self._forget_screen
        self._link: Link | None = None
        self._copy = ScreenCopy()
        self._watch: select.epoll | None = None
        self.exit_event: RingingEvent = RingingEvent()
        self._size = size or self._get_terminal_size()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return columns and lines of the terminal itself; COLUMNS and LINES count only where it knows neither.

        It is asked when the size has changed, and what the terminal shows then is not known.
        """
        size = _size_of_terminal() or super()._get_terminal_size()
        self._copy = ScreenCopy(size)  # a new one, since a signal may come while the old one is in use
        return size

    def _forget_screen(self) -> None:
        self._copy = ScreenCopy(self._copy.size)

    def write(self, data: str) -> None:
        """Write, as far as the terminal takes it now; the rest follows."""
        if self._link is not None:
            self._link.write(self._copy.changes(data))

    def flush(self) -> None:
        """Note the end of a picture; the next one waits until this one has arrived."""
        if self._link is not None:
            self._link.end_picture()
            self._loop.call_soon(self._hold_if_busy)  # not at once: Textual has not done with this picture

    def _hold_if_busy(self) -> None:
        if self._link is not None and self._link.is_busy:
            self._shown.hold_pictures()

    def _show(self) -> None:
        if self._link is not None:
            self._shown.show_pictures(self._link.load_s)

    def start_application_mode(self) -> None:
        """Take the terminal over, and watch for its end."""
        if sys.__stderr__ is None:
            raise OSError("there is no terminal to draw on")
        self._link = Link(sys.__stderr__.fileno(), self._loop, on_free=self._show, on_gone=self._hang_up)
        self._writer_thread = None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Textual's handlers run between any two statements; these run between two turns of the loop.
        self._loop.add_signal_handler(signal.SIGTSTP, self._sigtstp_application)
        self._loop.add_signal_handler(signal.SIGCONT, self._come_back)
        if self._writer_thread is None:  # we are in the background: the terminal will be taken when that is over
            self._link.close()
            self._link = None
            return
        self._writer_thread.stop()  # it has nothing to write: the link does
        if self._watch is None and hasattr(select, "epoll"):
            self._watch = select.epoll()
            with contextlib.suppress(PermissionError):  # a file or /dev/null cannot hang up
                self._watch.register(self.fileno, 0)  # no event asked for: only hang-up and error are reported
                self._loop.add_reader(self._watch.fileno(), self._report_gone)

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self._unwatch()
        if self._link is not None:
            self._link.leave()
        super().stop_application_mode()

    def close(self) -> None:
        """Let go of the terminal."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _come_back(self) -> None:
        """Take the terminal again: after SIGTSTP, or after SIGSTOP, when the shell has had it without our knowing."""
        if self._auto_restart:
            if self._link is not None:
                self.suspend_application_mode()
            self.resume_application_mode()
            self._shown.come_back()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._loop.remove_reader(self._watch.fileno())
            self._watch.close()
            self._watch = None

    def process_message(self, message: Message) -> None:
        """Take what the terminal says, on the thread that reads it."""
        link = self._link
        if isinstance(message, events.CursorPosition):
            if link is not None:
                link.hear()
        elif isinstance(message, InBandWindowResize):
            self._in_loop(lambda: super(TerminalDriver, self).process_message(message))  # it writes
        elif not (isinstance(message, events.Resize) and not message.size):
            if isinstance(message, events.Resize):  # a terminal that tells of its size itself sends no signal for us
                self._copy = ScreenCopy((message.size.width, message.size.height))
            if link is not None and isinstance(message, events.Key):
                link.hear_key()
            super().process_message(message)

    def _run_input_thread(self) -> None:
        """Read keys until the end; a terminal that cannot be read any more is a closed one."""
        is_over = False
        while not is_over:
            try:
                read_messages(self.fileno, self.exit_event, self.process_message)
                is_over = True
            except (ValueError, ArithmeticError):
                continue  # bytes that no key sends, as of another encoding than UTF-8: the parser begins anew
            except OSError:
                self._report_gone()
                is_over = True

    def _report_gone(self) -> None:
        """Tell the app, from whatever thread."""
        self._in_loop(self._hang_up)

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended already
            self._loop.call_soon_threadsafe(call)

    def _hang_up(self) -> None:
        self._unwatch()
        self.exit_event.set()
        self._shown.hang_up()


def _size_of_terminal() -> tuple[int, int] | None:
    """Return columns and lines of the terminal; None where it does not know them."""
    with contextlib.suppress(OSError, AttributeError):
        columns, lines = os.get_terminal_size(sys.__stderr__.fileno())  # type: ignore[union-attr]
        if columns and lines:
            return columns, lines
    return None
