"""SVG elements as text that is always escaped, for charts in a page; colours are classes, named after the inks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NewType
from xml.sax.saxutils import escape, quoteattr

from sqlwatch.charts.segment import Ink

Svg = NewType("Svg", str)
"""A piece of well-formed SVG; `text` and `element` alone make it."""

FONT_PX: Final = 12
_CHAR_PX: Final = 6.5
"""About the width of a character of that size, so that labels do not run into each other."""

_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets), other controls, and what turns the reading direction."""


def printable(words: str) -> str:
    r"""Return a text from outside with a blank for each character that has no place in a page.

    >>> printable("a\x00b\n\udcff</script>")
    'a b  </script>'
    """
    return _UNPRINTABLE.sub(" ", words)


def text(words: str) -> Svg:
    """Return words as escaped character data.

    >>> text("<b> & co")
    '&lt;b&gt; &amp; co'
    """
    return Svg(escape(printable(words)))


def element(name: str, *children: Svg, **attributes: str | float) -> Svg:
    """Return an element; `class_` is the attribute class, and underscores are hyphens.

    >>> element("text", text("p99 <1ms"), x=1.0, y=2.345, class_="ink-muted", text_anchor="end")
    '<text x="1" y="2.3" class="ink-muted" text-anchor="end">p99 &lt;1ms</text>'
    >>> element("path", d="M0 0")
    '<path d="M0 0"/>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(printable(value) if isinstance(value, str) else px(value))}"
        for key, value in attributes.items()
    )
    return Svg(f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>")


def px(value: float) -> str:
    """Write a coordinate to a tenth of a pixel.

    >>> px(3.0), px(2.345), px(-0.01)
    ('3', '2.3', '0')
    """
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def picture(width: float, height: float, title: str, description: str, children: Iterable[Svg]) -> Svg:
    """Return a whole image with words for those who cannot see it.

    >>> picture(10, 5, "Waits", "None.", [])[:74]
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" width="10" heig'
    """
    words = (element("title", text(title)), element("desc", text(description)))
    return element(
        "svg", *words, *children, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {px(width)} {px(height)}",
        width=width, height=height, role="img", font_size=FONT_PX,
    )  # fmt: skip


def label(words: str, x: float, y: float, ink: Ink = Ink.MUTED, anchor: str = "start") -> Svg:
    """Return a short text; `anchor` says which end of it is at `x`: start, middle or end."""
    return element("text", text(words), x=x, y=y, class_=f"ink-{ink.value}", text_anchor=anchor)


def rule(x1: float, y1: float, x2: float, y2: float, ink: Ink) -> Svg:
    """Return a line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=f"rule-{ink.value}")


def rectangles(boxes: Iterable[tuple[float, float, float, float]], class_: str) -> Svg:
    """Return rectangles (x, y, width, height) as one path.

    >>> rectangles([(1, 2, 3, 4)], "ink-series")
    '<path d="M1 2h3v4h-3z" class="ink-series"/>'
    """
    outline = "".join(f"M{px(x)} {px(y)}h{px(width)}v{px(height)}h{px(-width)}z" for x, y, width, height in boxes)
    return element("path", d=outline, class_=class_)


def text_width(words: str) -> float:
    """Return about how many pixels a text takes."""
    return len(words) * _CHAR_PX


def spaced(labels: Iterable[tuple[float, str]], left: float, right: float) -> list[tuple[float, str]]:
    """Return the labels that fit between `left` and `right` centred at their x, without touching an earlier one.

    One that would stick out at an end is moved in.

    >>> spaced([(0, "1us"), (100, "30s"), (50, "1ms"), (60, "10ms")], 0, 100)
    [(9.75, '1us'), (90.25, '30s'), (50, '1ms')]
    """
    placed: list[tuple[float, str]] = []
    for x, words in labels:
        half = text_width(words) / 2
        if half * 2 > right - left:
            continue
        centre = min(max(x, left + half), right - half)
        if all(abs(centre - other) >= half + text_width(taken) / 2 + 3 for other, taken in placed):
            placed.append((centre, words))
    return placed


def cut_to(words: str, room: float) -> str:
    """Cut a text to the room there is; nothing where not even three characters fit.

    >>> cut_to("single-writer", 60), cut_to("single-writer", 10), cut_to("pool", 60)
    ('single-w…', '', 'pool')
    """
    words = printable(words)
    if text_width(words) <= room:
        return words
    most = int(room / _CHAR_PX)
    return words[: most - 1] + "\N{HORIZONTAL ELLIPSIS}" if most >= 3 else ""
