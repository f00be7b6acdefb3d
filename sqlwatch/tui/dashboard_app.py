"""What every dashboard does alike: draws the newest Snapshot, freezes, answers keys with a few words, themes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import SystemCommand

from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.tui.ascii_filter import AsciiFilter
from sqlwatch.tui.inks import DARK, LIGHT, Inks
from sqlwatch.tui.keys import Key
from sqlwatch.tui.page_screen import PageScreen
from sqlwatch.tui.panel import Panel, Rows
from sqlwatch.tui.places import Places, Wish
from sqlwatch.tui.protocol import WatchSessionProtocol
from sqlwatch.tui.session_app import SessionApp
from sqlwatch.tui.view import View

if TYPE_CHECKING:
    from textual import events
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.geometry import Size
    from textual.screen import Screen
    from textual.theme import Theme

    from sqlwatch.tui.export import Exporter

_NOTICE_S: Final = 3.0
_FROZEN_GAP_S: Final = 0.9
"""The header of a frozen display goes on once a second at most."""


def no_findings(_: Snapshot) -> tuple[Finding, ...]:
    """Find nothing: for whoever has no rules."""
    return ()


class DashboardApp(SessionApp):
    """Widgets of type Rows that all show one View: the live one, or the one at which the display was frozen."""

    TITLE = "sqlwatch"
    ENABLE_COMMAND_PALETTE = True
    AUTO_FOCUS = None
    KEYS: ClassVar[tuple[Key, ...]] = ()
    """The keys of this dashboard; the palette offers their actions."""
    PANELS: ClassVar[tuple[str, ...]] = ()
    """Names of the panels, those of the keys 1, 2, 3 ... first, in that order."""
    ENDED_WORDS: ClassVar[str] = "the run has ended; q quits"
    ENDING_WORDS: ClassVar[str] = "it is just ending: too late for that key"
    FIRST_WINDOW_NS: ClassVar[int] = 0
    """Time that lanes show at first."""
    CSS = """
    Screen { overflow: hidden; }
    Rows { position: absolute; }
    PageScreen { background: $background; }
    CommandPalette SearchIcon { display: none; }
    """

    def __init__(
        self,
        session: WatchSessionProtocol,
        *,
        headline: Callable[[Snapshot], str],
        findings: Callable[[Snapshot], tuple[Finding, ...]] = no_findings,
        exporter: Exporter | None = None,
        fps: int = 4,
        glyphs: str = "braille",
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Prepare for a session that has not been started; raise ValueError for a wrong fps or glyph set.

        `headline` and `findings` are called at most once per Snapshot, on the thread of the display.
        """
        if glyphs not in GLYPH_SETS:
            raise ValueError(f"glyphs: there is no set {glyphs!r}; known are {', '.join(GLYPH_SETS)}.")
        super().__init__(session, fps=fps, driver_class=driver_class)
        self._headline = headline
        self._findings = findings
        self.exporter = exporter
        """Writes what is on screen to files; None where nothing can be exported."""
        self._sign_filters = [AsciiFilter()] if glyphs == "ascii" else []
        self._view = View(GLYPH_SETS[glyphs], window_ns=self.FIRST_WINDOW_NS)
        self._live = self._view
        self._inks = Inks(ansi=self.ansi)
        self._forgetting: asyncio.TimerHandle | None = None
        self._is_done: Callable[[Snapshot], bool] | None = None
        """Tells when the notice is of something that is done, where it is of something under way."""
        self._wish = Wish(self.PANELS)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what changes every line last: for the terminal's colours, and for its signs."""
        return [*super().get_line_filters(), *self._sign_filters]

    def places(self, size: Size, wish: Wish) -> Places:
        """Divide a screen of this size among the panels."""
        raise NotImplementedError

    def judged(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with what has to be worked out once per Snapshot."""
        return replace(view, headline=self._headline(snapshot), findings=self._findings(snapshot))

    def received(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with a Snapshot that has just come."""
        return replace(view, snapshot=snapshot)

    def on_mount(self) -> None:
        """Show the first picture."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "ansi-dark" if self.ansi else DARK.name
        self.theme_changed_signal.subscribe(self, self._use_theme)
        self.arrange(self.size)

    def on_resize(self, event: events.Resize) -> None:
        """Divide the new size; the app itself has the old one until this event has been handled."""
        self.arrange(event.size)

    def arrange(self, size: Size) -> None:
        """Put every panel in its place, and hide those that have none."""
        places = self.places(size, self._wish)
        for widget in self._panels():
            place = places.get(widget.id or "")
            widget.display = place is not None
            if place is None:
                continue
            widget.styles.offset = (place.x, place.y)
            widget.styles.width = place.width
            widget.styles.height = place.height
            if isinstance(widget, Panel):
                widget.can_focus = place.height >= widget.LEAST_TITLED

    def action_toggle_panel(self, number: int) -> None:
        """Hide the panel of a number key, or show it again even where the others have to make room."""
        self.toggle_panel(self.PANELS[number - 1])

    def toggle_panel(self, name: str) -> None:
        """Hide a panel that is in sight, or show it."""
        panel = self.screen_stack[0].query_one(f"#{name}", Panel)
        title = panel.name_in_words
        if panel.display and sum(other.display for other in self.screen_stack[0].query(Panel)) == 1:
            self.say(f"{title}: the last panel in sight stays")
            return
        if panel.display:
            panels = [other for other in self._wish.panels if other != name]
            asked = [other for other in self._wish.asked if other != name]
            self._rearrange(Wish(panels, asked), f"{title}: hidden")
            return
        panels = [other for other in self.PANELS if other in (*self._wish.panels, name)]
        self._rearrange(Wish(panels, [name, *self._wish.asked]), "")
        self.say(f"{title}: shown" if panel.display else f"{title}: there is no room for it; tab and f show one alone")

    def action_maximise(self) -> None:
        """Give all the room to the panel that has the focus, or to the first in sight; or make it small again."""
        if self._wish.alone is not None:
            self._rearrange(self._wish._replace(alone=None), "all panels again")
            return
        in_sight = (panel for panel in self.screen_stack[0].query(Panel) if panel.display)
        panel = self.focused if isinstance(self.focused, Panel) else next(in_sight)
        self._rearrange(self._wish._replace(alone=panel.id), f"{panel.name_in_words} alone; f brings the others back")

    def _rearrange(self, wish: Wish, notice: str) -> None:
        self._wish = wish
        self.arrange(self.size)
        self.say(notice)

    def draw(self, snapshot: Snapshot) -> None:
        """Show a Snapshot; where the display is frozen, only in what stays live."""
        if self._is_done is not None and self._is_done(snapshot):
            self.say("")
        live = self.received(self._live, snapshot)
        if live.frozen and snapshot.status is not Status.ENDED:
            self._live = replace(live, headline="", findings=())
            for widget in self._panels():
                if widget.STAYS_LIVE:
                    widget.show(self._live)
            return
        self._live = self.judged(replace(live, frozen=False), snapshot)
        self.show()

    @property
    def least_gap_s(self) -> float:
        """How far pictures are apart at least; while the display is frozen only the header goes on."""
        return _FROZEN_GAP_S if self._live.frozen else super().least_gap_s

    def show(self) -> None:
        """Draw what changed: everything, or what stays live while the display is frozen."""
        live = self._live
        self.attend(not live.frozen)
        if not live.frozen:
            if live.snapshot is not None and not live.headline:
                live = self._live = self.judged(live, live.snapshot)
            self._view = live
        self._view = replace(
            self._view, frozen=live.frozen, logarithmic=live.logarithmic, notice=live.notice, switching=live.switching,
            window_ns=live.window_ns, past=live.past, cursor=live.cursor,
        )  # fmt: skip
        for widget in self._panels():
            widget.show(live if widget.STAYS_LIVE else self._view)

    def _panels(self) -> Iterable[Rows]:
        return self.screen_stack[0].query(Rows)

    def _use_theme(self, theme: Theme) -> None:
        self._inks = Inks(ansi=self.ansi, dark=theme.dark)
        for widget in self._panels():
            widget.use(self._inks)
        for screen in self.screen_stack:
            if isinstance(screen, PageScreen):
                screen.use(self._inks)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the page above the panels, then those of the keys, which close it, and the themes."""
        own = screen.own_bindings() if isinstance(screen, PageScreen) else []
        done = {"command_palette"}
        for binding in own:
            action = binding.action.removeprefix("app.")
            if action not in done:
                done.add(action)
                words = binding.tooltip or "On this page."
                yield SystemCommand(binding.description.capitalize(), words, self._runner(binding.action, screen))
        for key in self.KEYS:
            if key.action not in done:
                words = f"{key.shown.split(', ')[0]}: {key.tooltip}"
                yield SystemCommand(key.description.capitalize(), words, self._runner(key.action))
        if not self.ansi:
            yield SystemCommand("Dark theme", "Light text on dark.", lambda: setattr(self, "theme", DARK.name))
            yield SystemCommand("Light theme", "Dark text on light.", lambda: setattr(self, "theme", LIGHT.name))

    def _runner(self, action: str, screen: Screen[object] | None = None) -> Callable[[], object]:
        return lambda: self.call_next(self._run_chosen, action, screen)

    async def _run_chosen(self, action: str, screen: Screen[object] | None) -> None:
        """Run an action on a page, or, without one, on the dashboard after closing what is above it."""
        if screen is None and isinstance(self.screen, PageScreen):
            self.screen.dismiss()
        await self.run_action(action, screen)

    def change(self, live: View, notice: str = "", is_done: Callable[[Snapshot], bool] | None = None) -> None:
        """Show another state of the screen, with a few words in answer to a key for a moment.

        Words of something under way go as soon as `is_done` says so of a Snapshot.
        """
        self._is_done = is_done
        self._live = replace(live, notice=notice)
        self.show()
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = self.after(_NOTICE_S, lambda: self.say("")) if notice else None

    def say(self, notice: str, is_done: Callable[[Snapshot], bool] | None = None) -> None:
        """Say a few words in answer to a key for a moment, or until that is done."""
        self.change(self._live, notice, is_done)

    def is_over(self) -> bool:
        """Tell whether the session is over or ends just now, and say so: its keys do nothing then."""
        words = {Status.ENDED: self.ENDED_WORDS, Status.STOPPING: self.ENDING_WORDS}.get(self._live.status)
        if words is not None:
            self.say(words)
        return words is not None

    def action_freeze(self) -> None:
        """Hold the picture still, or let it go."""
        self.change(replace(self._live, frozen=not self._live.frozen))
        if not self._live.frozen:
            self.draw_newest()

    def action_reset(self) -> None:
        """Begin the statistics again."""
        if not self.is_over():
            self.session.reset()
            self.say("statistics begin again")

    def action_suspend_process(self) -> None:
        """Leave the terminal to the shell until it brings us back."""
        if self.is_web or sys.platform == "win32":
            self.say("there is no shell to go to from here")
        else:
            self.after(self.come_to_rest(), super().action_suspend_process)

    def come_to_rest(self) -> float:
        """Bring to rest what must not go on under the shell; return how long that takes, in seconds."""
        return 0.01
