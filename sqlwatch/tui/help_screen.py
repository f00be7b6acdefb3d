"""Keys, and how to read each panel; the keys come from their definitions, so they are the ones that work."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from sqlwatch.charts.glyphs import GlyphSet
from sqlwatch.tui.keys import GROUPS, KEYS

GUIDE: Final = (
    (
        "What you see",
        "Many processes want to write to one SQLite database, and SQLite lets one write at a time. A writer that "
        "finds the write lock taken does not queue: it sleeps and looks again. Who looks at the right moment "
        "wins.",
    ),
    (
        "Lock waits",
        "A lock wait is the time from asking for the write lock until having it. To the right is longer, from 1us "
        "to 30s, ten times longer with each tick; the axis never moves. A bar is the share of a mode's waits of "
        "that length. {rung} marks SQLite's backoff rungs: a waiter sleeps 1, 2, 5, 10, 15, 20, 25, 25, 25, 50, "
        "50ms and then 100ms each time, so it can only notice a free lock after 1, 3, 8, 18, 33, 53, 78, 103, "
        "128, 178, 228ms, and every 100ms from there. Bars that stand on the rungs are waits that slept past the "
        "moment the lock was free. The row 'now' counts the writers that wait at this moment, by their wait so "
        "far: a digit far to the right is a writer that starves.",
    ),
    (
        "Throughput",
        "Commits a second of all writers. {mode} marks a change of mode; the colour of the bars is the mode's.",
    ),
    (
        "WAL",
        "Commits are appended to the -wal file. {checkpoint} is a checkpoint: frames are copied into the "
        "database. {reset} is a reset: the next writer begins at the start of the file again. Live frames are "
        "those in use; the file itself does not shrink. A reader that keeps an old snapshot pins the WAL, and it "
        "grows.",
    ),
    (
        "Workers",
        "'waits' is the wait for the lock that is growing now, 'longest' the longest one; 'done' are commits "
        "(reads for a reader), 'share' is a writer's part of all commits. STARVED: it has waited longer than its "
        "fair turn ten times over, and over 1s. In single-writer mode one process owns the write lock, and "
        "'queue' says how many wait for it: the waiting moved, it did not vanish.",
    ),
    (
        "Modes compared",
        "The same figures for each mode that has run. Latency p99: 99 of 100 commits were faster, measured in the "
        "client until the commit was acknowledged. 'wasted' is the time in which the lock was free while a writer "
        "waited, asleep. Jain's index is 1 where all writers got the same and 1/n where one got everything. A ~ "
        "stands before a sampled figure.",
    ),
)


class HelpScreen(ModalScreen[None]):
    """One page to scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,space,enter", "close", "close"),
        Binding("ctrl+c", "app.quit", "quit", priority=True),
    ]
    CSS = """
    HelpScreen { background: $background; }
    HelpScreen VerticalScroll { padding: 0 2; background: $background; }
    HelpScreen Static { max-width: 100; }
    """

    def __init__(self, glyphs: GlyphSet) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with VerticalScroll():
            yield Static(help_page(self._glyphs), id="help")

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        """Go back to the dashboard."""
        self.dismiss()


def help_page(glyphs: GlyphSet) -> Group:
    """Return the page: a paragraph for each panel, then the keys by group."""
    signs = {
        "rung": glyphs.rung, "mode": glyphs.mode_change, "checkpoint": glyphs.checkpoint, "reset": glyphs.reset,
    }  # fmt: skip
    parts: list[Text | Table | Padding] = [Text("esc or q closes this page, up and down scroll", style="dim")]
    for title, words in GUIDE:
        parts += [Text(f"\n{title}", style="bold"), Padding(Text(words.format(**signs)), (0, 0, 0, 2))]
    for group in GROUPS:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=9, no_wrap=True)
        for key in (key for key in KEYS if key.group == group):
            table.add_row(Text(key.shown, style="bold"), Text(key.tooltip))
        parts += [Text(f"\nKeys: {group.lower()}", style="bold"), Padding(table, (0, 0, 0, 2))]
    return Group(*parts)
