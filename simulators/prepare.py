"""Short-lived child processes that use SQLite so that their parent need not: make the databases, check them."""

from __future__ import annotations

from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Final

import msgspec

from simulators.spawning import start_process


class PrepareError(Exception):
    """A database could not be made or counted: one sentence."""


CHECK_LIMIT_S: Final = 5.0
"""How long PRAGMA integrity_check may take over all databases: 1 GiB takes about a second once it is in memory."""


class Found(msgspec.Struct, frozen=True):
    """What a look into the databases found, all together."""

    sqlite: str
    rows: int | None = 0
    increments: int | None = 0
    """Sum of the counters that read-then-write transactions increment; like `rows` None where damage forbids to count.
    """
    complaints: tuple[str, ...] | None = None
    """What PRAGMA integrity_check complained of, at most ten lines a database; None where it was not done."""
    unchecked: str = ""
    """Why it was not done, in a few words."""


def make_databases(context: SpawnContext, paths: list[Path], *, with_wal: bool = True) -> str:
    """Make empty databases of ours in a child process and return SQLite's version; raise PrepareError."""
    return _in_child(context, "make" if with_wal else "make without WAL", paths).sqlite


def check_databases(context: SpawnContext, paths: list[Path], limit_s: float = CHECK_LIMIT_S) -> Found:
    """Count rows and increments of all databases in a child process, and check their integrity; raise PrepareError.

    The check of their integrity is given up after `limit_s`.
    """
    return _in_child(context, "check", paths, limit_s)


def _in_child(context: SpawnContext, task: str, paths: list[Path], limit_s: float = 0) -> Found:
    receiver, sender = context.Pipe(duplex=False)
    arguments = (task, [str(path) for path in paths], sender, limit_s)
    process = start_process(context, "simulators.tasks", "report", arguments)
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
