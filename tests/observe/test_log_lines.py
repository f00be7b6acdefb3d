"""What single lines mean: a table of what loggers of many languages write, and of what only looks like it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.observe.log_lines import LONGEST, meaning_of, sighting_of
from sqlwatch.observe.log_times import age_of, stamp_of

BUSY = [
    # Python
    "sqlite3.OperationalError: database is locked",
    "django.db.utils.OperationalError: database is locked",
    "[2026-01-02 03:04:05,678] ERROR in app: (sqlite3.OperationalError) database is locked",
    "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked",
    "2026-01-02 03:04:05 saving failed: OperationalError('database is locked') in INSERT INTO t VALUES (?)",
    "2026-01-02 03:04:05 INSERT INTO t VALUES (?) failed: OperationalError('database is locked')",
    "peewee.OperationalError: database is locked",
    "apsw.BusyError: BusyError: database is locked",
    # Ruby
    "SQLite3::BusyException: database is locked",
    "ActiveRecord::StatementTimeout (SQLite3::BusyException: database is locked):",
    "E, [2026-01-02T03:04:05.678901 #7] ERROR -- : SQLite3::BusyException: database is locked: INSERT INTO t",
    # Go
    "2026/01/02 03:04:05 insert: database is locked (5) (SQLITE_BUSY)",
    "2026/01/02 03:04:05 exec: sqlite3: database is locked",
    'time="2026-01-02T03:04:05Z" level=error msg="exec query: database is locked"',
    '{"level":"error","ts":"2026-01-02T03:04:05Z","error":"database is locked (5) (SQLITE_BUSY)"}',
    'level=error query="INSERT INTO t VALUES (?)" error="database is locked"',
    "level=error query='INSERT INTO t VALUES (?)' err='database is locked'",
    # Rust
    "Error: error returned from database: (code: 5) database is locked",
    'Database(SqliteError { code: 5, message: "database is locked" })',
    'SqliteFailure(Error { code: DatabaseBusy, extended_code: 5 }, Some("database is locked"))',
    "SqliteFailure(Error { code: DatabaseBusy, extended_code: 5 }, None)",
    "Error code 5: The database file is locked",
    "\x1b[2m2026-01-02T03:04:05Z\x1b[0m \x1b[31mERROR\x1b[0m app: SQLite failure: `database is locked`",
    # Node
    "SqliteError: database is locked",
    "Error: SQLITE_BUSY: database is locked",
    "  code: 'SQLITE_BUSY'",
    "[Error: SQLITE_BUSY: database is locked] { errno: 5, code: 'SQLITE_BUSY' }",
    # .NET
    "Microsoft.Data.Sqlite.SqliteException (0x80004005): SQLite Error 5: 'database is locked'.",
    '{"Exception":"SqliteException: SQLite Error 5: \\u0027database is locked\\u0027.","Level":"Error"}',
    # Java, Android, Kotlin
    "android.database.sqlite.SQLiteDatabaseLockedException: database is locked (code 5 SQLITE_BUSY): , while compiling",
    "01-02 03:04:05.678  1234  5678 E SQLiteLog: (5) database is locked",
    "Caused by: android.database.sqlite.SQLiteDatabaseLockedException",
    "org.sqlite.SQLiteException: [SQLITE_BUSY] The database file is locked (database is locked)",
    # PHP, Perl
    "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000]: General error: 5 database is locked in /srv/a.php:7",
    '{"message":"while executing \'INSERT INTO \\"t\\" (\\"a\\") VALUES(?)\':\\n\\nSQLSTATE[HY000]: General error: 5'
    ' database is locked","time":"2026-01-02T03:04:05+00:00"}',
    "DBD::SQLite::db do failed: database is locked at app.pl line 7.",
    # C, the shell, and others
    "app[7]: cannot save: database is locked",
    "Runtime error near line 1: database is locked (5)",
    "Error: stepping, database is locked (5)",
    "sqlite3_step returned 5",
    "SQLite error (code 5) in sync",
    "** (Exqlite.Error) Database busy",
    "SqliteException(5): while executing, database is locked, database is locked (code 5)",
    "SQLite3 returned ErrorBusy while attempting to perform step: database is locked",
    "SQLITE_BUSY_TIMEOUT (773)",
    "sqlite: error code: 773",
    # dressed up
    "\x1b[31mERROR\x1b[0m database is \x1b[1mlocked\x1b[0m",
    '{"log":"\\u001b[31msqlite3.OperationalError: database\\u001b[0m is locked\\n","stream":"stderr"}',
    "ERROR: DATABASE IS LOCKED",
    "caf\udce9 database is locked \ufffd",
]
OTHERS = {
    'SqliteFailure(Error { code: DatabaseBusy, extended_code: 517 }, S("database is locked"))': LogKind.BUSY_SNAPSHOT,
    "error returned from database: (code: 517) database is locked": LogKind.BUSY_SNAPSHOT,
    'Database(SqliteError { code: 517, message: "database is locked" })': LogKind.BUSY_SNAPSHOT,
    "2026/01/02 03:04:05 database is locked (517) (SQLITE_BUSY_SNAPSHOT)": LogKind.BUSY_SNAPSHOT,
    "2026/01/02 03:04:05 database is locked (517)": LogKind.BUSY_SNAPSHOT,
    "cannot start a transaction: SQLITE_BUSY_SNAPSHOT": LogKind.BUSY_SNAPSHOT,
    "[SQLITE_BUSY_SNAPSHOT] Another connection has already written (database is locked)": LogKind.BUSY_SNAPSHOT,
    "SqliteError: database is locked { code: 'SQLITE_BUSY_SNAPSHOT' }": LogKind.BUSY_SNAPSHOT,
    "sqlite error 517 in commit": LogKind.BUSY_SNAPSHOT,
    "sqlite: database is locked (261)": LogKind.BUSY_RECOVERY,
    "database is locked (code 261 SQLITE_BUSY_RECOVERY)": LogKind.BUSY_RECOVERY,
    "SQLITE_BUSY_RECOVERY on open": LogKind.BUSY_RECOVERY,
    "sqlite3.OperationalError: database table is locked": LogKind.TABLE_LOCKED,
    "sqlite3.OperationalError: database table is locked: t": LogKind.TABLE_LOCKED,
    "SQLite3::LockedException: database table is locked": LogKind.TABLE_LOCKED,
    "2026/01/02 03:04:05 database table is locked (262) (SQLITE_LOCKED_SHAREDCACHE)": LogKind.TABLE_LOCKED,
    "SQLite Error 6: 'database table is locked'.": LogKind.TABLE_LOCKED,
    "database schema is locked: main": LogKind.TABLE_LOCKED,
}  # fmt: skip
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
    "sqlite: applied migrations (5)",
    "sqlite import: error 5 of 7 was harmless",
    "sqlite3 ended, exit code 5",
    "INSERT INTO t VALUES (5) took 3ms",
    "worker took 5.0s to start",
    "code: 5 locked out of the building",
    "code: 517 near the database",
    "HTTP error 517 from the database proxy",
    # settings and explanations
    "SQLITE_BUSY_TIMEOUT=5000",
    "APP_SQLITE_BUSY_TIMEOUT=5000",
    '"SQLITE_BUSY_TIMEOUT": "30000"',
    "PRAGMA busy_timeout = 5000",
    "database busy timeout set to 5000 ms",
    "database busy: 42 %",
    "sqlite_busy_total 7",
    "will try again 5 times if the database is locked",
    "Retries when SQLite database is locked: 5",
    "the database is not locked any more",
    # somebody else's words
    "KeePass database is locked",
    "the database is locked for maintenance until 6 o'clock",
    "SELECT * FROM rooms WHERE locked = 1 AND busy = 0",
    "INSERT INTO notes (body) VALUES ('database is locked')",
    "UPDATE notes SET body = 'database is locked' WHERE id = 5",
    "SELECT id FROM notes WHERE body LIKE '%database is locked%'",
    'Note Create (0.2ms)  INSERT INTO "notes" ("body") VALUES (?)  [["title", "x"], ["body", "database is locked"]]',
    "DeviceBusyException: printer",
    "com.example.MySQLiteish: BusyWork",
]

SLOW = {
    "  Message Create (5003.2ms)  INSERT INTO messages (body) VALUES (?)": 5003.2,
    "  TRANSACTION (5012.0ms)  BEGIN immediate TRANSACTION": 5012,
    "(5.003) UPDATE app_user SET name = 'x'; args=('x',)": 5003,
    "(5.003) BEGIN; args=None; alias=default": 5003,
    '2026-01-02T03:04:05.678Z  WARN sqlx::query: slow statement: execution time exceeded alert threshold summary="INSE'
    'RT INTO t (a) …" db.statement="" rows_affected=0 rows_returned=0 elapsed=5.01s slow_threshold=1s': 5010,
    "insert into t …; rows affected: 0, rows returned: 0, elapsed: 5.003s": 5003,
    '{"msg":"query","sql":"DELETE FROM jobs","elapsed_ms":5003}': 5003,
    '{"msg":"query","sql":"DELETE FROM jobs","duration":5.003}': 5003,
    "[5027.352ms] [rows:0] CREATE TABLE `t` (`id` integer)": 5027.352,
    "duration: 5003 ms  statement: DELETE FROM jobs": 5003,
    "slow sql 30.1s: COMMIT": 30_100,
    "BEGIN IMMEDIATE elapsed_secs=5.002": 5002,
    "DELETE FROM sessions done after 1m0.02s": 60_020,
    "Failed executing DbCommand (30,012ms) [Parameters=[], CommandType='Text', CommandTimeout='30']": 30_012,
    "sqlite: exec took 10.004s": 10_004,
    'level=warn sql="UPDATE jobs SET state=?" took=5.00342s timeout=5s': 5003.42,
    "[5003.21ms] insert into `t` (`a`) values (?)": 5003.21,
}  # fmt: skip
NOT_SLOW = [
    "INSERT INTO t took 4.2s",
    "INSERT INTO t took 700ms",
    "INSERT INTO t took 4.9s",
    "INSERT INTO t took 5.3s",
    "(12.003) UPDATE t SET x=1",
    "job finished in 5.003s",
    "Update of the index took 5.003s",
    "create user: 5.003s",
    "sqlite: busy timeout set to 5s",
    "opening sqlite, statement timeout 30s",
    "slow query threshold: 5s",
    "retrying DELETE FROM t in 12s, interval=5s",
    "sqlite backup finished in 5.003s",
    "2026-01-02 03:05:05 INSERT INTO t VALUES (5)",
    "12:00:10 s=1 INSERT INTO t VALUES (5)",
    "SELECT count(*) FROM t (5003.2ms)",
]


@pytest.mark.parametrize("line", BUSY)
def test_busy_in_every_language(line: str) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert (meaning.kind, meaning.took_ns) == (LogKind.BUSY, None)


@pytest.mark.parametrize(("line", "kind"), OTHERS.items())
def test_the_other_kinds(line: str, kind: LogKind) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert meaning.kind is kind


@pytest.mark.parametrize("line", NOTHING)
def test_what_means_nothing(line: str) -> None:
    assert meaning_of(line) is None


@pytest.mark.parametrize(("line", "took_ms"), SLOW.items())
def test_a_statement_as_slow_as_a_timeout_was_probably_a_wait(line: str, took_ms: float) -> None:
    meaning = meaning_of(line)
    assert meaning is not None
    assert (meaning.kind, meaning.took_ns) == (LogKind.SLOW, round(took_ms * 1e6))


@pytest.mark.parametrize("line", NOT_SLOW)
def test_other_durations_are_none_of_ours(line: str) -> None:
    assert meaning_of(line) is None


STAMPS = [
    "2026-01-02 03:04:05,678", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00", "2026-01-02 03:04:05 +0000",
    "2026/01/02 03:04:05", "2026/01/02 03:04:05.678901", "Jan  2 03:04:05", "02/Jan/2026:03:04:05 +0000",
    "Fri, 02 Jan 2026 03:04:05", "Fri Jan 02 03:04:05.678901 2026", "01-02 03:04:05.678", "03:04:05.123",
]  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
def test_the_line_s_own_time_is_kept_as_it_stands(stamp: str) -> None:
    meaning = meaning_of(f"[{stamp}] host app[7]: database is locked")
    assert meaning is not None
    assert meaning.logged_at is not None
    assert stamp.endswith(meaning.logged_at)
    assert len(meaning.logged_at) >= len(stamp) - len("Fri, ")


@pytest.mark.parametrize(
    ("line", "stamp"),
    [
        ('{"level":"error","msg":"x","time":"2026-01-02T03:04:05Z"}', "2026-01-02T03:04:05Z"),
        ('{"msg":"born 1999-01-01 00:00:00","@timestamp":"2026-01-02T03:04:05Z"}', "2026-01-02T03:04:05Z"),
        ('{"level":50,"time":1767323045678,"msg":"x"}', "1767323045678"),
        ('{"level":"error","ts":1767323045.678,"msg":"x"}', "1767323045.678"),
        ('level=error msg="x" ts=2026-01-02T03:04:05Z', "2026-01-02T03:04:05Z"),
        ("I0102 03:04:05.678901 7 main.go:7] x", "I0102 03:04:05.678901"),
        ("nothing here", None),
        ('{"time":"now","took":12.5}', None),
    ],
)
def test_times_under_a_key(line: str, stamp: str | None) -> None:
    assert stamp_of(line) == stamp


def test_a_time_behind_the_error_is_not_that_of_the_line() -> None:
    meaning = meaning_of("database is locked: SELECT * FROM t WHERE at < '2016-11-25 18:01:28.5'")
    assert meaning is not None
    assert meaning.logged_at is None


def test_how_long_ago_that_was() -> None:
    now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    for stamp in (
        "2026-01-02T11:59:00Z", "2026-01-02 11:59:00,000", "2026/01/02 11:59:00", "Jan  2 11:59:00", "11:59:00",
        "02/Jan/2026:11:59:00 +0000", "2026-01-02T13:59:00+02:00", "01-02 11:59:00.123", "I0102 11:59:00.123",
        "1767355140", "1767355140000", "1767355140.0",
    ):  # fmt: skip
        assert age_of(stamp, now) == timedelta(minutes=1), stamp
    assert age_of("2026-01-01T12:00:00Z", now) == timedelta(days=1)
    for nothing in (None, "99:99:99", "2026-99-99 00:00:00", "2026-01-02T11:59:00+99:99", "yesterday"):
        assert age_of(nothing, now) is None
    local = now.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo)
    assert age_of("2026-01-02 16:59:00", local) == timedelta(minutes=1), "local time"
    assert age_of("2026-01-02 11:59:00", local) == timedelta(minutes=1), "or UTC"
    midnight = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
    assert age_of("23:59:30", midnight) == timedelta(minutes=1), "yesterday"
    assert age_of("Dec 31 23:59:30", midnight) == timedelta(minutes=1), "last year"


def test_an_error_at_the_end_of_a_long_line_is_seen_and_shown() -> None:
    line = "2026-01-02 03:04:05 INSERT INTO t VALUES (" + "?, " * 100_000 + "?) failed: database is locked"
    seen = sighting_of(line)
    assert seen is not None
    assert (seen.meaning.kind, seen.meaning.logged_at) == (LogKind.BUSY, "2026-01-02 03:04:05")
    assert "database is locked" in seen.text[:300]


@given(st.text())
def test_no_text_is_too_strange(line: str) -> None:
    meaning_of(line)


@given(st.lists(st.sampled_from([*BUSY, *OTHERS, *SLOW, *STAMPS, "'", '"', "\\", "{", "\x1b[", " "]), max_size=4))
def test_what_means_something_may_stand_in_any_company(parts: list[str]) -> None:
    meaning = meaning_of("".join(parts))
    if meaning is not None and meaning.logged_at is not None:
        age_of(meaning.logged_at, datetime(2026, 1, 2, tzinfo=UTC))


@given(st.sampled_from(STAMPS), st.integers(0, 20), st.text("0123456789:-/.,TZ +", max_size=10))
def test_no_time_is_too_strange(stamp: str, at: int, other: str) -> None:
    found = stamp_of(stamp[:at] + other + stamp[at:])
    age_of(found, datetime(2024, 2, 29, tzinfo=UTC))


HARD = [
    "a", " ", "(", "[", "5.", "1:", "sqlite general error ", "sqlite error ", "sqlite exec ", "insert into 5s ",
    "update " + "x" * 119 + " ", "table x is ", "database is ", "database is locked (", "time=2026-01-02 ", "\\",
    "\\u00", "\x1b[", "\x1b[0", "'", "select 'database is locked", "1,000", "5.003s ",
    "INSERT INTO 5.003s timeout ", "ts: ", "insert" + " " * 8, "BEGIN (5.003) ", "elapsed_", "duration",
    "2026-01-02T03:04:0",
]  # fmt: skip


@pytest.mark.parametrize("piece", HARD)
def test_a_huge_line_costs_little(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    assert len(line) > LONGEST
    times_s = []
    for _ in range(3):
        began_s = time.process_time()
        meaning_of(line)
        times_s.append(time.process_time() - began_s)
    assert min(times_s) < 0.05
