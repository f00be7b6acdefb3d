"""What a simulation does: every parameter, validated in one place, whether it came from an option or a TOML file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from simulators.events import Mode
from simulators.quantities import Arrival, BusyKind, BusyPolicy, Checkpointing, Duration, Pause, Size, format_time

MAX_WORKERS: Final = 64
MAX_TRANSACTION_BYTES: Final = 64 * 2**20
MAX_BATCH_ROWS: Final = 10_000
"""Three variables a row, and SQLITE_MAX_VARIABLE_NUMBER is 32,766."""


class WorkloadError(ValueError):
    """A workload that cannot be: one sentence that names the key, the value and what is allowed."""


class WorkerKind(StrEnum):
    """What a worker is."""

    PROCESS = "process"
    THREAD = "thread"
    """All writers are threads of one process; each has its own connection, unless they share one.  Readers are
    processes."""
    TASK = "task"
    """All writers are asyncio tasks of one process that share a pool of connections, each with a thread of its own;
    every statement is awaited, also inside the transaction.  Readers are processes."""


class Begin(StrEnum):
    """How a write transaction begins (https://sqlite.org/lang_transaction.html)."""

    IMMEDIATE = "immediate"
    DEFERRED = "deferred"
    EXCLUSIVE = "exclusive"


class Synchronous(StrEnum):
    """PRAGMA synchronous."""

    OFF = "off"
    NORMAL = "normal"
    FULL = "full"
    EXTRA = "extra"


class JournalMode(StrEnum):
    """PRAGMA journal_mode: a write-ahead log, or a rollback journal that a commit deletes, truncates or zeroes."""

    WAL = "wal"
    DELETE = "delete"
    TRUNCATE = "truncate"
    PERSIST = "persist"


class Statement(StrEnum):
    """The shape of a write transaction."""

    ROW_BY_ROW = "row-by-row"
    """One INSERT a row."""
    BATCH = "batch"
    """One INSERT with all rows."""
    READ_THEN_WRITE = "read-then-write"
    """Read a counter, hold, write it back plus one, insert the rows."""


class Workload(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """All parameters of a simulation; the option and the TOML key have the same name."""

    writers: Annotated[int, Meta(ge=0, le=MAX_WORKERS, description="writer processes")] = 16
    readers: Annotated[int, Meta(ge=0, le=MAX_WORKERS, description="reader processes")] = 2
    worker_kind: Annotated[WorkerKind, Meta(description="what a worker is")] = WorkerKind.PROCESS
    pool: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_WORKERS,
            description="connections that tasks share, for each database; never more than its tasks",
        ),
    ] = 10
    shared_connection: Annotated[
        bool, Meta(description="writer threads share one connection, with a lock of the program's own around each turn")
    ] = False
    mode: Annotated[Mode, Meta(description="how writers come to the write lock")] = Mode.CONTENDED
    group_commit: Annotated[bool, Meta(description="the single writer commits what is queued as one")] = False
    begin: Annotated[Begin, Meta(description="how a write transaction begins")] = Begin.IMMEDIATE
    busy: Annotated[
        BusyPolicy, Meta(description="when the lock is taken: timeout:5000, none, constant:1, backoff:1:100 (ms)")
    ] = BusyPolicy()
    keep_interpreter: Annotated[
        bool, Meta(description="a busy wait sleeps without releasing Python's interpreter lock")
    ] = False
    synchronous: Annotated[Synchronous, Meta(description="PRAGMA synchronous")] = Synchronous.NORMAL
    journal_mode: Annotated[JournalMode, Meta(description="PRAGMA journal_mode: a WAL, or a rollback journal")] = (
        JournalMode.WAL
    )
    statement: Annotated[Statement, Meta(description="shape of a write transaction")] = Statement.ROW_BY_ROW
    rows: Annotated[int, Meta(ge=1, le=100_000, description="rows a transaction inserts")] = 1
    payload: Annotated[Size, Meta(description="bytes of payload a row")] = Size(100)
    hold: Annotated[Pause, Meta(description="time spent inside the transaction: 2ms, or exp:2ms at random")] = Pause(
        2_000_000
    )
    think: Annotated[Pause, Meta(description="time spent between transactions")] = Pause(20_000_000)
    arrival: Annotated[
        Arrival,
        Meta(description="closed loop, open loop at rate:N a second over all writers, or rounds all start together"),
    ] = Arrival()
    read_rows: Annotated[int, Meta(ge=1, le=1_000_000, description="rows a read transaction reads")] = 10
    read_hold: Annotated[Pause, Meta(description="time a reader keeps its snapshot open after reading")] = Pause(0)
    read_think: Annotated[Pause, Meta(description="time a reader spends between reads")] = Pause(20_000_000)
    pin_reader: Annotated[
        Pause, Meta(description="time for which one more reader keeps each of its snapshots; 0 is no such reader")
    ] = Pause(0)
    databases: Annotated[int, Meta(ge=1, le=MAX_WORKERS, description="database files the writers are spread over")] = 1
    autocheckpoint: Annotated[
        int, Meta(ge=0, le=1_000_000, description="WAL frames at which a writer runs a checkpoint; 0 is never")
    ] = 1000
    checkpointer: Annotated[
        Checkpointing, Meta(description="a process that runs checkpoints beside the writers: passive:1s, truncate:1s")
    ] = Checkpointing()
    duration: Annotated[Duration | None, Meta(description="time each phase runs")] = None
    transactions: Annotated[
        int, Meta(ge=0, le=10**9, description="transactions a phase runs, shared out evenly; 0 is no limit")
    ] = 0
    warm_up: Annotated[Pause, Meta(description="time at the start that is in no figure")] = Pause(300_000_000)
    max_size: Annotated[Size, Meta(description="size of databases and WALs together that ends the run")] = Size(2**31)
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="seed of all random choices")] = 1

    def __post_init__(self) -> None:
        """Check what depends on more than one key; raise WorkloadError."""
        if self.writers + self.readers == 0:
            raise WorkloadError("writers: 0 with readers: 0 leaves nobody to work; give at least one of them.")
        if self.databases > max(self.writers, 1):
            raise WorkloadError(
                f"databases: {self.databases} is more than there are writers ({self.writers}); allowed is 1 to writers."
            )
        if self.rows * max(self.payload.bytes, 1) > MAX_TRANSACTION_BYTES:
            raise WorkloadError(
                f"payload: {self.rows} rows of {self.payload.bytes} bytes exceed the 64 MiB a transaction may have."
            )
        if self.statement is Statement.BATCH and self.rows > MAX_BATCH_ROWS:
            raise WorkloadError(
                f"rows: {self.rows} is too many for statement batch; allowed are 1 to {MAX_BATCH_ROWS}."
            )
        if self.checkpointer.kind is not None and not self.has_wal:
            raise WorkloadError(
                f"checkpointer: {self.checkpointer} has nothing to do with journal-mode {self.journal_mode.value}; "
                "allowed is none, or journal-mode wal."
            )
        if self.arrival.pause_ns is not None and self.worker_kind is not WorkerKind.PROCESS:
            raise WorkloadError(
                f"arrival: {self.arrival} needs worker-kind process; writers of kind {self.worker_kind.value} allow "
                "closed and rate:N."
            )
        if self.shared_connection and self.worker_kind is not WorkerKind.THREAD:
            raise WorkloadError(
                f"shared-connection: true is not allowed with worker-kind {self.worker_kind.value}; only threads can "
                "share one, so give worker-kind thread."
            )
        if self.max_size.bytes < 2**20:
            raise WorkloadError(f"max-size: {self.max_size} is too small; allowed are 1MiB to 1TiB.")

    @property
    def has_wal(self) -> bool:
        """Whether the databases have a write-ahead log, and with it checkpoints."""
        return self.journal_mode is JournalMode.WAL

    def to_mapping(self) -> dict[str, Any]:
        """Return every parameter by its key, as a number, a bool or a text that `from_mapping` reads again."""
        return {field.encode_name: _plain(getattr(self, field.name)) for field in msgspec.structs.fields(type(self))}

    def in_words(self, writers: int | None = None, readers: int | None = None) -> str:
        """Describe the workload in one line, with so many writers and readers where it is not as many as asked for."""
        writers = self.writers if writers is None else writers
        readers = self.readers if readers is None else readers
        kind = "writer" if self.worker_kind is WorkerKind.PROCESS else f"writer {self.worker_kind.value}"
        count = f"{writers} {kind}{'s' if writers != 1 else ''}"
        if self.worker_kind is WorkerKind.TASK and self.mode is not Mode.SINGLE_WRITER:
            count += f" with a pool of {self.pool} connection{'s' if self.pool != 1 else ''}"
        if self.shared_connection and self.mode is not Mode.SINGLE_WRITER:
            count += " on one connection"
        parts = [f"{count} hold {_pause_words(self.hold)}"]
        parts.append(self._arrival_words())
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        parts += [rows, f"sync {self.synchronous.value}"]
        if not self.has_wal:
            parts.append(f"rollback journal ({self.journal_mode.value})")
        if readers:
            parts.append(f"{readers} reader{'s' if readers != 1 else ''}")
        if self.pin_reader.mean_ns:
            parts.append(f"a reader pinned for {_pause_words(self.pin_reader)}")
        if self.checkpointer.kind is not None:
            kind, every = self.checkpointer.kind.value, format_time(self.checkpointer.every_ns)
            parts.append(f"{kind} checkpoint every {every}")
        if self.databases > 1:
            parts.append(f"{self.databases} databases")
        if self.busy != BusyPolicy():
            parts.append(f"busy {self.busy}")
        if self.keep_interpreter:
            parts.append("busy waits keep the interpreter lock")
        if self.begin is not Begin.IMMEDIATE:
            parts.append(f"begin {self.begin.value}")
        if self.statement is not Statement.ROW_BY_ROW:
            parts.append(self.statement.value)
        if self.group_commit:
            parts.append("group commit")
        return ", ".join(parts)

    def _arrival_words(self) -> str:
        if self.arrival.per_s is not None:
            return f"arrive at {self.arrival.per_s:g}/s"
        if self.arrival.pause_ns is None:
            return f"think {_pause_words(self.think)}"
        pause = f" {format_time(self.arrival.pause_ns)} apart" if self.arrival.pause_ns else ""
        return f"arrive together in rounds{pause}"


_FIELDS: Final = {field.encode_name: field for field in msgspec.structs.fields(Workload)}
KEYS: Final = tuple(_FIELDS)
"""The names of all parameters, as options (without the dashes) and in TOML files."""

_QUANTITIES: Final[dict[object, Callable[[object], object]]] = {
    kind: kind.parse for kind in (Pause, Duration, Size, Arrival, BusyPolicy, Checkpointing)
}


_QUANTITY_WORDS: Final[dict[object, tuple[str, str]]] = {
    Pause: ("TIME", "0 to 60s"),
    Duration: ("TIME", "100ms to 24h"),
    Size: ("SIZE", "0 to 1TiB"),
    Arrival: ("ARRIVAL", "closed, rate:N, burst, burst:TIME"),
    BusyPolicy: ("POLICY", "delays and limits in ms"),
    Checkpointing: ("KIND:TIME", "none; passive, full, restart, truncate; 10ms to 60s"),
}


class Parameter(msgspec.Struct, frozen=True):
    """What is to be known of a parameter to offer it as an option."""

    key: str
    description: str
    allowed: str
    default: str
    metavar: str
    is_flag: bool


def from_mapping(mapping: Mapping[str, object]) -> Workload:
    """Build a workload from values by key (text, numbers or booleans); raise WorkloadError naming key, value, range."""
    for key in mapping:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(KEYS)}."
            raise WorkloadError(f"{key}: there is no such parameter; {hint}")
    values = {key: _read_quantity(key, value) for key, value in mapping.items()}
    try:
        return msgspec.convert(values, Workload, strict=False)
    except msgspec.ValidationError as error:
        found = re.search(r"at `\$\.([a-z-]+)", str(error))
        if found is None:  # raised by __post_init__, which names the key itself
            raise WorkloadError(str(error)) from None
        key = found[1]
        raise WorkloadError(f"{key}: {mapping[key]!r} is not allowed; allowed {_allowed(key)}.") from None


def _read_quantity(key: str, value: object) -> object:
    """Turn text into the quantity that a key has; leave other keys and values to msgspec."""
    kinds = get_args(_FIELDS[key].type.__origin__) or (_FIELDS[key].type.__origin__,)
    if value is None and NoneType in kinds:
        return None
    for kind in kinds:
        if kind in _QUANTITIES:
            try:
                return _QUANTITIES[kind](value)
            except ValueError as error:
                raise WorkloadError(f"{key}: {value!r} {error}.") from None
    return value


def _allowed(key: str) -> str:
    """Say in words which values a key may have."""
    kind = _FIELDS[key].type
    if kind.__origin__ is int:
        (meta,) = kind.__metadata__
        return f"is a whole number from {meta.ge} to {meta.le}"
    if kind.__origin__ is bool:
        return "are true and false"
    return f"are {', '.join(member.value for member in kind.__origin__)}"


def _parameter(key: str) -> Parameter:
    field = _FIELDS[key]
    kinds = get_args(field.type.__origin__) or (field.type.__origin__,)
    metavar, words = next((_QUANTITY_WORDS[kind] for kind in kinds if kind in _QUANTITY_WORDS), ("", ""))
    if not words:
        (meta,) = field.type.__metadata__
        words = f"{meta.ge} to {meta.le}" if kinds[0] is int else _allowed(key).removeprefix("are ")
        metavar = "N" if kinds[0] is int else "NAME"
    default = _plain(getattr(Workload(), field.name))
    (meta,) = field.type.__metadata__
    return Parameter(
        key=key,
        description=meta.description or "",
        allowed=words,
        default=_default_words(default),
        metavar=metavar,
        is_flag=kinds[0] is bool,
    )


def _default_words(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "none" if default is None else str(default)


def _plain(value: object) -> object:
    if isinstance(value, bool | int) or value is None:
        return value
    return value.value if isinstance(value, StrEnum) else str(value)


def _pause_words(pause: Pause) -> str:
    if pause.mean_ns == 0:
        return "0"
    return f"{format_time(pause.mean_ns)}{' at random' if pause.exponential else ''}"


PARAMETERS: Final = tuple(_parameter(key) for key in KEYS)
"""All parameters in the order of `Workload`, for command lines and documentation."""

__all__ = [
    "KEYS",
    "MAX_WORKERS",
    "PARAMETERS",
    "Arrival",
    "Begin",
    "BusyKind",
    "BusyPolicy",
    "Checkpointing",
    "JournalMode",
    "Mode",
    "Pause",
    "Statement",
    "Synchronous",
    "WorkerKind",
    "Workload",
    "WorkloadError",
    "from_mapping",
]
