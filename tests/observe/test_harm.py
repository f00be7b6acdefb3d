"""The observer takes no lock, writes nothing, opens nothing for writing; and what it still sees with fewer rights."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sqlwatch.metrics.observations import Hidden, LockName, Look

from .programs import HOLD_WRITE, WRITE_ON_DEMAND, Programs, programs_on

ROOT = Path(__file__).parents[2]

OBSERVE = """
import os, sys
import msgspec
from sqlwatch.observe.facts import CannotObserve
from sqlwatch.observe.sampling import observe
path, uid = sys.argv[1], int(sys.argv[2])
if uid:
    observe(path, 0.05)  # imports what another user may not read
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
try:
    sys.stdout.buffer.write(msgspec.json.encode(observe(path, 0.3).last))
except CannotObserve as error:
    sys.stdout.buffer.write(msgspec.json.encode([error.reason, error.sentence]))
assert not {"sqlite3", "_sqlite3", "apsw"} & set(sys.modules), "no SQLite in the process that observes"
"""

NOBODY = 65534

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root can become another user or make namespaces")


def observe_apart(database: Path, *prefix: str, uid: int = 0) -> bytes:
    command = [*prefix, sys.executable, "-c", OBSERVE, str(database), str(uid)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def observe_look(database: Path, *prefix: str, uid: int = 0) -> Look:
    return msgspec.json.decode(observe_apart(database, *prefix, uid=uid), type=Look)


@pytest.fixture
def open_programs() -> Iterator[Programs]:
    """Programs on a database that everybody may read."""
    with tempfile.TemporaryDirectory(prefix="observe-test-") as directory:
        Path(directory).chmod(0o755)
        with programs_on(Path(directory) / "app.db") as programs:
            yield programs


@is_root
def test_another_user_sees_who_holds_but_not_what_it_does(open_programs: Programs) -> None:
    writer = open_programs.start(HOLD_WRITE)
    waiter = open_programs.start("c = connect(timeout=60)\nsay()\nc.execute('begin immediate')")
    seen = observe_look(open_programs.database, uid=NOBODY)
    (holder,) = seen.held_by(LockName.WRITE)
    assert holder.pid == writer.pid
    process = seen.process(writer.pid)
    assert process is not None
    assert (process.user, process.state) == ("root", "S")
    assert process.command is not None
    assert process.activity is not None
    assert process.activity.is_denied
    assert process.activity.doing is None
    assert seen.waiters is None, "unknown, not nobody"
    assert seen.process(waiter.pid) is not None
    assert {Hidden.ACTIVITY, Hidden.WAITERS, Hidden.DESCRIPTORS} <= set(seen.hidden)
    assert seen.lost_locks == ()


@is_root
def test_no_permission(open_programs: Programs) -> None:
    open_programs.start(HOLD_WRITE)
    shm = Path(f"{open_programs.database}-shm")
    shm.chmod(0o600)
    seen = observe_look(open_programs.database, uid=NOBODY)
    assert Hidden.WAL_INDEX in seen.hidden
    assert seen.wal.live_frames is None
    open_programs.database.chmod(0o600)
    reason, sentence = msgspec.json.decode(observe_apart(open_programs.database, uid=NOBODY))
    assert reason == "no permission"
    assert "No permission to read" in sentence


@is_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="not run: needs unshare")
def test_a_holder_outside_our_pid_namespace_is_not_nobody(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    seen = observe_look(database, "unshare", "--pid", "--fork", "--mount-proc")
    (holder,) = seen.held_by(LockName.WRITE)
    assert holder.pid == 0
    assert Hidden.UNNAMED_HOLDER in seen.hidden
    assert Hidden.OTHER_HOLDERS in seen.hidden
    assert seen.facts.in_nested_pid_namespace is True


@is_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="not run: needs unshare")
def test_a_read_only_mount(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    writer.end()
    where = str(database.parent)
    mount = f'mount --bind {where} {where} && mount -o remount,ro,bind {where} && exec "$@"'
    seen = observe_look(database, "unshare", "--mount", "sh", "-c", mount, "sh")
    assert seen.facts.is_mounted_read_only is True
    assert seen.recoverable_frames == 2


def fingerprint(directory: Path) -> dict[str, tuple[str, int, int, int]]:
    """Return hash and the three times of each file."""
    return {
        path.name: (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_atime_ns, path.stat().st_mtime_ns, path.stat().st_ctime_ns,
        )
        for path in directory.iterdir()
    }  # fmt: skip


ALLOWED = {
    "open", "openat", "close", "pread64", "read", "stat", "lstat", "fstat", "newfstatat", "statx", "readlink",
    "readlinkat", "fcntl", "execve", "access", "faccessat2", "getcwd", "write", "lseek", "ioctl",
}  # fmt: skip


@pytest.mark.skipif(shutil.which("strace") is None, reason="not run: needs strace")
@pytest.mark.parametrize("state", ["writer", "hot WAL", "rollback journal"])
def test_no_system_call_does_harm(programs: Programs, database: Path, tmp_path: Path, state: str) -> None:
    if state == "rollback journal":
        programs.start(
            "c = connect()\nc.execute('create table t(x)')\nc.execute('begin immediate')\n"
            "c.execute('insert into t values(1)')\nsay()\nlisten()"
        )
    else:
        writer = programs.start(HOLD_WRITE if state == "writer" else WRITE_ON_DEMAND)
        if state == "hot WAL":
            writer.end()
    fingerprint(database.parent)  # our own reading may set access times; from now on they stand still
    before = fingerprint(database.parent)
    with tempfile.TemporaryDirectory() as elsewhere:
        trace = Path(elsewhere) / "trace"
        assert observe_look(database, "strace", "-f", "-y", "-s", "300", "-o", str(trace)).facts.page_size == 4096
        calls = [line for line in trace.read_text(errors="replace").splitlines() if database.name in line]
    assert fingerprint(database.parent) == before
    assert len(calls) > 50
    locked = 0
    for line in calls:
        match = re.match(r"\d+\s+(\w+)\((.*)", line)
        if match is None:
            assert "<unfinished" in line or "resumed>" in line, line
            continue
        name, arguments = match[1], match[2]
        assert name in ALLOWED, line
        if name in ("open", "openat"):
            assert "O_RDONLY" in line, line
            assert not re.search(r"O_(RDWR|WRONLY|CREAT|TRUNC|APPEND)", line), line
        elif name == "fcntl":
            locked += "F_GETLK" in line
            assert re.search(r"F_(GETLK|GETFD|SETFD|GETFL)\b", line), line
        elif name == "write":
            assert not re.match(rf"\d+<[^>]*{re.escape(database.name)}", arguments), line
    assert locked > 10
