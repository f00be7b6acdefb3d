"""How to read what every dashboard has: sorted and filtered tables, the event log, exports."""

from __future__ import annotations

from typing import Final

from sqlwatch.metrics.recents import GRAVE, NEWEST

COMMON_GUIDE: Final = (
    (
        "Tables",
        "s sorts the table in its next way, and its title says which: {cursor} stays on its line. / asks for a text; "
        "only lines that have it in them are shown, and the title says so. Enter keeps the filter, esc shows all.",
    ),
    (
        "Event log",
        "v lists what happened, one by one, the newest at the foot. Scrolled up it holds still (HELD), and end "
        "follows again. / takes words that must all fit: a kind (wait, busy, exit, checkpoint), #3 for worker 3, 50ms "
        f"for waits of at least that length. Of a simulation the {NEWEST:,} newest events are kept, and besides them "
        f"{GRAVE:,} that failed or waited over 100ms. Waits and holds under 0.5ms are only counted, never listed, and "
        "of checkpoints and resets one each half second is.",
    ),
    (
        "Exports and copies",
        "e writes what is on screen to the working directory (or to $SQLWATCH_EXPORT_DIR): a picture (.svg), its text "
        "(.txt), and the figures (.json, and .csv of a simulation) with the names that --format has for them. Nothing "
        "is overwritten. y copies the text of the panel that has the focus, else the headline and the table; the "
        "terminal has to allow it (OSC 52).",
    ),
)
"""Title and words; the signs of the glyph set stand in braces."""
