"""The whole of a lesson as a page to read: its question, what to look at, why, what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.scenario import Scenario
from sqlwatch.tui.text import clean

if TYPE_CHECKING:
    from sqlwatch.tui.help_screen import Guide


def paragraphs(scenario: Scenario) -> Guide:
    """Return the paragraphs of the lesson's page; braces are doubled, since the page puts signs into single ones."""
    published = "; ".join(f"{row.what}: {row.value}" for row in scenario.published)
    watch = [f"{phase.name}: {phase.watch}" for phase in scenario.phases if phase.watch]
    parts = (
        (scenario.title, scenario.question),
        ("What to look at", " ".join([scenario.watch, *watch])),
        ("What to expect here, and why", scenario.expect),
        (f"Published ({scenario.cited})", published),
        ("To see it vanish", scenario.vanish),
        ("Keys", "L hides and shows the lesson's panel, n begins the next phase, N holds a phase until n, c compares."),
    )
    return tuple((clean(title), clean(words).replace("{", "{{").replace("}", "}}")) for title, words in parts if words)
