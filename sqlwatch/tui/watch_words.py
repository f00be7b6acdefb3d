"""What the observer saw, in words: processes, what they do, how long, and what could not be seen.

All texts from outside go through `clean`; unknown is a dash.
"""

from __future__ import annotations

from typing import Final

from sqlwatch.charts import units
from sqlwatch.metrics.lock_spans import LockSpan, SpanKind
from sqlwatch.metrics.observations import Activity, LockName, Process
from sqlwatch.metrics.observed import HeldLock, Observed, Participant, ReaderPin
from sqlwatch.tui.text import clean

_STATES: Final = {
    "R": "running", "S": "asleep", "D": "on disk", "T": "STOPPED", "t": "TRACED", "Z": "zombie", "I": "idle",
    "X": "dead",
}  # fmt: skip
_CALLS: Final = {
    "futex": "waits for its own threads",
    "clock_nanosleep": "asleep",
    "nanosleep": "asleep",
    "fsync": "syncs to disk",
    "fdatasync": "syncs to disk",
    "wait4": "waits for a child",
    "waitid": "waits for a child",
}
LASTING_NS: Final = 1_000_000_000
"""What has been so for that long is not just passing."""
_NETWORK: Final = "waits for the network"
_LOCK_WORDS: Final = {
    LockName.WRITE: "write", LockName.CHECKPOINT: "checkpoint", LockName.RECOVER: "recover",
    LockName.RESERVED: "reserved", LockName.PENDING: "pending", LockName.EXCLUSIVE: "exclusive",
}  # fmt: skip


def command_of(process: Process | None) -> str:
    r"""Return the command line of a process, or its name, as text of one cell a character.

    >>> command_of(Process(1, "app", "app\x1b --fast", None, None, None, None, None))
    'app --fast'
    """
    if process is None:
        return units.UNKNOWN
    return clean(process.command or process.name or "").strip() or units.UNKNOWN


def short_command(process: Process | None) -> str:
    """Return the command line without the directories of its paths; the name where there is no command line.

    >>> short_command(Process(1, "python3", "/usr/bin/python3 /srv/app/work.py --all", None, None, None, None, None))
    'python3 work.py --all'
    """
    words = [word if "://" in word else word.rstrip("/").rpartition("/")[2] for word in command_of(process).split()]
    return " ".join(word for word in words if word) or units.UNKNOWN


def name_of(process: Process | None) -> str:
    """Return the short name of a process: what it runs."""
    if process is None:
        return units.UNKNOWN
    return clean(process.program or process.command or "").strip() or units.UNKNOWN


def holder_words(pid: int, process: Process | None, *, brief: bool = False) -> str:
    """Name a process by its pid and its short command (what it runs if brief); pids of 0 and -1 are those of nobody.

    >>> holder_words(0, None), holder_words(-1, None), holder_words(7, None)
    ('not named by the kernel', 'open file description lock', '7')
    >>> holder_words(7, Process(7, "python3", "python3 web.py -v", None, None, None, None, None), brief=True)
    '7 web.py'
    """
    if pid == 0:
        return "not named by the kernel"
    if pid < 0:
        return "open file description lock"
    return f"{pid} {name_of(process) if brief else short_command(process)}" if process is not None else str(pid)


def pid_words(pid: int) -> str:
    """Write a pid; a dash where the kernel names nobody.

    >>> pid_words(42), pid_words(0) == units.UNKNOWN
    ('42', True)
    """
    return str(pid) if pid > 0 else units.UNKNOWN


def state_words(process: Process | None) -> str:
    """Say what state the kernel gives for a process, in one word of at most 8 characters.

    >>> state_words(Process(1, None, None, None, "T", None, None, None))
    'STOPPED'
    """
    if process is None or process.state is None:
        return units.UNKNOWN
    return _STATES.get(process.state, clean(process.state)[:8])


def doing_words(process: Process | None) -> str:
    """Say what a process does at this moment, in a few words.

    >>> busy = Process(1, "app", None, None, "S", 1, 0, None, Activity("recvfrom", "192.0.2.1:5432"))
    >>> doing_words(busy)
    'waits for the network: recvfrom 192.0.2.1:5432'
    >>> doing_words(Process(1, "app", None, None, "S", 1, 0, None, Activity(is_denied=True)))
    'asleep, its call is not visible'
    """
    if process is None:
        return units.UNKNOWN
    state, activity = state_words(process), process.activity
    if process.state in ("T", "t", "Z"):
        return state
    if activity is None or activity.is_denied:
        channel = f" in {clean(activity.wait_channel)}" if activity is not None and activity.wait_channel else ""
        return f"{state}{channel or ', its call is not visible'}" if state != units.UNKNOWN else state
    return _activity_words(activity)


def _activity_words(activity: Activity) -> str:
    if activity.doing is None:
        return f"several calls: {clean(', '.join(activity.calls))}" if activity.calls else units.UNKNOWN
    call = clean(activity.doing)
    if activity.peer is not None:
        return f"{_NETWORK}: {call} {clean(activity.peer)}"
    words = _CALLS.get(call)
    target = f" {clean(activity.target)}" if activity.target is not None else ""
    return f"{words}: {call}{target}" if words else f"{call}{target}"


def lock_word(lock: LockName) -> str:
    """Name a lock as the dashboard does: read locks by one word.

    >>> lock_word(LockName.READ3), lock_word(LockName.WRITE), lock_word(LockName.SHARED)
    ('read', 'write', 'shared')
    """
    return _LOCK_WORDS.get(lock, "read" if lock.value.startswith("read") else lock.value)


def age_words(held: HeldLock | ReaderPin, *, brief: bool = False) -> str:
    """Say how long something has been held; ">" or "at least" where it began before we looked."""
    if held.held_ns <= 0:
        return "now" if brief else "less than the time between two looks"
    words = units.duration(held.held_ns)
    if not held.is_lower_bound:
        return words
    return f">{words}" if brief else f"at least {words}"


def lasting_pins(observed: Observed) -> tuple[ReaderPin, ...]:
    """Return the pins that have lasted for a moment: each short read holds back what is written meanwhile."""
    return tuple(pin for pin in observed.pins if pin.held_ns >= LASTING_NS)


def length_words(span: LockSpan, rate_hz: float) -> str:
    """Write the length of a hold as the looks estimate it, or of a wait, or an older hold, the least that it was.

    >>> hold = LockSpan(7, SpanKind.HELD, 0, 95_000_000, goes_on=False)
    >>> length_words(hold, 200.0), length_words(LockSpan(7, SpanKind.WAITED, 0, 930_000_000, goes_on=False), 200.0)
    ('~100ms', '>930ms')
    >>> length_words(LockSpan(7, SpanKind.WAITED, 5, 5, goes_on=False), 200.0)
    'one look'
    """
    if not span.length_ns:
        return "one look"
    if span.kind is SpanKind.WAITED or span.is_lower_bound:
        return f">{units.duration(span.length_ns)}"
    return f"~{units.duration(span.length_ns + 1e9 / rate_hz)}"  # half the time between two looks at either end


def waited_words(waiting_ns: int | None) -> str:
    """Say for how long somebody has seemed to wait, which is inferred; at the first look that found it so, "now".

    >>> waited_words(1_200_000_000), waited_words(0)
    ('~1.2s', '~now')
    """
    return f"~{units.duration(waiting_ns) if waiting_ns else 'now'}"


def longest_words(participant: Participant) -> str:
    """Write the longest hold of a process; a dash if it was never seen holding."""
    if not participant.longest_hold_ns:
        return units.UNKNOWN
    return (">" if participant.longest_is_lower_bound else "") + units.duration(participant.longest_hold_ns)


def short_path(path: str, width: int) -> str:
    """Shorten a path from the left, keeping whole names where there is room.

    >>> short_path("/srv/app/data/app.db", 14), short_path("/srv/app/data/app.db", 5), short_path("app.db", 9)
    ('…/data/app.db', '…p.db', 'app.db')
    """
    text = clean(path)
    if len(text) <= width or width <= 0:
        return text[: max(width, 0)]
    tail = text[len(text) - width + 1 :]
    start = tail.find("/")
    return "…" + (tail[start:] if 0 <= start < len(tail) - 1 else tail)


def is_unseen(observed: Observed | None) -> bool:
    """Tell whether the first look has not come yet."""
    return observed is None or (observed.look is None and observed.absent is None)
