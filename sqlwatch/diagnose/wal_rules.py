"""Rules about the WAL and the files: pins, spills, missing checkpoints, leftovers, deleted files, where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlwatch.charts import units
from sqlwatch.diagnose.case import Case, count, release_words, state_words
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.metrics.observations import FileRole

_FRAME_HEADER_BYTES: Final = 24
"""https://sqlite.org/fileformat.html#the_write_ahead_log"""


def pinned(case: Case) -> Iterable[Finding]:
    """Name the reader whose snapshot keeps the WAL from being copied and reused."""
    if not case.pins:
        return
    worst = case.pins[0]
    others = tuple(pin.pid for pin in case.pins[1:])
    also = f"; so do{'es' if len(others) == 1 else ''} {case.listed(others)}" if others else ""
    stops = "no frame can be copied" if worst.slot == 0 else f"nothing after frame {worst.frame:,} can be copied"
    wal = case.snapshot.wal
    yield case.finding(
        "pinned-wal", Severity.WARNING,
        f"{case.named(worst.pid)} has been reading the same snapshot for "
        f"{case.age(worst)}{state_words(case.process(worst.pid))} and holds back "
        f"{count(worst.frames_held_back, 'frame')} of the WAL ({units.size(wal.file_bytes)}): {stops}{also}",
        f"{release_words(worst.pid, case.process(worst.pid))}, which frees the WAL: the next checkpoint catches up.\n"
        "For good: finish that read: fetch all rows or close the cursor, commit the read transaction, do not leave "
        "a connection idle in one. A checkpoint stops at the oldest snapshot that is still read, so the WAL grows.",
        pid=worst.pid, since_ns=worst.held_ns, held_s=worst.held_ns / 1e9, held_is_lower_bound=worst.is_lower_bound,
        slot=worst.slot, frame=worst.frame, frames_held_back=worst.frames_held_back,
        backfilled_frames=wal.backfilled_frames, live_frames=wal.live_frames, wal_bytes=wal.file_bytes,
        also=list(others), **case.about(worst.pid),
    )  # fmt: skip


def spilled(case: Case) -> Iterable[Finding]:
    """Report a transaction so large that it has spilled into the WAL before its commit."""
    frames, writer = case.look.uncommitted_frames, case.writer
    if frames is None or frames < case.limits.spilled_frames or writer is None:
        return
    if writer.held_ns < case.limits.long_hold_ns:
        return  # a large commit is written in one go, too
    size = frames * (case.look.facts.page_size + _FRAME_HEADER_BYTES)
    yield case.finding(
        "spilled-transaction", Severity.WARNING,
        f"{case.named(writer.pid)} has written {count(frames, 'frame')} ({units.size(size)}) into the WAL in one "
        f"transaction that is not committed yet, after {case.age(writer)}",
        "Commit in batches of some thousand rows, or give the transaction more room with PRAGMA cache_size: it no "
        "longer fits into the page cache, and until it commits nobody else can write and none of it can be "
        "checkpointed.",
        pid=writer.pid, since_ns=writer.held_ns, uncommitted_frames=frames, uncommitted_bytes=size,
        held_s=writer.held_ns / 1e9, held_is_lower_bound=writer.is_lower_bound, **case.about(writer.pid),
    )  # fmt: skip


def no_checkpoints(case: Case) -> Iterable[Finding]:
    """Report a backlog that grows though nobody pins it: automatic checkpoints must be off.

    One that only stands there proves nothing, a reader may have been in the way when it came: SQLite tries a
    checkpoint after a commit (sqlite3WalDefaultHook), so the next one tells.
    """
    backlog = case.observed.least_backlog_frames
    if backlog is None or case.checkpointer is not None or not any(one.is_open for one in case.observed.participants):
        return
    size = backlog * (case.look.facts.page_size + _FRAME_HEADER_BYTES)
    in_the_way = [pin for pin in case.observed.pins if pin.frames_held_back >= case.limits.pinned_frames]
    if size < case.limits.unchecked_bytes or in_the_way:
        return
    grows = bool(case.observed.backlog_growth_frames)
    waiting = f"{count(backlog, 'frame')} ({units.size(size)}) of the WAL wait to be copied into the database"
    yield case.finding(
        "no-checkpoints", Severity.WARNING if grows else Severity.INFO,
        f"{waiting} and their number grows, no reader is in the way, and nobody runs a checkpoint"
        if grows else f"{waiting}, and nobody has written since we look: the next commit should copy them",
        "Now: PRAGMA wal_checkpoint(TRUNCATE), from any connection, copies them and empties the file.\n"
        "For good: some connection has PRAGMA wal_autocheckpoint=0 (or a very large value), and whoever should run "
        "checkpoints instead does not. Leave it at 1000, or run a checkpoint regularly, for example once a minute."
        if grows else
        "Nothing is wrong yet: SQLite runs a checkpoint by itself after a commit that finds 1000 frames or more. If "
        "they still wait after the next commit, automatic checkpoints are off (PRAGMA wal_autocheckpoint=0); PRAGMA "
        "wal_checkpoint(TRUNCATE) copies them.",
        backlog_frames=backlog, backlog_bytes=size, backlog_growth_frames=case.observed.backlog_growth_frames,
        live_frames=case.snapshot.wal.live_frames, backfilled_frames=case.snapshot.wal.backfilled_frames,
        commits=case.observed.window_commits,
    )  # fmt: skip


def hot(case: Case) -> Iterable[Finding]:
    """Report a WAL that a crash left, with nobody there to recover it."""
    frames = case.look.recoverable_frames
    if not frames:
        return
    yield case.finding(
        "hot-wal", Severity.INFO,
        f"nobody has the database open, and its -wal file holds {count(frames, 'committed frame')}: the last "
        "program to use it did not close it",
        "Nothing is lost: the next program that opens the database recovers these frames. Do not delete the -wal "
        "file, that would throw away commits; when you copy the database, copy the -wal with it.",
        recoverable_frames=frames, wal_bytes=case.look.facts.wal_bytes,
    )  # fmt: skip


def oversized(case: Case) -> Iterable[Finding]:
    """Report a -wal file whose size is history: nearly all of it has been copied."""
    size, wal, page = case.look.facts.wal_bytes, case.snapshot.wal, case.look.facts.page_size + _FRAME_HEADER_BYTES
    if size is None or size < case.limits.oversized_bytes or wal.backlog_frames is None or case.pins:
        return
    if case.look.recoverable_frames or case.look.uncommitted_frames or wal.backlog_frames * page * 4 > size:
        return
    yield case.finding(
        "oversized-wal", Severity.INFO,
        f"the -wal file is {units.size(size)} long, but only {count(wal.backlog_frames, 'frame')} of it are still "
        "needed: its size is that of an earlier peak",
        "SQLite reuses the file from its beginning and does not shrink it. PRAGMA wal_checkpoint(TRUNCATE) gives "
        "the space back once, PRAGMA journal_size_limit keeps it small. Never delete the file.",
        wal_bytes=size, live_frames=wal.live_frames, backfilled_frames=wal.backfilled_frames,
        backlog_frames=wal.backlog_frames,
    )  # fmt: skip


def unlinked(case: Case) -> Iterable[Finding]:
    """Name processes that use a file that has been deleted or replaced under its name."""
    roles = (FileRole.WAL, FileRole.SHM, FileRole.DATABASE)
    stale = [file for file in case.look.open_files or () if not file.is_current and file.role in roles]
    for pid in dict.fromkeys(file.pid for file in stale):
        files = sorted({file.role for file in stale if file.pid == pid}, key=roles.index)
        names = " and ".join("database file" if role is FileRole.DATABASE else f"-{role.value}" for role in files)
        gone = all(file.is_deleted for file in stale if file.pid == pid)
        yield case.finding(
            "unlinked-wal", Severity.CRITICAL,
            f"{case.named(pid)} still uses a {names} that has been {'deleted' if gone else 'replaced'} under it: "
            "what it writes there is lost to everybody else",
            f"Stop process {pid} (and whoever else is named here) before anybody writes more, and start it again. "
            f"While it lives, what it wrote can be copied from /proc/{pid}/fd. Never delete or replace -wal, -shm "
            "or the database while a program uses it: not in a deployment, a backup or a restore script.",
            pid=pid, files=[role.value for role in files], deleted=gone, **case.about(pid),
        )  # fmt: skip


def lost_locks(case: Case) -> Iterable[Finding]:
    """Name processes that have the database open without the locks that SQLite keeps for them."""
    for lost in case.look.lost_locks:
        if lost.forked_from is not None:
            continue  # a child that only inherited the descriptors does no harm
        missing = ", ".join(lock.value for lock in lost.missing)
        yield case.finding(
            "lost-locks", Severity.CRITICAL,
            f"{case.named(lost.pid)} has the database open but has lost its locks ({missing}): others may "
            "overwrite what it writes",
            f"Restart process {lost.pid}. Something in it opened and closed one of the database's files by itself "
            "(a backup, a hash, a second copy of the SQLite library), and closing any descriptor drops all POSIX "
            "locks of a process on that file. Use the backup API or VACUUM INTO instead, or copy the file from "
            "another process.",
            pid=lost.pid, missing=[lock.value for lock in lost.missing], **case.about(lost.pid),
        )  # fmt: skip


def network(case: Case) -> Iterable[Finding]:
    """Warn of a file system whose locks or shared memory cannot be trusted."""
    facts = case.look.facts
    if not facts.is_network_file_system:
        return
    yield case.finding(
        "network-filesystem", Severity.WARNING,
        f"the database lies on a network file system ({facts.file_system}): its locks may not work, and WAL mode "
        "needs memory that all processes share, which two machines do not have",
        "Move the database to a local disk, and let one machine serve it to the others. If it must stay, use it "
        "from one machine only and not in WAL mode.",
        file_system=facts.file_system, mount_point=facts.mount_point,
    )  # fmt: skip


RULES: Final = (
    unlinked, lost_locks, pinned, spilled, no_checkpoints, network, hot, oversized,
)  # fmt: skip
