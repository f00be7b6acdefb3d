"""The observer takes no lock, writes nothing, opens nothing for writing; and what it still sees with fewer rights."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sqlwatch.metrics.observations import Hidden, LockName, Look

from .programs import HOLD_WRITE, MAKE_WAL, WRITE_ON_DEMAND, Programs, programs_on

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

OBSERVE_BY_PROCESS = """
import sys
from pathlib import Path
import msgspec
from sqlwatch.metrics.observations import Look
from sqlwatch.observe.sampler_process import SamplerProcess
looks = []
with SamplerProcess([Path(sys.argv[1])]) as process:
    while len(looks) < 8:  # more than a second: everybody's descriptors were scanned twice
        looks += [message for message in process.receive(1.0) if isinstance(message, Look)]
        assert process.is_open, process.exit_words()
sys.stdout.buffer.write(msgspec.json.encode(looks[-1]))
"""

NOBODY = 65534

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: only root can become another user or make namespaces")


def observe_apart(database: Path, *prefix: str, uid: int = 0, code: str = OBSERVE) -> bytes:
    command = [*prefix, sys.executable, "-c", code, str(database), str(uid)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def observe_look(database: Path, *prefix: str, uid: int = 0, code: str = OBSERVE) -> Look:
    return msgspec.json.decode(observe_apart(database, *prefix, uid=uid, code=code), type=Look)


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


def on_a_read_only_mount(directory: Path) -> list[str]:
    """Return the beginning of a command that runs the rest where the directory is mounted read-only; skip if it cannot.

    Anybody may mount in a user namespace of his own, where the system has them.
    """
    where = shlex.quote(str(directory))
    mount = f'mount --bind {where} {where} && mount -o remount,ro,bind {where} && exec "$@"'
    for namespaces in (["--user", "--map-root-user", "--mount"], ["--mount"]):
        prefix = ["unshare", *namespaces, "sh", "-c", mount, "sh"]
        try:
            tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False, timeout=10)
        except FileNotFoundError:
            pytest.skip("not run: no unshare")
        if tried.returncode == 0:
            return prefix
    pytest.skip(f"not run: no mount namespace: {tried.stderr.strip()}")


def test_a_read_only_mount(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    writer.end()
    seen = observe_look(database, *on_a_read_only_mount(database.parent))
    assert seen.facts.is_mounted_read_only is True
    assert seen.recoverable_frames == 2


def fingerprint(directory: Path) -> dict[str, tuple[str | int, ...]]:
    """Return hash, size, inode, number of names and the three times of each file."""
    found: dict[str, tuple[str | int, ...]] = {}
    for path in directory.iterdir():
        digest, status = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat()
        times = (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)
        found[path.name] = (digest, status.st_size, status.st_ino, status.st_nlink, *times)
    return found


ALLOWED = {
    "open", "openat", "close", "pread64", "read", "stat", "lstat", "fstat", "newfstatat", "statx", "readlink",
    "readlinkat", "fcntl", "execve", "access", "faccessat2", "getcwd", "write", "lseek", "ioctl",
}  # fmt: skip
"""What may be done to the database's files; a `write` may only carry their names."""

JOURNAL_WRITER = """
c = connect()
c.execute("create table t(x)")
c.execute("begin immediate")
c.execute("insert into t values(1)")
say()
listen()
"""
BUSY_WRITER = (
    MAKE_WAL
    + """
say()
while True:
    c.execute("insert into t values(1)")
    time.sleep(0.0005)
"""
)

STATES = {
    "held": HOLD_WRITE, "busy": BUSY_WRITER, "hot WAL": WRITE_ON_DEMAND, "rollback journal": JOURNAL_WRITER,
    "hot WAL on a read-only mount": WRITE_ON_DEMAND, "held on a read-only mount": HOLD_WRITE,
}  # fmt: skip


@pytest.mark.skipif(shutil.which("strace") is None, reason="not run: no strace")
@pytest.mark.parametrize("code", [OBSERVE, OBSERVE_BY_PROCESS], ids=["observe", "SamplerProcess"])
@pytest.mark.parametrize("state", STATES)
def test_no_system_call_does_harm(programs: Programs, database: Path, state: str, code: str) -> None:
    writer = programs.start(STATES[state])
    if state.startswith("hot"):
        writer.end()
    prefix = on_a_read_only_mount(database.parent) if state.endswith("mount") else []
    fingerprint(database.parent)  # our own reading may set access times; from now on they stand still
    before = fingerprint(database.parent)
    with tempfile.TemporaryDirectory() as elsewhere:
        trace = Path(elsewhere) / "trace"
        seen = observe_look(database, *prefix, "strace", "-f", "-y", "-s", "300", "-o", str(trace), code=code)
        calls = [line for line in trace.read_text(errors="replace").splitlines() if database.name in line]
    assert seen.facts.page_size == 4096
    assert seen.facts.is_mounted_read_only is state.endswith("mount")
    if state != "busy":
        assert fingerprint(database.parent) == before
    assert len(calls) > 50
    assert sum(_checked(line, database) for line in calls) > 10, "locks were asked for"


def _checked(line: str, database: Path) -> bool:
    """Fail if a traced call does harm; tell whether it asked for a lock."""
    match = re.match(r"\d+\s+(\w+)\((.*)", line)
    if match is None:
        assert re.match(r"\d+\s+<\.\.\. \w+ resumed>", line), line
        return False
    name, arguments = match[1], match[2]
    assert name in ALLOWED, line
    if name in ("open", "openat"):
        assert "O_RDONLY" in line, line
        assert not re.search(r"O_(RDWR|WRONLY|CREAT|TRUNC|APPEND|TMPFILE)", line), line
    elif name == "fcntl":
        assert re.search(r">, F_(GETLK|GETFD|SETFD|GETFL)\b", line), line
        return "F_GETLK" in line
    elif name == "write":
        assert not re.match(rf"\d+<[^>]*{re.escape(database.name)}", arguments), line
    return False


@pytest.mark.skipif(shutil.which("strace") is None, reason="not run: no strace")
@pytest.mark.parametrize(
    "harm",
    [
        "os.open(path, os.O_RDWR)",
        "os.open(path + '-wal', os.O_RDONLY | os.O_CREAT)",
        "fcntl.lockf(open(path + '-shm', 'rb'), fcntl.LOCK_SH, 1, 128)",
        "fcntl.flock(open(path, 'rb'), fcntl.LOCK_SH)",
        "os.rename(path, path)",
        "os.truncate(path, os.stat(path).st_size)",
    ],
)
def test_the_test_itself_notices_harm(programs: Programs, database: Path, harm: str) -> None:
    programs.start(HOLD_WRITE)
    with tempfile.TemporaryDirectory() as elsewhere:
        trace = Path(elsewhere) / "trace"
        code = f"import fcntl, os, sys\npath = sys.argv[1]\n{harm}"
        observe_apart(database, "strace", "-f", "-y", "-o", str(trace), code=code)
        calls = [line for line in trace.read_text().splitlines() if database.name in line]
    with pytest.raises(AssertionError):
        for line in calls:
            _checked(line, database)
