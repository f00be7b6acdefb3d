"""Screens of characters as SVG: a still picture, or a film whose frames follow each other without any script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import pyte

FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.43, 17.0, 14
MARGIN = 12
TITLE_HEIGHT = 30
FOREGROUND, BACKGROUND = "#d8dee9", "#0f1419"
_NAMED = {
    "black": "#1b2129", "red": "#e06c75", "green": "#98c379", "brown": "#e5a05b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8dee9",
    "brightblack": "#6b7685", "brightred": "#f08a92", "brightgreen": "#b5d99c", "brightbrown": "#f5c07a",
    "brightblue": "#8cc8ff", "brightmagenta": "#dda0ee", "brightcyan": "#7fd4de", "brightwhite": "#ffffff",
}  # fmt: skip
"""Colours that a terminal has by name, as pyte calls them."""


class Run(NamedTuple):
    """Characters beside each other that look alike."""

    column: int
    text: str
    foreground: str
    background: str
    bold: bool


Frame = tuple[tuple[Run, ...], ...]
"""The runs of each row."""


def frame_of(screen: pyte.Screen) -> Frame:
    """Return what stands on a screen."""
    return tuple(_runs(screen.buffer[y], screen.columns) for y in range(screen.lines))


def still(frame: Frame, size: tuple[int, int], title: str) -> str:
    """Return a picture of one frame."""
    return _document(size, title, "", "".join(_row(runs, y) for y, runs in enumerate(frame)))


def film(frames: Sequence[Frame], size: tuple[int, int], title: str, seconds_each: float) -> str:
    """Return a picture that shows one frame after the other, over and over; rows that stay are drawn once."""
    length_s = len(frames) * seconds_each
    styles, body = [], []
    for y in range(size[1]):
        start = 0
        for runs, group in groupby(frame[y] for frame in frames):
            count = len(list(group))
            drawn = _row(runs, y)
            if drawn and count == len(frames):
                body.append(drawn)
            elif drawn:
                name = f"f{start}-{start + count}"
                styles.append((name, start / len(frames), (start + count) / len(frames)))
                body.append(f'<g class="{name}">{drawn}</g>')
            start += count
    return _document(size, title, _keyframes(styles, length_s), "".join(body))


def _keyframes(styles: Iterable[tuple[str, float, float]], length_s: float) -> str:
    """Return the rules that show an element from one share of the film's length to another, and hide it else."""
    rules = []
    for name, start, end in sorted(set(styles)):
        steps = [] if start == 0 else ["0%{visibility:hidden}"]
        steps.append(f"{start:.4%}{{visibility:visible}}")
        if end < 1:
            steps.append(f"{end:.4%}{{visibility:hidden}}")
        rules.append(
            f"@keyframes {name}{{{''.join(steps)}}}.{name}{{animation:{name} {length_s:g}s step-end infinite}}"
        )
    return "".join(rules)


def _runs(row: dict[int, pyte.screens.Char], columns: int) -> tuple[Run, ...]:
    """Join the cells of a row that look alike; blanks on the ground colour are left out."""
    cells = [(x, row[x]) for x in range(columns)]
    runs = []
    for (foreground, background, bold), group in groupby(cells, lambda cell: _look(cell[1])):
        members = list(group)
        text = "".join(char.data for _, char in members)
        if text.strip() or background != BACKGROUND:
            runs.append(Run(members[0][0], text, foreground, background, bold))
    return tuple(runs)


def _look(char: pyte.screens.Char) -> tuple[str, str, bool]:
    foreground = _colour(char.fg, FOREGROUND)
    background = _colour(char.bg, BACKGROUND)
    if char.reverse:
        foreground, background = background, foreground
    if not char.data.strip():
        foreground = FOREGROUND  # a blank has no ink
    return foreground, background, char.bold and bool(char.data.strip())


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _NAMED.get(name, f"#{name}")


def _row(runs: tuple[Run, ...], y: int) -> str:
    """Return a row's grounds and its texts, each stretched to its cells whatever font draws it."""
    top = TITLE_HEIGHT + y * CELL_HEIGHT
    parts = []
    for start, end, colour in _grounds(runs):
        x, width = MARGIN + start * CELL_WIDTH, (end - start) * CELL_WIDTH
        parts.append(
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{CELL_HEIGHT + 0.3:.1f}" fill="{colour}"/>'
        )
    for run in runs:
        text = run.text.rstrip()
        if not text:
            continue
        lead = len(text) - len(text.lstrip())
        x, text = MARGIN + (run.column + lead) * CELL_WIDTH, text.lstrip()
        weight = ' font-weight="bold"' if run.bold else ""
        parts.append(
            f'<text x="{x:.1f}" y="{top + 13:.1f}" textLength="{len(text) * CELL_WIDTH:.1f}"'
            f' fill="{run.foreground}"{weight}>{escape(text)}</text>'
        )
    return "".join(parts)


def _grounds(runs: Iterable[Run]) -> list[tuple[int, int, str]]:
    """Return the columns from and to which a colour lies under the text, joined so that no seam shows."""
    grounds: list[tuple[int, int, str]] = []
    for run in runs:
        start, end = run.column, run.column + len(run.text)
        if grounds and grounds[-1][1:] == (start, run.background):
            grounds[-1] = (grounds[-1][0], end, run.background)
        elif run.background != BACKGROUND:
            grounds.append((start, end, run.background))
    return grounds


def _document(size: tuple[int, int], title: str, style: str, body: str) -> str:
    width = size[0] * CELL_WIDTH + 2 * MARGIN
    height = size[1] * CELL_HEIGHT + TITLE_HEIGHT + MARGIN
    dots = "".join(
        f'<circle cx="{MARGIN + 6 + 18 * index}" cy="15" r="5" fill="{colour}"/>'
        for index, colour in enumerate(("#e06c75", "#e5a05b", "#98c379"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" role="img"'
        f" aria-label={quoteattr(title)}><title>{escape(title)}</title>"
        f"<style>text{{font-family:{FONTS};font-size:{FONT_SIZE}px;white-space:pre}}{style}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>{dots}'
        f'<text x="{width / 2:.1f}" y="20" text-anchor="middle" fill="#6b7685">{escape(title)}</text>{body}</svg>\n'
    )
