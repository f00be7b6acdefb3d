from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.observe.log_lines import LONGEST, LineReader, age_of, meaning_of

BUSY = [
    "sqlite3.OperationalError: database is locked",
    "django.db.utils.OperationalError: database is locked",
    "[2026-01-02 03:04:05,678] ERROR in app: (sqlite3.OperationalError) database is locked",
    "SQLite3::BusyException: database is locked",
    "ActiveRecord::StatementTimeout (SQLite3::BusyException: database is locked):",
    "2026/01/02 03:04:05 insert: database is locked (5) (SQLITE_BUSY)",
    "2026/01/02 03:04:05 exec: sqlite3: database is locked",
    "Error: error returned from database: (code: 5) database is locked",
    'SqliteFailure(Error { code: DatabaseBusy, extended_code: 5 }, Some("database is locked"))',
    "SqliteError: database is locked code: 'SQLITE_BUSY'",
    "Error: SQLITE_BUSY: database is locked",
    "Microsoft.Data.Sqlite.SqliteException (0x80004005): SQLite Error 5: 'database is locked'.",
    "android.database.sqlite.SQLiteDatabaseLockedException: database is locked (code 5)",
    "org.sqlite.SQLiteException: [SQLITE_BUSY] The database file is locked (database is locked)",
    "PHP Fatal error: SQLSTATE[HY000]: General error: 5 database is locked",
    "** (Exqlite.Error) Database busy",
    'time="2026-01-02T03:04:05Z" level=error msg="exec query: database is locked"',
    '{"level":"error","ts":"2026-01-02T03:04:05Z","error":"database is locked (5) (SQLITE_BUSY)"}',
    "\x1b[31mERROR\x1b[0m database is \x1b[1mlocked\x1b[0m",
    "Runtime error near line 1: database is locked (5)",
    "SQLITE_BUSY_TIMEOUT (773)",
]
OTHERS = {
    "SqliteFailure(Error { extended_code: 517 }) database is locked": LogKind.BUSY_SNAPSHOT,
    "error returned from database: (code: 517) database is locked": LogKind.BUSY_SNAPSHOT,
    "2026/01/02 03:04:05 database is locked (517) (SQLITE_BUSY_SNAPSHOT)": LogKind.BUSY_SNAPSHOT,
    "cannot start a transaction: SQLITE_BUSY_SNAPSHOT": LogKind.BUSY_SNAPSHOT,
    "sqlite: database is locked (261)": LogKind.BUSY_RECOVERY,
    "SQLITE_BUSY_RECOVERY on open": LogKind.BUSY_RECOVERY,
    "sqlite3.OperationalError: database table is locked": LogKind.TABLE_LOCKED,
    "database schema is locked: main": LogKind.TABLE_LOCKED,
}
NOTHING = [
    "",
    "the line is busy, try again (5)",
    "took (5) seconds",
    "file is locked by another user",
    "account locked after 5 attempts, error 5",
    "GET /database/lock 200 in 5ms",
    "database connection pool: 5 of 10 busy",
    "opening database app.db (5 tables)",
    "sqlite version 3.45.1, 517 pages",
    "INSERT INTO t VALUES (5) took 3ms",
    "worker took 5.0s to start",
    "code: 5 locked out of the building",
]


@pytest.mark.parametrize("line", BUSY)
def test_busy_in_every_language(line: str) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert meaning.kind is LogKind.BUSY


@pytest.mark.parametrize(("line", "kind"), OTHERS.items())
def test_the_other_kinds(line: str, kind: LogKind) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert meaning.kind is kind


@pytest.mark.parametrize("line", NOTHING)
def test_what_means_nothing(line: str) -> None:
    assert meaning_of(line) is None


@pytest.mark.parametrize(
    ("line", "took_ms"),
    [
        ("  Message Create (5003.2ms)  INSERT INTO messages (body) VALUES (?)", 5003.2),
        ("(5.003) UPDATE app_user SET name = 'x'; args=('x',)", 5003),
        ('slow statement: execution time exceeded db.statement="insert into t" elapsed=5.01s', 5010),
        ("duration: 5003 ms  statement: DELETE FROM jobs", 5003),
        ("slow sql 30.1s: COMMIT", 30_100),
        ("BEGIN IMMEDIATE elapsed_secs=5.002", 5002),
    ],
)
def test_a_statement_as_slow_as_a_timeout_was_probably_a_wait(line: str, took_ms: float) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert (meaning.kind, meaning.took_ns) == (LogKind.SLOW, round(took_ms * 1e6))


@pytest.mark.parametrize("line", ["INSERT INTO t took 4.2s", "INSERT INTO t took 700ms", "(12.003) UPDATE t SET x=1"])
def test_other_slow_statements_are_none_of_ours(line: str) -> None:
    assert meaning_of(line) is None


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-02 03:04:05,678", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00", "2026/01/02 03:04:05",
        "Jan  2 03:04:05", "02/Jan/2026:03:04:05 +0000", "03:04:05.123",
    ],
)  # fmt: skip
def test_the_line_s_own_time_is_kept_as_it_stands(stamp: str) -> None:
    meaning = meaning_of(f"[{stamp}] host app[7]: database is locked")
    assert meaning is not None
    assert meaning.logged_at == stamp


def test_how_long_ago_that_was() -> None:
    now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    for stamp in (
        "2026-01-02T11:59:00Z", "2026-01-02 11:59:00,000", "2026/01/02 11:59:00", "Jan  2 11:59:00", "11:59:00",
        "02/Jan/2026:11:59:00 +0000", "2026-01-02T13:59:00+02:00",
    ):  # fmt: skip
        assert age_of(stamp, now) == timedelta(minutes=1), stamp
    assert age_of("2026-01-01T12:00:00Z", now) == timedelta(days=1)
    assert age_of(None, now) is None
    assert age_of("99:99:99", now) is None
    local = now.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo)
    assert age_of("2026-01-02 16:59:00", local) == timedelta(minutes=1), "local time"
    assert age_of("2026-01-02 11:59:00", local) == timedelta(minutes=1), "or UTC"


def test_a_traceback_that_names_its_cause_is_one_error() -> None:
    reader = LineReader()
    traceback = [
        "Traceback (most recent call last):",
        "sqlite3.OperationalError: database is locked",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        "django.db.utils.OperationalError: database is locked",
    ]
    assert [reader.read(line) is not None for line in traceback * 2].count(True) == 2
    java = ["E: android.database.sqlite.SQLiteDatabaseLockedException", "\tat x", "Caused by: database is locked (5)"]
    assert [LineReader().read(line) is not None for line in java][:2] == [True, False]
    reader = LineReader()
    assert [reader.read(line) is not None for line in java] == [True, False, False]
    assert reader.read("database is locked") is not None


@given(st.text())
def test_no_text_is_too_strange(line: str) -> None:
    meaning_of(line)


@given(st.binary())
def test_no_bytes_are_too_strange(data: bytes) -> None:
    LineReader().read(data.decode(errors="replace"))


@pytest.mark.parametrize(
    "piece", ["a", " ", "(", "5.", "sqlite general error ", "1:", "insert into 5s ", "table x is "]
)
def test_a_huge_line_costs_little(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    began_s = time.process_time()
    meaning_of(line)
    assert time.process_time() - began_s < 0.2
    assert len(line) > LONGEST
