"""Times, sizes, arrivals and busy policies as people write them: `2ms`, `exp:20ms`, `2GiB`, `rate:500`, `timeout:5000`.

Each type reads itself from text or a number (`parse`), writes itself back so that it can be read again (`str`), and
raises ValueError with the allowed range in words.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, Self

import msgspec

from simulators.events import CheckpointKind

_TIME_NS: Final = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_SIZE_BYTES: Final = {
    "": 1, "b": 1, "k": 2**10, "kib": 2**10, "kb": 1000, "m": 2**20, "mib": 2**20, "mb": 10**6,
    "g": 2**30, "gib": 2**30, "gb": 10**9, "tib": 2**40,
}  # fmt: skip
_NUMBER: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-zµ]*)\s*")


def parse_time_ns(value: object, *, bare_unit: str = "s") -> int:
    """Return a duration in ns from `2ms`, `1.5s` or a bare number of `bare_unit`; raise ValueError if it is none.

    >>> parse_time_ns("500us"), parse_time_ns(0.002), parse_time_ns("0")
    (500000, 2000000, 0)
    """
    match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
    unit = (match[2] or bare_unit) if match else ""
    if match is None or unit not in _TIME_NS:
        raise ValueError("is not a time; write for example 500us, 2ms or 1.5s")
    return round(float(match[1]) * _TIME_NS[unit])


def format_time(duration_ns: int) -> str:
    """Write a duration in the largest unit that keeps it exact.

    >>> format_time(2_000_000), format_time(1_500_000_000), format_time(0)
    ('2ms', '1500ms', '0s')
    """
    for unit in ("s", "ms", "us"):
        if duration_ns % _TIME_NS[unit] == 0:
            return f"{duration_ns // _TIME_NS[unit]}{unit}"
    return f"{duration_ns}ns"


class Pause(msgspec.Struct, frozen=True):
    """A time to hold or to think, in ns: the same every time, or exponentially distributed with that mean."""

    mean_ns: int
    exponential: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `2ms` or `exp:2ms`; raise ValueError beyond 60 s."""
        text = str(value)
        exponential = text.startswith("exp:")
        mean_ns = parse_time_ns(text.removeprefix("exp:") if exponential else value)
        if mean_ns > _TIME_NS["m"]:
            raise ValueError("is out of range (0 to 60s)")
        return cls(mean_ns, exponential)

    def __str__(self) -> str:
        return ("exp:" if self.exponential else "") + format_time(self.mean_ns)


class Duration(msgspec.Struct, frozen=True):
    """How long a phase runs, in ns."""

    ns: int

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `10s`; raise ValueError outside 0.1 s to 24 h."""
        duration_ns = parse_time_ns(value)
        if not _TIME_NS["ms"] * 100 <= duration_ns <= 24 * _TIME_NS["h"]:
            raise ValueError("is out of range (100ms to 24h)")
        return cls(duration_ns)

    def __str__(self) -> str:
        return format_time(self.ns)


class Size(msgspec.Struct, frozen=True):
    """A size in bytes."""

    bytes: int

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `2GiB` or a bare number of bytes; raise ValueError beyond 1 TiB."""
        match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value).lower())
        if match is None or match[2] not in _SIZE_BYTES:
            raise ValueError("is not a size; write for example 100, 64KiB or 2GiB")
        size = round(float(match[1]) * _SIZE_BYTES[match[2]])
        if size > 2**40:
            raise ValueError("is out of range (0 to 1TiB)")
        return cls(size)

    def __str__(self) -> str:
        for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
            if self.bytes and self.bytes % factor == 0:
                return f"{self.bytes // factor}{unit}"
        return str(self.bytes)


class Arrival(msgspec.Struct, frozen=True):
    """When transactions start: after the last has ended, at a rate whatever happens, or all writers' at once."""

    per_s: float | None = None
    """Open loop: transactions a second of all writers together."""
    pause_ns: int | None = None
    """Bursts: time between the end of a round and the start of the next.  With neither it is a closed loop."""

    @property
    def is_closed(self) -> bool:
        """Whether each writer starts its next transaction when its last one has ended."""
        return self.per_s is None and self.pause_ns is None

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `closed`, `rate:500`, `burst` or `burst:20ms`; raise ValueError for anything else."""
        kind, separator, amount = str(value).partition(":")
        if kind == "closed" and not separator:
            return cls()
        if kind == "burst":
            try:
                pause_ns = parse_time_ns(amount) if separator else 0
            except ValueError:
                raise ValueError(_ARRIVAL_HELP) from None
            if pause_ns > _TIME_NS["m"]:
                raise ValueError("has a pause out of range (0 to 60s)")
            return cls(pause_ns=pause_ns)
        try:
            per_s = float(amount) if kind == "rate" else 0.0
        except ValueError:
            per_s = 0.0
        if not 0.1 <= per_s <= 1_000_000:
            raise ValueError(_ARRIVAL_HELP)
        return cls(per_s)

    def __str__(self) -> str:
        if self.pause_ns is not None:
            return f"burst:{format_time(self.pause_ns)}" if self.pause_ns else "burst"
        return "closed" if self.per_s is None else f"rate:{self.per_s:g}"


_ARRIVAL_HELP: Final = (
    "is no arrival; write closed, rate:500 for 500 transactions a second (0.1 to 1000000), or burst or burst:20ms "
    "for rounds that all writers start together, with that pause (0 to 60s) in between"
)


_CHECKPOINTER_HELP: Final = (
    "is no checkpointer; write none, or a kind and how often (10ms to 60s): passive:1s, full:1s, restart:1s or "
    "truncate:1s"
)


class Checkpointing(msgspec.Struct, frozen=True):
    """Checkpoints of a kind at an interval in ns; with no kind there are none."""

    kind: CheckpointKind | None = None
    every_ns: int = 0

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `none` or `passive:1s`; raise ValueError for anything else."""
        if str(value) == "none":
            return cls()
        kind, _, every = str(value).partition(":")
        try:
            plan = cls(CheckpointKind(kind), parse_time_ns(every))
        except ValueError:
            raise ValueError(_CHECKPOINTER_HELP) from None
        if not _TIME_NS["ms"] * 10 <= plan.every_ns <= _TIME_NS["m"]:
            raise ValueError("has an interval out of range (10ms to 60s)")
        return plan

    def __str__(self) -> str:
        return "none" if self.kind is None else f"{self.kind.value}:{format_time(self.every_ns)}"


class BusyKind(StrEnum):
    """What a connection does when the lock is taken."""

    TIMEOUT = "timeout"
    """SQLite's own ladder of delays, up to a limit (sqliteDefaultBusyCallback in main.c)."""
    NONE = "none"
    """The busy error at once."""
    CONSTANT = "constant"
    """Look again after the same delay, up to a limit."""
    BACKOFF = "backoff"
    """Delays that double from a smallest to a largest one, each drawn at random up to that length, up to a limit."""


_BUSY_HELP: Final = (
    "is no busy policy; write timeout:5000, none, constant:1 or backoff:1:100 (milliseconds; "
    "an optional last number is the limit: constant:1:5000)"
)


class BusyPolicy(msgspec.Struct, frozen=True):
    """A busy policy: delays and limit in ms."""

    kind: BusyKind = BusyKind.TIMEOUT
    delay_ms: float = 0.0
    longest_delay_ms: float = 0.0
    limit_ms: float = 5000.0

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `timeout:5000`, `none`, `constant:1[:LIMIT]` or `backoff:1:100[:LIMIT]`, in ms; raise ValueError."""
        kind, *numbers = str(value).split(":")
        try:
            ms = [parse_time_ns(number, bare_unit="ms") / 1e6 for number in numbers]
            policy = cls._build(BusyKind(kind), ms)
        except (ValueError, TypeError, IndexError):
            raise ValueError(_BUSY_HELP) from None
        if policy.limit_ms > 600_000:
            raise ValueError("waits too long: the limit may be 0 to 600000 ms")
        if policy.kind in (BusyKind.CONSTANT, BusyKind.BACKOFF) and not (
            0.05 <= policy.delay_ms <= policy.longest_delay_ms <= 60_000
        ):
            raise ValueError("has a delay out of range (0.05 to 60000 ms, the smallest first)")
        return policy

    @classmethod
    def _build(cls, kind: BusyKind, ms: list[float]) -> Self:
        if kind is BusyKind.NONE and not ms:
            return cls(kind, limit_ms=0.0)
        if kind is BusyKind.TIMEOUT and len(ms) == 1:
            return cls(kind, limit_ms=ms[0])
        if kind is BusyKind.CONSTANT and 1 <= len(ms) <= 2:
            return cls(kind, ms[0], ms[0], ms[1] if len(ms) == 2 else 5000.0)
        if kind is BusyKind.BACKOFF and 2 <= len(ms) <= 3:
            return cls(kind, ms[0], ms[1], ms[2] if len(ms) == 3 else 5000.0)
        raise ValueError(_BUSY_HELP)

    def __str__(self) -> str:
        if self.kind is BusyKind.NONE:
            return "none"
        delays = {
            BusyKind.TIMEOUT: [],
            BusyKind.CONSTANT: [self.delay_ms],
            BusyKind.BACKOFF: [self.delay_ms, self.longest_delay_ms],
        }[self.kind]
        return ":".join([self.kind.value, *(f"{ms:g}" for ms in (*delays, self.limit_ms))])
