from __future__ import annotations

import os
import random
import socket
import struct
from pathlib import Path

import pytest

from sqlwatch.metrics.observations import JournalMode, Refusal
from sqlwatch.observe.facts import CannotObserve, inspect_database
from sqlwatch.observe.filesystems import NETWORK_TYPES, file_system_of, parse_mountinfo

from .programs import MAKE_WAL, Programs

HEADER = b"SQLite format 3\0" + struct.pack(">H", 4096) + b"\2\2\0\x40\x20\x20" + bytes(76)

MOUNTS = rb"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 0:41 / /mnt/with\040space ro,relatime shared:1 master:2 - nfs4 server:/export rw,vers=4.2
31 27 0:42 /sub /btrfs rw - btrfs /dev/sdb rw,subvol=/sub
32 27 x:y / /odd rw - fuse.sshfs a ro
33 broken
"""


def refusal(path: Path) -> CannotObserve:
    with pytest.raises(CannotObserve) as caught:
        inspect_database(path)
    assert caught.value.sentence == str(caught.value)
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    return caught.value


def test_facts_of_a_wal_database(programs: Programs, database: Path) -> None:
    programs.start(MAKE_WAL + "say()\nlisten()")
    facts = inspect_database(database)
    assert (facts.journal_mode, facts.page_size) == (JournalMode.WAL, 4096)
    assert facts.file_bytes == database.stat().st_size
    assert facts.wal_bytes == Path(f"{database}-wal").stat().st_size
    assert facts.journal_bytes is None
    assert facts.file_system
    assert (facts.is_network_file_system, facts.is_mounted_read_only) == (False, False)


def test_what_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.db").reason is Refusal.MISSING
    (tmp_path / "file").write_bytes(b"x")
    assert refusal(tmp_path / "file" / "below.db").reason is Refusal.MISSING
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refusal(tmp_path / "loop").reason in (Refusal.UNREADABLE, Refusal.MISSING)


def test_what_is_not_a_file(tmp_path: Path) -> None:
    assert refusal(tmp_path).reason is Refusal.DIRECTORY
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refusal(tmp_path / "pipe").sentence
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert "a socket" in refusal(tmp_path / "s").sentence
    assert refusal(Path("/dev/null")).reason is Refusal.NOT_A_FILE


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"", Refusal.EMPTY, "is empty"),
        (b"hello", Refusal.NOT_A_DATABASE, "only 5 bytes"),
        (random.Random(3).randbytes(8192), Refusal.NOT_A_DATABASE, "encrypted"),
        (HEADER.replace(b"\2\2", b"\3\3"), Refusal.OTHER_FORMAT, "wal2"),
        (HEADER.replace(b"\2\2", b"\xff\xff"), Refusal.OTHER_FORMAT, "version 255"),
        (b"** This file contains an SQLite 2.1 database **" + bytes(100), Refusal.OTHER_FORMAT, "SQLite 2"),
        (HEADER[:60], Refusal.NOT_A_DATABASE, "only 60 bytes"),
    ],
)
def test_other_content(database: Path, content: bytes, reason: Refusal, words: str) -> None:
    database.write_bytes(content)
    refused = refusal(database)
    assert refused.reason is reason
    assert words in refused.sentence


def test_a_wal_named_by_mistake(programs: Programs, database: Path) -> None:
    programs.start(MAKE_WAL + "say()\nlisten()")
    assert f"name {database}." in refusal(Path(f"{database}-wal")).sentence


def test_a_hostile_name_stays_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\nb\udce9.db"
    path.write_bytes(b"")
    sentence = refusal(path).sentence
    assert sentence.isprintable()
    sentence.encode()
    path.write_bytes(HEADER)
    assert inspect_database(path).path.isprintable()


def test_mounts() -> None:
    network = parse_mountinfo(MOUNTS, 30)
    assert network is not None
    assert (network.type, network.mount_point, network.is_network) == ("nfs4", "/mnt/with space", True)
    assert (network.is_read_only, network.device) == (True, (0, 41))
    butter = parse_mountinfo(MOUNTS, 31)
    assert butter is not None
    assert (butter.type, butter.is_network, butter.is_read_only, butter.device) == ("btrfs", False, False, (0, 42))
    odd = parse_mountinfo(MOUNTS, 32)
    assert odd is not None
    assert (odd.is_network, odd.is_read_only, odd.device) == (True, True, None)
    assert parse_mountinfo(MOUNTS, 33) is None
    assert parse_mountinfo(MOUNTS, 99) is None
    assert {"nfs", "cifs", "9p", "virtiofs", "fuse.sshfs"} <= NETWORK_TYPES


def test_the_file_system_of_an_open_file_has_the_device_that_locks_show(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        system = file_system_of(file.fileno(), file.name)
        device = os.fstat(file.fileno()).st_dev
    assert system is not None
    assert system.type == "btrfs" or system.device == (os.major(device), os.minor(device))
