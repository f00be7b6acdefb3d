"""Byte images of SQLite's files, built field by field."""

from __future__ import annotations

import struct

from sqlwatch.observe.formats import WAL_FORMAT, ByteOrder, wal_checksum


def wal_index(
    order: ByteOrder = "little",
    *,
    changes: int = 7,
    live: int = 10,
    backfilled: int = 0,
    page_size: int = 4096,
    marks: tuple[int, ...] = (0, 10, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
    salts: bytes = b"saltSALT",
    frame_sums: tuple[int, int] = (1, 2),
    is_init: int = 1,
    version: int = WAL_FORMAT,
) -> bytes:
    sign = "<" if order == "little" else ">"
    stored = 1 if page_size == 65536 else page_size
    header = struct.pack(f"{sign}3I2BH4I", version, 0, changes, is_init, 0, stored, live, 5, *frame_sums) + salts
    header += struct.pack(f"{sign}2I", *wal_checksum(header, order))
    return header * 2 + struct.pack(f"{sign}6I8x2I", backfilled, *marks, backfilled, 0)


def wal_header(
    order: ByteOrder = "little", *, page_size: int = 4096, sequence: int = 3, salts: bytes = b"saltSALT"
) -> bytes:
    magic = 0x377F0682 | (order == "big")
    header = struct.pack(">4I", magic, WAL_FORMAT, page_size, sequence) + salts
    return header + struct.pack(">2I", *wal_checksum(header, order))


def frame(
    page: int, payload: bytes, before: tuple[int, int], order: ByteOrder = "little", *,
    commit_pages: int = 0, salts: bytes = b"saltSALT",
) -> bytes:  # fmt: skip
    start = struct.pack(">2I", page, commit_pages)
    sums = wal_checksum(payload, order, wal_checksum(start, order, before))
    return start + salts + struct.pack(">2I", *sums) + payload
