"""The keys of `sqlwatch watch`: those of every dashboard, with what they mean here, and enter and escape."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlwatch.tui.keys import (
    BACK,
    COPY,
    CURSOR_DOWN,
    CURSOR_UP,
    DETAIL,
    EARLIER,
    EVENTS,
    EXPORT,
    FILTER,
    FOCUS,
    FREEZE,
    HELP,
    LATER,
    MAXIMISE,
    PALETTE,
    QUIT,
    REDRAW,
    RESET,
    SORT,
    SUSPEND,
    ZOOM_IN,
    ZOOM_OUT,
    keys_markdown,
    panel_keys,
)

WATCH_KEYS: Final = (
    replace(QUIT, tooltip="Leave; the database and the programs that use it are not touched."),
    replace(HELP, tooltip="Keys, how to read each panel, and what cannot be seen here."),
    replace(DETAIL, tooltip="All that is known of the process, finding, past hold or past wait under the cursor."),
    BACK,
    replace(FREEZE, tooltip="Hold the picture still; the header goes on."),
    replace(ZOOM_IN, tooltip="Let the lanes of the write lock show less time in more detail."),
    replace(ZOOM_OUT, tooltip="Let the lanes of the write lock show more time."),
    replace(EARLIER, tooltip="Freeze, and go back to the selected process's hold or wait before on its lane."),
    replace(LATER, tooltip="Go on to the selected process's next hold or wait on its lane."),
    FOCUS,
    replace(MAXIMISE, footer="Alone"),
    *panel_keys(("findings", "locks now", "write lock", "WAL", "commits", "processes", "busy errors")),
    replace(CURSOR_UP, tooltip="Select what is above; from the first process up to the findings."),
    replace(CURSOR_DOWN, tooltip="Select what is below; from the last finding down to the processes."),
    replace(SORT, tooltip="By share of the write lock, pid or waiting."),
    replace(FILTER, tooltip="Type a part of a pid, command, user, state or lock; enter keeps it, esc shows all."),
    replace(EVENTS, tooltip="Checkpoints, resets and lines of logs, one by one; / filters them."),
    replace(RESET, tooltip="Begin all figures again."),
    replace(EXPORT, tooltip="Write it as SVG, text and JSON to the working directory, or to $SQLWATCH_EXPORT_DIR."),
    COPY,
    PALETTE,
    REDRAW,
    replace(SUSPEND, tooltip="Leave the screen to the shell; fg comes back. Nothing is seen meanwhile."),
)  # fmt: skip
"""The most important first."""


def watch_keys_markdown() -> str:
    """Return the table of keys for docs/keys.md, in Markdown."""
    return keys_markdown(WATCH_KEYS)
