"""Short-lived child processes that use SQLite so that their parent need not: make the databases, count their rows."""

from __future__ import annotations

from multiprocessing.context import SpawnContext
from pathlib import Path

import msgspec

from simulators.spawning import start_process


class PrepareError(Exception):
    """A database could not be made or counted: one sentence."""


class Counted(msgspec.Struct, frozen=True):
    """What a look into the databases found."""

    rows: int
    sqlite: str


def make_databases(context: SpawnContext, paths: list[Path], *, with_wal: bool = True) -> str:
    """Make empty databases of ours in a child process and return SQLite's version; raise PrepareError."""
    return _in_child(context, "make" if with_wal else "make without WAL", paths).sqlite


def count_rows(context: SpawnContext, paths: list[Path]) -> int:
    """Count the rows of all databases in a child process; raise PrepareError."""
    return _in_child(context, "count", paths).rows


def _in_child(context: SpawnContext, task: str, paths: list[Path]) -> Counted:
    receiver, sender = context.Pipe(duplex=False)
    process = start_process(context, "simulators.tasks", "report", (task, [str(path) for path in paths], sender))
    sender.close()
    try:
        answer = receiver.recv()
    except EOFError:
        answer = "The process that should look into the databases ended without an answer."
    finally:
        process.join()
        receiver.close()
    if isinstance(answer, Counted):
        return answer
    raise PrepareError(str(answer))
