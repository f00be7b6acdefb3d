"""What each kind of trouble looks like to the observer, staged with real processes."""

from __future__ import annotations

import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from sqlwatch.metrics.observations import (
    Commits,
    FileRole,
    Hidden,
    Holder,
    JournalMode,
    LockKind,
    LockName,
    LockSample,
    Look,
    Message,
)
from sqlwatch.observe.sampler import Sampler
from sqlwatch.observe.sampling import Observation, observe

from .programs import HOLD_WRITE, MAKE_WAL, READ, WRITE_ON_DEMAND, Program, Programs, wait_until


def look(database: Path, duration_s: float = 0.15) -> Look:
    return observe(database, duration_s).last


def only(look: Look, name: LockName) -> Holder:
    (holder,) = look.held_by(name)
    return holder


def test_an_idle_writer_is_named(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    began_ns = time.monotonic_ns()
    seen = look(database, 0.3)
    holder = only(seen, LockName.WRITE)
    assert (holder.pid, holder.kind, holder.is_lower_bound) == (writer.pid, LockKind.EXCLUSIVE, True)
    assert began_ns <= holder.since_ns <= began_ns + 100_000_000
    assert seen.at_ns - holder.since_ns >= 250_000_000
    process = seen.process(writer.pid)
    assert process is not None
    assert process.command is not None
    assert process.user is not None
    assert process.command.startswith(sys.executable)
    assert (process.state, process.threads) == ("S", 1)
    assert process.activity is not None
    assert process.activity.doing == "read"
    assert process.activity.target is not None
    assert process.activity.target.startswith("pipe:")
    assert seen.facts.journal_mode is JournalMode.WAL
    assert seen.hidden == ()
    assert [(file.role, file.is_current, file.is_writable) for file in seen.open_files or ()] == [
        (role, True, True) for role in (FileRole.DATABASE, FileRole.WAL, FileRole.SHM)
    ]

    writer.tell()
    writer.expect("committed")
    after = look(database)
    assert after.held_by(LockName.WRITE) == ()
    assert only(after, LockName.DMS).pid == writer.pid


def test_a_hold_that_begins_under_our_eyes_has_an_exact_age(programs: Programs, database: Path) -> None:
    writer = programs.start(
        MAKE_WAL + "say()\nlisten()\ntime.sleep(0.2)\nc.execute('begin immediate')\nsay('holds')\nlisten()"
    )
    writer.tell()
    seen = look(database, 0.6)
    holder = only(seen, LockName.WRITE)
    assert not holder.is_lower_bound
    assert holder.since_ns - seen.since_ns >= 100_000_000


def test_waiters_are_inferred_and_sleepers_are_not(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    sleeper = programs.start("c = connect()\nc.execute('select * from t').fetchall()\nsay()\ntime.sleep(60)")
    waiters = [programs.start("c = connect(timeout=60)\nsay()\nc.execute('begin immediate')") for _ in range(3)]
    found: set[int] = set()

    def all_found() -> bool:
        seen = look(database)
        assert seen.waiters is not None
        found.update(waiter.pid for waiter in seen.waiters)
        return found >= {waiter.pid for waiter in waiters}

    wait_until(all_found)
    assert sleeper.pid not in found
    assert len(found) == 3


def test_nobody_waits_when_nothing_is_held(programs: Programs, database: Path) -> None:
    programs.start(MAKE_WAL + "say()\nlisten()")
    assert look(database).waiters == ()


@pytest.mark.parametrize("timeout", ["None", "60"])
def test_a_writer_blocked_on_its_peer(programs: Programs, database: Path, timeout: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        writer = programs.start(
            MAKE_WAL
            + f"""
import socket
s = socket.create_connection(("127.0.0.1", {port}))
s.settimeout({timeout})
c.execute("begin immediate")
say()
s.recv(1)
"""
        )
        connection, _ = server.accept()
        with connection:

            def is_blocked() -> bool:
                process = look(database).process(writer.pid)
                return process is not None and process.activity is not None and process.activity.peer is not None

            wait_until(is_blocked)
            seen = look(database)
        process = seen.process(writer.pid)
        assert process is not None
        assert process.activity is not None
        assert process.activity.peer == f"127.0.0.1:{port}"
        assert process.activity.doing == ("recvfrom" if timeout == "None" else "poll")
        assert only(seen, LockName.WRITE).pid == writer.pid


def test_a_stopped_writer(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    writer.signal(signal.SIGSTOP)

    def is_stopped() -> bool:
        process = look(database).process(writer.pid)
        return process is not None and process.state == "T"

    wait_until(is_stopped)
    assert only(look(database), LockName.WRITE).pid == writer.pid


def test_a_pinning_reader(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    readers = [programs.start(READ) for _ in range(2)]
    writer.tell("30")
    writer.expect("wrote")
    seen = look(database)
    pins = [holder for holder in seen.holders if holder.frame is not None]
    assert {(pin.pid, pin.frame) for pin in pins} == {(reader.pid, 2) for reader in readers}
    assert seen.wal.live_frames == 32


def test_marks_without_readers_pin_nothing(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    reader = programs.start(READ)
    writer.tell("3")
    writer.expect("wrote")
    reader.tell()
    reader.expect("done")
    seen = look(database)
    assert [holder for holder in seen.holders if holder.frame is not None] == []
    assert any(mark.frame == 2 and not mark.held for mark in seen.wal.marks)


def test_a_reader_on_slot_0(programs: Programs, database: Path) -> None:
    writer = programs.start(
        MAKE_WAL
        + "c.execute('pragma wal_checkpoint')\nsay()\nlisten()\n"
        + "c.execute('insert into t values(1)')\nsay('wrote')\nlisten()"
    )
    reader = programs.start(READ)
    writer.tell()
    writer.expect("wrote")
    holder = only(look(database), LockName.READ0)
    assert (holder.pid, holder.kind, holder.frame) == (reader.pid, LockKind.SHARED, 0)


def test_a_checkpoint_that_waits_for_a_reader_while_it_holds_write(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    reader = programs.start(READ)
    writer.tell("3")
    writer.expect("wrote")
    checkpointer = programs.start("c = connect(timeout=60)\nsay()\nc.execute('pragma wal_checkpoint(restart)')")
    wait_until(lambda: bool(look(database).held_by(LockName.CHECKPOINT)))
    seen = look(database)
    assert only(seen, LockName.CHECKPOINT).pid == checkpointer.pid
    assert only(seen, LockName.WRITE).pid == checkpointer.pid
    assert [holder.pid for holder in seen.holders if holder.frame is not None] == [reader.pid]


@pytest.mark.parametrize("has_shm", [False, True])
def test_exclusive_locking(programs: Programs, database: Path, has_shm: bool) -> None:
    exclusive = "c.execute('pragma locking_mode=exclusive')\n"
    insert = "c.execute('insert into t values(1)')\n"
    code = (
        MAKE_WAL + exclusive + insert
        if has_shm
        else "c = connect()\n" + exclusive + MAKE_WAL.replace("c = connect()\n", "") + insert
    )
    owner = programs.start(code + "say()\nlisten()")
    seen = look(database)
    holder = only(seen, LockName.EXCLUSIVE)
    assert holder.pid == owner.pid
    assert Path(f"{database}-shm").exists() is has_shm
    assert (seen.facts.shm_bytes is not None) is has_shm
    assert seen.facts.wal_bytes
    assert seen.lost_locks == ()
    if not has_shm:
        assert seen.wal.live_frames is None


def test_rollback_journal(programs: Programs, database: Path) -> None:
    writer = programs.start(
        """
c = connect()
c.execute("create table t(x)")
c.execute("begin immediate")
say()
listen()
c.execute("insert into t values(1)")
c.execute("commit")
say("committed")
listen()
c.execute("begin exclusive")
say("exclusive")
listen()
"""
    )
    seen = observe(database, 0.2)
    assert seen.last.facts.journal_mode is JournalMode.ROLLBACK
    assert only(seen.last, LockName.RESERVED).pid == writer.pid
    assert held_looks(seen, LockName.WRITE, writer.pid) > 30
    assert seen.last.wal.live_frames is None
    before = seen.last.facts.change_counter
    writer.tell()
    writer.expect("committed")
    assert look(database).facts.change_counter == before + 1
    writer.tell()
    writer.expect("exclusive")
    assert only(look(database), LockName.EXCLUSIVE).pid == writer.pid


def test_a_rollback_writer_that_waits_for_a_reader(programs: Programs, database: Path) -> None:
    programs.run("connect().execute('create table t(x)')")
    reader = programs.start(READ)
    writer = programs.start(
        "c = connect(timeout=60)\nc.execute('begin immediate')\nc.execute('insert into t values(1)')\n"
        "say()\nc.execute('commit')"
    )
    wait_until(lambda: bool(look(database).held_by(LockName.PENDING)))
    seen = look(database)
    assert only(seen, LockName.PENDING).pid == writer.pid
    assert reader.pid in {holder.pid for holder in seen.held_by(LockName.SHARED)}
    assert seen.facts.journal_bytes is not None


def held_looks(seen: Observation, lock: LockName, pid: int) -> int:
    samples = (message for message in seen.messages if isinstance(message, LockSample))
    return sum(held.looks for sample in samples for held in sample.held if (held.lock, held.pid) == (lock, pid))


def run_until_said(sampler: Sampler, program: Program, word: str) -> list[Message]:
    """Sample until a program says that it is done, then look once more."""
    messages: list[Message] = []
    assert program.process.stdout is not None
    while not select.select([program.process.stdout], [], [], 0.005)[0]:
        sampler.sample(time.monotonic_ns())
        messages += sampler.collect(time.monotonic_ns())
    program.expect(word)
    at_ns = time.monotonic_ns()
    sampler.sample(at_ns)
    return messages + sampler.finish(at_ns)


def test_a_crash_leaves_a_hot_wal(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    writer.tell("8")
    writer.expect("wrote")
    writer.end()
    before = {path: path.read_bytes() for path in database.parent.iterdir()}
    seen = look(database)
    assert (seen.holders, seen.processes, seen.open_files) == ((), (), ())
    assert seen.recoverable_frames == 10
    Path(f"{database}-shm").unlink()
    assert look(database).recoverable_frames == 10
    assert all(path.read_bytes() == content for path, content in before.items() if path.exists())


def test_a_wal_that_is_wholly_backfilled_is_not_hot(programs: Programs, database: Path) -> None:
    owner = programs.start(WRITE_ON_DEMAND.replace("say()", "c.execute('pragma wal_checkpoint')\nsay()", 1))
    assert look(database).recoverable_frames is None
    owner.end()
    assert look(database).recoverable_frames == 0


def test_a_spilled_transaction(programs: Programs, database: Path) -> None:
    spill = """
c.execute("pragma cache_size=10")
def spill(rows):
    c.execute("begin immediate")
    for _ in range(rows):
        c.execute("insert into t values(randomblob(3000))")
say()
while True:
    rows = int(listen())
    if rows:
        spill(rows)
    else:
        c.execute("rollback")
    say("did")
"""
    writer = programs.start(MAKE_WAL + spill)

    def do(rows: int) -> Look:
        writer.tell(str(rows))
        writer.expect("did")
        return look(database)

    big = do(300).uncommitted_frames
    assert big is not None
    assert big > 250
    assert do(0).uncommitted_frames is None, "nobody writes"

    sampler = Sampler(database, time.monotonic_ns())
    sampler.sample(time.monotonic_ns())
    time.sleep(0.1)  # file times and our clocks agree only within some ms
    writer.tell("1")
    messages = run_until_said(sampler, writer, "did")
    sampler.close()
    last = messages[-1]
    assert isinstance(last, Look)
    assert not only(last, LockName.WRITE).is_lower_bound
    assert last.uncommitted_frames == 0, "what was rolled back is not counted"


def test_a_spill_that_overwrites_its_own_pages_is_counted_to_its_end(programs: Programs, database: Path) -> None:
    programs.start(
        MAKE_WAL
        + """
c.execute("pragma cache_size=100")
c.execute("begin immediate")
for _ in range(3000):
    c.execute("insert into t values(zeroblob(3000))")
say()
listen()
"""
    )
    seen = look(database)
    assert seen.facts.wal_bytes is not None
    assert seen.wal.live_frames is not None
    written = (seen.facts.wal_bytes - 32) // (seen.facts.page_size + 24)
    assert written > 2500
    assert seen.uncommitted_frames == written - seen.wal.live_frames


def test_commits_are_counted_exactly_in_wal_mode(programs: Programs, database: Path) -> None:
    writer = programs.start(WRITE_ON_DEMAND)
    sampler = Sampler(database, time.monotonic_ns())
    sampler.sample(time.monotonic_ns())
    writer.tell("500")
    messages = run_until_said(sampler, writer, "wrote")
    sampler.close()
    commits = [message for message in messages if isinstance(message, Commits)]
    assert all(message.is_exact for message in commits)
    assert sum(message.commits for message in commits) == 500
    assert sum(message.frames or 0 for message in commits) == 500


def test_a_database_on_a_copied_file_is_not_confused_with_the_original(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    copy = database.with_name("copy") / database.name
    copy.parent.mkdir()
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(f"{database}{suffix}", f"{copy}{suffix}")
    seen = look(copy)
    assert (seen.holders, seen.open_files) == ((), ())
    assert Hidden.UNNAMED_HOLDER not in seen.hidden
