from __future__ import annotations

import os
import struct
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.observe import locks
from sqlwatch.observe.files import open_for_reading
from sqlwatch.observe.locks import (
    DARWIN,
    FREEBSD,
    LINUX,
    SHARED_BYTES,
    SHARED_FIRST,
    FileKey,
    ListedLock,
    Lock,
    LockKind,
    LockProbe,
    ShmByte,
    SpanProbe,
    holder,
    layout_of,
    parse_proc_locks,
    read_proc_locks,
)

from .programs import HOLD_WRITE, READ, Programs

KEY = FileKey(0xFE, 0, 2179591)


def test_the_holder_of_the_write_byte_is_named(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    shm = open_for_reading(f"{database}-shm")
    main = open_for_reading(str(database))
    try:
        assert holder(shm, ShmByte.WRITE) == Lock(LockKind.EXCLUSIVE, 120, 1, writer.pid)
        assert holder(shm, ShmByte.CHECKPOINT) is None
        assert holder(shm, ShmByte.DMS) == Lock(LockKind.SHARED, 128, 1, writer.pid)
        assert holder(shm, ShmByte.DMS, kind=LockKind.SHARED) is None
        assert holder(main, SHARED_FIRST, SHARED_BYTES) == Lock(LockKind.SHARED, SHARED_FIRST, SHARED_BYTES, writer.pid)
        writer.tell()
        writer.expect("committed")
        assert holder(shm, ShmByte.WRITE) is None
    finally:
        os.close(shm)
        os.close(main)


def test_proc_locks_lists_all_holders(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    readers = [programs.start(READ) for _ in range(3)]
    key = FileKey.of(Path(f"{database}-shm").stat())
    locks = read_proc_locks([key])
    assert locks is not None
    touching = {listed.lock.pid for listed in locks[key] if listed.lock.overlaps(ShmByte.DMS)}
    assert touching == {writer.pid, *(reader.pid for reader in readers)}
    assert {listed.lock.pid for listed in locks[key] if listed.lock.overlaps(ShmByte.WRITE)} == {writer.pid}


def test_proc_locks_text() -> None:
    text = """1: POSIX  ADVISORY  WRITE 5679 fe:00:2179591 120 120
1: -> POSIX  ADVISORY  WRITE 5680 fe:00:2179591 120 120
2: FLOCK  ADVISORY  WRITE 9 fe:00:2179591 0 EOF
3: OFDLCK ADVISORY  READ -1 fe:00:2179591 0 EOF
4: POSIX  ADVISORY  READ 7 fe:00:99 1 2
5: POSIX  ADVISORY  READ x fe:00:2179591 1 2
6: LEASE  ACTIVE    READ 5 fe:00:2179591 0 EOF
7: POSIX  *NOINODE* READ 5
"""
    assert parse_proc_locks(text, [KEY]) == {
        KEY: [
            ListedLock(Lock(LockKind.EXCLUSIVE, 120, 1, 5679)),
            ListedLock(Lock(LockKind.EXCLUSIVE, 120, 1, 5680), waiting=True),
            ListedLock(Lock(LockKind.SHARED, 0, 0, -1)),
        ]
    }


@given(text=st.text(alphabet="0123456789: ->POSIXWRITEFD\n\tfe", max_size=200))
def test_no_text_breaks_the_reader_of_proc_locks(text: str) -> None:
    assert set(parse_proc_locks(text + f"\n1: POSIX {text} {KEY} 1 2", [KEY])) == {KEY}


@pytest.mark.parametrize(
    ("lock", "start", "length", "expected"),
    [
        (Lock(LockKind.SHARED, 124, 5, 1), 128, 1, True),
        (Lock(LockKind.SHARED, 124, 5, 1), 129, 1, False),
        (Lock(LockKind.SHARED, 124, 5, 1), 120, 4, False),
        (Lock(LockKind.SHARED, 124, 5, 1), 120, 5, True),
        (Lock(LockKind.SHARED, 0, 0, 1), 10**12, 1, True),
        (Lock(LockKind.SHARED, 50, 0, 1), 10, 40, False),
    ],
)
def test_overlap(lock: Lock, start: int, length: int, expected: bool) -> None:
    assert lock.overlaps(start, length) is expected


def test_layouts_of_other_systems() -> None:
    request = DARWIN.request(LockKind.EXCLUSIVE, 120, 1)
    assert request == struct.pack("=qqihh", 120, 1, 0, 3, 0)
    assert len(request) == 24
    assert DARWIN.parse(struct.pack("=qqihh", 120, 1, 44, 1, 0)) == Lock(LockKind.SHARED, 120, 1, 44)
    assert DARWIN.parse(struct.pack("=qqihh", 120, 1, 44, 2, 0)) is None
    assert len(FREEBSD.request(LockKind.SHARED, 1, 1)) == 32
    assert FREEBSD.parse(struct.pack("=qqihhi4x", 5, 2, 9, 3, 0, 0)) == Lock(LockKind.EXCLUSIVE, 5, 2, 9)
    assert LINUX.parse(LINUX.request(LockKind.SHARED, 7, 8)) == Lock(LockKind.SHARED, 7, 8, 0)
    assert layout_of("darwin") is DARWIN
    assert layout_of("freebsd14") is FREEBSD
    assert layout_of("win32") is None


@given(
    kind=st.sampled_from(LockKind),
    start=st.integers(0, 2**62),
    length=st.integers(0, 2**62),
    layout=st.sampled_from([LINUX, DARWIN, FREEBSD]),
)
def test_requests_read_back(kind: LockKind, start: int, length: int, layout: object) -> None:
    assert isinstance(layout, type(LINUX))
    assert layout.parse(layout.request(kind, start, length)) == Lock(kind, start, length, 0)


@given(
    st.lists(
        st.builds(
            Lock, kind=st.sampled_from(LockKind), start=st.integers(100, 140), length=st.integers(0, 12),
            pid=st.integers(1, 3),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_a_span_names_a_holder_of_every_byte_that_is_held(held: list[Lock]) -> None:
    asked = 0

    def kernel(_descriptor: int, _command: int, request: bytes) -> bytes:
        nonlocal asked
        asked += 1
        assert asked < 100
        _, _, start, length, _ = struct.unpack("@hhqqi0q", request)
        found = next((lock for lock in held if lock.overlaps(start, length)), None)
        if found is None:
            return struct.pack("@hhqqi0q", LINUX.unlocked, 0, start, length, 0)
        kind = LINUX.exclusive if found.kind is LockKind.EXCLUSIVE else LINUX.shared
        return struct.pack("@hhqqi0q", kind, 0, found.start, found.length, found.pid)

    with mock.patch.object(locks, "fcntl", mock.Mock(fcntl=kernel, F_GETLK=5)):
        named = SpanProbe(120, 8).ask(0)
    assert set(named) == {byte for byte in range(120, 128) if any(lock.overlaps(byte) for lock in held)}
    assert all(lock in held and lock.overlaps(byte) for byte, lock in named.items())


def test_a_span_survives_an_answer_about_other_bytes() -> None:
    answer = struct.pack("@hhqqi0q", LINUX.exclusive, 0, 5, 2, 44)
    with mock.patch.object(locks, "fcntl", mock.Mock(fcntl=lambda *_: answer, F_GETLK=5)):
        assert SpanProbe(120, 8).ask(0) == {}


def test_a_closed_descriptor_is_an_error_not_an_absence(database: Path) -> None:
    database.write_bytes(b"")
    descriptor = open_for_reading(str(database))
    os.close(descriptor)
    with pytest.raises(OSError):
        LockProbe(1).ask(descriptor)
