"""Rules about many at once: a saturated lock, a hog, rollback journals in concurrent use, logged busy errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlwatch.charts import units
from sqlwatch.diagnose.case import Case, count
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.metrics.observed import Participant


def saturated(case: Case) -> Iterable[Finding]:
    """Report a write lock that is held nearly all the time by several processes in turn."""
    used = case.observed.write_utilisation
    if not _is_judged(case) or used is None or used < case.limits.saturated_share:
        return
    takers = _takers(case)
    if len(takers) < 2 or any(hog(case)):
        return  # one process alone works as fast as it can, and a hog is a finding of its own
    yield case.finding(
        "write-lock-saturated", Severity.WARNING,
        f"the write lock is held {units.share(used)} of the time by {count(len(takers), 'process')} in turn "
        f"({_shares(case, takers)}){_waits(case)}",
        "Make each hold shorter and rarer, as there is only one write lock: put many small writes into one "
        "transaction, prepare data before BEGIN, use synchronous=NORMAL in WAL mode, or let one process write for "
        "all. Try what that brings with: sqlwatch simulate --compare.",
        write_lock_utilisation=used, by_process=_by_process(takers), waiting=list(case.waiting),
        commits_per_s=case.snapshot.commits_per_s,
    )  # fmt: skip


def hog(case: Case) -> Iterable[Finding]:
    """Name one process that takes nearly every turn while others wait."""
    used = case.observed.write_utilisation
    if not _is_judged(case) or used is None or used < case.limits.hog_utilisation_share:
        return
    takers = _takers(case)
    top = takers[0]
    of_held = (top.utilisation or 0.0) / used
    others = tuple(pid for pid in case.waiting if pid != top.pid)
    if case.look.waiters is None:
        others = tuple(one.pid for one in takers[1:])  # who waits cannot be seen: whoever got a turn may have waited
    if of_held < case.limits.hog_share or not others or top.pid <= 0:
        return
    yield case.finding(
        "write-lock-hog", Severity.WARNING,
        f"{case.named(top.pid)} has the write lock {units.share(top.utilisation)} of the time, "
        f"{units.share(of_held)} of all holds; {case.listed(others)} get{'s' if len(others) == 1 else ''} what is "
        "left",
        "Let that process pause between its transactions, for longer than they take, or do its work in fewer and "
        "larger ones: waiters sleep up to 100 ms between two tries and miss the short moments in which the lock is "
        "free.",
        pid=top.pid, utilisation=top.utilisation, share_of_held=of_held, by_process=_by_process(takers),
        waiting=[pid for pid in case.waiting if pid != top.pid], **case.about(top.pid),
    )  # fmt: skip


def rollback(case: Case) -> Iterable[Finding]:
    """Advise to leave the rollback journal where several processes use the database."""
    if case.is_wal:
        return
    users = tuple(sorted(one.pid for one in case.observed.participants if one.is_open))
    is_concurrent = len(users) > 1 and (
        case.writer is not None or bool(case.waiting or case.observed.window_commits or case.observed.write_utilisation)
    )
    use = "one process uses it at most"
    if len(users) > 1:
        use = f"{len(users)} processes {'use it' if is_concurrent else 'have it open'} ({case.listed(users)})"
    yield case.finding(
        "rollback-journal", Severity.WARNING if is_concurrent else Severity.INFO,
        f"the database is in rollback-journal mode, in which readers and writers keep each other out, and {use}",
        "Switch to WAL once, while nobody else has it open: PRAGMA journal_mode=WAL. It stays so; readers then "
        "never wait for a writer, nor a writer for readers. (Not on a network file system.)",
        journal_mode="rollback", processes=list(users), waiting=list(case.waiting),
        commits_per_s=case.snapshot.commits_per_s,
    )  # fmt: skip


def logged_errors(case: Case) -> Iterable[Finding]:
    """Report busy errors that applications wrote into their logs."""
    busy = case.observed.busy
    if busy is None:
        return
    instant = busy.counts.get(LogKind.BUSY_SNAPSHOT, 0)
    newest = {line.kind: line for line in busy.newest}
    if instant:
        line = newest.get(LogKind.BUSY_SNAPSHOT)
        had = "it" if instant == 1 else "they"
        yield case.finding(
            "instant-busy", Severity.CRITICAL,
            f"{count(instant, 'transaction')} failed at once with SQLITE_BUSY_SNAPSHOT: {had} had read first, "
            "another one committed, and no busy timeout helps then",
            "Begin every transaction that will write with BEGIN IMMEDIATE (Django: OPTIONS transaction_mode "
            "IMMEDIATE; Rails 8: the default; SQLAlchemy, Go and Rust: begin it so explicitly). Then it waits its "
            "turn before it reads.",
            count=instant, newest=line.text if line else None, source=line.source if line else None,
            logged_at=line.logged_at if line else None,
        )  # fmt: skip
    others = busy.busy_errors - instant
    if others:
        line = newest.get(LogKind.BUSY) or newest.get(LogKind.BUSY_RECOVERY)
        yield case.finding(
            "busy-errors", Severity.WARNING,
            f"{count(others, 'busy error')} (database is locked) in the logs: the lock was not free before the "
            "busy timeout was over",
            "See who holds the write lock for long, above or in sqlwatch watch. Give every connection a busy "
            "timeout of some seconds (PRAGMA busy_timeout=5000), and begin transactions that write with BEGIN "
            "IMMEDIATE: one that reads first is refused at once, without any wait.",
            count=others, newest=line.text if line else None, source=line.source if line else None,
            logged_at=line.logged_at if line else None, slow_statements=busy.counts.get(LogKind.SLOW, 0),
        )  # fmt: skip


def _is_judged(case: Case) -> bool:
    """Tell whether there are enough looks, and no single long hold, which other rules name, makes the share."""
    longest = case.observed.longest_hold
    if longest is not None and longest.until_ns - longest.since_ns >= case.limits.long_hold_ns:
        return False
    return case.observed.looks >= case.limits.least_looks and bool(_takers(case))


def _takers(case: Case) -> list[Participant]:
    """Return who held the write lock in the window, the highest share first."""
    return [one for one in case.observed.participants if one.utilisation]


def _shares(case: Case, takers: list[Participant], most: int = 4) -> str:
    words = [f"{case.named(one.pid)} {units.share(one.utilisation)}" for one in takers[:most]]
    more = len(takers) - len(words)
    return ", ".join(words) + (f", {more} more" if more > 0 else "")


def _waits(case: Case) -> str:
    number = len(case.waiting)
    return f"; {count(number, 'process')} seem{'s' if number == 1 else ''} to wait for it" if number else ""


def _by_process(takers: list[Participant]) -> list[dict[str, Any]]:
    return [{"pid": one.pid, "utilisation": one.utilisation} for one in takers]


RULES: Final = (
    logged_errors, hog, saturated, rollback,
)  # fmt: skip
