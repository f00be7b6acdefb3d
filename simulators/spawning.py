"""Starting child processes: spawned, deaf to the terminal's signals from the first instruction, and quick."""

from __future__ import annotations

import importlib
import signal
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Final

GROUP_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGHUP, signal.SIGTERM})
"""Signals that terminals, `timeout` and service managers send to a whole process group: the parent alone answers."""


def start_tracker() -> None:
    """Start the process that multiprocessing cleans up with, unless it runs, deaf to the terminal's signals too.

    It is given the number of sys.stderr, so it must start before a dashboard takes that over; and its start unblocks
    SIGINT and SIGTERM, so it must come before those are blocked for a child.
    """
    with _group_signals_blocked():
        resource_tracker.ensure_running()


def start_process(context: SpawnContext, module: str, function: str, args: tuple[Any, ...]) -> SpawnProcess:
    """Start a daemon process that runs `module.function(*args)` and return it.

    The module is named, not imported, because it may use SQLite and this process must not.
    """
    start_tracker()
    process = context.Process(target=_run, args=(module, function, args), daemon=True)
    with _group_signals_blocked(), _no_main_module():
        process.start()
    return process


def _run(module: str, function: str, args: tuple[Any, ...]) -> None:
    getattr(importlib.import_module(module), function)(*args)


@contextmanager
def _group_signals_blocked() -> Iterator[None]:
    """Have children inherit these signals blocked, so that ctrl+c during their start does not end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep a spawned child from importing the program that started it: it needs only its target's module."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
