from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlwatch.observe import formats
from sqlwatch.observe.formats import (
    ByteOrder,
    FormatError,
    frame_checksum,
    parse_database_header,
    parse_frame_header,
    parse_wal_header,
    parse_wal_index,
    wal_checksum,
)

from .images import frame, wal_header, wal_index
from .programs import Programs

PARSERS: list[Callable[[bytes], object]] = [
    parse_database_header,
    parse_wal_header,
    parse_frame_header,
    parse_wal_index,
]
PAGE_SIZES = [512 << power for power in range(8)]
ORDERS: list[ByteOrder] = ["little", "big"]

WRITE_PAGES = """
c = connect()
c.execute(f"pragma page_size={sys.argv[2]}")
c.execute("pragma journal_mode=wal")
c.execute("create table t(x)")
for i in range(20):
    c.execute("insert into t values(?)", (i,))
say()
listen()
"""


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_files_that_sqlite_wrote_are_read(programs: Programs, database: Path, page_size: int) -> None:
    programs.start(WRITE_PAGES, str(page_size))
    wal = Path(f"{database}-wal").read_bytes()
    header = parse_wal_header(wal)
    index = parse_wal_index(Path(f"{database}-shm").read_bytes())
    main = parse_database_header(database.read_bytes())

    assert main.page_size == header.page_size == index.page_size == page_size
    assert main.journal_mode == "wal"
    assert index.live_frames == (len(wal) - 32) // (page_size + 24)
    assert index.changes >= 21
    assert index.salts == header.salts
    assert index.checksum_order == header.checksum_order
    before = header.checksum
    for number in range(1, index.live_frames + 1):
        at = header.frame_at(number)
        piece = wal[at : at + 24 + page_size]
        parsed = parse_frame_header(piece)
        assert parsed.salts == header.salts
        assert parsed.checksum == frame_checksum(piece, header.checksum_order, before)
        before = parsed.checksum
    assert parsed.commit_pages == index.pages
    assert before == index.frame_checksum


def test_rollback_journal_database(programs: Programs, database: Path) -> None:
    programs.run("connect().execute('pragma user_version=-7')")
    header = parse_database_header(database.read_bytes())
    assert header.journal_mode == "rollback"
    assert (header.user_version, header.change_counter, header.version_valid_for) == (-7, 1, 1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_wal_index_in_both_byte_orders(order: ByteOrder, page_size: int) -> None:
    image = wal_index(order, changes=41, live=300, backfilled=299, page_size=page_size, marks=(0, 5, 6, 7, 8))
    index = parse_wal_index(image)
    assert (index.byte_order, index.changes, index.live_frames, index.backfilled_frames) == (order, 41, 300, 299)
    assert (index.page_size, index.marks, index.salts) == (page_size, (0, 5, 6, 7, 8), b"saltSALT")


def test_torn_and_unready_wal_index_is_refused() -> None:
    good, newer = wal_index(live=10), wal_index(live=11)
    torn = [
        (newer[:48] + good[48:], "differ"),
        (good[:96] + wal_index(live=10, backfilled=11)[96:], "torn"),
        (wal_index(is_init=0), "not set up"),
        (wal_index(version=3007001), "version"),
        (bytes(136), "version"),
        (good[:135], "136 bytes"),
        ((good[:16] + b"\xff" + good[17:48]) * 2 + good[96:], "checksum"),
        (wal_index(page_size=1000), "page size"),
    ]
    parse_wal_index(good)
    for image, words in torn:
        with pytest.raises(FormatError, match=words):
            parse_wal_index(image)


@pytest.mark.parametrize("order", ORDERS)
def test_wal_header_and_frames_in_both_checksum_orders(order: ByteOrder) -> None:
    header = parse_wal_header(wal_header(order, page_size=512, sequence=9))
    assert (header.checksum_order, header.page_size, header.checkpoint_sequence) == (order, 512, 9)
    piece = frame(3, bytes(range(256)) * 2, header.checksum, order, commit_pages=4)
    parsed = parse_frame_header(piece)
    assert (parsed.page, parsed.commit_pages, parsed.salts) == (3, 4, b"saltSALT")
    assert frame_checksum(piece, order, header.checksum) == parsed.checksum
    other: ByteOrder = "little" if order == "big" else "big"
    assert frame_checksum(piece, other, header.checksum) != parsed.checksum


def test_other_formats_are_refused() -> None:
    for image in (b"", bytes(32), wal_header()[:31], b"\x37\x7f\x06\x84" + wal_header()[4:]):
        with pytest.raises(FormatError):
            parse_wal_header(image)
    with pytest.raises(FormatError, match="magic text"):
        parse_database_header(random.Random(1).randbytes(4096))
    with pytest.raises(FormatError, match="page size"):
        parse_database_header(b"SQLite format 3\0" + struct.pack(">H", 1000) + b"\1\1\0\x40\x20\x20" + bytes(76))
    with pytest.raises(FormatError, match="8-byte"):
        wal_checksum(b"1234", "little")
    with pytest.raises(FormatError, match="page 0"):
        parse_frame_header(bytes(24))


def test_wal2_is_recognised_as_such() -> None:
    header = parse_database_header(b"SQLite format 3\0" + struct.pack(">H", 4096) + b"\3\3\0\x40\x20\x20" + bytes(76))
    assert header.journal_mode == "wal2"


@given(order=st.sampled_from(ORDERS), words=st.lists(st.integers(0, 2**32 - 1), max_size=12), cut=st.integers(0, 6))
def test_checksums_continue(order: ByteOrder, words: list[int], cut: int) -> None:
    data = b"".join(word.to_bytes(4, order) * 2 for word in words)
    first, second = data[: cut * 8], data[cut * 8 :]
    assert wal_checksum(second, order, wal_checksum(first, order)) == wal_checksum(data, order)
    sum1 = sum2 = 0
    for word in words:
        sum1 = (sum1 + word + sum2) % 2**32
        sum2 = (sum2 + word + sum1) % 2**32
    assert wal_checksum(data, order) == (sum1, sum2)


@settings(max_examples=400)
@given(data=st.binary(max_size=200))
def test_random_bytes_raise_format_error_only(data: bytes) -> None:
    _parse_with_all(data)


@settings(max_examples=400)
@given(
    image=st.sampled_from([wal_index(), wal_index("big"), wal_header(), wal_header("big")]),
    flips=st.lists(st.integers(0, 136 * 8 - 1), max_size=4),
    length=st.integers(0, 136),
)
def test_flipped_and_cut_images_raise_format_error_only(image: bytes, flips: list[int], length: int) -> None:
    _parse_with_all(_flipped(image, flips)[:length])


@given(flip=st.integers(0, 40 * 8 - 1))
def test_no_flipped_bit_of_the_header_passes(flip: int) -> None:
    good = wal_index()
    half = _flipped(good[:48], [flip])
    with pytest.raises(FormatError):
        parse_wal_index(half + half + good[96:])
    with pytest.raises(FormatError):
        parse_wal_index(half + good[48:])


def test_a_hundred_thousand_damaged_inputs() -> None:
    chance = random.Random(20)
    main = b"SQLite format 3\0" + struct.pack(">H", 4096) + b"\2\2\0\x40\x20\x20" + bytes(76)
    images = [
        wal_index(), wal_index("big"), wal_header(), wal_header("big"), main, frame(7, bytes(512), (1, 2)),
    ]  # fmt: skip
    accepted = 0
    for _ in range(100_000):
        image = chance.choice(images) if chance.random() < 0.7 else chance.randbytes(140)
        flips = [chance.randrange(140 * 8) for _ in range(chance.randrange(4))]
        accepted += _parse_with_all(_flipped(image, flips)[: chance.choice((200, chance.randrange(137)))])
    assert accepted > 20_000, "some are whole, or are damaged where it does not show"


def test_parsers_read_no_byte_beyond_what_they_need() -> None:
    assert parse_wal_index(wal_index() + b"x") == parse_wal_index(wal_index())
    assert parse_wal_header(wal_header() + b"x") == parse_wal_header(wal_header())
    assert formats.frame_offset(2, 4096) == 32 + 4120


def _flipped(image: bytes, bits: list[int]) -> bytes:
    data = bytearray(image)
    for bit in bits:
        if bit // 8 < len(data):
            data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


NEEDED: dict[Callable[[bytes], object], int] = {
    parse_database_header: formats.DATABASE_HEADER_BYTES, parse_wal_header: formats.WAL_HEADER_BYTES,
    parse_frame_header: formats.FRAME_HEADER_BYTES, parse_wal_index: formats.WAL_INDEX_BYTES,
}  # fmt: skip


def _parse_with_all(data: bytes) -> int:
    """Fail at any exception but FormatError, and at any result that needs bytes which are not there or not its own."""
    accepted = 0
    for parse in PARSERS:
        try:
            parsed = parse(data)
        except FormatError:
            continue
        accepted += 1
        assert len(data) >= NEEDED[parse]
        assert parse(data[: NEEDED[parse]]) == parsed
    return accepted
