"""What a process is doing and whether it waits for a lock, from its threads' system calls."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sqlwatch.metrics.observations import Activity, Waiter
from sqlwatch.observe.sockets import peer_of, socket_inode, target_of
from sqlwatch.observe.syscalls import RUNNING, Call, descriptors_of, read_memory
from sqlwatch.observe.text import printable

DELAYS_NS: Final = frozenset(ms * 1_000_000 for ms in (1, 2, 5, 10, 15, 20, 25, 50, 100))
"""How long SQLite's busy handler sleeps between two tries (sqliteDefaultBusyCallback in src/main.c)."""

_CLOCK_REALTIME: Final = 0


def describe(pid: int, calls: list[Call]) -> Activity:
    """Return what these threads of a process are doing, with the peer or target they wait for."""
    names = tuple(dict.fromkeys(call.name for call in calls))
    telling = [call for call in calls if not call.name.startswith("futex")] if len(calls) > 1 else calls
    doing = telling[0].name if len({call.name for call in telling}) == 1 else None
    if not telling and calls:
        doing = calls[0].name
    peer, target = _other_end(pid, (call for call in telling if call.name != RUNNING))
    return Activity(doing=doing, peer=peer, target=target, calls=names)


def denied(pid: int) -> Activity:
    """Return what remains where system calls are not shown: the kernel function it sleeps in, on some kernels."""
    try:
        channel = Path(f"/proc/{pid}/wchan").read_text(encoding="ascii").strip()
    except OSError:
        channel = ""
    return Activity(is_denied=True, wait_channel=printable(channel) if channel not in ("", "0") else None)


def waiter_among(pid: int, calls: list[Call]) -> Waiter | None:
    """Return the process as a waiter if a thread sleeps for exactly one of SQLite's delays.

    The sleep is relative and on CLOCK_REALTIME, as glibc and musl turn nanosleep and usleep into it; a Python
    time.sleep, for one, is neither.  The last sleep before a timeout may have any length and is missed.
    """
    delays_ns = [delay_ns for call in calls if (delay_ns := _slept_ns(pid, call)) in DELAYS_NS]
    return Waiter(pid, max(delays_ns), len(delays_ns)) if delays_ns else None


def _slept_ns(pid: int, call: Call) -> int:
    if call.name == "clock_nanosleep" and call.arguments[:2] == (_CLOCK_REALTIME, 0):
        address = call.arguments[2]
    elif call.name == "nanosleep" and call.arguments:
        address = call.arguments[0]
    else:
        return 0
    data = read_memory(pid, address, 16)
    if len(data) < 16:
        return 0
    seconds, nanoseconds = struct.unpack("=qq", data)
    return int(seconds * 1_000_000_000 + nanoseconds)


def _other_end(pid: int, calls: Iterable[Call]) -> tuple[str | None, str | None]:
    """Return (peer, target): the first connected socket that any of these calls waits for, else the first target.

    An event loop that watches several connected sockets waits for none of them in particular.
    """
    target = None
    for call in calls:
        peers: dict[str, str] = {}
        for descriptor in descriptors_of(pid, call):
            found = target_of(pid, descriptor)
            inode = socket_inode(found) if found is not None else None
            peer = peer_of(pid, inode) if inode is not None else None
            if peer is not None and found is not None:
                peers[peer] = found
            elif target is None and found is not None and not found.startswith("anon_inode:"):
                target = printable(found)
        if len(peers) == 1 or (peers and not call.name.startswith("epoll_")):
            return next(iter(peers.items()))
    return None, target
