"""What is wrong with an observed database: a Snapshot in, Findings out, and one line that says it all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose import load_rules, lock_rules, wal_rules
from sqlwatch.diagnose.case import Case, count
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.thresholds import DEFAULT_LIMITS, Limits
from sqlwatch.metrics.observations import JournalMode
from sqlwatch.metrics.observed import Observed
from sqlwatch.metrics.snapshot import Snapshot, Status

_RULES: Final = (*lock_rules.RULES, *wal_rules.RULES, *load_rules.RULES)
_GRAVEST_FIRST: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def observation_findings(snapshot: Snapshot, limits: Limits = DEFAULT_LIMITS) -> tuple[Finding, ...]:
    """Return what is wrong now or was in the last seconds, the gravest first; nothing where there is no database."""
    observed = snapshot.observation
    if observed is None or observed.look is None:
        return ()
    case = Case(snapshot, observed, observed.look, limits)
    found = [finding for rule in _RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda finding: _GRAVEST_FIRST.index(finding.severity)))


def observation_headline(snapshot: Snapshot, findings: Sequence[Finding]) -> str:
    """Say in one line how the database is: the gravest finding, else what it does; `findings` are the Snapshot's."""
    observed = snapshot.observation
    if snapshot.message is not None:
        return snapshot.message
    if observed is not None and observed.is_silent and (observed.look is not None or observed.absent is not None):
        return (
            f"nothing has been seen for {units.duration(observed.unheard_ns)}: this machine is too busy, or sqlwatch's "
            "sampler was stopped; all that is shown is so old"
        )
    if observed is None or (observed.look is None and observed.absent is None):
        return (
            "the observation ended before it saw anything" if snapshot.status is Status.ENDED else "taking a first look"
        )
    if observed.gone_since_ns is not None and observed.absent is not None:
        for_ns = snapshot.at_ns - observed.gone_since_ns
        return (
            f"the database was there until {units.duration(for_ns)} ago: deleted, moved or replaced. A program that "
            f"still has it open goes on in a file without a name. Now: {observed.absent.sentence}"
        )
    if observed.absent is not None:
        return f"{observed.absent.sentence} Waiting for it."
    telling = [finding for finding in findings if finding.severity is not Severity.INFO]
    if telling:
        more = len(telling) - 1
        return telling[0].summary + (f" (and {count(more, 'finding')} more)" if more else "")
    return _healthy(snapshot, observed)


def _healthy(snapshot: Snapshot, observed: Observed) -> str:
    users = sum(one.is_open for one in observed.participants)
    look = observed.look
    assert look is not None
    if not users and look.open_files is not None:
        return "nothing found: nobody has the database open, as far as can be seen"
    held = observed.write_utilisation
    lock = (
        "the write lock cannot be seen" if held is None else f"the write lock is held {units.share(held)} of the time"
    )
    mode = "WAL" if look.facts.journal_mode is JournalMode.WAL else "rollback-journal"
    rate = "" if snapshot.commits_per_s is None else f", {units.rate(snapshot.commits_per_s)} commits"
    return f"nothing found: {lock}{rate}, {mode} mode"
