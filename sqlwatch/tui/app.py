"""The dashboard of `sqlwatch simulate`: draws the newest Snapshot and sends keys to the session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Container

from simulators.events import Mode
from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.metrics.snapshot import Snapshot, Status, Worker
from sqlwatch.tui.footer import KeyFooter
from sqlwatch.tui.header import Header
from sqlwatch.tui.headline import Headline
from sqlwatch.tui.inks import DARK, LIGHT, Inks
from sqlwatch.tui.keys import KEYS, bindings
from sqlwatch.tui.layout import Arrangement, plan
from sqlwatch.tui.modes_panel import ModesPanel
from sqlwatch.tui.panel import Panel, Rows
from sqlwatch.tui.protocol import SessionProtocol
from sqlwatch.tui.session_app import SessionApp
from sqlwatch.tui.throughput_panel import ThroughputPanel
from sqlwatch.tui.view import View
from sqlwatch.tui.waits_panel import WaitsPanel
from sqlwatch.tui.wal_panel import WalPanel
from sqlwatch.tui.worker_table import WorkerTable

if TYPE_CHECKING:
    from textual import events
    from textual.driver import Driver
    from textual.screen import Screen
    from textual.theme import Theme
    from textual.timer import Timer

_SWITCH_PATIENCE_S: Final = 5.0
"""How long the badge may say `switching...` before a Snapshot has to agree."""
_NOTICE_S: Final = 3.0


class SimulateApp(SessionApp):
    """The dashboard: panels for what a Snapshot holds, and a key for everything that can be asked of the session."""

    TITLE = "sqlwatch"
    ENABLE_COMMAND_PALETTE = True
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = list(bindings())
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #body, #charts, #series, #side { width: 1fr; height: auto; overflow: hidden; }
    #body { height: 1fr; layout: vertical; }
    .-wide #body { layout: horizontal; }
    .-wide #charts { margin: 0 1 0 0; }
    .-stacked #series { layout: horizontal; }
    .-stacked #throughput { margin: 0 1 0 0; }
    Rows { width: 1fr; height: 1; }
    """

    def __init__(
        self,
        session: SessionProtocol,
        *,
        headline: Callable[[Snapshot], str],
        fps: int = 4,
        glyphs: str = "braille",
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Prepare for a session that has not been started; raise ValueError for a wrong fps or glyph set."""
        if glyphs not in GLYPH_SETS:
            raise ValueError(f"glyphs: there is no set {glyphs!r}; known are {', '.join(GLYPH_SETS)}.")
        super().__init__(session, fps=fps, driver_class=driver_class)
        self._headline = headline
        self._view = View(GLYPH_SETS[glyphs])
        self._live = self._view
        self._inks = Inks(ansi=self.ansi)
        self._switch_asked: tuple[Mode, float] | None = None
        self._paused = False
        self._forgetting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the panels; `_arrange` gives them their sizes."""
        inks, view = self._inks, self._view
        yield Header(inks, view, id="header")
        yield Headline(inks, view, id="headline")
        with Container(id="body"):
            with Container(id="charts"):
                yield WaitsPanel(inks, view, id="waits")
                with Container(id="series"):
                    yield ThroughputPanel(inks, view, id="throughput")
                    yield WalPanel(inks, view, id="wal")
            with Container(id="side"):
                yield ModesPanel(inks, view, id="modes")
                yield WorkerTable(inks, view, id="workers")
        yield KeyFooter(inks, view, id="footer")

    def on_mount(self) -> None:
        """Show the first picture."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = "ansi-dark" if self.ansi else DARK.name
        self.theme_changed_signal.subscribe(self, self._use_theme)
        self._arrange()

    def draw(self, snapshot: Snapshot) -> None:
        """Show a Snapshot; in the header alone while the display is frozen."""
        switching = self._still_switching(snapshot)
        if self._live.frozen and snapshot.status is not Status.ENDED:
            self._live = replace(self._live, snapshot=snapshot, switching=switching, headline="")
            self.screen_stack[0].query_one(Header).show(self._live)
            return
        words = self._headline(snapshot)
        self._live = replace(self._live, snapshot=snapshot, headline=words, switching=switching, frozen=False)
        self._show()

    def _still_switching(self, snapshot: Snapshot) -> bool:
        """Tell whether a switch was asked for and no Snapshot knows of it yet."""
        if self._switch_asked is None or snapshot.simulation is None:
            return False
        mode, asked_s = self._switch_asked
        patient = time.monotonic() - asked_s < _SWITCH_PATIENCE_S and snapshot.status is not Status.ENDED
        if snapshot.simulation.mode is mode and snapshot.status is not Status.SWITCHING and patient:
            return True
        self._switch_asked = None
        return False

    def _show(self) -> None:
        """Draw what changed: everything, or the header alone while the display is frozen."""
        live = self._live
        if not live.frozen:
            if live.snapshot is not None and not live.headline:
                live = self._live = replace(live, headline=self._headline(live.snapshot))
            self._view = live
        self._view = replace(
            self._view, frozen=live.frozen, logarithmic=live.logarithmic, notice=live.notice, switching=live.switching
        )
        screen = self.screen_stack[0]
        for widget in screen.query(Rows):
            if widget.display:
                widget.show(live if isinstance(widget, Header) else self._view)

    def on_resize(self, event: events.Resize) -> None:
        """Divide the new size."""
        self._arrange()

    def _arrange(self) -> None:
        simulation = self._view.simulation
        workers = len(simulation.phase.workers) if simulation else 18
        parts = plan(self.size.width, self.size.height, workers)
        screen = self.screen_stack[0]
        for arrangement in Arrangement:
            screen.set_class(parts.arrangement is arrangement, f"-{arrangement.value}")
        for name in ("header", "headline", "waits", "throughput", "wal", "modes", "workers", "footer"):
            rows = getattr(parts, name)
            widget = screen.query_one(f"#{name}", Rows)
            widget.display = rows > 0
            widget.styles.height = max(rows, 1)
            if isinstance(widget, Panel):
                widget.can_focus = rows >= widget.LEAST_TITLED
        screen.query_one("#series").styles.height = parts.charts - parts.waits
        screen.query_one("#series").display = parts.charts > parts.waits
        screen.query_one("#charts").display = parts.charts > 0
        screen.query_one("#side").styles.width = parts.side_columns or "1fr"

    def _use_theme(self, theme: Theme) -> None:
        self._inks = Inks(ansi=self.ansi, dark=theme.dark)
        for widget in self.screen_stack[0].query(Rows):
            widget.use(self._inks)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the keys in the palette, and the two themes."""
        for key in KEYS:
            if key.action != "command_palette":
                yield SystemCommand(key.description.capitalize(), key.tooltip, self._runner(key.action))
        if not self.ansi:
            yield SystemCommand("Dark theme", "Light text on dark.", lambda: setattr(self, "theme", DARK.name))
            yield SystemCommand("Light theme", "Dark text on light.", lambda: setattr(self, "theme", LIGHT.name))

    def _runner(self, action: str) -> Callable[[], object]:
        return lambda: self.call_next(self.run_action, action)

    def _change(self, live: View, notice: str = "") -> None:
        """Show another state of the screen, with a few words in answer to a key for a moment."""
        self._live = replace(live, notice=notice)
        self._show()
        if self._forgetting is not None:
            self._forgetting.stop()
        self._forgetting = self.set_timer(_NOTICE_S, lambda: self._say("")) if notice else None

    def _say(self, notice: str) -> None:
        self._change(self._live, notice)

    def _ended(self) -> bool:
        """Tell whether the session is over, and say so: its keys do nothing any more."""
        if self._live.status in (Status.ENDED, Status.STOPPING):
            self._say("the run has ended; q quits and prints the summary")
            return True
        return False

    def action_toggle_mode(self) -> None:
        """Switch between contended and single-writer."""
        simulation = self._live.simulation
        if self._ended() or simulation is None:
            return
        self._switch_asked = (simulation.mode, time.monotonic())
        self.session.toggle_mode()
        self._change(replace(self._live, switching=True))

    def action_freeze(self) -> None:
        """Hold the picture still, or let it go."""
        self._change(replace(self._live, frozen=not self._live.frozen))

    def action_pause(self) -> None:
        """Pause or resume the workload."""
        if not self._ended():
            self._paused = not self._paused
            (self.session.pause if self._paused else self.session.resume)()
            self._say("pausing the workload" if self._paused else "the workload goes on")

    def action_add_writer(self) -> None:
        """Start one more writer."""
        self._resize(self.session.add_writer, "adding a writer")

    def action_remove_writer(self) -> None:
        """End one writer."""
        self._resize(self.session.remove_writer, "removing a writer")

    def action_add_reader(self) -> None:
        """Start one more reader."""
        self._resize(self.session.add_reader, "adding a reader")

    def action_remove_reader(self) -> None:
        """End one reader."""
        self._resize(self.session.remove_reader, "removing a reader")

    def _resize(self, order: Callable[[], None], notice: str) -> None:
        if not self._ended():
            order()
            self._say(notice)

    def action_reset(self) -> None:
        """Begin the statistics again."""
        self._resize(self.session.reset, "statistics begin again")

    def action_scale(self) -> None:
        """Show shares linearly or logarithmically."""
        logarithmic = not self._live.logarithmic
        words = f"lock waits: {'logarithmic' if logarithmic else 'linear'} shares"
        self._change(replace(self._live, logarithmic=logarithmic), words)

    def action_cursor_up(self) -> None:
        """Select the worker above."""
        self.query_one(WorkerTable).move(-1)

    def action_cursor_down(self) -> None:
        """Select the worker below."""
        self.query_one(WorkerTable).move(1)

    def action_help(self) -> None:
        """Show the help."""
        from sqlwatch.tui.help_screen import HelpScreen  # only when it is wanted: the first picture comes sooner

        self.push_screen(HelpScreen(self._view.glyphs))

    def action_kill(self) -> None:
        """Ask, then kill the worker under the cursor."""
        worker = self._selected()
        if self._ended():
            return
        if worker is None or worker.exit is not None:
            self._say("no living worker is selected; move the cursor with up and down")
            return
        from sqlwatch.tui.confirm_screen import ConfirmScreen  # as above

        role = worker.role.value
        question = f"Kill worker {worker.id}, a {role} (process {worker.pid})?"
        detail = "It gets SIGKILL, and its open transaction is rolled back. The others go on."
        self.push_screen(
            ConfirmScreen(question, detail, "kill it", "let it live"), lambda yes: self._kill(worker, bool(yes))
        )

    def _kill(self, worker: Worker, confirmed: bool) -> None:
        if confirmed and not self._ended():
            self.session.kill(worker.id)
            self._say(f"killing worker {worker.id}")

    def _selected(self) -> Worker | None:
        simulation = self._live.simulation
        chosen = self.query_one(WorkerTable).selected
        workers = simulation.phase.workers if simulation else ()
        return next((worker for worker in workers if worker.id == chosen), None)
