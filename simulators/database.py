"""Connections and statements: what a worker says to SQLite, in one place.

Only worker processes import this module, and apsw is the only SQLite library in them: two libraries in one process
would ignore each other's locks.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Final

import apsw

from simulators.events import Checkpoint, CheckpointKind
from simulators.workload import Begin, Workload

APPLICATION_ID: Final = 0x73716C77
"""PRAGMA application_id of the databases we make ("sqlw"), at byte 68 of the file."""

SCHEMA: Final = (
    "CREATE TABLE entry("
    "id INTEGER PRIMARY KEY, worker INTEGER NOT NULL, number INTEGER NOT NULL, payload BLOB NOT NULL)",
    "CREATE TABLE counter(id INTEGER PRIMARY KEY, value INTEGER NOT NULL)",
    "INSERT INTO counter VALUES(1, 0)",
)

BEGIN: Final = {Begin.IMMEDIATE: "BEGIN IMMEDIATE", Begin.DEFERRED: "BEGIN", Begin.EXCLUSIVE: "BEGIN EXCLUSIVE"}
READ_COUNTER: Final = "SELECT value FROM counter WHERE id = 1"
WRITE_COUNTER: Final = "UPDATE counter SET value = ? WHERE id = 1"


CONNECT_TIMEOUT_MS: Final = 10_000
"""How long opening may wait; the worker's own busy policy takes over afterwards."""


def connect(path: Path, workload: Workload, *, read_only: bool = False) -> apsw.Connection:
    """Open a database that exists; checkpoints are ours to run, also when the last connection closes."""
    # A journal that a killed writer left must be rolled back by whoever reads next, and who may not write cannot.
    opens_read_only = read_only and workload.has_wal
    flags = apsw.SQLITE_OPEN_READONLY if opens_read_only else apsw.SQLITE_OPEN_READWRITE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(CONNECT_TIMEOUT_MS)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.wal_autocheckpoint(0)
    if not workload.has_wal:  # which of the three it is, each connection decides for itself
        connection.pragma("journal_mode", workload.journal_mode.value)
        connection.pragma("query_only", read_only)
    connection.execute(f"PRAGMA synchronous = {workload.synchronous.value}")
    return connection


def make_payload(workload: Workload, worker: int) -> bytes:
    """Return the payload of one row: random bytes that depend on the seed and the worker."""
    return random.Random(f"{workload.seed} payload {worker}").randbytes(workload.payload.bytes)


def checkpoint_is_due(connection: apsw.Connection, frames: int) -> bool:
    """Tell whether the WAL has at least `frames` frames (0 is never).

    Asks for SQLITE_CHECKPOINT_NOOP, which reads the wal-index and normally takes no lock; if another process is just
    changing the wal-index it says busy, and the question is asked again after the next transaction.
    """
    if not frames:
        return False
    try:
        wal_frames, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    except apsw.BusyError:
        return False
    return wal_frames >= frames


_CHECKPOINT_MODES: Final = {
    CheckpointKind.PASSIVE: apsw.SQLITE_CHECKPOINT_PASSIVE,
    CheckpointKind.FULL: apsw.SQLITE_CHECKPOINT_FULL,
    CheckpointKind.RESTART: apsw.SQLITE_CHECKPOINT_RESTART,
    CheckpointKind.TRUNCATE: apsw.SQLITE_CHECKPOINT_TRUNCATE,
}


def run_checkpoint(connection: apsw.Connection, kind: CheckpointKind = CheckpointKind.PASSIVE) -> Checkpoint:
    """Run one checkpoint; that somebody is in its way is an outcome, not an error.

    SQLite's own automatic checkpoint runs inside COMMIT after the write lock is released; run and timed here, it is
    neither in the hold nor in the commit latency.
    """
    started_ns = time.monotonic_ns()
    wal_frames = backfilled = outcome = 0
    # A TRUNCATE that succeeds says 0 of 0, for then there is no WAL any more; what it copied is what was there before.
    frames_before = _frames(connection)[0] if kind is CheckpointKind.TRUNCATE else 0
    try:
        wal_frames, backfilled = connection.wal_checkpoint(mode=_CHECKPOINT_MODES[kind])
    except (apsw.BusyError, apsw.FullError, apsw.IOError) as error:
        outcome = code_of(error)
    ended_ns = time.monotonic_ns()
    if kind is CheckpointKind.TRUNCATE and outcome == 0:
        wal_frames = backfilled = frames_before
    elif kind is not CheckpointKind.PASSIVE and outcome:
        wal_frames, backfilled = _frames(connection)  # what it did before it gave up, which apsw does not tell
    return Checkpoint(started_ns, ended_ns, wal_frames, backfilled, outcome, kind)


def _frames(connection: apsw.Connection) -> tuple[int, int]:
    """Return how many frames the WAL has and how many of them are in the database; (0, 0) if that is just changing."""
    try:
        wal_frames, backfilled = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    except apsw.BusyError:
        return 0, 0
    return wal_frames, backfilled


def code_of(error: apsw.Error) -> int:
    """Return SQLite's extended result code of an error; raise the error again if it has none."""
    code: int | None = getattr(error, "extendedresult", None)
    if code is None:
        raise error
    return code


def cache_status(connection: apsw.Connection) -> tuple[int, int]:
    """Return how many page look-ups the connection's cache has answered, and how many not."""
    hits, _ = connection.status(apsw.SQLITE_DBSTATUS_CACHE_HIT)
    misses, _ = connection.status(apsw.SQLITE_DBSTATUS_CACHE_MISS)
    return hits, misses
