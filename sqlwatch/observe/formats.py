"""Parsers of SQLite's files, on bytes: database header, -wal header and frame headers, -shm header and checkpoint info.

Sources: https://sqlite.org/fileformat2.html, https://sqlite.org/walformat.html, and src/wal.c for the wal-index.
Every parser raises FormatError and nothing else, whatever bytes it is given, and reads no byte beyond what it needs.
"""

from __future__ import annotations

import struct
from typing import Final, Literal

import msgspec

ByteOrder = Literal["little", "big"]

DATABASE_HEADER_BYTES: Final = 100
WAL_HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
WAL_INDEX_BYTES: Final = 136
"""Two copies of the 48-byte header and 40 bytes of checkpoint information."""

WAL_FORMAT: Final = 3007000
"""Version of both the -wal and the wal-index; never changed since WAL exists."""

MARK_COUNT: Final = 5
UNUSED_MARK: Final = 0xFFFFFFFF
"""Value of a read mark (WALREAD_UNUSED) that stands for no frame at all."""

_MAGIC_TEXT: Final = b"SQLite format 3\0"
_WAL_MAGIC: Final = 0x377F0682
_MASK: Final = 0xFFFFFFFF
_ROLLBACK, _WAL, _WAL2 = 1, 2, 3


class FormatError(ValueError):
    """The bytes are not what they should be: another format, a torn read, too short, or damage."""


class DatabaseHeader(msgspec.Struct, frozen=True):
    """The first 100 bytes of a database file.

    `change_counter` advances with each commit in rollback mode and stands still in WAL mode.  `pages` is the size the
    header claims; SQLite believes it only while `version_valid_for` equals `change_counter`.
    """

    page_size: int
    write_version: int
    read_version: int
    reserved_bytes: int
    change_counter: int
    pages: int
    user_version: int
    application_id: int
    version_valid_for: int
    sqlite_version: int

    @property
    def journal_mode(self) -> str | None:
        """`wal`, `rollback` or `wal2`, as the version bytes say; None for a version this code does not know."""
        return {_ROLLBACK: "rollback", _WAL: "wal", _WAL2: "wal2"}.get(self.read_version)


class WalHeader(msgspec.Struct, frozen=True):
    """The first 32 bytes of a -wal file; its checksum was right."""

    checksum_order: ByteOrder
    page_size: int
    checkpoint_sequence: int
    salts: bytes
    """Salt 1 and 2 as they lie in the file, 8 bytes; frames of this generation carry the same."""
    checksum: tuple[int, int]

    def frame_at(self, frame: int) -> int:
        """Return the offset of a frame's header in the file; frames count from 1."""
        return frame_offset(frame, self.page_size)


class FrameHeader(msgspec.Struct, frozen=True):
    """The 24 bytes before each page in a -wal file; `commit_pages` is 0 unless the frame ends a transaction."""

    page: int
    commit_pages: int
    salts: bytes
    checksum: tuple[int, int]


class WalIndex(msgspec.Struct, frozen=True):
    """The first 136 bytes of a -shm file: the header, both of whose copies agreed, and the checkpoint information.

    `changes` is iChange: +1 for each commit that writes frames, 0 again after recovery.  `marks` are the five read
    marks; UNUSED_MARK where a slot has no frame.
    """

    byte_order: ByteOrder
    changes: int
    checksum_order: ByteOrder
    """Order of the checksums in the -wal file."""
    page_size: int
    live_frames: int
    pages: int
    frame_checksum: tuple[int, int]
    """Checksum of the last live frame."""
    salts: bytes
    backfilled_frames: int
    marks: tuple[int, int, int, int, int]
    backfill_attempted_frames: int


def parse_database_header(data: bytes) -> DatabaseHeader:
    """Parse the first 100 bytes of a database file; raise FormatError if they are not SQLite's."""
    if len(data) < DATABASE_HEADER_BYTES:
        raise FormatError(f"a database header has {DATABASE_HEADER_BYTES} bytes, here are {len(data)}")
    if data[:16] != _MAGIC_TEXT:
        raise FormatError("the file does not begin with SQLite's magic text")
    if data[21:24] != b"\x40\x20\x20":  # SQLite itself refuses any other payload fractions
        raise FormatError("the payload fractions are not 64, 32, 32")
    return DatabaseHeader(
        page_size=_checked_page_size(_page_size_of(int.from_bytes(data[16:18], "big"))),
        write_version=data[18],
        read_version=data[19],
        reserved_bytes=data[20],
        change_counter=_u32(data, 24),
        pages=_u32(data, 28),
        user_version=int.from_bytes(data[60:64], "big", signed=True),
        application_id=_u32(data, 68),
        version_valid_for=_u32(data, 92),
        sqlite_version=_u32(data, 96),
    )


def parse_wal_header(data: bytes) -> WalHeader:
    """Parse the first 32 bytes of a -wal file; raise FormatError on another format or a wrong checksum."""
    if len(data) < WAL_HEADER_BYTES:
        raise FormatError(f"a -wal header has {WAL_HEADER_BYTES} bytes, here are {len(data)}")
    magic, version, page_size, sequence, _, _, sum1, sum2 = struct.unpack_from(">8I", data)
    if magic & ~1 != _WAL_MAGIC:
        raise FormatError(f"{magic:#010x} is not the magic number of a -wal")
    if version != WAL_FORMAT:
        raise FormatError(f"the -wal has format {version}, not {WAL_FORMAT}")
    order: ByteOrder = "big" if magic & 1 else "little"
    if wal_checksum(data[:24], order) != (sum1, sum2):
        raise FormatError("the checksum of the -wal header is wrong")
    return WalHeader(order, _checked_page_size(page_size), sequence, bytes(data[16:24]), (sum1, sum2))


def parse_frame_header(data: bytes) -> FrameHeader:
    """Parse the 24 bytes of a frame header; raise FormatError if there are fewer or the page number is 0.

    Whether the frame belongs to the current generation is for the caller: its salts must be those of the header, and
    its checksum that of `frame_checksum`.
    """
    if len(data) < FRAME_HEADER_BYTES:
        raise FormatError(f"a frame header has {FRAME_HEADER_BYTES} bytes, here are {len(data)}")
    page, commit_pages, _, _, sum1, sum2 = struct.unpack_from(">6I", data)
    if page == 0:
        raise FormatError("there is no page 0")
    return FrameHeader(page, commit_pages, bytes(data[8:16]), (sum1, sum2))


def frame_checksum(frame: bytes, order: ByteOrder, before: tuple[int, int]) -> tuple[int, int]:
    """Return the checksum that a frame (header and page) must carry after a frame, or -wal header, that has `before`.

    Raises FormatError if the page does not have a whole number of 8-byte words.
    """
    if len(frame) < FRAME_HEADER_BYTES:
        raise FormatError(f"a frame has {FRAME_HEADER_BYTES} bytes or more, here are {len(frame)}")
    return wal_checksum(frame[FRAME_HEADER_BYTES:], order, wal_checksum(frame[:8], order, before))


def wal_checksum(data: bytes, order: ByteOrder, before: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return SQLite's WAL checksum of `data` (walChecksumBytes in wal.c) on top of `before`.

    Raises FormatError unless the length is a multiple of 8.
    """
    if len(data) % 8:
        raise FormatError(f"checksums cover whole 8-byte words, not {len(data)} bytes")
    words = struct.unpack(f"{'>' if order == 'big' else '<'}{len(data) // 4}I", data)
    sum1, sum2 = before
    for first, second in zip(words[::2], words[1::2], strict=True):
        sum1 = (sum1 + first + sum2) & _MASK
        sum2 = (sum2 + second + sum1) & _MASK
    return sum1, sum2


def frame_offset(frame: int, page_size: int) -> int:
    """Return where the header of frame `frame` (from 1) begins in a -wal with pages of that size."""
    return WAL_HEADER_BYTES + (frame - 1) * (page_size + FRAME_HEADER_BYTES)


def parse_wal_index(data: bytes) -> WalIndex:
    """Parse the first 136 bytes of a -shm file, in either byte order.

    Raises FormatError on a torn read (the copies differ, a wrong checksum, more backfilled than live frames), on a
    wal-index that nobody has set up, and on another version.
    """
    if len(data) < WAL_INDEX_BYTES:
        raise FormatError(f"a -shm header has {WAL_INDEX_BYTES} bytes, here are {len(data)}")
    if data[:48] != data[48:96]:
        raise FormatError("the two copies of the -shm header differ: a torn read")
    order = _INDEX_ORDERS.get(data[:4])
    if order is None:
        raise FormatError(f"the -shm has version {int.from_bytes(data[:4], 'little')}, not {WAL_FORMAT}")
    (
        version, unused, changes, flags, live_frames, pages, frame_sum1, frame_sum2, salt1, salt2, *sums,
        backfilled, mark0, mark1, mark2, mark3, mark4, attempted,
    ) = _UNPACK_INDEX[order](data)  # fmt: skip
    if data[12] != 1:
        raise FormatError("the wal-index is not set up (isInit is not 1)")
    sum1 = version  # `wal_checksum` of the first 40 bytes, written out because it is needed hundreds of times a second
    sum2 = unused + sum1
    sum1 += changes + sum2
    sum2 += flags + sum1
    sum1 += live_frames + sum2
    sum2 += pages + sum1
    sum1 += frame_sum1 + sum2
    sum2 += frame_sum2 + sum1
    sum1 += salt1 + sum2
    sum2 += salt2 + sum1
    if sums != [sum1 & _MASK, sum2 & _MASK]:
        raise FormatError("the checksum of the -shm header is wrong")
    if backfilled > live_frames:
        raise FormatError("more frames are backfilled than live: a torn read")
    page_size = _INDEX_PAGE_SIZES.get(flags >> 16 if order == "little" else flags & 0xFFFF)
    if page_size is None:
        raise FormatError("the page size is not a power of two from 512 to 65536")
    return WalIndex(
        order,
        changes,
        "big" if data[13] else "little",
        page_size,
        live_frames,
        pages,
        (frame_sum1, frame_sum2),
        bytes(data[32:40]),
        backfilled,
        (mark0, mark1, mark2, mark3, mark4),
        attempted,
    )


_UNPACK_INDEX: Final = {
    order: struct.Struct(f"{sign}12I48x6I8xI").unpack_from for order, sign in (("little", "<"), ("big", ">"))
}
"""The eight lock bytes, 120..127, are skipped: locked bytes are never read as data."""

_INDEX_PAGE_SIZES: Final = {1: 65536} | {512 << power: 512 << power for power in range(7)}
"""As stored -> in bytes; 65536 does not fit into 16 bits."""

_INDEX_ORDERS: Final[dict[bytes, ByteOrder]] = {
    WAL_FORMAT.to_bytes(4, "little"): "little", WAL_FORMAT.to_bytes(4, "big"): "big"
}  # fmt: skip


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "big")


def _page_size_of(stored: int) -> int:
    """Turn the 16-bit form, in which 1 means 65536, into bytes."""
    return 65536 if stored == 1 else stored


def _checked_page_size(size: int) -> int:
    if not 512 <= size <= 65536 or size & (size - 1):
        raise FormatError(f"{size} is not a page size (a power of two from 512 to 65536)")
    return size
