"""Makes the tables of these pages again from the code: `python docs/make.py`, from the root of the repository."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from simulators.scenario import builtin, names
from sqlwatch.charts import units
from sqlwatch.tui.keys import keys_markdown
from sqlwatch.tui.watch_keys import watch_keys_markdown

FOLDER = Path(__file__).parent


def lessons_markdown(before: str) -> str:
    """Return the table of lessons; what was measured is kept from the table `before`, else unknown."""
    head = before.strip().splitlines()[:2]
    rows = [line.strip("| ").split(" | ") for line in before.strip().splitlines()[2:]]
    measured = {row[0].strip("`"): row[-1] for row in rows}
    for name in names():
        lesson = builtin(name)
        head.append(f"| `{name}` | {lesson.source} | {lesson.question} | {measured.get(name, units.UNKNOWN)} |")
    return "\n".join(head) + "\n"


TABLES: dict[tuple[str, str], Callable[[str], str]] = {
    ("keys.md", "keys of simulate"): lambda before: keys_markdown(),
    ("keys.md", "keys of watch"): lambda before: watch_keys_markdown(),
    ("../README.md", "lessons"): lessons_markdown,
}
"""File and first words of the comment above the table -> what makes it, given what stands there now."""


def made(name: str) -> str:
    """Return a page with its tables made anew."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for (page, words), table in TABLES.items():
        if page == name:
            pattern = rf"(<!-- {words}:[^\n]*-->\n)(.*?)(<!-- end -->)"
            text, count = re.subn(pattern, lambda m, table=table: m[1] + table(m[2]) + m[3], text, flags=re.DOTALL)
            assert count == 1, f"{name} has {count} places for {words}"
    return text


if __name__ == "__main__":
    for name in dict.fromkeys(page for page, _ in TABLES):
        (FOLDER / name).write_text(made(name), encoding="utf-8")
