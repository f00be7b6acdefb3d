"""Every key, defined once: bindings, footer, help, palette and the tables in docs/keys.md are made from these lists.

Keys that mean the same in every dashboard stand here by name; the keys of `watch` are in `watch_keys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """A key and what it does; `footer` is empty where the footer does not show it."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them, the first one is shown."""
    shown: str
    action: str
    footer: str
    description: str
    """A few words: title in the palette and in the help."""
    tooltip: str
    group: str
    needs_run: bool = False
    """Whether it does nothing once the run has ended."""


LOOK: Final = "Look"
_WORKLOAD: Final = "Change the workload"
LEAVE: Final = "Leave"

QUIT: Final = Key(
    "quit", ("q", "ctrl+c"), "q, ctrl+c", "quit", "Quit", "quit", "End the workload and print the summary.", LEAVE
)
REDRAW: Final = Key(
    "redraw", ("ctrl+l",), "ctrl+l", "redraw", "", "draw the screen anew",
    "For when something else has written on it; else only what changes is sent.", LOOK,
)  # fmt: skip
SUSPEND: Final = Key(
    "suspend", ("ctrl+z",), "ctrl+z", "suspend_process", "", "to the shell",
    "Leave the screen to the shell; fg comes back. The workload rests meanwhile.", LEAVE,
)  # fmt: skip
HELP: Final = Key(
    "help", ("question_mark", "f1"), "?, f1", "help", "Help", "help", "Keys, and how to read each panel.", LOOK
)
FREEZE: Final = Key(
    "freeze", ("space",), "space", "freeze", "Freeze", "freeze the display",
    "Hold the picture still; the workload and the header go on.", LOOK,
)  # fmt: skip
RESET: Final = Key(
    "reset", ("0",), "0", "reset", "Reset", "reset the statistics",
    "Begin all figures of this mode again.", LOOK, needs_run=True,
)  # fmt: skip
FOCUS: Final = Key(
    "focus", ("tab",), "tab", "focus_next", "Panel", "next panel",
    "Move the focus; a focused panel says what it shows.", LOOK,
)  # fmt: skip
DETAIL: Final = Key(
    "detail", ("enter",), "enter", "detail", "Detail", "show the detail",
    "All that is known of the worker, finding or past wait under the cursor.", LOOK,
)  # fmt: skip
BACK: Final = Key(
    "back", ("escape",), "esc", "release", "", "back",
    "Close a page of detail or the help; else take the focus from a panel.", LOOK,
)  # fmt: skip
SORT: Final = Key(
    "sort", ("s",), "s", "sort", "", "sort the table",
    "By number, current wait, share, longest wait or busy errors.", LOOK,
)  # fmt: skip
FILTER: Final = Key(
    "filter", ("slash",), "/", "filter", "", "filter the table",
    "Type a part of a number, role, state or note; enter keeps the filter, esc shows all.", LOOK,
)  # fmt: skip
EVENTS: Final = Key(
    "events", ("v",), "v", "events", "Events", "the event log",
    "Waits, busy errors, exits, checkpoints and changes of mode, one by one; / filters them.", LOOK,
)  # fmt: skip
EXPORT: Final = Key(
    "export", ("e",), "e", "export", "Export", "export what is on screen",
    "Write it as SVG, text, JSON and CSV to the working directory, or to $SQLWATCH_EXPORT_DIR.", LOOK,
)  # fmt: skip
COPY: Final = Key(
    "copy", ("y",), "y", "copy", "", "copy to the clipboard",
    "The text of the panel that has the focus; else the headline and the table.", LOOK,
)  # fmt: skip
CURSOR_UP: Final = Key("cursor-up", ("up",), "up", "cursor_up", "", "cursor up", "Select what is above.", LOOK)
CURSOR_DOWN: Final = Key(
    "cursor-down", ("down",), "down", "cursor_down", "", "cursor down", "Select what is below.", LOOK
)
PALETTE: Final = Key(
    "palette", ("ctrl+p",), "ctrl+p", "command_palette", "Palette", "command palette",
    "Find any action by typing a part of its name.", LOOK,
)  # fmt: skip

MAXIMISE: Final = Key(
    "maximise", ("f",), "f", "maximise", "", "maximise the panel",
    "Give all the room to the panel that has the focus; again: all panels.", LOOK,
)  # fmt: skip

ZOOM_IN: Final = Key(
    "zoom-in", ("left_square_bracket",), "[", "zoom_in", "", "shorter time window",
    "Let the lanes of the lock timeline show less time in more detail.", LOOK,
)  # fmt: skip
ZOOM_OUT: Final = Key(
    "zoom-out", ("right_square_bracket",), "]", "zoom_out", "", "longer time window",
    "Let the lanes of the lock timeline show more time.", LOOK,
)  # fmt: skip
EARLIER: Final = Key(
    "earlier", ("left",), "left", "earlier", "", "earlier event",
    "Freeze, and go back to the selected worker's event before on the lock timeline.", LOOK,
)  # fmt: skip
LATER: Final = Key(
    "later", ("right",), "right", "later", "", "later event",
    "Go on to the selected worker's next event on the lock timeline.", LOOK,
)  # fmt: skip


def panel_keys(titles: Sequence[str]) -> tuple[Key, ...]:
    """Return a number key for each panel, which hides it or shows it."""
    return tuple(
        Key(
            f"panel-{number}", (str(number),), str(number), f"toggle_panel({number})", "", f"panel: {title}",
            f"Hide the panel {title}, or show it even where others have to make room.", LOOK,
        )
        for number, title in enumerate(titles, 1)
    )  # fmt: skip


KEYS: Final = (
    QUIT,
    HELP,
    Key(
        "mode", ("m",), "m", "toggle_mode", "Mode", "contended / single-writer",
        "Turn the fight for the lock into a queue in front of one writer, and back.", _WORKLOAD, needs_run=True,
    ),
    DETAIL,
    FREEZE,
    ZOOM_IN,
    ZOOM_OUT,
    EARLIER,
    LATER,
    Key(
        "pause", ("p",), "p", "pause", "Pause", "pause the workload",
        "Let all workers rest, and go on; paused time counts in no rate.", _WORKLOAD, needs_run=True,
    ),
    Key(
        "add-writer", ("w",), "w", "add_writer", "+writer", "add a writer", "Start one more writer.", _WORKLOAD,
        needs_run=True,
    ),
    Key(
        "remove-writer", ("W",), "W", "remove_writer", "-writer", "remove a writer", "End one writer.", _WORKLOAD,
        needs_run=True,
    ),
    Key(
        "add-reader", ("r",), "r", "add_reader", "+reader", "add a reader", "Start one more reader.", _WORKLOAD,
        needs_run=True,
    ),
    Key(
        "remove-reader", ("R",), "R", "remove_reader", "-reader", "remove a reader", "End one reader.", _WORKLOAD,
        needs_run=True,
    ),
    Key(
        "kill", ("K",), "K", "kill", "Kill", "kill the selected worker",
        "Kill the worker under the cursor with SIGKILL; asks first.", _WORKLOAD, needs_run=True,
    ),
    RESET,
    Key(
        "compare", ("c",), "c", "compare", "Compare", "compare the phases",
        "Put what has run side by side: the phases of the lesson, or the modes.", LOOK,
    ),
    Key(
        "open", ("o",), "o", "open_lesson", "Lessons", "open a lesson",
        "List the lessons; the chosen one ends the present run and begins.", _WORKLOAD,
    ),
    Key(
        "next-phase", ("n",), "n", "next_phase", "", "next phase of the lesson",
        "End the present phase; its figures so far count.", _WORKLOAD, needs_run=True,
    ),
    Key(
        "hold-phase", ("N",), "N", "hold_phase", "", "hold the phase",
        "Let phases go on until n is pressed; again: let them end with their time.", _WORKLOAD, needs_run=True,
    ),
    Key(
        "lesson", ("L",), "L", "lesson", "", "the lesson",
        "Hide or show the lesson: what it asks, what to watch now, what has shown.", LOOK,
    ),
    Key(
        "scale", ("l",), "l", "scale", "Log", "linear / log",
        "Show the shares of the lock-wait histogram linearly or logarithmically.", LOOK,
    ),
    BACK,
    FOCUS,
    MAXIMISE,
    *panel_keys(("lock waits", "throughput", "WAL", "workers", "modes compared", "lock timeline", "findings")),
    CURSOR_UP,
    CURSOR_DOWN,
    SORT,
    FILTER,
    EVENTS,
    EXPORT,
    COPY,
    PALETTE,
    REDRAW,
    SUSPEND,
)  # fmt: skip
"""The keys of `simulate`, the most important first."""

GROUPS: Final = (LOOK, _WORKLOAD, LEAVE)


def bindings(keys: Sequence[Key] = KEYS) -> list[Binding]:
    """Return a binding for every key; ctrl+c goes before what a focused widget may make of it."""
    result = []
    for key in keys:
        for number, name in enumerate(key.keys):
            result.append(
                Binding(
                    name,
                    key.action,
                    key.description,
                    show=bool(key.footer) and number == 0,
                    tooltip=key.tooltip,
                    id=key.id if number == 0 else f"{key.id}-{number + 1}",
                    priority=name == "ctrl+c",
                )
            )
    return result


def keys_markdown(keys: Sequence[Key] = KEYS) -> str:
    """Return the table of keys for docs/keys.md, in Markdown."""
    rows = ["| key | does | |", "|---|---|---|"]
    for group in GROUPS:
        for key in (key for key in keys if key.group == group):
            shown = ", ".join(f"`{part}`" for part in key.shown.split(", "))
            rows.append(f"| {shown} | {key.description} | {key.tooltip} |")
    return "\n".join(rows) + "\n"
