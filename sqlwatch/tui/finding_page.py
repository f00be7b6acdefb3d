"""One finding as a page of detail: what is wrong, how we know, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlwatch.charts import units
from sqlwatch.charts.segment import Ink
from sqlwatch.diagnose.finding import Finding
from sqlwatch.tui.detail_screen import Line, Page, Section, line
from sqlwatch.tui.findings_panel import INKS, WORDS, FindingKey, keyed, since_words
from sqlwatch.tui.text import clean
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_words import command_of

_UNITS: Final[dict[str, Callable[[float], str]]] = {
    "_ns": units.duration,
    "_ms": lambda value: units.duration(value * 1e6),
    "_s": lambda value: units.duration(value * 1e9),
    "_s_ago": lambda value: f"{units.duration(value * 1e9)} ago",
    "_bytes": units.size,
    "_share": units.share,
    "utilisation": units.share,
    "share_of_held": units.share,
}
"""End of an evidence's name to how its number is written."""
_DROPPED: Final = ("_per_s", "_ns", "_ms", "_s", "_s_ago", "_bytes")
"""Units that are said with the number and left out of the name."""


def finding_page_of(key: FindingKey, view: View) -> Callable[[View], Page] | None:
    """Return the same for a finding of a View, if it is there."""
    finding = keyed(view.findings).get(key)
    return finding_page(key, finding) if finding is not None else None


def finding_page(key: FindingKey, finding: Finding) -> Callable[[View], Page]:
    """Return a way to make the page of a finding from a View; it stays readable after the finding is gone."""
    last = finding

    def page(view: View) -> Page:
        nonlocal last
        now = keyed(view.findings).get(key)
        last = now or last
        return _page(last, view, is_over=now is None)

    return page


def _page(finding: Finding, view: View, *, is_over: bool) -> Page:
    title = WORDS[finding.severity]
    head = [line("", clean(finding.summary), Ink.STRONG)]
    if is_over:
        head.append(line("", "NO LONGER FOUND: this was the last that was seen of it.", Ink.RUNG))
    facts = [line("code", clean(finding.code))]
    if finding.since_s is not None:
        facts.append(line("for", f"{since_words(finding)} (as far as was seen)"))
    if finding.pid is not None:
        facts.append(line("process", f"{finding.pid} {_who(finding.pid, view)}"))
    remedy = tuple(line("", clean(part)) for part in finding.remedy.splitlines() if part.strip())
    evidence = tuple(_evidence(name, value) for name, value in finding.evidence.items())
    return (
        Section(title, INKS[finding.severity], tuple(head)),
        Section("What to do", Ink.STRONG, remedy or (line("", units.UNKNOWN),)),
        Section("Evidence", Ink.STRONG, (*facts, *evidence)),
    )


def _who(pid: int, view: View) -> str:
    """Say what a process is: a worker of ours, or its command."""
    if view.simulation is not None:
        workers = (worker for worker in view.simulation.phase.workers if worker.pid == pid)
        return next((f"worker {worker.id}, a {worker.role.value}" for worker in workers), units.UNKNOWN)
    participant = view.observation.participant(pid) if view.observation is not None else None
    return command_of(participant.process if participant is not None else None)


def _evidence(name: str, value: Any) -> Line:
    ending = next((ending for ending in _DROPPED if name.endswith(ending)), "")
    label = clean(name.removesuffix(ending).replace("_", " "))
    return line(label, evidence_words(name, value))


def evidence_words(name: str, value: Any) -> str:
    """Write a piece of evidence with the unit that its name ends in.

    >>> evidence_words("held_s", 42.0), evidence_words("wal_bytes", 4096), evidence_words("pids", [1, 2])
    ('42s', '4.0KiB', '1, 2')
    >>> evidence_words("commits_per_s", 12.0), evidence_words("wal", True), evidence_words("pids", [])
    ('12/s', 'yes', 'none')
    """
    if value is None:
        return units.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if name.endswith("_per_s"):
            return units.rate(value)
        write = next((write for ending, write in _UNITS.items() if name.endswith(ending)), None)
        return write(value) if write is not None else _number(name, value)
    if isinstance(value, list | tuple):
        words = [str(item) if isinstance(item, int) else evidence_words(name, item) for item in value]
        return "; ".join(words) if any(isinstance(item, dict) for item in value) else ", ".join(words) or "none"
    if isinstance(value, dict):
        pairs = (f"{clean(str(key))} {evidence_words(str(key), item)}" for key, item in value.items())
        return ", ".join(pairs) or "none"
    return clean(str(value))


def _number(name: str, value: float) -> str:
    """Write a number without a unit: a pid as it is, the others with thousands apart."""
    if "pid" in name.split("_"):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
