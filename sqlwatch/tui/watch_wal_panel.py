"""The WAL of an observed database over time, with who pins it."""

from __future__ import annotations

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment
from sqlwatch.metrics.observation_fold import DEFAULT_CHECKPOINT_FRAMES
from sqlwatch.metrics.observations import JournalMode
from sqlwatch.tui.view import View
from sqlwatch.tui.wal_panel import WalPanel, counted
from sqlwatch.tui.watch_words import age_words, lasting_pins

_ROOM_FOR_AGE = 46


class WatchWalPanel(WalPanel):
    """File, live frames and backlog over time; in rollback mode, that there is no WAL."""

    EXPLANATION = (
        "the -wal file; {checkpoint} checkpoint, {reset} reset, {both} both; frames in use; "
        "to do: frames not copied into the database yet"
    )
    SHOWS_BACKLOG = True

    def facts(self, view: View) -> list[Row]:
        """Give the sizes now, what waits to be copied before what lies in the file, and that readers stop a checkpoint.

        They do once one is due; until then they are in nobody's way.
        """
        observed = view.observation
        if observed is None or view.snapshot is None or self.sentence(view):
            return []
        wal, look = view.snapshot.wal, observed.look
        size = units.size(wal.file_bytes).rjust(units.SIZE_WIDTH)
        facts: list[Row] = [(Segment("file ", Ink.MUTED), Segment(size, Ink.STRONG))]
        pins = lasting_pins(observed)
        if pins and pins[0].frames_held_back >= DEFAULT_CHECKPOINT_FRAMES:
            age = f" {age_words(pins[0], brief=True)}" if self.size.width >= _ROOM_FOR_AGE else ""
            facts.append((Segment(f"PINNED{age}", Ink.WARNING),))
        facts.append(counted(wal.backlog_frames, "to do"))
        facts.append(counted(wal.live_frames, "frames"))
        if look is not None and look.uncommitted_frames:
            facts.append(counted(look.uncommitted_frames, "uncommitted"))
        return [*facts, *self.signs(view), counted(wal.resets, "resets")]

    def sentence(self, view: View) -> str:
        """Say that nothing has been seen yet, or that there is no WAL."""
        observed = view.observation
        look = observed.look if observed is not None else None
        if observed is not None and observed.absent is not None:
            return "there is no database, so no WAL"
        if look is None:
            return "WAL: nothing has been seen yet"
        if look.facts.journal_mode is not JournalMode.ROLLBACK:
            return ""
        journal = look.facts.journal_bytes
        return "no WAL: journal mode rollback" + (f"; journal now {units.size(journal)}" if journal else "")
