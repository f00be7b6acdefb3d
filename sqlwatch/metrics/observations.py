"""What the observer tells: tagged, frozen, versioned messages, which a recording can hold and a fold can eat.

Times are CLOCK_MONOTONIC ns.  None means that it could not be seen; an empty tuple means that nobody was there.
A pid of 0 is a holder that the kernel does not name (another PID namespace or machine), -1 an owner of open file
description locks.  Text from outside (commands, users, paths) is printable: everything else is escaped.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

VERSION = 1


class LockKind(StrEnum):
    """How a lock is held."""

    SHARED = "shared"
    EXCLUSIVE = "exclusive"


class LockName(StrEnum):
    """SQLite's locks.  WRITE to DMS are bytes of the -shm, PENDING to EXCLUSIVE ranges of the main file."""

    WRITE = "write"
    CHECKPOINT = "checkpoint"
    RECOVER = "recover"
    READ0 = "read0"
    READ1 = "read1"
    READ2 = "read2"
    READ3 = "read3"
    READ4 = "read4"
    DMS = "dms"
    """Held shared by every process that has the -shm open."""
    PENDING = "pending"
    """A rollback-journal writer that lets no new reader in and waits for the last ones."""
    RESERVED = "reserved"
    """A rollback-journal writer that has not begun to write into the database."""
    SHARED = "shared"
    """A rollback-journal reader; in WAL mode every connection for its whole life."""
    EXCLUSIVE = "exclusive"
    """A rollback-journal writer at work, or locking_mode=EXCLUSIVE."""


READ_LOCKS = (LockName.READ0, LockName.READ1, LockName.READ2, LockName.READ3, LockName.READ4)
"""The lock of read mark i is number i."""


class JournalMode(StrEnum):
    """What the header says; the flavours of the rollback journal (delete, truncate, persist) are not in the file."""

    WAL = "wal"
    ROLLBACK = "rollback"


class Refusal(StrEnum):
    """Why a path cannot be observed as a database."""

    MISSING = "missing"
    EMPTY = "empty"
    DIRECTORY = "directory"
    NOT_A_FILE = "not a file"
    NO_PERMISSION = "no permission"
    UNREADABLE = "unreadable"
    NOT_A_DATABASE = "not a database"
    OTHER_FORMAT = "other format"


class Hidden(StrEnum):
    """Something that this observer could not see, here and now."""

    LOCKS = "locks: this system or file system has no way to ask for them"
    OTHER_HOLDERS = "all holders of a lock: only the first one is named without /proc/locks"
    UNNAMED_HOLDER = "a lock's holder: it lives in another PID namespace or on another machine"
    WAL_INDEX = "the -shm file: it cannot be read"
    WAL = "the -wal file: it cannot be read"
    ACTIVITY = "what another user's process is doing: needs root or the same user"
    WAITERS = "who waits for a lock: needs root or the same user"
    DESCRIPTORS = "open files of other users' processes: needs root"


class Database(msgspec.Struct, frozen=True):
    """The database file and where it lies.

    `change_counter` counts commits in rollback mode only.  The sizes are None where there is no such file; a
    `has_journal` while nobody holds RESERVED or more is a hot journal, one that a crash left.
    """

    path: str
    journal_mode: JournalMode
    page_size: int
    file_bytes: int
    change_counter: int
    sqlite_version: int
    """Of the library that last wrote the header, as 3045001."""
    wal_bytes: int | None
    shm_bytes: int | None
    journal_bytes: int | None
    has_journal: bool
    """Whether the -journal has a header, so that it belongs to a transaction; one that is kept by
    journal_mode=persist or locking_mode=EXCLUSIVE has none between transactions."""
    file_system: str | None
    """Type, as ext4 or nfs4; None if it cannot be told."""
    mount_point: str | None
    is_network_file_system: bool | None
    is_mounted_read_only: bool | None
    in_nested_pid_namespace: bool | None
    """Whether the observer itself lives in one, as in a container; None if it cannot be told."""


class Holder(msgspec.Struct, frozen=True):
    """A process that holds a lock now.

    `since_ns` is the first of the looks that all found it so.  `is_lower_bound`: it held the lock at the very first
    look already, so it may have held it far longer; else it took it within one look before `since_ns`.
    For a read lock `frame` is its read mark, the newest frame that this reader sees; None if that is not known.
    """

    lock: LockName
    kind: LockKind
    pid: int
    since_ns: int
    is_lower_bound: bool
    frame: int | None = None


class Process(msgspec.Struct, frozen=True):
    """A process that holds a lock or has the database open; what could not be read is None."""

    pid: int
    name: str | None
    command: str | None
    user: str | None
    state: str | None
    """The kernel's letter: R running, S sleeping, D in disk sleep, T stopped, t traced, Z zombie."""
    threads: int | None
    cpu_ns: int | None
    """CPU time it has used since it started, all threads."""
    started_at_s: float | None
    """Wall-clock seconds since the epoch."""
    activity: Activity | None = None

    @property
    def title(self) -> str | None:
        """Its name, and after that of an interpreter what it runs: `python3 import.py`; None if the name is unknown.

        >>> Process(1, "python3", "/usr/bin/python3 -W error /srv/import.py --all", None, None, None, None, None).title
        'python3 import.py'
        >>> Process(1, "python3", "python3 -c import time", None, None, None, None, None).title
        'python3'
        >>> Process(1, "java", "java -Xmx1g -jar app.jar", None, None, None, None, None).title
        'java app.jar'
        """
        if self.name is None or self.command is None or not _INTERPRETERS.fullmatch(self.name):
            return self.name
        words = iter(self.command.split()[1:])
        for word in words:
            if word in _WITH_CODE:
                break
            if word in _WITH_VALUE:
                next(words, "")
            elif word in _WITH_PROGRAM or not word.startswith("-"):
                path = next(words, "") if word in _WITH_PROGRAM else word
                return f"{self.name} {path.rstrip('/').rpartition('/')[2]}".rstrip()
        return self.name

    @property
    def program(self) -> str | None:
        """What it runs, without the interpreter: `import.py`; its name where that is all there is.

        >>> Process(1, "python3", "python3 /srv/import.py", None, None, None, None, None).program
        'import.py'
        >>> Process(1, "node", None, None, None, None, None, None).program
        'node'
        """
        if self.title is None or self.name is None:
            return None
        return self.title.removeprefix(f"{self.name} ") or self.name


_INTERPRETERS: Final = re.compile(r"(python|ruby|perl|php|nodejs|node|deno|bun|java|bash|dash|sh)[\d.]*")
_WITH_PROGRAM: Final = ("-m", "-jar", "run")
_WITH_CODE: Final = ("-c", "-e", "-r", "--eval")
_WITH_VALUE: Final = ("-W", "-X", "-cp", "-classpath", "--require", "--import")
"""What follows an option of an interpreter: the program, its text, or something else."""


class Activity(msgspec.Struct, frozen=True):
    """What the threads of a process are doing.

    `doing` is the system call of the one thread that is in another one than futex (waiting for its fellows), `running`
    if that thread is on a CPU, and None if several threads are, or if nothing could be read (`is_denied`).
    `peer` is the other end of the socket it waits for, as `192.0.2.1:5432`; `target` the file, pipe or terminal.
    """

    doing: str | None = None
    peer: str | None = None
    target: str | None = None
    calls: tuple[str, ...] = ()
    """The system calls of all threads, each once."""
    is_denied: bool = False
    wait_channel: str | None = None
    """The kernel function it sleeps in; a fallback that some kernels show."""


class Waiter(msgspec.Struct, frozen=True):
    """A process with a thread that sleeps as long as SQLite's busy handler does: it seems to wait for a lock."""

    pid: int
    delay_ns: int
    threads: int = 1
    """How many of its threads sleep so."""


class FileRole(StrEnum):
    """Which of a database's files."""

    DATABASE = "database"
    WAL = "wal"
    SHM = "shm"
    JOURNAL = "journal"


class OpenFile(msgspec.Struct, frozen=True):
    """A descriptor of a process on one of the database's files.

    Not `is_current`: the path now holds another file or none; whoever writes there is losing writes.
    """

    pid: int
    role: FileRole
    is_current: bool
    is_deleted: bool
    """No name leads to the file any more."""
    is_writable: bool | None


class LostLocks(msgspec.Struct, frozen=True):
    """A process that has the -shm open for writing but lacks locks that SQLite keeps for as long as it is open.

    Something in that process opened and closed one of the files by itself, which dropped its POSIX locks.  Or it was
    forked from `forked_from`, which has the connection: a child inherits descriptors but no locks, and does harm only
    if it uses the connection.
    """

    pid: int
    missing: tuple[LockName, ...]
    forked_from: int | None = None


class ReadMark(msgspec.Struct, frozen=True, array_like=True):
    """One of the five read marks of the wal-index: its slot, its frame, and whether its lock byte is held now.

    A mark pins the WAL only while its byte is held; a held slot 0 means a reader that needs no frame of the WAL.
    `pid` is the first holder the kernel names; 0 if it names none.
    """

    slot: int
    frame: int
    held: bool
    pid: int = 0


class WalObservation(msgspec.Struct, frozen=True, tag="wal"):
    """The WAL of one database at one moment, read from the -wal and -shm headers (https://sqlite.org/walformat.html).

    `live_frames` is mxFrame, `backfilled_frames` nBackfill, `checkpoint_sequence` the -wal header's counter of resets,
    which every connection counts for itself.  `generation` is salt 1, which changes with each reset, most
    often by one (modulo 2^32).  What could not be read (no file, torn header) is None.
    """

    at_ns: int
    database: int
    file_bytes: int | None
    live_frames: int | None
    backfilled_frames: int | None
    checkpoint_sequence: int | None
    marks: tuple[ReadMark, ...] = ()
    generation: int | None = None


class HeldLooks(msgspec.Struct, frozen=True, array_like=True):
    """In how many looks a process held a lock."""

    lock: LockName
    pid: int
    looks: int


class HeldRun(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive looks that found the same process holding a lock, with no commit in between.

    A run is one hold only if holds are longer than the time between looks.  `is_ongoing` runs come again, longer, with
    the same `since_ns`; `is_lower_bound` as in `Holder`.
    """

    lock: LockName
    pid: int
    since_ns: int
    until_ns: int
    is_ongoing: bool
    is_lower_bound: bool


class LockSample(msgspec.Struct, frozen=True, tag="locks"):
    """The looks since the last message: how many, how many were missed because we were behind, and who held what.

    WRITE means the right to write: byte 120 of the -shm in WAL mode, RESERVED or more in rollback mode.  Besides it
    CHECKPOINT, RECOVER and EXCLUSIVE are followed.
    """

    at_ns: int
    since_ns: int
    database: int
    looks: int
    missed: int
    held: tuple[HeldLooks, ...] = ()
    runs: tuple[HeldRun, ...] = ()


class Commits(msgspec.Struct, frozen=True, tag="commits"):
    """Commits that wrote something, since the last message: from iChange of the -shm, or the change counter.

    Not `is_exact`: the counter began anew (recovery, a new -shm, another journal mode), so there may have been more.
    `frames` counts new frames in the WAL (without those of a generation that came and went unseen), None in rollback
    mode.
    """

    at_ns: int
    since_ns: int
    database: int
    commits: int
    frames: int | None
    is_exact: bool


class Absent(msgspec.Struct, frozen=True, tag="absent"):
    """There is no database to observe: why, in one sentence."""

    at_ns: int
    database: int
    reason: Refusal
    sentence: str


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Everything that can be seen of a database at one moment."""

    at_ns: int
    database: int
    since_ns: int
    """When this observation began: nothing is known to be older."""
    facts: Database
    holders: tuple[Holder, ...]
    processes: tuple[Process, ...]
    """Everybody who holds a lock or has one of the files open, as far as visible; never the observer."""
    waiters: tuple[Waiter, ...] | None
    """None if nobody's sleep could be read though there was somebody to read."""
    wal: WalObservation
    uncommitted_frames: int | None
    """Frames written behind the last commit by whoever holds WRITE; None if nobody does, or it could not be read.

    An upper bound for a writer that we did not see begin: it may have found frames that another one rolled back.
    """
    recoverable_frames: int | None
    """Frames up to the last commit in the -wal while nobody has the database open; None otherwise."""
    open_files: tuple[OpenFile, ...] | None
    """None where descriptors cannot be listed; processes of others may be missing (see `hidden`)."""
    lost_locks: tuple[LostLocks, ...]
    hidden: tuple[Hidden, ...]

    def held_by(self, *names: LockName) -> tuple[Holder, ...]:
        """Return the holders of any of these locks."""
        return tuple(holder for holder in self.holders if holder.lock in names)

    def process(self, pid: int) -> Process | None:
        """Return what is known of a process of this look."""
        return next((process for process in self.processes if process.pid == pid), None)


Message = LockSample | WalObservation | Commits | Look | Absent
"""What a sampler sends."""
