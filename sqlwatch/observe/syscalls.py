"""In which system call each thread of a process is: /proc/PID/task/TID/syscall, and the memory its arguments point at.

The kernel shows this to root and, unless a security module forbids it, to the same user (ptrace access).
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from sqlwatch.observe.files import read_small

_X86_64: Final = {
    0: "read", 1: "write", 3: "close", 7: "poll", 9: "mmap", 11: "munmap", 16: "ioctl", 17: "pread64", 18: "pwrite64",
    19: "readv", 20: "writev", 23: "select", 24: "sched_yield", 26: "msync", 34: "pause", 35: "nanosleep",
    40: "sendfile", 42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg",
    61: "wait4", 65: "semop", 70: "msgrcv", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate",
    77: "ftruncate", 82: "rename", 87: "unlink", 128: "rt_sigtimedwait", 130: "rt_sigsuspend", 162: "sync",
    202: "futex", 208: "io_getevents", 219: "restart_syscall", 220: "semtimedop", 230: "clock_nanosleep",
    232: "epoll_wait", 247: "waitid", 257: "openat", 262: "newfstatat", 263: "unlinkat", 270: "pselect6", 271: "ppoll",
    275: "splice", 277: "sync_file_range", 281: "epoll_pwait", 285: "fallocate", 288: "accept4", 299: "recvmmsg",
    306: "syncfs", 307: "sendmmsg", 326: "copy_file_range", 332: "statx", 426: "io_uring_enter", 441: "epoll_pwait2",
    449: "futex_waitv",
}  # fmt: skip
"""asm/unistd_64.h: the calls in which a process may stay for long."""

_GENERIC: Final = {
    4: "io_getevents", 22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 32: "flock", 35: "unlinkat", 45: "truncate",
    46: "ftruncate", 47: "fallocate", 56: "openat", 57: "close", 63: "read", 64: "write", 65: "readv", 66: "writev",
    67: "pread64", 68: "pwrite64", 71: "sendfile", 72: "pselect6", 73: "ppoll", 76: "splice", 79: "newfstatat",
    81: "sync", 82: "fsync", 83: "fdatasync", 84: "sync_file_range", 95: "waitid", 98: "futex", 101: "nanosleep",
    115: "clock_nanosleep", 124: "sched_yield", 128: "restart_syscall", 133: "rt_sigsuspend", 137: "rt_sigtimedwait",
    192: "semtimedop", 193: "semop", 202: "accept", 203: "connect", 206: "sendto", 207: "recvfrom", 211: "sendmsg",
    212: "recvmsg", 215: "munmap", 222: "mmap", 227: "msync", 242: "accept4", 243: "recvmmsg", 260: "wait4",
    267: "syncfs", 269: "sendmmsg", 276: "renameat2", 285: "copy_file_range", 291: "statx", 426: "io_uring_enter",
    441: "epoll_pwait2", 449: "futex_waitv",
}  # fmt: skip
"""asm-generic/unistd.h, which aarch64 and riscv64 use; not tried on such a machine."""

_NAMES: Final = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}.get(platform.machine(), {})

RUNNING: Final = "running"
"""In place of a name: the thread is on a CPU, or was when we looked."""

MOST_THREADS: Final = 128
"""Threads of a process that are looked at; one costs 15 us."""


class Call(msgspec.Struct, frozen=True):
    """One thread's system call: its name (`call 999` if it is not in the table) and its six arguments."""

    thread: int
    name: str
    arguments: tuple[int, ...] = ()


def parse_syscall(text: str, thread: int) -> Call | None:
    """Parse /proc/TID/syscall: `running`, or the number and six arguments in hex; None if blocked outside a call.

    >>> parse_syscall("running", 7)
    Call(thread=7, name='running', arguments=())
    """
    words = text.split()
    if words == ["running"]:
        return Call(thread, RUNNING)
    try:
        number = int(words[0])
        arguments = tuple(int(word, 16) for word in words[1:7])
    except (IndexError, ValueError):
        return None
    if number < 0:
        return None
    return Call(thread, _NAMES.get(number, f"call {number}"), arguments)


def calls_of(pid: int, thread_count: int = 0) -> list[Call]:
    """Return what the threads of a process are in; raise PermissionError if we may not know, OSError if it is gone.

    With a `thread_count` of 1 the others need not be looked for: the first thread has the number of its process.
    """
    calls = []
    denied: PermissionError | None = None
    threads = [pid]
    if thread_count != 1:
        threads = sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - called often
    for thread in threads[:MOST_THREADS]:
        try:
            call = parse_syscall(read_small(f"/proc/{pid}/task/{thread}/syscall").decode("ascii"), thread)
        except PermissionError as error:
            denied = error
            continue
        except OSError:
            continue  # the thread has ended, or this kernel does not have the file
        if call is not None:
            calls.append(call)
    if denied is not None and not calls:
        raise denied
    return calls


def shows_system_calls() -> bool:
    """Tell whether this system shows system calls at all, by looking at our own."""
    return Path("/proc/self/syscall").exists()


def read_memory(pid: int, address: int, length: int) -> bytes:
    """Return bytes of a process's memory, none if they cannot be read; the process is not stopped."""
    if not 0 < address < 1 << 63:
        return b""
    try:
        descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, length, address)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


_DESCRIPTOR_FIRST = """
read write readv writev pread64 pwrite64 sendto recvfrom sendmsg recvmsg recvmmsg sendmmsg connect accept accept4 ioctl
fcntl flock fsync fdatasync sync_file_range ftruncate fallocate syncfs
"""
_ON_DESCRIPTOR: Final = frozenset(_DESCRIPTOR_FIRST.split())
_MOST_DESCRIPTORS: Final = 64


def descriptors_of(pid: int, call: Call) -> Iterator[int]:
    """Yield the descriptors that a system call waits for or works on, as far as its arguments tell."""
    arguments = call.arguments
    if len(arguments) < 3:
        return
    if call.name in _ON_DESCRIPTOR:
        yield arguments[0] & 0x7FFFFFFF
    elif call.name in ("poll", "ppoll"):
        data = read_memory(pid, arguments[0], 8 * min(arguments[1], _MOST_DESCRIPTORS))
        yield from (entry[0] for entry in struct.iter_unpack("=ihh", data[: len(data) & ~7]) if entry[0] >= 0)
    elif call.name in ("select", "pselect6"):
        for address in arguments[1:3]:
            bits = int.from_bytes(read_memory(pid, address, 128), "little")
            yield from (number for number in range(min(arguments[0], 1024)) if bits >> number & 1)
    elif call.name.startswith("epoll_"):
        yield from _epoll_targets(pid, arguments[0])


def _epoll_targets(pid: int, descriptor: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError:
        return []
    words = (line.split() for line in text.splitlines() if line.startswith("tfd:"))
    return [int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()][:_MOST_DESCRIPTORS]
