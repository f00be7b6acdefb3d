"""Who a process is and in what state: command, user, state letter, CPU time."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import psutil

from sqlwatch.metrics.observations import Activity, Process
from sqlwatch.observe.files import read_small
from sqlwatch.observe.text import printable

with contextlib.suppress(ImportError):  # Windows has none
    import pwd

_INITIAL_PID_NAMESPACE: Final = 0xEFFFFFFC
"""Inode of the first PID namespace (PROC_PID_INIT_INO in include/linux/proc_ns.h)."""

_STATES: Final = {
    psutil.STATUS_RUNNING: "R", psutil.STATUS_SLEEPING: "S", psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T", psutil.STATUS_TRACING_STOP: "t", psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_IDLE: "I",
}  # fmt: skip


@functools.cache  # a process never changes its own
def in_nested_pid_namespace() -> bool | None:
    """Tell whether this process lives in a PID namespace below the first, as in a container; None if unknown."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino != _INITIAL_PID_NAMESPACE
    except OSError:
        return None


class _Identity(msgspec.Struct, frozen=True):
    """What does not change while a process runs the same program; read anew after `_FRESH_NS`."""

    name: str | None
    command: str | None
    user: str | None
    started_at_s: float | None
    start_ticks: int | None
    read_ns: int


_FRESH_NS: Final = 5_000_000_000
"""A process may exec another program under the same pid, so its identity is not believed for ever."""


_ANY_TICKS_PER_S: Final = 100
"""Windows has no clock ticks: start times are only compared with each other."""


class Stat(msgspec.Struct, frozen=True):
    """The fields of /proc/PID/stat that matter here; `start_ticks` tells a process from a later one of the same pid."""

    state: str
    cpu_ns: int
    threads: int
    start_ticks: int


def parse_stat(data: bytes, ticks_per_s: int) -> Stat | None:
    """Parse /proc/PID/stat (see proc(5)); the name in parentheses may itself contain any byte.  None if malformed."""
    words = data.rpartition(b")")[2].split()
    try:
        cpu_ns = (int(words[11]) + int(words[12])) * 1_000_000_000 // ticks_per_s
        return Stat(words[0].decode("ascii"), cpu_ns, int(words[17]), int(words[19]))
    except (IndexError, ValueError):
        return None


class ProcessTable:
    """Remembers who processes are, so that a look at one costs a single read."""

    def __init__(self) -> None:
        self._identities: dict[int, _Identity] = {}
        self._ticks_per_s = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else _ANY_TICKS_PER_S

    def look(self, pid: int, look_at_calls: Callable[[int, int], Activity | None] | None = None) -> Process | None:
        """Return what can be read of a process; None if there is none.

        `look_at_calls` is given its pid and its number of threads and says what they are doing.
        """
        try:
            now = parse_stat(read_small(f"/proc/{pid}/stat"), self._ticks_per_s)
        except OSError:
            now = self._stat_elsewhere(pid)
        if now is None:
            self._identities.pop(pid, None)
            return None
        activity = look_at_calls(pid, now.threads) if look_at_calls is not None else None
        identity = self._identity(pid, now.start_ticks)
        return Process(
            pid=pid, name=identity.name, command=identity.command, user=identity.user, state=now.state,
            threads=now.threads, cpu_ns=now.cpu_ns, started_at_s=identity.started_at_s, activity=activity,
        )  # fmt: skip

    def keep_only(self, pids: set[int]) -> None:
        """Forget everybody else."""
        for pid in self._identities.keys() - pids:
            del self._identities[pid]

    def _identity(self, pid: int, start_ticks: int) -> _Identity:
        known = self._identities.get(pid)
        now_ns = time.monotonic_ns()
        if known is None or known.start_ticks != start_ticks or now_ns - known.read_ns > _FRESH_NS:
            known = self._identities[pid] = _identify(pid, start_ticks, now_ns)
        return known

    def _stat_elsewhere(self, pid: int) -> Stat | None:
        """Ask psutil where /proc does not answer: another system, or a process that is gone."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                state = _STATES.get(process.status(), "?")
                cpu_ns = round((times.user + times.system) * 1e9)
                return Stat(state, cpu_ns, process.num_threads(), round(process.create_time() * self._ticks_per_s))
        except (psutil.Error, OSError, ValueError):
            return None


def _user_of(process: psutil.Process) -> str:
    return _user_name(process.uids().real) if hasattr(process, "uids") else printable(process.username())


@functools.lru_cache(maxsize=256)
def _user_name(uid: int) -> str:
    """Return a user's name; remembered, because the answer may come over a network."""
    try:
        return printable(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)


def _identify(pid: int, start_ticks: int, now_ns: int) -> _Identity:
    name = command = user = None
    started_at_s = None
    try:
        process = psutil.Process(pid)
        name = printable(process.name())
        started_at_s = process.create_time()
        command = printable(" ".join(process.cmdline())) or name
        user = _user_of(process)
    except (psutil.Error, OSError, ValueError):
        pass  # whatever was read until then stands; the rest is None
    return _Identity(name, command, user, started_at_s, start_ticks, now_ns)
