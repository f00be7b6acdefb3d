"""Counting frames in a -wal: those behind the last commit, and those that a crash left to be recovered."""

from __future__ import annotations

from typing import Final

from sqlwatch.observe.files import FollowedFile
from sqlwatch.observe.formats import (
    FRAME_HEADER_BYTES,
    FormatError,
    FrameHeader,
    WalHeader,
    WalIndex,
    frame_checksum,
    frame_offset,
    parse_frame_header,
)

_NO_SALTS: Final = bytes(8)
_MOST_STEPS: Final = 100_000
"""Frames that are walked back in search of the last commit."""


def count_uncommitted(wal: FollowedFile, header: WalHeader | None, index: WalIndex) -> int | None:
    """Count the frames behind the last live one that belong to the transaction now being written; None if unknown.

    A transaction that outgrew its cache spills pages into the WAL before it commits.  The first frame behind the last
    commit must carry that commit's checksum onwards, else it is a leftover of an older, rolled-back transaction.
    The others are counted by their salts: leftovers behind a shorter spill are counted too, so this is an upper bound.
    Once a transaction has overwritten a page that it had spilled, its further frames have neither salts nor checksums
    until the commit (walEncodeFrame and walRewriteChecksums in SQLite's wal.c).
    """
    if index.live_frames:
        salts, before = index.salts, index.frame_checksum
    elif header is not None and header.salts == index.salts:
        salts, before = header.salts, header.checksum
    else:
        return 0  # the WAL was reset and nothing was written since
    first = index.live_frames + 1
    if not _continues(wal, first, index.page_size, index, salts, before):
        return 0
    return _last_of_generation(wal, first, index.page_size, (salts, _NO_SALTS)) - index.live_frames


def count_recoverable(wal: FollowedFile, header: WalHeader) -> int:
    """Count the frames up to the last commit: what the next opener recovers.  Checksums of pages are not verified."""
    last = _last_of_generation(wal, 0, header.page_size, (header.salts,))
    for number in range(last, max(last - _MOST_STEPS, 0), -1):
        frame = _frame(wal, number, header.page_size)
        if frame is not None and frame.commit_pages:
            return number
    return 0


def _continues(
    wal: FollowedFile, number: int, page_size: int, index: WalIndex, salts: bytes, before: tuple[int, int]
) -> bool:
    data = wal.read(FRAME_HEADER_BYTES + page_size, frame_offset(number, page_size))
    try:
        frame = parse_frame_header(data)
        if frame.salts != salts or len(data) < FRAME_HEADER_BYTES + page_size:
            return False
        return frame_checksum(data, index.checksum_order, before) == frame.checksum
    except FormatError:
        return False


def _last_of_generation(wal: FollowedFile, known: int, page_size: int, salts: tuple[bytes, ...]) -> int:
    """Return the last frame with one of these salts, by doubling and halving; `known` is one that has them, or 0."""
    size = wal.status.st_size if wal.status is not None else 0
    most = max((size - 32) // (page_size + FRAME_HEADER_BYTES), known)
    step = 1
    while known + step <= most and _has_salts(wal, known + step, page_size, salts):
        known += step
        step *= 2
    low, high = known, min(known + step, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if _has_salts(wal, middle, page_size, salts):
            low = middle
        else:
            high = middle
    return low


def _has_salts(wal: FollowedFile, number: int, page_size: int, salts: tuple[bytes, ...]) -> bool:
    frame = _frame(wal, number, page_size)
    return frame is not None and frame.salts in salts


def _frame(wal: FollowedFile, number: int, page_size: int) -> FrameHeader | None:
    try:
        return parse_frame_header(wal.read(FRAME_HEADER_BYTES, frame_offset(number, page_size)))
    except FormatError:
        return None
