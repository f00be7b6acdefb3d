"""What is wrong, the gravest first, with what to do about the one under the cursor."""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink, Row, Segment, fitted
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.tui.cursor_panel import CursorPanel
from sqlwatch.tui.panel import clipped
from sqlwatch.tui.text import clean, wrapped
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import is_unseen

FindingKey = tuple[str, int | None, int]
"""Code, pid, and which of those that share them: the same finding in later Snapshots."""

WORDS: Final = {Severity.CRITICAL: "CRITICAL", Severity.WARNING: "WARNING", Severity.INFO: "info"}
INKS: Final = {Severity.CRITICAL: Ink.WARNING, Severity.WARNING: Ink.RUNG, Severity.INFO: Ink.MUTED}
_WORD_WIDTH: Final = 9
_AGE_WIDTH: Final = units.DURATION_WIDTH
_ROWS_FOR_TITLE: Final = 3
_FEW_ROWS: Final = 5
"""In so many rows what to do goes before a summary that the headline tells in full."""
_STEPS: Final = (("Now: ", "now:"), ("For good: ", "then:"), ("", "do this:"))
"""How a step of a remedy begins, and the word that stands beside it instead."""
_WIDE_ENOUGH: Final = 60
_MUCH_ROOM: Final = 10
"""Rows from which on a long summary is told in full."""
_LOOKED_FOR: Final = (
    "Looked for: transactions that are left open, long holds, a lock that is never free, readers that pin the WAL, "
    "checkpoints that do not run, lost locks, deleted files, errors in the logs that are followed."
)


def keyed(findings: tuple[Finding, ...]) -> dict[FindingKey, Finding]:
    """Return findings by what stays the same about them while time goes on."""
    seen: Counter[tuple[str, int | None]] = Counter()
    result = {}
    for finding in findings:
        one = (finding.code, finding.pid)
        result[*one, seen[one]] = finding
        seen[one] += 1
    return result


def since_words(finding: Finding) -> str:
    """Say for how long it has been so."""
    return units.duration(None if finding.since_s is None else finding.since_s * 1e9)


class FindingsPanel(CursorPanel[FindingKey]):
    """A list of findings; each takes as many lines as its summary needs while there is room."""

    TITLE = "Findings"
    LEAST_TITLED = 3
    EXPLANATION = "enter shows evidence and what to do"

    has_cursor = False

    def draw(self, view: View, width: int, height: int) -> list[Row]:
        """Return the findings around the cursor, and below them the remedy of the one under it.

        Where rows are few and the headline tells the first finding, what to do about it has the room.
        """
        titled = height >= _ROWS_FOR_TITLE
        rows: list[Row] = [self._title_row(view, width)] if titled else []
        room = height - len(rows)
        findings = keyed(view.findings)
        first = self.scrolled(list(findings), room)
        shown = list(findings.items())[first:]
        lines: list[FindingKey | None] = [None] * len(rows)
        if not shown:
            self._lines = ()
            none = (Segment(f" {'' if titled else 'findings: '}{_none(view)}", Ink.MUTED),)
            return [*rows, none, *_looked_for(view, width, room - 1)]
        is_told = view.headline.startswith(view.findings[0].summary)
        if is_told and room == 1 and first == 0:
            self._lines = (shown[0][0],)
            return [self._step_row(view, shown[0][1], len(shown) - 1, width)]
        kept = min(room // 2, 2) if is_told else 0
        for index, (key, finding) in enumerate(shown):
            left = room - kept - (len(rows) - titled)
            if left <= 0:
                break
            others = min(len(shown) - index - 1, left - 1)
            most = 1 if is_told and room <= _FEW_ROWS else left - others
            block = self._block(view, key, finding, width, max(most, 1))
            rows += block
            lines += [key] * len(block)
        self._lines = tuple(lines)
        hidden = len(findings) - len(set(lines) - {None})
        if hidden and not titled:
            rows[-1] = _counted(rows[-1], f" +{hidden} more ", width)
        left = height - len(rows)
        return rows + _remedy(findings[self.selected], width, left) if self.selected and left > 0 else rows

    def facts(self, view: View) -> list[Row]:
        """Count the findings by severity."""
        counts = Counter(finding.severity for finding in view.findings)
        facts: list[Row] = [
            (Segment(f"{counts[severity]} {WORDS[severity]}", INKS[severity]),)
            for severity in Severity
            if counts[severity]
        ]
        if facts:
            how = "enter" if self.has_cursor else "up, enter"
            facts.append((Segment(f"{how}: evidence, remedy", Ink.MUTED),))
        return facts

    def _step_row(self, view: View, finding: Finding, others: int, width: int) -> Row:
        """Return the first thing to do about a finding that the headline tells, and how many others there are."""
        more = f" +{others}{' more' if width >= _WIDE_ENOUGH else ''} " if others else ""
        sign = view.glyphs.cursor if self.has_cursor else " "
        head = f"{sign}{WORDS[finding.severity]:<{_WORD_WIDTH}}"
        text = clipped(clean(_step(finding)), width - len(head) - len(more))
        inks = (Ink.CURSOR, Ink.CURSOR) if self.has_cursor else (INKS[finding.severity], Ink.STRONG)
        return _counted((Segment(head, inks[0]), Segment(text, inks[1])), more, width)

    def _block(self, view: View, key: FindingKey, finding: Finding, width: int, height: int) -> list[Row]:
        """Return severity, age and summary, in up to three lines unless there is much room."""
        margin = 1 + _WORD_WIDTH + _AGE_WIDTH + 2
        is_ageless = all(one.since_s is None for one in view.findings)
        if is_ageless or width - margin < 20:
            margin = 1 + _WORD_WIDTH
        texts = wrapped(
            clean(finding.summary), max(width - margin, 1), min(height, 3 if height < _MUCH_ROOM else 6)
        ) or [clean(finding.code)]
        has_cursor = self.has_cursor and key == self.selected
        word = f"{WORDS[finding.severity]:<{_WORD_WIDTH}}"
        age = f"{since_words(finding):>{_AGE_WIDTH}}  " if margin > 1 + _WORD_WIDTH else ""
        rows: list[Row] = []
        for index, text in enumerate(texts):
            sign = view.glyphs.cursor if has_cursor and index == 0 else " "
            head, middle = (word, age) if index == 0 else (" " * len(word), " " * len(age))
            if has_cursor:
                rows.append(fitted((Segment(f"{sign}{head}{middle}{text}".ljust(width), Ink.CURSOR),), width))
            else:
                parts = (Segment(sign + head, INKS[finding.severity]), Segment(middle, Ink.MUTED))
                rows.append((*parts, Segment(text, Ink.STRONG)))
        return rows


def _remedy(finding: Finding, width: int, height: int) -> list[Row]:
    """Return what to do about a finding, step by step, after an empty line where there is room for one."""
    margin = 1 + _WORD_WIDTH
    rows: list[Row] = [()] if height >= 4 else []
    for number, step in enumerate(finding.remedy.splitlines()):
        start, head = next(pair for pair in _STEPS if step.startswith(pair[0]))
        head = "" if number and not start else head
        lines = wrapped(clean(step.removeprefix(start)), max(width - margin, 1), height - len(rows))
        for index, line in enumerate(lines):
            rows.append((Segment(f" {head if index == 0 else '':<{_WORD_WIDTH}}", Ink.KEY), Segment(line)))
    return rows


def _step(finding: Finding) -> str:
    """Return the first thing to do, in a form that says so by itself."""
    step = next(iter(finding.remedy.splitlines()), units.UNKNOWN)
    return step if step.startswith("Now: ") else f"Do this: {step}"


def _looked_for(view: View, width: int, height: int) -> list[Row]:
    """Say what would stand here, where there is room and something has been seen."""
    observed = view.observation
    if observed is None or observed.look is None or height < 2:
        return []
    return [(Segment(f" {line}", Ink.MUTED),) for line in wrapped(_LOOKED_FOR, max(width - 2, 1), height)]


def _counted(row: Row, words: str, width: int) -> Row:
    """Return a row that ends in how many findings have no room."""
    return (*fitted(row, max(width - len(words), 0)), Segment(words, Ink.MUTED))


def _none(view: View) -> str:
    if view.simulation is not None:
        return "nothing is wrong in this phase so far"
    observed = view.observation
    if is_unseen(observed):
        return "nothing has been seen yet"
    return "nothing found" if observed is not None and observed.absent is None else "no database, so nothing to judge"
