"""The shape of a write transaction: which statements it runs between BEGIN and COMMIT, and where it holds."""

from __future__ import annotations

import apsw

from simulators import database
from simulators.worker import Worker
from simulators.workload import Statement, Workload


def insert_statement(workload: Workload) -> tuple[str, int]:
    """Return the INSERT of a workload's transactions and how many rows one of them inserts."""
    per_statement = workload.rows if workload.statement is Statement.BATCH else 1
    rows = ", ".join(["(?, ?, ?)"] * per_statement)
    return f"INSERT INTO entry(worker, number, payload) VALUES {rows}", per_statement


class Shape:
    """The statements of one worker's transactions; `read`, `first_write` and `finish` in that order are one body.

    The first write is what takes the write lock after a deferred BEGIN.
    """

    def __init__(self, worker: Worker, cursor: apsw.Cursor) -> None:
        workload = worker.workload
        self.insert_sql, per_statement = insert_statement(workload)
        self.is_plain = (
            workload.rows == 1 and not workload.hold.mean_ns and workload.statement is not Statement.READ_THEN_WRITE
        )
        """Whether a transaction is one INSERT of one row and nothing else."""
        self._per_statement = per_statement
        self._statements = workload.rows // per_statement
        self._reads = workload.statement is Statement.READ_THEN_WRITE
        self._worker = worker
        self._cursor = cursor
        self._value = 0

    def run(self, worker: int, number: int, payload: bytes) -> None:
        """Run the whole body inside a transaction that has the write lock."""
        self.read()
        self.first_write(worker, number, payload)
        self.finish(worker, number, payload)

    def read(self) -> None:
        """Read what the write depends on, and hold in between, where the workload is read-then-write."""
        if self._reads:
            self._value = self._cursor.execute(database.READ_COUNTER).get
            self._hold()

    def first_write(self, worker: int, number: int, payload: bytes) -> None:
        """Run the first statement that needs the write lock."""
        if self._reads:
            self._cursor.execute(database.WRITE_COUNTER, (self._value + 1,))
        else:
            self._insert(worker, number, payload, 1)

    def finish(self, worker: int, number: int, payload: bytes) -> None:
        """Run the rest; hold, if not done while reading."""
        if self._reads:
            self._insert(worker, number, payload, self._statements)
        else:
            self._insert(worker, number, payload, self._statements - 1)
            self._hold()

    def _insert(self, worker: int, number: int, payload: bytes, statements: int) -> None:
        bindings = (worker, number, payload) * self._per_statement
        for _ in range(statements):
            self._cursor.execute(self.insert_sql, bindings)

    def _hold(self) -> None:
        self._worker.hold(self._worker.draw(self._worker.workload.hold))
