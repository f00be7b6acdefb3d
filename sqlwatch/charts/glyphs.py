"""The characters charts are drawn with: braille dots, eighth blocks, or plain ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

GlyphName = Literal["braille", "block", "ascii"]

_ASCII_CHROME: Final = str.maketrans({"\N{EN DASH}": "-", "…": ">"})
"""A text goes on at `>`, as in less: a full stop would end it."""


@dataclass(frozen=True)
class GlyphSet:
    """How to draw: columns are filled from the bottom, `levels` steps a cell, one or two `columns` a cell.

    `fills` holds one character for each combination of levels, the right column varying fastest.
    """

    name: GlyphName
    columns: int
    levels: int
    fills: str
    horizontal: str
    """A cell filled from the left, from empty to full."""
    line: str
    upright: str
    corner: str
    tick: str
    guide: str
    rung: str
    mode_change: str
    checkpoint: str
    reset: str
    both: str
    cursor: str
    waiting: str
    """On a lane: waits for the lock, asleep between two looks at it."""
    idle: str
    """On a lane: neither holds nor waits."""
    queued: str
    """On a lane: waits in a queue, and will be woken."""
    error: str
    """On a lane: got a busy error."""
    reading: str
    ended: str
    """A worker ended."""
    shades: str
    """On a lane: holds of which only the share of time is known, from little to much."""
    partly_asleep: str
    """On a lane: waits asleep, but for less than half of the time; the next two are the same of the others."""
    partly_queued: str
    partly_reading: str
    holds: str
    """On a lane: as `fills`, each but the first clearly heavier than idle."""

    def chrome(self, text: str) -> str:
        """Replace the few non-ASCII characters of our own texts where the terminal has only ASCII.

        >>> ASCII.chrome("longest wait…"), BLOCK.chrome("longest wait…")
        ('longest wait>', 'longest wait…')
        """
        return text if self.name != "ascii" else text.translate(_ASCII_CHROME)

    def fill(self, fractions: Sequence[float], height: int) -> list[str]:
        """Draw one filled column for each fraction 0..1, `height` rows from the top down.

        A fraction above 0 is never invisible.  There must be `columns` fractions for each cell of the width.

        >>> BLOCK.fill([0, 0.01, 0.5, 1], 1)
        [' ▁▄█']
        >>> BRAILLE.fill([0.25, 0.5, 1, 1], 2)
        [' ⣿', '⣼⣿']
        """
        full = height * self.levels
        # As _level has it, which a thousand columns a picture cannot afford to call.
        reach = [
            round(fraction * full) or 1 if 0 < fraction < 1 else full if fraction >= 1 else 0 for fraction in fractions
        ]
        highest = max(reach, default=0)
        fills = self.fills
        rows = []
        for row in range(height):
            below = (height - 1 - row) * self.levels
            if highest <= below:
                rows.append(fills[0] * (len(reach) // self.columns))
                continue
            steps = [min(max(level - below, 0), self.levels) for level in range(highest + 1)]
            if self.columns == 1:
                rows.append("".join([fills[steps[level]] for level in reach]))
            else:
                base = self.levels + 1
                pairs = zip(reach[::2], reach[1::2], strict=True)
                rows.append("".join([fills[steps[left] * base + steps[right]] for left, right in pairs]))
        return rows

    def cell(self, fractions: Sequence[float]) -> str:
        """Draw a column of one row for each of the `columns` fractions 0..1 that share one cell.

        >>> BLOCK.cell([0.5]), BRAILLE.cell([0.01, 1.0])
        ('▄', '⣸')
        """
        index = 0
        for fraction in fractions:
            index = index * (self.levels + 1) + _level(fraction, self.levels)
        return self.holds[index]

    @property
    def hold_signs(self) -> str:
        """Holds on a lane, from short to whole: what a legend shows.

        >>> BLOCK.hold_signs, BRAILLE.hold_signs, ASCII.hold_signs
        ('▁▄█', '⣀⣤⣿', ':=#')
        """
        return "".join(self.cell([share] * self.columns) for share in (0.01, 0.5, 1.0))

    @property
    def signs(self) -> dict[str, str]:
        """Signs by the names that stand in braces in texts that explain them."""
        return {
            "rung": self.rung, "mode": self.mode_change, "checkpoint": self.checkpoint, "reset": self.reset,
            "both": self.both, "waiting": self.waiting, "idle": self.idle, "partly_asleep": self.partly_asleep,
            "partly_queued": self.partly_queued, "partly_reading": self.partly_reading,
            "holds": self.hold_signs, "full": self.holds[-1], "cursor": self.cursor, "queued": self.queued,
            "ended": self.ended, "error": self.error, "shades": self.shades, "reading": self.reading,
        }  # fmt: skip

    def bar(self, fraction: float, width: int) -> str:
        """Draw a horizontal bar of exactly `width` cells for a fraction 0..1.

        >>> BLOCK.bar(0.4, 4), ASCII.bar(0.5, 4)
        ('█▋  ', '==  ')
        """
        steps = len(self.horizontal) - 1
        level = _level(fraction, width * steps)
        whole, part = divmod(level, steps)
        text = self.horizontal[-1] * whole + (self.horizontal[part] if part else "")
        return text.ljust(width)


def _level(fraction: float, full: int) -> int:
    """Return how many of `full` steps to fill: rounded, but at least one for anything above 0 (NaN counts as 0)."""
    if not fraction > 0:
        return 0
    return min(max(round(fraction * full), 1), full) if fraction < 1 else full


def _braille_fills() -> str:
    left = (0x00, 0x40, 0x44, 0x46, 0x47)
    right = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
    dots = [0x2800 | one | other for one in left for other in right]
    return " " + "".join(map(chr, dots[1:]))


BLOCK: Final = GlyphSet(
    "block",
    1,
    8,
    " ▁▂▃▄▅▆▇█",
    " ▏▎▍▌▋▊▉█",
    "─",
    "│",
    "└",
    "┴",
    "┊",
    "▲",
    "▼",
    "◆",
    "◇",
    "◈",
    "▸",
    "╌",
    "·",
    "─",
    "\N{MULTIPLICATION SIGN}",
    "○",
    "\N{DAGGER}",
    "░▒▓",
    "╴",
    "╴",
    "╴",
    " ▁▂▃▄▅▆▇█",
)
BRAILLE: Final = GlyphSet(
    "braille",
    2,
    4,
    _braille_fills(),
    " ▏▎▍▌▋▊▉█",
    "─",
    "│",
    "└",
    "┴",
    "┊",
    "▲",
    "▼",
    "◆",
    "◇",
    "◈",
    "▸",
    "╌",
    "·",
    "─",
    "\N{MULTIPLICATION SIGN}",
    "○",
    "\N{DAGGER}",
    "░▒▓",
    "╴",
    "╴",
    "╴",
    _braille_fills(),
)
ASCII: Final = GlyphSet(
    "ascii",
    1,
    3,
    " .:#",
    " =",
    "-",
    "|",
    "+",
    "+",
    " ",
    "^",
    "v",
    "c",
    "r",
    "b",
    ">",
    "~",
    ".",
    "-",
    "!",
    "o",
    "x",
    "%&@",
    ",",
    "'",
    '"',
    " :=#",
)

GLYPH_SETS: Final[dict[str, GlyphSet]] = {"braille": BRAILLE, "block": BLOCK, "ascii": ASCII}
