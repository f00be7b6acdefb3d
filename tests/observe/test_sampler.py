from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from sqlwatch.metrics.observations import (
    Absent,
    Commits,
    JournalMode,
    LockName,
    LockSample,
    Look,
    Message,
    Refusal,
    WalObservation,
)
from sqlwatch.observe.facts import CannotObserve
from sqlwatch.observe.sampler_process import SamplerProcess
from sqlwatch.observe.sampling import SamplingClock, observe

from .programs import HOLD_WRITE, MAKE_WAL, WRITE_ON_DEMAND, Programs, wait_until

ROOT = Path(__file__).parents[2]


class Listener:
    """Collects the messages of a sampler process."""

    def __init__(self, process: SamplerProcess) -> None:
        self.process = process
        self.messages: list[Message] = []

    def hear(self) -> None:
        self.messages += self.process.receive(0.05)

    def newest_look(self, database: int = 0) -> Look | Absent | None:
        looks = [m for m in self.messages if isinstance(m, Look | Absent) and m.database == database]
        return looks[-1] if looks else None

    def wait_for_look(self, database: int = 0) -> Look:
        """Wait for a thorough look that began after this call."""
        self.messages.clear()

        def has_come() -> bool:
            self.hear()
            return isinstance(self.newest_look(database), Look)

        wait_until(has_come)
        newest = self.newest_look(database)
        assert isinstance(newest, Look)
        return newest

    def wait_for_absence(self) -> Absent:
        def has_come() -> bool:
            self.hear()
            return isinstance(self.newest_look(), Absent)

        wait_until(has_come)
        newest = self.newest_look()
        assert isinstance(newest, Absent)
        return newest

    def samples(self) -> list[LockSample]:
        return [message for message in self.messages if isinstance(message, LockSample)]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_process_of_its_own_sends_everything(programs: Programs, database: Path) -> None:
    writer = programs.start(HOLD_WRITE)
    with SamplerProcess([database]) as process:
        listener = Listener(process)
        seen = listener.wait_for_look()
        assert [holder.pid for holder in seen.held_by(LockName.WRITE)] == [writer.pid]

        def has_looked_often() -> bool:
            listener.hear()
            return sum(sample.looks for sample in listener.samples()) >= 100

        wait_until(has_looked_often)
        kinds = {type(message) for message in listener.messages}
        pid = process.pid
    assert kinds == {LockSample, WalObservation, Commits, Look}
    samples = listener.samples()
    assert all(before.at_ns == after.since_ns for before, after in pairwise(samples))
    assert all(held.pid == writer.pid for sample in samples for held in sample.held)
    assert is_gone(pid)
    assert process.exit_words() == "exit 0"


def test_ctrl_c_and_hang_up_do_not_end_it(database: Path) -> None:
    with SamplerProcess([database]) as process:
        os.kill(process.pid, signal.SIGINT)  # at once: it may not even have begun to run Python
        os.kill(process.pid, signal.SIGHUP)
        listener = Listener(process)
        assert listener.wait_for_absence().reason is Refusal.MISSING
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGHUP)
        listener.messages.clear()
        listener.wait_for_absence()
        assert process.exit_words() is None


def test_it_ends_with_its_parent(database: Path) -> None:
    code = """
import sys
from pathlib import Path
from sqlwatch.observe.sampler_process import SamplerProcess
process = SamplerProcess([Path(sys.argv[1])])
while not process.receive(1):
    pass
print(process.pid, flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not is_gone(child)
    parent.kill()
    parent.communicate()
    wait_until(lambda: is_gone(child), 2.0)


def test_a_stopped_sampler_says_that_it_fell_behind(programs: Programs, database: Path) -> None:
    programs.start(HOLD_WRITE)
    with SamplerProcess([database]) as process:
        listener = Listener(process)
        listener.wait_for_look()
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGCONT)

        def is_behind() -> bool:
            listener.hear()
            return any(sample.missed >= 40 for sample in listener.samples())

        wait_until(is_behind)


def test_a_failing_child_says_why(database: Path) -> None:
    with SamplerProcess([database]) as process:
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not process.receive(0.05) and not process.is_open)
        wait_until(lambda: process.exit_words() == "signal 9")
    assert process.exit_words() == "signal 9"
    with pytest.raises(ValueError, match="out of range"):
        SamplerProcess([database], 0.01)
    with pytest.raises(ValueError, match="out of range"):
        SamplingClock(1e6, 0)


def test_a_database_comes_goes_and_changes_its_mode(programs: Programs, database: Path) -> None:
    with SamplerProcess([database]) as process:
        listener = Listener(process)
        assert listener.wait_for_absence().reason is Refusal.MISSING
        database.write_bytes(b"")
        wait_until(lambda: listener.wait_for_absence().reason is Refusal.EMPTY)
        writer = programs.start(
            "c = connect()\nc.execute('create table t(x)')\nsay()\n"
            "while True:\n    c.execute(listen())\n    say('did')\n"
        )

        def do(statement: str) -> None:
            writer.tell(statement)
            writer.expect("did")

        assert listener.wait_for_look().facts.journal_mode is JournalMode.ROLLBACK
        listener.messages.clear()
        for _ in range(5):
            do("insert into t values(1)")
        wait_until(lambda: commits_of(listener) == 5)
        do("pragma journal_mode=wal")
        wait_until(lambda: listener.wait_for_look().facts.journal_mode is JournalMode.WAL)
        listener.messages.clear()
        for _ in range(7):
            do("insert into t values(1)")
        wait_until(lambda: commits_of(listener) == 7)
        do("pragma journal_mode=delete")
        wait_until(lambda: listener.wait_for_look().facts.journal_mode is JournalMode.ROLLBACK)
        assert listener.wait_for_look().wal.live_frames is None
        writer.end()
        database.unlink()
        assert listener.wait_for_absence().reason is Refusal.MISSING
        other = programs.start(HOLD_WRITE)
        wait_until(lambda: [h.pid for h in listener.wait_for_look().held_by(LockName.WRITE)] == [other.pid])


def commits_of(listener: Listener) -> int:
    listener.hear()
    return sum(message.commits for message in listener.messages if isinstance(message, Commits))


def test_a_symbolic_link_that_is_turned_is_followed(programs: Programs, database: Path) -> None:
    programs.start(WRITE_ON_DEMAND)
    link = database.with_name("link.db")
    link.symlink_to(database)
    with SamplerProcess([link]) as process:
        listener = Listener(process)
        assert listener.wait_for_look().facts.path == str(database)
        other = database.with_name("other.db")
        subprocess.run(["cp", database, other], check=True)
        link.unlink()
        link.symlink_to(other)
        wait_until(lambda: listener.wait_for_look().facts.path == str(other))


def test_two_databases(programs: Programs, database: Path) -> None:
    writer = programs.start(MAKE_WAL + "say()\nlisten()")
    missing = database.with_name("missing.db")
    with SamplerProcess([missing, database]) as process:
        listener = Listener(process)
        seen = listener.wait_for_look(1)
        assert seen.wal.database == 1
        assert [holder.pid for holder in seen.held_by(LockName.DMS)] == [writer.pid]
        assert listener.wait_for_absence().database == 0


def test_observe_refuses_what_is_not_there(database: Path) -> None:
    began = time.monotonic()
    with pytest.raises(CannotObserve, match="There is no file"):
        observe(database, 5.0)
    assert time.monotonic() - began < 1.0, "it does not wait for the whole time"


def test_a_file_like_a_library_module_in_the_working_directory(
    programs: Programs, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.start(HOLD_WRITE)
    (database.parent / "random.py").write_text("raise SystemExit('not this one')")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(database.parent)
    with SamplerProcess([database]) as process:
        Listener(process).wait_for_look()


def test_a_holder_that_comes_and_goes_is_never_old(programs: Programs, database: Path) -> None:
    writer = programs.start(
        MAKE_WAL
        + """
say()
while True:
    c.execute("begin immediate")
    c.execute("insert into t values(1)")
    time.sleep(0.002)
    c.execute("commit")
"""
    )
    seen = observe(database, 2.0, rate_hz=20)
    ages = [look.at_ns - one.since_ns for look in seen.looks for one in look.held_by(LockName.WRITE)]
    assert all(pid == writer.pid for look in seen.looks for pid in [one.pid for one in look.held_by(LockName.WRITE)])
    assert all(age_ns < 200_000_000 for age_ns in ages), "each hold lasts some milliseconds"
