"""The dashboard of `sqlwatch simulate`: draws the newest Snapshot and sends keys to the session."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType

from simulators.events import Mode, Role
from sqlwatch.metrics.snapshot import Snapshot, Status, Worker
from sqlwatch.tui.cursor_panel import CursorPanel
from sqlwatch.tui.findings_panel import FindingsPanel
from sqlwatch.tui.footer import KeyFooter
from sqlwatch.tui.header import Header
from sqlwatch.tui.headline import Headline
from sqlwatch.tui.keys import KEYS, Key, bindings
from sqlwatch.tui.layout import plan
from sqlwatch.tui.lesson_app import LessonApp
from sqlwatch.tui.lesson_panel import LessonPanel
from sqlwatch.tui.modes_panel import ModesPanel
from sqlwatch.tui.places import Places, Wish
from sqlwatch.tui.throughput_panel import ThroughputPanel
from sqlwatch.tui.timeline_control import WINDOWS_NS, PastApp
from sqlwatch.tui.timeline_lanes_panel import LanesPanel
from sqlwatch.tui.track import WorkerTrack
from sqlwatch.tui.view import View
from sqlwatch.tui.waits_panel import WaitsPanel
from sqlwatch.tui.wal_panel import WalPanel
from sqlwatch.tui.worker_table import WorkerTable

if TYPE_CHECKING:
    from textual.geometry import Size

    from sqlwatch.metrics.lane_events import EventKey
    from sqlwatch.tui.help_screen import Guide
    from sqlwatch.tui.listed_app import MakePage

_REST_PATIENCE_S: Final = 0.3
"""How long the workload gets to come to rest before the shell is shown."""

_SWITCH_PATIENCE_S: Final = 5.0
"""How long the badge may say `switching...` before a Snapshot has to agree."""


class SimulateApp(LessonApp, PastApp):
    """The dashboard: panels for what a Snapshot holds, and a key for everything that can be asked of the session."""

    KEYS: ClassVar[tuple[Key, ...]] = KEYS
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(KEYS))
    ENDED_WORDS = "the run has ended; q quits and prints the summary"
    PANELS = ("waits", "throughput", "wal", "workers", "modes", "timeline", "findings", "lesson")
    WINDOWS_NS = WINDOWS_NS
    FIRST_WINDOW_NS = 250_000_000

    _switch_asked: tuple[Mode, float] | None = None
    _rests_meanwhile = False
    """Whether the workload rests for the time that the terminal is the shell's."""
    _workers_arranged: int | None = None
    """For how many workers the panels have their places."""

    def compose(self) -> ComposeResult:
        """Make the panels in the order of tab; `arrange` gives them their places."""
        inks, view = self._inks, self._view
        yield Header(inks, view, id="header")
        yield Headline(inks, view, id="headline")
        yield LessonPanel(inks, view, id="lesson")
        yield WaitsPanel(inks, view, id="waits")
        yield LanesPanel(inks, view, id="timeline")
        yield ThroughputPanel(inks, view, id="throughput")
        yield WalPanel(inks, view, id="wal")
        yield ModesPanel(inks, view, id="modes")
        yield WorkerTable(inks, view, id="workers")
        yield FindingsPanel(inks, view, id="findings")
        yield KeyFooter(inks, view, KEYS, id="footer")

    def received(self, view: View, snapshot: Snapshot) -> View:
        """Return the View with a Snapshot; the mode may still be switching."""
        return replace(view, snapshot=snapshot, switching=self._still_switching(snapshot))

    def session_changed(self) -> None:
        """Forget what was asked of the session before."""
        self._switch_asked, self._paused = None, False
        super().session_changed()

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

    def guide(self) -> Guide:
        """Return what the help says of the panels."""
        from sqlwatch.tui.simulate_guide import GUIDE  # only when it is wanted: the first picture comes sooner

        return GUIDE

    def places(self, size: Size, wish: Wish) -> Places:
        """Divide the screen among the panels."""
        simulation = self._view.simulation
        return plan(size.width, size.height, len(simulation.phase.workers) if simulation else 18, wish)

    def show(self) -> None:
        """Draw what changed; the table gets the rows that its workers need."""
        super().show()
        simulation = self._view.simulation
        workers = len(simulation.phase.workers) if simulation is not None else None
        if workers != self._workers_arranged:
            self._workers_arranged = workers
            self.arrange(self.size)

    def action_toggle_mode(self) -> None:
        """Switch between contended and single-writer."""
        simulation = self._live.simulation
        if self.is_over() or simulation is None:
            return
        self._switch_asked = (simulation.mode, time.monotonic())
        self.session.toggle_mode()
        self.change(replace(self._live, switching=True))

    def action_pause(self) -> None:
        """Pause or resume the workload."""
        if not self.is_over():
            self._paused = not self._paused
            (self.session.pause if self._paused else self.session.resume)()
            if self._paused:
                self.say("pausing the workload", lambda snapshot: snapshot.status is Status.PAUSED)
            else:
                self.say("the workload goes on")

    def come_to_rest(self) -> float:
        """Let the workload rest: while the shell has the terminal, nobody takes in what the workers do."""
        if self._paused or self._live.status in (Status.ENDED, Status.STOPPING):
            return super().come_to_rest()
        self._rests_meanwhile = True
        self.session.pause()
        return _REST_PATIENCE_S

    def come_back(self) -> None:
        """Go on after the shell."""
        super().come_back()
        if self._rests_meanwhile:
            self._rests_meanwhile = False
            self.session.resume()

    def action_add_writer(self) -> None:
        """Start one more writer."""
        self._resize(self.session.add_writer, "adding a writer")

    def action_remove_writer(self) -> None:
        """End one writer."""
        self._remove(Role.WRITER, self.session.remove_writer)

    def action_add_reader(self) -> None:
        """Start one more reader."""
        self._resize(self.session.add_reader, "adding a reader")

    def action_remove_reader(self) -> None:
        """End one reader."""
        self._remove(Role.READER, self.session.remove_reader)

    def _remove(self, role: Role, order: Callable[[], None]) -> None:
        simulation = self._live.simulation
        workers = simulation.phase.workers if simulation is not None else ()
        if any(worker.role is role and worker.exit is None for worker in workers):
            self._resize(order, f"removing a {role.value}")
        elif not self.is_over():
            self.say(f"there is no {role.value} to remove")

    def _resize(self, order: Callable[[], None], notice: str) -> None:
        if not self.is_over():
            order()
            before = _living(self._live.snapshot)
            self.say(notice, lambda snapshot: _living(snapshot) != before)

    def action_scale(self) -> None:
        """Show shares linearly or logarithmically."""
        logarithmic = not self._live.logarithmic
        words = f"lock waits: {'logarithmic' if logarithmic else 'linear'} shares"
        self.change(replace(self._live, logarithmic=logarithmic), words)

    @property
    def lists(self) -> tuple[WorkerTable, FindingsPanel]:
        """Workers above, findings below."""
        screen = self.screen_stack[0]
        return screen.query_one(WorkerTable), screen.query_one(FindingsPanel)

    def page_of(self, inside: CursorPanel[Any], key: Any) -> MakePage | None:
        """Return a way to make the page of a worker; of a finding as in every dashboard."""
        if isinstance(inside, FindingsPanel):
            return super().page_of(inside, key)
        from sqlwatch.tui.worker_page import worker_page  # only when it is wanted, as the help

        return worker_page(key)

    def track(self) -> WorkerTrack | None:
        """Return the lanes of the picture; None while there are none."""
        simulation = self._view.simulation
        return WorkerTrack(simulation.lanes) if simulation is not None else None

    def event_page(self, event: EventKey) -> MakePage:
        """Return a way to make the page of an event."""
        from sqlwatch.tui.timeline_event_page import event_page  # only when it is wanted

        return event_page(event)

    def sight_ns(self) -> int | None:
        """Return when the picture of the lanes ends that is on screen."""
        panel = self.screen_stack[0].query_one(LanesPanel)
        return panel.sight_ns if panel.display else None

    def action_kill(self) -> None:
        """Ask, then kill the worker under the cursor."""
        self.lists[0].hold()
        worker = self._selected()
        if self.is_over():
            return
        if worker is None or worker.exit is not None:
            self.say("no living worker is selected; move the cursor with up and down")
            return
        from sqlwatch.tui.confirm_screen import ConfirmScreen  # only when it is wanted

        role = worker.role.value
        question = f"Kill worker {worker.id}, a {role} (process {worker.pid})?"
        detail = "It gets SIGKILL, and its open transaction is rolled back. The others go on."
        self.push_screen(
            ConfirmScreen(question, detail, "kill it", "let it live"), lambda yes: self._kill(worker, bool(yes))
        )

    def _kill(self, worker: Worker, confirmed: bool) -> None:
        if confirmed and not self.is_over():
            self.session.kill(worker.id)
            self.say(f"killing worker {worker.id}", lambda snapshot: worker.id not in _living(snapshot))

    def _selected(self) -> Worker | None:
        simulation = self._live.simulation
        chosen = self.query_one(WorkerTable).selected
        workers = simulation.phase.workers if simulation else ()
        return next((worker for worker in workers if worker.id == chosen), None)


def _living(snapshot: Snapshot | None) -> set[int]:
    """Return the workers that live at the moment of a Snapshot."""
    simulation = snapshot.simulation if snapshot is not None else None
    return (
        {worker.id for worker in simulation.phase.workers if worker.exit is None} if simulation is not None else set()
    )
