"""What was seen of a database as plain text: the verdict, what to do, then locks, WAL and rates; 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose import Finding, Severity, observation_headline
from sqlwatch.diagnose.hidden import ALWAYS_HIDDEN, hidden_words
from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.metrics.observations import READ_LOCKS, JournalMode, LockKind, LockName, Look, Process
from sqlwatch.metrics.observed import HeldLock, Observed
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.report.plain import WIDTH, cut, number, wrapped

_NAMES: Final = {
    LockName.RECOVER: "recovery",
    LockName.RESERVED: "write (reserved)",
    LockName.PENDING: "write (pending)",
}
_QUIET_LOCKS: Final = (LockName.DMS,)
"""Held by everybody who has the -shm open: that is listed as having the database open."""
_MOST_ROWS: Final = 12


def why_text(snapshot: Snapshot, findings: Sequence[Finding], *, all_findings: bool = False) -> str:
    """Return the report on an observed database, without a line end after its last line.

    Informational findings are counted only, unless `all_findings`.
    """
    observed = snapshot.observation
    assert observed is not None, "only observations have such a report"
    shown = [finding for finding in findings if all_findings or finding.severity is not Severity.INFO]
    also = len(findings) - len(shown)
    verdict = observation_headline(snapshot, shown[:1])
    parts = [
        wrapped(f"{observed.database}: {verdict}", hanging="  "),
        *(_finding(finding, is_told=finding.summary == verdict) for finding in shown),
        _locks(observed, observed.look) if observed.look is not None else [],
        _figures(snapshot, observed, observed.look) if observed.look is not None else [],
        _busy(observed),
        [f"Findings: {'no others' if shown else 'none'}{f' ({also} informational, listed with --all)' * bool(also)}"]
        if also or not shown
        else [],
        _hidden(observed),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _hidden(observed: Observed) -> list[str]:
    lines = ["Not visible"]
    for words in (*hidden_words(observed), ALWAYS_HIDDEN):
        lines += wrapped(words, "  ", "    ")
    return lines


def _locks(observed: Observed, look: Look) -> list[str]:
    pinning = {pin.pid for pin in observed.pins}
    rows = [_lock_row(look, held) for held in observed.locks if _is_telling(held, look, pinning)]
    rows += [
        _row("seems to wait", one.pid, _age(one.waiting_for_ns), one.process)
        for one in observed.participants
        if one.waiting_for_ns is not None
    ]
    mode = "WAL" if look.facts.journal_mode is JournalMode.WAL else "rollback-journal"
    title = f"Locks ({mode} mode, {_open_words(look)})"
    if not rows:
        return [f"{title}: none held"]
    hidden = len(rows) - _MOST_ROWS
    more = [f"  ... and {hidden} more"] if hidden > 0 else []
    return [title, *rows[:_MOST_ROWS], *more]


def _open_words(look: Look) -> str:
    if look.open_files is None:
        return "who has it open cannot be seen"
    count = len({file.pid for file in look.open_files} | {process.pid for process in look.processes})
    return f"open in {count} process{'' if count == 1 else 'es'}"


def _is_telling(held: HeldLock, look: Look, pinning: set[int]) -> bool:
    """Leave out what every connection holds, and what a writer holds besides unless it pins frames."""
    if held.lock in _QUIET_LOCKS:
        return False
    if held.lock in READ_LOCKS and held.pid not in pinning:
        return held.pid not in {one.pid for one in look.held_by(LockName.WRITE)}
    if held.lock in (LockName.RESERVED, LockName.PENDING) and look.held_by(LockName.EXCLUSIVE):
        return held.pid not in {one.pid for one in look.held_by(LockName.EXCLUSIVE)}  # the same writer, further on
    is_wal = look.facts.journal_mode is JournalMode.WAL
    return not (is_wal and held.lock is LockName.SHARED and held.kind is LockKind.SHARED)


def _lock_row(look: Look, held: HeldLock) -> str:
    name = _NAMES.get(held.lock, held.lock.value)
    if held.lock in READ_LOCKS:
        name = "read" if held.kind is LockKind.SHARED else f"{name} (exclusive)"
    if held.lock is LockName.SHARED:
        name = "read"
    if held.frame:
        name = f"{name} frame {held.frame:,}"
    age = f"{'> ' * (held.is_lower_bound and held.held_ns > 0)}{_age(held.held_ns)}"
    return _row(name, held.pid, age, look.process(held.pid))


def _age(age_ns: int) -> str:
    return units.duration(age_ns) if age_ns else "just now"


def _row(name: str, pid: int, age: str, process: Process | None) -> str:
    who = str(pid) if pid > 0 else "?"
    return cut(f"  {name:<18} {who:>7} {age:>8}  {_words(process)}", WIDTH)


def _words(process: Process | None) -> str:
    if process is None:
        return "not visible from here"
    activity = process.activity
    doing = activity.doing if activity is not None else None
    if activity is not None and activity.peer:
        doing = f"{doing or 'waits'} from {activity.peer}"
    said = " ".join(part for part in (process.state, doing) if part)
    return f"{said + ': ' if said else ''}{process.command or process.name or units.UNKNOWN}"


def _wal_words(snapshot: Snapshot, look: Look) -> str:
    wal, uncommitted = snapshot.wal, look.uncommitted_frames
    if look.facts.wal_bytes is None:
        return "no -wal file: nobody has written since the database was last closed"
    parts = [f"file {units.size(wal.file_bytes)}"]
    if wal.live_frames is not None:
        parts += [f"{number(wal.live_frames)} live frames", f"{number(wal.backfilled_frames)} copied into the database"]
    else:
        parts.append("no frame is committed yet" if not look.facts.wal_bytes else "which frames are live is not known")
    parts += [f"{number(uncommitted)} not committed yet"] if uncommitted else []
    parts += [f"{number(wal.resets)} resets"] if wal.resets else []
    return ", ".join(parts)


def _figures(snapshot: Snapshot, observed: Observed, look: Look) -> list[str]:
    held = units.share(observed.write_utilisation)
    floor = "what is not known" if observed.utilisation_floor is None else f"{observed.utilisation_floor:.2%}"
    takers = ", ".join(f"{one.pid} {units.share(one.utilisation)}" for one in observed.participants if one.utilisation)
    lines = wrapped(
        f"Write lock  held {held} of {units.duration(observed.window_ns)}"
        f"{f' (by process: {takers})' if takers else ''}, from {observed.looks} looks: shares below {floor} are not "
        "seen",
        hanging=" " * 12,
    )
    exact = "" if observed.commits_are_exact else " or more"
    each = observed.frames_per_commit
    pages = f", {each:.1f} pages each" if each is not None else ""
    lines += wrapped(
        f"Commits     {number(observed.window_commits)}{exact} ({units.rate(snapshot.commits_per_s)}){pages}"
    )
    if look.facts.journal_mode is JournalMode.WAL:
        lines += wrapped(f"WAL         {_wal_words(snapshot, look)}", hanging=" " * 12)
    else:
        size = look.facts.journal_bytes
        lines += wrapped(f"Journal     {'no file now' if size is None else units.size(size)}")
    return lines


def _busy(observed: Observed) -> list[str]:
    busy = observed.busy
    if busy is None or not busy.sources:
        return []
    counted = ", ".join(f"{count} {kind.value}" for kind, count in busy.counts.items()) or "none"
    lines = wrapped(f"Busy errors in {', '.join(busy.sources)}: {counted}", hanging="  ")
    for line in [line for line in busy.newest if line.kind is not LogKind.SLOW][-2:]:
        lines += wrapped(line.text, "  ", "    ")[:2]
    return lines


def _finding(finding: Finding, *, is_told: bool) -> list[str]:
    """Return code, summary (unless it is told already) and what to do, a paragraph a step."""
    title = f"{finding.severity.value.upper()} {finding.code}: "
    lines = wrapped(title + ("what to do" if is_told else finding.summary), hanging="  ")
    for step in finding.remedy.splitlines():
        lines += wrapped(step, "  ", "    ")
    return lines
