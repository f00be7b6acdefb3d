"""The WAL of an observed database over time, with who pins it."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.observations import JournalMode
from sqlwatch.tui.view import View
from sqlwatch.tui.wal_panel import WalPanel, counted
from sqlwatch.tui.watch_words import age_words


class WatchWalPanel(WalPanel):
    """File, live frames and backlog over time; in rollback mode, that there is no WAL."""

    EXPLANATION = "size of the -wal file; frames in use; to do: frames not copied into the database yet (backlog)"
    SHOWS_BACKLOG = True

    def facts(self, view: View) -> list[Row]:
        """Give the pins and the sizes now."""
        observed = view.observation
        if observed is None or view.snapshot is None or self.sentence(view):
            return []
        size, *others = super().facts(view)
        wal, look = view.snapshot.wal, observed.look
        facts = [size, others.pop(0)] if observed.pins else [size]
        facts += [counted(wal.live_frames, "frames"), counted(wal.backlog_frames, "to do")]
        if look is not None and look.uncommitted_frames:
            facts.append(counted(look.uncommitted_frames, "uncommitted"))
        return facts + others[1:3]

    def pinned(self, view: View) -> Row | None:
        """Say for how long the WAL has been pinned, and how many frames that holds back."""
        observed = view.observation
        if observed is None or not observed.pins:
            return None
        pin = observed.pins[0]
        return (Segment(f"PINNED {age_words(pin, brief=True)}", Ink.WARNING),)

    def sentence(self, view: View) -> str:
        """Say that nothing has been seen yet, or that there is no WAL."""
        look = view.observation.look if view.observation is not None else None
        if look is None:
            return "WAL: nothing has been seen yet"
        if look.facts.journal_mode is not JournalMode.ROLLBACK:
            return ""
        journal = look.facts.journal_bytes
        return "no WAL: journal mode rollback" + (f"; journal now {units.size(journal)}" if journal else "")
