"""Reading a page back, as a browser would: its text, its tables, its images."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
VOID = ("meta", "br")


class Page(HTMLParser):
    """A page that is checked while it is read: every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        self.images = [ElementTree.fromstring(image) for image in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def is_self_contained(self) -> bool:
        """Tell whether nothing is loaded, and nothing is run."""
        loads = [name for name, _ in self.attributes if name in ("src", "href", "xlink:href") or name.startswith("on")]
        return not loads and not {"script", "link", "img", "iframe", "object"} & set(self.tags)
