"""The other end of a process's socket: /proc/PID/fd gives its inode, /proc/PID/net/tcp and its like the addresses."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Final

_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")


def parse_peer(table: str, inode: int) -> str | None:
    """Return the remote end of the socket with that inode from the text of /proc/net/tcp{,6}; None if it has none.

    A line reads `0: 0100007F:1F90 0200007F:0050 01 ... inode ...`; addresses are 32-bit words in the machine's order.
    """
    wanted = str(inode)
    for line in table.splitlines():
        words = line.split()
        if len(words) > 9 and words[9] == wanted:
            return _address(words[2])
    return None


def peer_of(pid: int, inode: int) -> str | None:
    """Return the remote end of a socket of a process, looked up in that process's network namespace."""
    for table in _TABLES:
        try:
            text = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii")
        except OSError:
            continue
        peer = parse_peer(text, inode)
        if peer is not None:
            return peer
    return None


def target_of(pid: int, descriptor: int) -> str | None:
    """Return what a descriptor of a process points at (`socket:[1234]`, `pipe:[7]`, a path); None if it is hidden."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - pipe:[7] is no path
    except OSError:
        return None


def socket_inode(target: str) -> int | None:
    """Return the inode of `socket:[1234]`, None for anything else."""
    match = re.fullmatch(r"socket:\[(\d+)\]", target)
    return int(match[1]) if match else None


def _address(text: str) -> str | None:
    host, _, port = text.partition(":")
    try:
        packed, number = bytes.fromhex(host), int(port, 16)
    except ValueError:
        return None
    if sys.byteorder == "little":
        packed = b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    if len(packed) not in (4, 16) or number == 0:
        return None
    address = ipaddress.ip_address(packed)
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return f"{mapped}:{number}" if mapped else f"[{address}]:{number}"
    return f"{address}:{number}"
