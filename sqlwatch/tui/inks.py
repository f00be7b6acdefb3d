"""What the inks of the charts look like, or no colour at all.

Blue and orange, which the colour-blind tell apart, are the modes; green-blue holds the lock and grey waits for it in
any mode: no colour means two things.
"""

from __future__ import annotations

import os
from typing import Final

from rich.console import Console
from rich.style import Style
from textual.theme import Theme

from simulators.events import Mode
from sqlwatch.charts.segment import Ink

DARK: Final = Theme(
    "sqlwatch-dark", primary="#58a6ff", secondary="#f0a33f", accent="#f0a33f", warning="#f2e05c", error="#ff7b72",
    foreground="#d8dee6", background="#0d1117", surface="#161b22", panel="#21262d", dark=True,
)  # fmt: skip
LIGHT: Final = Theme(
    "sqlwatch-light", primary="#0b5cad", secondary="#a04e00", accent="#a04e00", warning="#7a6200", error="#b3261e",
    foreground="#1f2328", background="#ffffff", surface="#f3f4f6", panel="#e5e7eb", dark=False,
)  # fmt: skip

MODE_INK: Final = {
    Mode.CONTENDED: Ink.CONTENDED,
    Mode.MUTEX: Ink.MUTEX,
    Mode.SINGLE_WRITER: Ink.SINGLE_WRITER,
}
MODE_BADGE: Final = {
    Mode.CONTENDED: Ink.CONTENDED_BADGE,
    Mode.MUTEX: Ink.MUTEX_BADGE,
    Mode.SINGLE_WRITER: Ink.SINGLE_WRITER_BADGE,
}

_DARK: Final = {
    Ink.TEXT: "#d8dee6", Ink.MUTED: "#8b949e", Ink.FAINT: "#484f58", Ink.STRONG: "bold #ffffff",
    Ink.CONTENDED: "#58a6ff", Ink.MUTEX: "#d38bd0", Ink.SINGLE_WRITER: "#f0a33f", Ink.SERIES: "#9fb0c0",
    Ink.RUNG: "bold #f2e05c", Ink.MARK: "#c9d1d9", Ink.WARNING: "bold #ff7b72",
    Ink.KEY: "bold #ffffff", Ink.HOLDS: "#3fc9b0", Ink.WAITS: "#9aa7b5", Ink.CURSOR: "bold #ffffff on #38465a",
    Ink.CURSOR_WARNING: "bold #ff9b94 on #38465a",
}  # fmt: skip
_LIGHT: Final = {
    Ink.TEXT: "#1f2328", Ink.MUTED: "#57606a", Ink.FAINT: "#b4bac2", Ink.STRONG: "bold #000000",
    Ink.CONTENDED: "#0b5cad", Ink.MUTEX: "#8a3a86", Ink.SINGLE_WRITER: "#b35900", Ink.SERIES: "#57606a",
    Ink.RUNG: "bold #7a6200", Ink.MARK: "#1f2328", Ink.WARNING: "bold #b3261e",
    Ink.KEY: "bold #000000", Ink.HOLDS: "#00796b", Ink.WAITS: "#67717c", Ink.CURSOR: "bold #000000 on #cfdcec",
    Ink.CURSOR_WARNING: "bold #a51d17 on #cfdcec",
}  # fmt: skip
_ANSI: Final = {
    Ink.TEXT: "", Ink.MUTED: "", Ink.FAINT: "dim", Ink.STRONG: "bold",
    Ink.CONTENDED: "bright_blue", Ink.MUTEX: "magenta", Ink.SINGLE_WRITER: "yellow", Ink.SERIES: "",
    Ink.RUNG: "bold", Ink.MARK: "bold", Ink.WARNING: "bold red",
    Ink.KEY: "bold", Ink.HOLDS: "bright_cyan", Ink.WAITS: "", Ink.CURSOR: "bold reverse",
    Ink.CURSOR_WARNING: "bold red reverse",
}  # fmt: skip
"""For terminals of 16 colours or none: on the terminal's own background; weight carries what colour cannot."""
_REVERSED: Final = {
    Ink.CONTENDED_BADGE: Ink.CONTENDED, Ink.MUTEX_BADGE: Ink.MUTEX, Ink.SINGLE_WRITER_BADGE: Ink.SINGLE_WRITER,
    Ink.ALERT_BADGE: Ink.RUNG,
}  # fmt: skip


class Inks:
    """Styles for one theme; `ansi` uses the terminal's own sixteen colours and background."""

    def __init__(self, *, ansi: bool, dark: bool = True) -> None:
        theme = DARK if dark else LIGHT
        background = Style() if ansi else Style(bgcolor=theme.background)
        texts = _ANSI if ansi else (_DARK if dark else _LIGHT)
        self._styles = {ink: background + Style.parse(text) for ink, text in texts.items()}
        reverse = Style(reverse=True, bold=True)
        self._styles |= {badge: self._styles[ink] + reverse for badge, ink in _REVERSED.items()}

    def __getitem__(self, ink: Ink) -> Style:
        return self._styles[ink]


def needs_ansi() -> bool:
    """Tell whether the terminal has 16 colours or fewer, or NO_COLOR is set (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return True
    return Console(force_terminal=True).color_system in (None, "standard")
