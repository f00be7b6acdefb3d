"""The last look at every line of a screen of ASCII: also what Textual itself draws, and the library's ellipsis."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from sqlwatch.charts.glyphs import ASCII

_LINES: Final = {
    **dict.fromkeys("─━╌┄┈═", "-"), **dict.fromkeys("│┃╎┆┊║", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰╔╗╚╝", "+"),
}  # fmt: skip
_BLOCKS: Final = dict.fromkeys("▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐▔▕▖▗▘▙▚▛▜▝▞▟", " ")
"""Borders and the ends of scroll bars; without them their colours still show."""
_SIGNS: Final = str.maketrans({**_LINES, **_BLOCKS})


class AsciiFilter(LineFilter):
    """Replaces signs that a terminal of ASCII has not; letters of any language stay as they are."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line with other signs of the same width."""
        return [
            segment if segment.text.isascii() else Segment(signs_replaced(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def signs_replaced(text: str) -> str:
    """Replace signs of one cell by signs of one cell.

    >>> signs_replaced("└─ wait… ▇ für")
    '+- wait>   für'
    """
    return ASCII.chrome(text).translate(_SIGNS)
