"""Incidents 14, 17 and 19: files deleted under a program, locks lost, a WAL that a crash left, a network mount."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.observation import observation_findings
from sqlwatch.observe import facts, looker
from sqlwatch.observe.filesystems import FileSystem, file_system_of
from sqlwatch.session.look import look_at

from .crew import MAKE_WAL, Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding

KEEPS_WRITING = (
    MAKE_WAL
    + """
say()
while True:
    c.execute("insert into t values(1)")
    time.sleep(0.05)
"""
)


@pytest.mark.parametrize("client", [Client.PYTHON, Client.APSW])
def test_14_the_wal_was_deleted_under_a_writer(crew: Crew, database: Path, client: Client) -> None:
    culprit = crew.start_as(client, KEEPS_WRITING)
    Path(f"{database}-wal").unlink()
    finding = wait_for_finding(database, "unlinked-wal")
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
    assert (finding.evidence["files"], finding.evidence["deleted"]) == (["wal"], True)
    assert f"(pid {culprit.pid}) still uses a -wal that has been deleted" in finding.summary
    assert f"Stop process {culprit.pid}" in finding.remedy
    assert f"/proc/{culprit.pid}/fd" in finding.remedy


def test_14_a_newcomer_makes_a_wal_of_its_own(crew: Crew, database: Path) -> None:
    culprit = crew.start(KEEPS_WRITING)
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink()
    crew.shell("create table if not exists t(x);", "insert into t values(2);")
    finding = wait_for_finding(database, "unlinked-wal", beside=[])
    assert (finding.pid, finding.evidence["files"]) == (culprit.pid, ["wal", "shm"])

    culprit.end()
    assert_nothing_found(database)


LOSES_ITS_LOCKS = (
    MAKE_WAL
    + """
c.execute("insert into t values(1)")
say()
name = listen()
os.close(os.open(name, os.O_RDONLY))
say("lost")
while True:
    c.execute("insert into t values(1)")
    time.sleep(0.05)
"""
)


@pytest.mark.parametrize(("client", "suffix", "lock"), [(Client.PYTHON, "", "shared"), (Client.APSW, "-shm", "dms")])
def test_14_locks_are_lost_by_opening_and_closing_a_file(
    crew: Crew, database: Path, client: Client, suffix: str, lock: str
) -> None:
    crew.start(MAKE_WAL + "say()\nlisten()")
    culprit = crew.start_as(client, LOSES_ITS_LOCKS)
    culprit.tell(f"{database}{suffix}")
    culprit.expect("lost")
    finding = wait_for_finding(database, "lost-locks", beside=[])
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
    assert finding.evidence["missing"] == [lock]
    assert f"Restart process {culprit.pid}" in finding.remedy
    assert "opened and closed one of the database's files" in finding.remedy

    culprit.end()
    if client is Client.PYTHON:
        assert_nothing_found(database)


COMMITS = MAKE_WAL + "for _ in range(50):\n    c.execute('insert into t values(1)')\nsay()\nlisten()\n"


@pytest.mark.parametrize("client", [Client.APSW, Client.SHELL])
def test_17_a_crash_leaves_a_wal(crew: Crew, database: Path, client: Client) -> None:
    program: Program
    if client is Client.SHELL:
        program = crew.shell("pragma journal_mode=wal;", "create table t(x);", *["insert into t values(1);"] * 50)
    else:
        program = crew.start_as(client, COMMITS)
    program.end()  # by SIGKILL
    before = {path: path.read_bytes() for path in database.parent.iterdir()}
    finding = wait_for_finding(database, "hot-wal", beside=[])
    assert (finding.severity, finding.pid, finding.evidence["recoverable_frames"]) == (Severity.INFO, None, 52)
    assert "nobody has the database open" in finding.summary
    assert "Do not delete the -wal" in finding.remedy
    assert {path: path.read_bytes() for path in database.parent.iterdir()} == before

    if client is Client.APSW:
        crew.shell("select count(*) from t;")  # which recovers it
        assert_nothing_found(database)


def found_on(crew: Crew, database: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> dict[str, Finding]:
    """Diagnose a real database, of which only the type of its file system is made up."""

    def pretended(descriptor: int, path: str) -> FileSystem:
        real = file_system_of(descriptor, path)
        assert real is not None
        return msgspec.structs.replace(real, type=kind)

    crew.make_wal()
    for module in (facts, looker):
        monkeypatch.setattr(module, "file_system_of", pretended)
    return {finding.code: finding for finding in observation_findings(look_at(database, 0.05))}


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs", "fuse.rclone", "lustre", "ceph"]
)
def test_19_a_network_file_system_is_warned_of(
    crew: Crew, database: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    finding = found_on(crew, database, monkeypatch, kind)["network-filesystem"]
    assert (finding.severity, finding.pid, finding.evidence["file_system"]) == (Severity.WARNING, None, kind)
    assert f"({kind})" in finding.summary
    assert "Move the database to a local disk" in finding.remedy


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "f2fs", "fuseblk", "fuse.ntfs-3g"])
def test_19_a_local_file_system_is_fine(crew: Crew, database: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert found_on(crew, database, monkeypatch, kind) == {}
