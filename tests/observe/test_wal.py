from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sqlwatch.metrics.observations import WalObservation
from sqlwatch.observe.formats import parse_frame_header, parse_wal_header
from sqlwatch.observe.frames import count_recoverable, count_uncommitted
from sqlwatch.observe.wal import WalReader

from .images import frame, wal_header, wal_index
from .programs import HOLD_WRITE, MAKE_WAL, READ, WRITE_ON_DEMAND, Programs, wait_until

NOTHING = WalObservation(1, 0, None, None, None, None)


@pytest.fixture
def reader(database: Path) -> Iterator[WalReader]:
    made = WalReader(database)
    yield made
    made.close()


def held(observation: WalObservation) -> dict[int, tuple[int, int]]:
    return {mark.slot: (mark.frame, mark.pid) for mark in observation.marks if mark.held}


def test_nothing_there_gives_none_and_then_the_wal_appears(
    programs: Programs, reader: WalReader, database: Path
) -> None:
    assert reader.read(1) == NOTHING
    writer = programs.start(WRITE_ON_DEMAND)
    seen = reader.read(2)
    assert (seen.at_ns, seen.live_frames, seen.backfilled_frames) == (2, 2, 0)
    writer.tell("5")
    writer.expect("wrote")
    after = reader.read(3)
    assert after.live_frames == 7
    assert after.file_bytes == Path(f"{database}-wal").stat().st_size
    assert held(after) == {}
    writer.end()


def test_a_reader_holds_its_mark_and_others_leave_theirs(programs: Programs, reader: WalReader) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    old = programs.start(READ)
    writer.tell("5")
    writer.expect("wrote")
    young = programs.start(READ)
    seen = reader.read(1)
    assert sorted(held(seen).values()) == [(2, old.pid), (7, young.pid)]
    for program in (old, young):
        program.tell()
        program.expect("done")
    left = reader.read(2)
    assert held(left) == {}
    assert {mark.frame for mark in left.marks} >= {2, 7}, "the marks stay when the readers leave"


def test_the_first_reader_of_a_slot_is_seen_at_once(programs: Programs, reader: WalReader) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    reader.read(1)
    for slot in range(1, 5):
        young = programs.start(READ)
        assert held(reader.read(2))[slot] == (slot + 1, young.pid)
        writer.tell("1")
        writer.expect("wrote")


def test_a_reader_of_a_backfilled_wal_holds_slot_0(programs: Programs, reader: WalReader) -> None:
    programs.start(MAKE_WAL + "c.execute('pragma wal_checkpoint')\nsay()\nlisten()")
    watcher = programs.start(READ)
    seen = reader.read(1)
    assert held(seen) == {0: (0, watcher.pid)}
    assert seen.backfilled_frames == seen.live_frames == 2


def test_a_writer_holds_a_mark_too(programs: Programs, reader: WalReader) -> None:
    writer = programs.start(HOLD_WRITE)
    assert list(held(reader.read(1)).values()) == [(2, writer.pid)]


def test_truncated_wal_and_reset(programs: Programs, reader: WalReader) -> None:
    program = programs.start(
        MAKE_WAL
        + """
say()
while True:
    c.execute(listen())
    say("did")
"""
    )

    def do(statement: str) -> WalObservation:
        program.tell(statement)
        program.expect("did")
        return reader.read(1)

    first = do("insert into t values(1)")
    emptied = do("pragma wal_checkpoint(truncate)")
    assert (emptied.file_bytes, emptied.checkpoint_sequence, emptied.live_frames) == (0, None, 0)
    second = do("insert into t values(1)")
    assert second.live_frames == 1
    assert first.checkpoint_sequence is not None
    assert second.checkpoint_sequence == first.checkpoint_sequence + 1


def test_unlinked_and_new_files_are_noticed(programs: Programs, reader: WalReader, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    assert reader.read(1).live_frames == 2
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink()
    assert reader.read(2) == WalObservation(2, 0, None, None, None, None)
    assert (reader.wal.descriptor, reader.shm.descriptor) == (None, None)
    writer.end()
    programs.start(WRITE_ON_DEMAND)
    assert reader.read(3).live_frames is not None
    assert (reader.wal.generation, reader.shm.generation) == (2, 2)


def test_damaged_files_give_none(reader: WalReader, database: Path) -> None:
    shm, wal = Path(f"{database}-shm"), Path(f"{database}-wal")
    shm.write_bytes(bytes(32768))
    wal.write_bytes(b"x" * 40)
    assert reader.read(1) == WalObservation(1, 0, 40, None, None, None)
    shm.write_bytes(wal_index(live=9, backfilled=4))
    wal.write_bytes(wal_header(sequence=6))
    seen = reader.read(1)
    assert (seen.live_frames, seen.backfilled_frames, seen.checkpoint_sequence) == (9, 4, 6)
    shm.write_bytes(b"")
    assert reader.read(1).live_frames is None


def test_thousands_of_damaged_files_are_read_without_an_error(reader: WalReader, database: Path) -> None:
    chance = random.Random(3)
    sums = parse_wal_header(wal_header(page_size=512)).checksum
    frames = b""
    for number in range(1, 9):
        frames += frame(number, chance.randbytes(512), sums, commit_pages=8 * (number % 2))
        sums = parse_frame_header(frames[-536:]).checksum
    whole_wal = wal_header(page_size=512) + frames
    read = counted = 0
    for _ in range(4000):
        shm = wal_index(
            chance.choice(["little", "big"]), live=chance.choice((0, 3, 7, 8, 9, 2**31)), page_size=512,
            frame_sums=parse_frame_header(frames[2 * 536 :]).checksum,
        )  # fmt: skip
        for suffix, image in (("-shm", shm), ("-wal", whole_wal)):
            data = bytearray(image[: chance.choice((len(image), chance.randrange(len(image))))])
            for _ in range(chance.choice((0, 0, 1, 9)) if data else 0):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            Path(f"{database}{suffix}").write_bytes(data)
        seen = reader.read(1)
        read += seen.live_frames is not None
        if reader.header is not None:
            assert 0 <= count_recoverable(reader.wal, reader.header) <= 8
        if reader.index is not None:
            uncommitted = count_uncommitted(reader.wal, reader.header, reader.index)
            assert uncommitted is None or 0 <= uncommitted <= 8
            counted += bool(uncommitted)
    assert read > 500
    assert counted > 50


def test_what_is_no_file_is_not_opened(reader: WalReader, database: Path) -> None:
    os.mkfifo(f"{database}-shm")
    Path(f"{database}-wal").mkdir()
    assert reader.read(1) == NOTHING


def test_a_symbolic_link_leads_to_the_files_beside_its_target(programs: Programs, database: Path) -> None:
    programs.start(WRITE_ON_DEMAND)
    link = database.with_name("link.db")
    link.symlink_to(database)
    reader = WalReader(link)
    assert reader.read(1).live_frames == 2
    reader.close()


WRITE_WITHOUT_PAUSE = (
    MAKE_WAL
    + """
c.execute("pragma wal_autocheckpoint=0")
c.execute("pragma synchronous=off")
say()
listen()
while True:
    c.execute("insert into t values(1)")
"""
)


def test_torn_reads_are_retried(programs: Programs, reader: WalReader) -> None:
    programs.start(WRITE_WITHOUT_PAUSE).tell()
    frames: list[int] = []
    stretches = 0
    was_unread = False

    def has_seen_enough() -> bool:
        nonlocal stretches, was_unread
        for _ in range(1000):
            live = reader.read(1).live_frames
            stretches += live is None and not was_unread
            was_unread = live is None
            frames.extend([] if live is None else [live])
        return len(set(frames)) > 1000

    wait_until(has_seen_enough)
    # A writer that is put to sleep between the two copies keeps us from reading for as long as it sleeps.
    assert stretches <= len(frames) / 100
    assert frames == sorted(frames)


def test_a_look_in_between_hides_nothing_from_the_next_read(programs: Programs, reader: WalReader) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    reader.read(1)
    writer.tell("3")
    writer.expect("wrote")
    between = reader.read_index()
    assert between is not None
    assert between.live_frames == reader.read(2).live_frames == 5


def test_files_are_closed(programs: Programs, database: Path) -> None:
    programs.start(WRITE_ON_DEMAND)
    reader = WalReader(database)
    reader.read(1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 2
