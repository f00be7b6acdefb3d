"""The keys of `sqlwatch watch`: those of every dashboard, with what they mean here, and enter and escape."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlwatch.tui.keys import (
    CURSOR_DOWN,
    CURSOR_UP,
    FOCUS,
    FREEZE,
    HELP,
    LOOK,
    MAXIMISE,
    PALETTE,
    QUIT,
    RESET,
    ZOOM_IN,
    ZOOM_OUT,
    Key,
    keys_markdown,
    panel_keys,
)

WATCH_KEYS: Final = (
    replace(QUIT, tooltip="Leave; the database and the programs that use it are not touched."),
    replace(HELP, tooltip="Keys, how to read each panel, and what cannot be seen here."),
    Key(
        "detail", ("enter",), "enter", "detail", "Detail", "show the detail",
        "All that is known of the process or the finding under the cursor.", LOOK,
    ),
    Key(
        "back", ("escape",), "esc", "release", "", "back",
        "Close a page of detail or the help; else take the focus from a panel.", LOOK,
    ),
    replace(FREEZE, tooltip="Hold the picture still; the header goes on."),
    replace(ZOOM_IN, tooltip="Let the lanes of the write lock show less time in more detail."),
    replace(ZOOM_OUT, tooltip="Let the lanes of the write lock show more time."),
    replace(RESET, tooltip="Begin all figures again."),
    FOCUS,
    MAXIMISE,
    *panel_keys(("findings", "locks", "write lock", "WAL", "commits", "processes", "busy errors")),
    replace(CURSOR_UP, tooltip="Select what is above; from the first process up to the findings."),
    replace(CURSOR_DOWN, tooltip="Select what is below; from the last finding down to the processes."),
    PALETTE,
)  # fmt: skip
"""The most important first."""


def watch_keys_markdown() -> str:
    """Return the table of keys for docs/keys.md, in Markdown."""
    return keys_markdown(WATCH_KEYS)
