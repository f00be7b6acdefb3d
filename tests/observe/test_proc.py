"""Reading /proc: by its documented forms, and on live processes."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.observe.activity import DELAYS_NS, describe, waiter_among
from sqlwatch.observe.processes import ProcessTable, parse_stat
from sqlwatch.observe.sockets import parse_peer, peer_of, socket_inode, target_of
from sqlwatch.observe.syscalls import Call, calls_of, descriptors_of, parse_syscall, read_memory
from sqlwatch.observe.text import printable

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0100007F:1F90 0200A8C0:1538 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0 20 4 30 10 -1
"""
TCP6 = """  sl  local_address rem_address st
   0: 00000000000000000000000001000000:1F90 B80D0120000000000000000001000000:01BB 01 0:0 0:0 0 0 0 102 1
   1: 00000000000000000000000001000000:1F90 0000000000000000FFFF00000200A8C0:0050 01 0:0 0:0 0 0 0 103 1
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the sample text comes from a little-endian machine")
def test_peers() -> None:
    assert parse_peer(TCP, 100) is None, "a listening socket has no peer"
    assert parse_peer(TCP, 101) == "192.168.0.2:5432"
    assert parse_peer(TCP, 10) is None
    assert parse_peer(TCP6, 102) == "[2001:db8::1]:443"
    assert parse_peer(TCP6, 103) == "192.168.0.2:80"
    assert parse_peer("x\n1: zz:1 q:w 1 1 1 1 1 1 5", 5) is None


def test_the_peer_of_a_live_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client:
            target = target_of(os.getpid(), client.fileno())
            assert target is not None
            inode = socket_inode(target)
            assert inode is not None
            assert peer_of(os.getpid(), inode) == f"127.0.0.1:{address[1]}"
    assert socket_inode("pipe:[5]") is None


def test_stat_of_a_process_with_a_hostile_name() -> None:
    line = b"77 (a) R (b) ) T 1 77 77 0 -1 4194304 1 2 3 4 150 50 0 0 20 0 3 0 9999 1 2"
    stat = parse_stat(line, 100)
    assert stat is not None
    assert (stat.state, stat.cpu_ns, stat.threads, stat.start_ticks) == ("T", 2_000_000_000, 3, 9999)
    assert parse_stat(b"", 100) is None


@given(st.binary(max_size=120))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    parse_stat(data, 100)
    text = data.decode("latin-1")
    parse_syscall(text, 1)
    parse_peer(text, 5)
    assert printable(text).isprintable()
    assert len(printable(text, 10).split("…")[0]) <= 9 * 4 + 1 or len(text) <= 10


def test_system_calls() -> None:
    call = parse_syscall("999 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x7fff", 5)
    assert call == Call(5, "call 999", (1, 2, 3, 4, 5, 6))
    assert parse_syscall("-1 0x7ffe 0x7fff", 5) is None
    assert list(descriptors_of(os.getpid(), Call(1, "recvfrom", (7, 0, 0, 0, 0, 0)))) == [7]
    assert list(descriptors_of(os.getpid(), Call(1, "running"))) == []
    assert read_memory(os.getpid(), 0, 8) == b""
    assert read_memory(0, 4096, 8) == b""


def test_what_threads_do_together() -> None:
    own = os.getpid()
    futex, sleep = Call(1, "futex", (0,) * 6), Call(2, "clock_nanosleep", (1, 1, 0, 0, 0, 0))
    assert describe(own, [futex]).doing == "futex"
    assert describe(own, [futex, sleep]).doing == "clock_nanosleep"
    assert describe(own, [futex, futex]).doing == "futex"
    assert describe(own, [sleep, Call(3, "fsync", (0,) * 6)]).doing is None
    assert describe(own, []).doing is None
    assert describe(own, [futex, sleep]).calls == ("futex", "clock_nanosleep")


def test_only_the_busy_handlers_own_sleeps_make_a_waiter() -> None:
    code = """
import ctypes, struct, sys
timespec = ctypes.create_string_buffer(struct.pack("=qq", 0, 25_000_000))
print(ctypes.addressof(timespec), flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        address = int(child.stdout.readline())
        assert struct.unpack("=qq", read_memory(child.pid, address, 16)) == (0, 25_000_000)
        relative = Call(1, "clock_nanosleep", (0, 0, address, 0, 0, 0))
        waiter = waiter_among(child.pid, [relative, relative])
        assert waiter is not None
        assert (waiter.delay_ns, waiter.threads) == (25_000_000, 2)
        assert waiter_among(child.pid, [Call(1, "nanosleep", (address, 0, 0, 0, 0, 0))]) is not None
        absolute = Call(1, "clock_nanosleep", (1, 1, address, 0, 0, 0))
        assert waiter_among(child.pid, [absolute, Call(2, "read", (0,) * 6)]) is None
        assert calls_of(child.pid)
    finally:
        child.communicate()
    assert 25_000_000 in DELAYS_NS


def test_processes() -> None:
    table = ProcessTable()
    own = table.look(os.getpid())
    assert own is not None
    assert own.name is not None
    assert own.state == "R"
    assert own.threads == len(os.listdir("/proc/self/task"))  # noqa: PTH208
    assert own.cpu_ns is not None
    assert own.cpu_ns > 0
    assert table.look(2**22 + 1) is None


def test_a_hostile_command_is_printable() -> None:
    hostile = "\x1b[31mred\nline\u202e"
    child = subprocess.Popen([sys.executable, "-c", "input()", hostile, b"\xff"], stdin=subprocess.PIPE)
    try:
        process = ProcessTable().look(child.pid)
    finally:
        child.communicate()
    assert process is not None
    assert process.command is not None
    assert process.command.isprintable()
    process.command.encode()
