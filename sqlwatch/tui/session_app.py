"""An app that shows a session: Snapshots come in, signals and a closed terminal end it cleanly."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.message import Message

from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.browser import is_in_browser
from sqlwatch.tui.garbage import Collector
from sqlwatch.tui.inks import needs_ansi
from sqlwatch.tui.mailbox import Mailbox
from sqlwatch.tui.protocol import WatchSessionProtocol

if TYPE_CHECKING:
    from textual.driver import Driver

_SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGINT")
_LOOK_S: Final = 1.0
_CHANGE_LOOK_S: Final = 0.05
"""How often it is looked whether a session is over that another one shall follow."""
_MOST_REST_S: Final = 4.0
_HANG_UP_CODE: Final = 129
"""128 + SIGHUP, by its number: Windows has no such signal."""


class SessionApp(App[None]):
    """Starts its session after the first picture; `return_code` is 0, or 128 + the signal that ended it."""

    class SnapshotReady(Message):
        """A Snapshot waits in the mailbox."""

    def __init__(self, session: WatchSessionProtocol, *, fps: int, driver_class: type[Driver] | None = None) -> None:
        """Prepare for a session that has not been started; raise ValueError for an fps outside 1..10."""
        if not 1 <= fps <= 10:
            raise ValueError(f"fps: {fps} is out of range; allowed are 1 to 10.")
        self.ansi = needs_ansi()
        """Whether only the terminal's own sixteen colours are used, or none."""
        super().__init__(driver_class=driver_class, ansi_color=self.ansi)
        self.session = session
        self._least_gap_s = 0.8 / fps
        self._drawn_s = 0.0
        self._rest_s = 0.0
        """How long the terminal is left in peace after a Snapshot, so that an answer to a key finds the way free."""
        self._held: ExitStack | None = None
        """While pictures are held back: ends that."""
        self._has_missed = False
        self.forget_screen: Callable[[], None] = _forget_nothing
        """Has the driver send also what the terminal shows already, once."""
        self.collector: Collector | None = None
        """Collects garbage at quiet moments, where the app is the only one of its process."""
        self._mailbox = Mailbox()
        self._is_watched = True
        self._started = False
        self._left = False
        self._told_of_end = False
        self._next: WatchSessionProtocol | None = None

    def draw(self, snapshot: Snapshot) -> None:
        """Show a Snapshot."""
        raise NotImplementedError

    async def on_load(self) -> None:
        """Take the signals over before the terminal is: Textual alone would leave it broken."""
        self.take_signals()

    def after(self, delay_s: float, do: Callable[[], object]) -> asyncio.TimerHandle:
        """Do something later, once.

        Textual's own timer never does what is due before it begins to wait: after next to no delay, or where other
        threads come between.
        """
        return asyncio.get_running_loop().call_later(delay_s, self.call_later, do)

    def take_signals(self) -> None:
        """Have SIGTERM, SIGHUP and SIGINT end the session and the app; one that was ignored stays ignored."""
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for name in _SIGNALS:
            number = signal.Signals[name]
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.leave, 128 + number)

    def on_mount(self) -> None:
        """Start the session when the first picture has been drawn."""
        self.call_after_refresh(self._start_session)

    def _start_session(self) -> None:
        if self._left:
            return
        self._started = True
        self.session.start(self.receive)
        self.set_interval(_LOOK_S, self._look_for_end)
        if self.collector is not None:
            self.collector.start()

    def _look_for_end(self) -> None:
        """Leave if the session is over without a word: whoever started it knows the reason and says it."""
        if self.session.ended and self._next is None and not self._mailbox.waiting and not self._told_of_end:
            self.leave(0)

    def follow_with(self, session: WatchSessionProtocol) -> None:
        """End the present session, and start another one when it is over with all it had."""
        is_changing = self._next is not None
        self._next = session
        self.session.stop()
        if not is_changing:
            self.after(_CHANGE_LOOK_S, self._change_session)

    def _change_session(self) -> None:
        """Start the next session if the present one is over; else look again soon."""
        if self._left or self._next is None:
            return
        if not self.session.ended:
            self.after(_CHANGE_LOOK_S, self._change_session)
            return
        self._mailbox.take()
        self.session, self._next = self._next, None
        self._told_of_end = False
        self.session_changed()
        self.session.start(self.receive)

    def session_changed(self) -> None:
        """Show what there is to show of another session before its first Snapshot."""

    def leave(self, return_code: int) -> None:
        """End the session and the app; the first reason to leave decides the return code."""
        if self._left:
            return
        self._end_session()
        self.exit(return_code=return_code)

    def hang_up(self) -> None:
        """Leave because the terminal is gone."""
        self.leave(_HANG_UP_CODE)

    def hold_pictures(self) -> None:
        """Draw nothing until `show_pictures`: the terminal has not taken the newest picture yet."""
        if self._held is None:
            self._held = ExitStack()
            self._held.enter_context(self.batch_update())

    def show_pictures(self, load_s: float) -> None:
        """Draw what has changed since `hold_pictures`; a picture takes `load_s` longer to arrive than it might."""
        self._rest_s = min(2 * load_s, _MOST_REST_S)
        if self._held is None or self._left:
            return
        self._held.close()
        self._held = None
        if self._has_missed:
            self.draw_anew()
        for screen in self.screen_stack:
            screen.check_idle()

    def draw_anew(self) -> None:
        """Draw everything: what the terminal shows is not known."""
        self._has_missed = False
        self.screen.refresh()

    def action_redraw(self) -> None:
        """Send the whole picture again, to a terminal on which something else has written."""
        self.forget_screen()
        self.draw_anew()

    def come_back(self) -> None:
        """Go on after the terminal was somebody else's."""
        self.draw_anew()

    def post_display_hook(self) -> None:
        """Note a picture that Textual believes to have drawn while pictures were held, as after a resize."""
        self._has_missed = self._has_missed or self._held is not None

    def on_unmount(self) -> None:
        """End the session also where the app ends for another reason."""
        if not self._left:
            self._end_session()

    def _end_session(self) -> None:
        self._left = True
        self._mailbox.close()
        if self._started:
            self.session.stop()

    async def action_quit(self) -> None:
        """End everything."""
        self.leave(0)

    def receive(self, snapshot: Snapshot) -> None:
        """Take a Snapshot from the session's thread; at most one is under way, and the newest replaces it."""
        if self._mailbox.put(snapshot):
            try:
                self.post_message(self.SnapshotReady())
            except RuntimeError:  # the event loop closed between the two lines: nobody looks any more
                self._mailbox.close()

    def on_session_app_snapshot_ready(self) -> None:
        """Draw the newest Snapshot, but not more often than `fps`."""
        early_s = self._drawn_s + max(self.least_gap_s, self._rest_s) - time.monotonic()
        if early_s > 0:
            self.after(early_s, self.draw_newest)
        else:
            self.draw_newest()

    def attend(self, is_watched: bool) -> None:
        """Tell the session whether anybody watches what is new, if that has changed."""
        if is_watched is not self._is_watched:
            self._is_watched = is_watched
            self.session.attend(is_watched)

    @property
    def least_gap_s(self) -> float:
        """How far pictures of Snapshots are apart at least."""
        return self._least_gap_s

    def draw_newest(self) -> None:
        """Draw the newest Snapshot, if one waits."""
        snapshot = self._mailbox.take()
        if snapshot is not None and not self._left:
            self._told_of_end = snapshot.status is Status.ENDED
            self._drawn_s = time.monotonic()
            self.draw(snapshot)


def _forget_nothing() -> None:
    """Do nothing: this driver sends every picture as it is."""


def terminal_driver() -> type[Driver] | None:
    """Return the driver that survives a closed terminal or browser, where there is one; None is Textual's own."""
    if is_in_browser():
        from sqlwatch.tui.web_driver import BrowserDriver

        return BrowserDriver
    if sys.platform == "win32":
        return None
    from sqlwatch.tui.driver import TerminalDriver  # its modules exist on POSIX only

    return TerminalDriver
