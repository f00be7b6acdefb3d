"""What an observer outside SQLite tells the fold: tagged, versioned messages, like `simulators.events`."""

from __future__ import annotations

import msgspec


class ReadMark(msgspec.Struct, frozen=True, array_like=True):
    """One of the five read marks of the wal-index: its slot, its frame, and whether its lock byte is held now.

    A mark pins the WAL only while its byte is held; a held slot 0 means a reader that needs no frame of the WAL.
    `pid` is the first holder the kernel names; 0 if it names none.
    """

    slot: int
    frame: int
    held: bool
    pid: int = 0


class WalObservation(msgspec.Struct, frozen=True, tag="wal"):
    """The WAL of one database at one moment, read from the -wal and -shm headers (https://sqlite.org/walformat.html).

    `live_frames` is mxFrame, `backfilled_frames` nBackfill, `checkpoint_sequence` the -wal header's counter of resets.
    A value that could not be read (no file, torn header) is None.
    """

    at_ns: int
    database: int
    file_bytes: int | None
    live_frames: int | None
    backfilled_frames: int | None
    checkpoint_sequence: int | None
    marks: tuple[ReadMark, ...] = ()
