"""Systems other than Linux, as far as that can be tried here: their byte layouts, and what is not there.

No such machine was at hand.  A fresh interpreter forgets what the other system lacks before it imports the observer.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sqlwatch.metrics.observations import Hidden, JournalMode, LockKind, LockName, Look
from sqlwatch.observe import sampler_process
from sqlwatch.observe.locks import DARWIN, Lock
from sqlwatch.observe.sampler_process import SamplerProcess

from .programs import HOLD_WRITE, READ, WRITE_ON_DEMAND, Programs, wait_until
from .test_sampler import Listener, is_gone

ROOT = Path(__file__).parents[2]

PRETEND = """
import ctypes, importlib, multiprocessing, os, pathlib, pkgutil, random, select, signal, struct, subprocess, sys, types
import msgspec, psutil
platform, path = sys.argv[1:]

def is_ours():
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith(("psutil", "sqlwatch")):
            return name.startswith("sqlwatch")
        frame = frame.f_back
    return False

def refuse_proc(event, arguments):  # psutil may go on: there it has other means
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith("/proc") and is_ours():
        raise FileNotFoundError(2, "there is no /proc", arguments[0])

def without_proc(function):
    def call(path, *arguments, **options):
        refuse_proc("open", [path])
        return function(path, *arguments, **options)
    return call

sys.addaudithook(refuse_proc)
os.stat, os.readlink = without_proc(os.stat), without_proc(os.readlink)

if platform == "win32":
    real_open = os.open
    for module, names in (
        (os, "pread major minor sysconf geteuid O_CLOEXEC O_NONBLOCK O_NOCTTY O_NOATIME O_ACCMODE"),
        (signal, "SIGHUP pthread_sigmask SIG_BLOCK SIG_SETMASK"),
    ):
        for name in names.split():
            delattr(module, name)
    sys.modules["fcntl"] = sys.modules["pwd"] = None

    class CreateFileW:
        def __call__(self, path, access, share, security, disposition, flags, template):
            assert (access, share, disposition, flags) == (0x80000000, 7, 3, 0), "read, share everything, only existing"
            assert not path.endswith("-shm"), "its lock bytes are mandatory locks"
            try:
                return real_open(path, os.O_RDONLY)
            except FileNotFoundError:
                return ctypes.c_void_p(-1).value

    ctypes.WinDLL = lambda name, use_last_error: types.SimpleNamespace(CreateFileW=CreateFileW())
    ctypes.get_last_error = lambda: 2
    ctypes.WinError = lambda code: FileNotFoundError(code, "cannot find the file")
    sys.modules["msvcrt"] = types.SimpleNamespace(open_osfhandle=lambda handle, flags: handle)

sys.platform = platform
import sqlwatch.observe
for module in pkgutil.iter_modules(sqlwatch.observe.__path__):
    importlib.import_module(f"sqlwatch.observe.{module.name}")

if platform == "darwin":
    from sqlwatch.observe import locks
    import fcntl as linux

    def ask(descriptor, command, request):  # the kernel below us is Linux: turn macOS's struct into its, and back
        assert command == linux.F_GETLK
        start, length, pid, kind, whence = struct.unpack("=qqihh", request)
        question = struct.pack("@hhqqi0q", {1: 0, 2: 2, 3: 1}[kind], whence, start, length, pid)
        answer = linux.fcntl(descriptor, command, question)
        kind, whence, start, length, pid = struct.unpack("@hhqqi0q", answer)
        return struct.pack("=qqihh", start, length, pid, {0: 1, 2: 2, 1: 3}[kind], whence)

    locks.fcntl = types.SimpleNamespace(F_GETLK=linux.F_GETLK, fcntl=ask)

from sqlwatch.observe.sampling import observe
sys.stdout.buffer.write(msgspec.json.encode(observe(path, 0.3).last))
"""


def look_on(platform: str, database: Path) -> Look:
    done = subprocess.run(
        [sys.executable, "-c", PRETEND, platform, str(database)], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, check=True, timeout=60,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=Look)


def test_windows_shows_size_and_header_only(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    seen = look_on("win32", database)
    assert set(seen.hidden) == set(Hidden) - {Hidden.UNNAMED_HOLDER, Hidden.WAL, Hidden.OTHER_HOLDERS}
    assert seen.facts.journal_mode is JournalMode.WAL
    assert seen.facts.wal_bytes == seen.wal.file_bytes == Path(f"{database}-wal").stat().st_size
    assert seen.wal.checkpoint_sequence == 0, "the -wal header was read"
    assert (seen.wal.live_frames, seen.wal.backfilled_frames, seen.wal.marks) == (None, None, ())
    assert (seen.holders, seen.processes, seen.lost_locks) == ((), (), ())
    assert seen.waiters is None, "unknown, not nobody"
    assert seen.open_files is None
    assert (seen.uncommitted_frames, seen.recoverable_frames) == (None, None)
    assert seen.facts.in_nested_pid_namespace is None


def test_macos_names_the_first_holder_of_each_lock(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    reader = programs.start(READ)
    seen = look_on("darwin", database)
    assert set(seen.hidden) == {Hidden.OTHER_HOLDERS, Hidden.ACTIVITY, Hidden.WAITERS, Hidden.DESCRIPTORS}
    assert [(holder.pid, holder.kind) for holder in seen.held_by(LockName.WRITE)] == [(writer.pid, LockKind.EXCLUSIVE)]
    assert {mark.pid for mark in seen.wal.marks if mark.held} <= {writer.pid, reader.pid}
    assert any(mark.held for mark in seen.wal.marks)
    assert seen.wal.live_frames == 2
    process = seen.process(writer.pid)
    assert process is not None, "psutil knows it without /proc"
    assert process.state == "S"
    assert process.activity is None
    assert (seen.waiters, seen.open_files, seen.lost_locks) == (None, None, ())


def test_a_system_whose_lock_structure_is_not_known(programs: Programs, database: Path) -> None:
    programs.start(WRITE_ON_DEMAND)
    seen = look_on("sunos5", database)
    assert Hidden.LOCKS in seen.hidden
    assert Hidden.WAL_INDEX not in seen.hidden
    assert seen.wal.live_frames == 2
    assert seen.wal.marks == (), "whether a mark is held cannot be told"
    assert seen.holders == ()


class DarwinFlock(ctypes.Structure):
    """`struct flock` in macOS's sys/fcntl.h; off_t has 8 bytes, pid_t 4."""

    _fields_ = (
        ("l_start", ctypes.c_int64), ("l_len", ctypes.c_int64), ("l_pid", ctypes.c_int32),
        ("l_type", ctypes.c_int16), ("l_whence", ctypes.c_int16),
    )  # fmt: skip


READ_LOCK, UNLOCKED, WRITE_LOCK = 1, 2, 3


def test_macos_structure_by_its_documented_offsets() -> None:
    fields = (DarwinFlock.l_start, DarwinFlock.l_len, DarwinFlock.l_pid, DarwinFlock.l_type, DarwinFlock.l_whence)
    assert [(field.offset, field.size) for field in fields] == [(0, 8), (8, 8), (16, 4), (20, 2), (22, 2)]
    assert ctypes.sizeof(DarwinFlock) == 24
    for kind, number in ((LockKind.SHARED, READ_LOCK), (LockKind.EXCLUSIVE, WRITE_LOCK)):
        asked = DarwinFlock.from_buffer_copy(DARWIN.request(kind, 0x40000002, 510))
        assert (asked.l_start, asked.l_len, asked.l_type, asked.l_whence) == (0x40000002, 510, number, os.SEEK_SET)
        answer = bytes(DarwinFlock(l_start=120, l_len=2, l_pid=4711, l_type=number))
        assert DARWIN.parse(answer) == Lock(kind, 120, 2, 4711)
    assert DARWIN.parse(bytes(DarwinFlock(l_start=120, l_len=2, l_pid=4711, l_type=UNLOCKED))) is None
    where = DARWIN.unlocked_at
    assert (where.start, where.stop) == (DarwinFlock.l_type.offset, DarwinFlock.l_whence.offset)


def test_a_sampler_process_where_select_takes_no_pipes(
    programs: Programs, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = programs.start(HOLD_WRITE)
    monkeypatch.setattr(sampler_process, "_CAN_SELECT", False)
    blind = f"import {sampler_process.__name__} as module\nmodule._CAN_SELECT = False\nfrom {sampler_process.__name__}"
    code = sampler_process._CODE.replace(f"from {sampler_process.__name__}", blind)
    assert blind in code
    monkeypatch.setattr(sampler_process, "_CODE", code)
    with SamplerProcess([database]) as process:
        assert process.receive() == [], "nothing can have come yet, and it does not wait"
        seen = Listener(process).wait_for_look()
        assert [holder.pid for holder in seen.held_by(LockName.WRITE)] == [writer.pid]
        pid = process.pid
    assert is_gone(pid)
    assert process.exit_words() == "exit 0", "it ended because we closed its stdin"
    with SamplerProcess([database]) as process:
        os.kill(process.pid, 9)
        wait_until(lambda: not process.receive(0.05) and not process.is_open)
