"""How many errors several lines are: tracebacks, chains of causes, and errors that only look alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.metrics.log_messages import LogKind
from sqlwatch.observe.log_reader import LONGEST_TRACEBACK, LineReader

LOCKED = "database is locked"


def read(text: str, reader: LineReader | None = None) -> list[tuple[str, str | None]]:
    seen = (reader or LineReader()).read(text.splitlines())
    return [(one.meaning.kind.name, one.meaning.logged_at) for one in seen]


PYTHON = """\
Traceback (most recent call last):
  File "/srv/app/db.py", line 7, in save
    connection.execute(sql)
sqlite3.OperationalError: database is locked
"""
CHAINED = f"""\
{PYTHON}
The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/views.py", line 70, in post
    save(connection)
django.db.utils.OperationalError: database is locked
"""
SQLALCHEMY = f"""\
{PYTHON}
The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/views.py", line 70, in post
sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked
[SQL: INSERT INTO t (a) VALUES (?)]
[parameters: (1,)]
(Background on this error at: https://sqlalche.me/e/20/e3q8)

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/main.py", line 1, in main
app.SavingFailed: (sqlite3.OperationalError) database is locked
"""
STAMPED = f"2026-01-02 03:04:05,678 ERROR app: saving failed: database is locked\n{CHAINED}"
HEADED = f"2026-01-02 03:04:05,678 ERROR asgi: Exception in application\n{PYTHON}"
NODE = """\
/srv/app/db.js:7
    throw error
    ^

SqliteError: database is locked
    at save (/srv/app/db.js:7:9)
    at main (/srv/app/main.js:1:1) {
  code: 'SQLITE_BUSY_SNAPSHOT'
}
"""
JAVA = """\
2026-01-02 03:04:05.678 ERROR 7 --- [main] app.Saver : cannot save: [SQLITE_BUSY] database is locked
app.SavingFailed: [SQLITE_BUSY] database is locked
\tat app.Saver.save(Saver.java:7)
Caused by: org.sqlite.SQLiteException: [SQLITE_BUSY] The database file is locked (database is locked)
\tat org.sqlite.core.DB.newSQLException(DB.java:1179)
\t... 12 more
"""
RAILS = """\
ActiveRecord::StatementTimeout (SQLite3::BusyException: database is locked):

Causes:
  SQLite3::BusyException: database is locked

app/models/message.rb:7:in 'save'
"""
JOURNAL = "".join(
    f"Jan  2 03:04:0{second} host app[7]: {line}\n" for second, line in enumerate([
        "handling a request", "Traceback (most recent call last):", '  File "a.py", line 1', f"BusyError: {LOCKED}",
        "", "During handling of the above exception, another exception occurred:", "",
        "Traceback (most recent call last):", '  File "b.py", line 2', f"SavingFailed: {LOCKED}",
    ])
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "logged_at"),
    [
        (PYTHON, "BUSY", None),
        (CHAINED, "BUSY", None),
        (SQLALCHEMY, "BUSY", None),
        (STAMPED, "BUSY", "2026-01-02 03:04:05,678"),
        (HEADED, "BUSY", "2026-01-02 03:04:05,678"),
        (NODE, "BUSY_SNAPSHOT", None),
        (JAVA, "BUSY", "2026-01-02 03:04:05.678"),
        (RAILS, "BUSY", None),
        (JOURNAL, "BUSY", "Jan  2 03:04:03"),
    ],
    ids=["python", "chained", "sqlalchemy", "stamped", "headed", "node", "java", "rails", "journal"],
)
def test_a_traceback_is_one_error_and_two_are_two(text: str, kind: str, logged_at: str | None) -> None:
    reader = LineReader()
    for _ in range(3):
        assert read(text, reader) == [(kind, logged_at)]
    assert read(text * 3) == [(kind, logged_at)] * 3


@pytest.mark.parametrize(
    "line",
    [
        LOCKED,
        f"Error: stepping, {LOCKED} (5)",
        f"2026-01-02 03:04:05 ERROR {LOCKED}",
        f'{{"level":"error","msg":"{LOCKED}"}}',
        f"2026-01-02T03:04:05Z  WARN app: {LOCKED}",
        f"    {LOCKED}",
        f"Jan  2 03:04:05 host app[7]: {LOCKED}",
    ],
)
def test_the_same_line_again_is_another_error(line: str) -> None:
    assert len(read(f"{line}\n" * 3)) == 3


def test_lines_that_differ_are_errors_of_their_own() -> None:
    assert len(read(f"insert: {LOCKED}\nupdate: {LOCKED}\n2: {LOCKED}\n3: {LOCKED}")) == 4


def test_tracebacks_without_a_chain_are_errors_of_their_own() -> None:
    other = PYTHON.replace("sqlite3.OperationalError", "apsw.BusyError")
    assert len(read(PYTHON + other)) == 2


def test_a_level_that_is_set_in_is_no_indentation() -> None:
    assert len(read("".join(f"2026-01-02T03:04:05Z  WARN app: {number}: {LOCKED}\n" for number in range(3)))) == 3


def test_a_line_between_ends_a_traceback() -> None:
    assert len(read(f"{LOCKED}\nall is well\n    cause: {LOCKED}")) == 2


def test_a_traceback_does_not_go_on_for_ever() -> None:
    frames = "    at somewhere\n" * LONGEST_TRACEBACK
    assert len(read(f"{LOCKED}\n{frames}Caused by: {LOCKED}")) == 2
    assert len(read(f"{LOCKED}\n{frames[:500]}Caused by: {LOCKED}")) == 1


def test_slow_statements_stay_apart_from_the_error_beside_them() -> None:
    text = f"2026/01/02 03:04:05 /srv/main.go:7 {LOCKED}\n[5027.352ms] [rows:0] INSERT INTO t VALUES (1)\n"
    assert read(text) == [("BUSY", "2026/01/02 03:04:05"), ("SLOW", None)]


def test_what_is_said_more_exactly_in_a_later_piece_counts_once_more() -> None:
    first, _, rest = NODE.partition("    at main")
    reader = LineReader()
    assert read(first, reader) == [("BUSY", None)]
    assert read(f"    at main{rest}", reader) == [("BUSY_SNAPSHOT", None)]


@given(st.lists(st.sampled_from([*SQLALCHEMY.splitlines(), *JAVA.splitlines(), *NODE.splitlines()]) | st.text()))
def test_no_order_of_lines_is_too_strange(lines: list[str]) -> None:
    for seen in LineReader().read(lines):
        assert seen.meaning.kind in LogKind


@given(st.lists(st.binary(max_size=30)))
def test_no_bytes_are_too_strange(lines: list[bytes]) -> None:
    LineReader().read([line.decode(errors="backslashreplace") for line in lines])
