"""What the terminal shows by now, cell by cell, so that only what differs is sent: it matters on a slow line."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, set_cell_size

_TOKEN: Final = re.compile(
    r"(?P<move>\x1b\[(\d+);(\d+)H)|(?P<style>\x1b\[([\d;:]*)m)|(?P<line>\n)|(?P<text>[^\x1b\n]+)"
    r"|(?P<harmless>\x1b\[\?(?!1049|1047|47)[\d;$]+[hlp]|\x1b\[[<>=]?[\d;]*[un]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<other>\x1b\[[^@-~]*[@-~]|\x1b.?)",
    re.DOTALL,
)
"""Moves, colours and text, which are compared; what changes no cell; and what may change any."""

_SINGLE: Final = re.compile("[ -~\u2500-\u259f\u2800-\u28ff]*")
"""What charts are made of has one cell a character: to ask for the width of each takes ten times longer."""

_ROOMY: Final = 1 << 16
_NEAR: Final = 6
"""Cells between two changes that are sent again, because they cost less than moving over them."""

_UNKNOWN: Final = "?"
"""In place of a style, where it is not known what a cell shows: no style is called so."""

_Place = tuple[int, int]
"""Line and column, from 1."""


class ScreenCopy:
    r"""Turns what would draw a picture into what changes the newest picture into it.

    >>> copy = ScreenCopy()
    >>> copy.changes("\x1b[2;1Hcommits \x1b[1m120\x1b[0m/s")
    '\x1b[2;1Hcommits \x1b[1m120\x1b[m/s'
    >>> copy.changes("\x1b[2;1Hcommits \x1b[1m128\x1b[0m/s")
    '\x1b[2;11H\x1b[1m8\x1b[m\x1b[2;14H'
    """

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        self.size = size
        """Columns and lines of the terminal.  What a picture of another size has beyond them is left out: the terminal
        would put it over its last line.  None: there is room for all."""
        self._lines: dict[int, tuple[list[str], list[str]]] = {}
        """Of each line the characters and their styles, as the parameters of SGR."""
        self._cursor: _Place | None = None
        self._pen = ""

    def forget(self) -> None:
        """Take nothing for known: something else may have drawn."""
        self._lines.clear()
        self._cursor = None

    def changes(self, data: str) -> str:
        """Return what is to be sent, with the same effect on a terminal that shows what this copy says."""
        if "\x1b[" not in data:
            return data
        out: list[str] = []
        place, style = self._cursor, ""
        for token in _TOKEN.finditer(data):
            kind, text = token.lastgroup, token[0]
            if kind == "move":
                place = int(token[2]), int(token[3])
            elif kind == "style":
                codes = token[5]
                if codes in ("", "0") or codes.startswith("0;"):
                    style, codes = "", codes[2:]
                style = f"{style};{codes}" if style and codes else style or codes
            elif kind == "line":
                place = None  # a move follows
            elif kind == "text" and place is not None:
                place = self._put(out, place, text, style)
            else:
                self._use(out, style if kind == "text" else "")
                out.append(text)
                if kind != "harmless":
                    self.forget()
                    place = None
        self._use(out, "")
        if place is not None and place != self._cursor and self._room(place) > 0:
            self._move(out, place)
        return "".join(out)

    def _room(self, place: _Place) -> int:
        """Return how many cells there are from a place to the end of its line; none beyond the last line."""
        if self.size is None:
            return _ROOMY
        columns, lines = self.size
        return columns - place[1] + 1 if place[0] <= lines else 0

    def _put(self, out: list[str], place: _Place, text: str, style: str) -> _Place:
        """Send what differs of a text at a place; return the place after it."""
        number, column = place
        characters, styles = self._lines.setdefault(number, ([], []))
        start = column - 1
        width = len(text) if _SINGLE.fullmatch(text) else cell_len(text)
        room = self._room(place)
        if width > room:
            if room > 0:
                self._put(out, place, set_cell_size(text, room), style)
            return number, column + width
        if width != len(text):  # characters of two cells, or of none: what comes after them is sent anew
            self._send(out, place, text, style)
            del characters[start:], styles[start:]
            self._cursor = None
            return number, column + width
        end = start + width
        characters += [_UNKNOWN] * (end - len(characters))
        styles += [_UNKNOWN] * (end - len(styles))
        old, new = characters[start:end], list(text)
        if old == new and styles[start:end].count(style) == width:
            return number, column + width
        differing = [
            index for index in range(width) if old[index] != new[index] or styles[start + index] != style
        ]  # fmt: skip
        characters[start:end], styles[start:end] = new, [style] * width
        first = last = differing[0]
        for index in [*differing[1:], width + _NEAR + 1]:
            if index - last > _NEAR:
                self._send(out, (number, column + first), text[first : last + 1], style)
                first = index
            last = index
        return number, column + width

    def _send(self, out: list[str], place: _Place, text: str, style: str) -> None:
        if place != self._cursor:
            self._move(out, place)
        self._use(out, style)
        out.append(text)
        self._cursor = place[0], place[1] + len(text)

    def _move(self, out: list[str], place: _Place) -> None:
        out.append(f"\x1b[{place[0]};{place[1]}H")
        self._cursor = place

    def _use(self, out: list[str], style: str) -> None:
        if style != self._pen:
            out.append("\x1b[m" if not style else f"\x1b[0;{style}m" if self._pen else f"\x1b[{style}m")
            self._pen = style
