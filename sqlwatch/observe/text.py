"""Text from outside, made harmless: nothing in it can move a cursor, break a line or fail to encode."""

from __future__ import annotations

_LONGEST = 400


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""Escape what is not printable and cut what is too long.

    >>> printable("a\x1b[2J\nb\udce9")
    'a\\x1b[2J\\nb\\udce9'
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
