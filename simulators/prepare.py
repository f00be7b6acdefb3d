"""Short-lived child processes that use SQLite so that their parent need not: make the databases, check them."""

from __future__ import annotations

from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Final

import msgspec

from simulators.spawning import start_process


class PrepareError(Exception):
    """A database could not be made or counted: one sentence."""


CHECKED_BYTES: Final = 512 * 1024 * 1024
"""Databases up to this size in all are checked for integrity, which takes about a second then."""


class Found(msgspec.Struct, frozen=True):
    """What a look into the databases found, all together."""

    sqlite: str
    rows: int = 0
    increments: int = 0
    """Sum of the counters that read-then-write transactions increment."""
    complaints: tuple[str, ...] | None = None
    """What PRAGMA integrity_check complained of, at most ten lines a database; None where it was not asked."""


def make_databases(context: SpawnContext, paths: list[Path], *, with_wal: bool = True) -> str:
    """Make empty databases of ours in a child process and return SQLite's version; raise PrepareError."""
    return _in_child(context, "make" if with_wal else "make without WAL", paths).sqlite


def check_databases(context: SpawnContext, paths: list[Path]) -> Found:
    """Count rows and increments of all databases and check their integrity in a child process; raise PrepareError."""
    return _in_child(context, "check", paths)


def _in_child(context: SpawnContext, task: str, paths: list[Path]) -> Found:
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
    if isinstance(answer, Found):
        return answer
    raise PrepareError(str(answer))
