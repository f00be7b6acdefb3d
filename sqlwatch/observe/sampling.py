"""When to look: a clock for samplers, and one observation of a given length in this process."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sqlwatch.metrics.observations import Absent, Look, Message
from sqlwatch.observe.facts import CannotObserve
from sqlwatch.observe.sampler import Sampler

DEFAULT_RATE_HZ: Final = 200.0
LOWEST_RATE_HZ: Final = 1.0
HIGHEST_RATE_HZ: Final = 2000.0


class SamplingClock:
    """Says when the next look is due: once in each period, at a random moment of it.

    At regular moments a program that works in step with us would be seen always, or never, in the same act.
    """

    def __init__(self, rate_hz: float, started_ns: int) -> None:
        if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
            raise ValueError(f"{rate_hz:g} Hz is out of range ({LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g})")
        self._period_ns = round(1e9 / rate_hz)
        self._started_ns = started_ns
        self._number = 0
        self._chance = random.Random().random

    def next_ns(self, now_ns: int) -> tuple[int, int]:
        """Return (when the next look is due, how many periods have passed without one)."""
        number = self._number
        current = (now_ns - self._started_ns) // self._period_ns
        missed = current - number if current > number else 0
        number += missed
        self._number = number + 1
        return self._started_ns + int((number + self._chance()) * self._period_ns), missed


def run_samplers(
    samplers: Sequence[Sampler], rate_hz: float, emit: Callable[[list[Message]], None], sleep: Callable[[float], bool]
) -> None:
    """Sample until `sleep`, which takes seconds, returns False; `emit` gets the messages that are due."""
    clock = SamplingClock(rate_hz, time.monotonic_ns())
    while True:
        due_ns, missed = clock.next_ns(time.monotonic_ns())
        if not sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9):
            return
        for sampler in samplers:
            at_ns = time.monotonic_ns()
            if missed:
                sampler.note_missed(missed)
            sampler.sample(at_ns)
            if at_ns >= sampler.due_ns:
                emit(sampler.collect(at_ns))


class Observation(msgspec.Struct, frozen=True):
    """A stretch of observation: all its messages in order, for the fold, and the last thorough look, for a verdict."""

    started_ns: int
    ended_ns: int
    rate_hz: float
    last: Look
    messages: tuple[Message, ...]

    @property
    def looks(self) -> tuple[Look, ...]:
        """All thorough looks, oldest first."""
        return tuple(message for message in self.messages if isinstance(message, Look))


def observe(
    path: str | os.PathLike[str],
    duration_s: float = 1.0,
    rate_hz: float = DEFAULT_RATE_HZ,
    is_enough: Callable[[list[Message]], bool] | None = None,
) -> Observation:
    """Look at a database for a time, in this process, which must have no SQLite connection.

    `is_enough` is given all messages as they come, and ends the observation early by returning True.
    Raises CannotObserve if there is nothing to observe, or no longer.
    """
    started_ns = time.monotonic_ns()
    sampler = Sampler(Path(path), started_ns)
    messages: list[Message] = []
    end_ns = started_ns + round(duration_s * 1e9)
    is_over = False

    def take(new: list[Message]) -> None:
        nonlocal is_over
        messages.extend(new)
        refused = any(isinstance(message, Absent) for message in new)
        is_over = is_over or refused or (is_enough is not None and is_enough(new))

    def sleep(seconds: float) -> bool:
        time.sleep(seconds)
        return not is_over and time.monotonic_ns() < end_ns

    try:
        run_samplers([sampler], rate_hz, take, sleep)
        at_ns = time.monotonic_ns()
        sampler.sample(at_ns)
        take(sampler.finish(at_ns))
    finally:
        sampler.close()
    last = messages[-1]
    if isinstance(last, Absent):
        raise CannotObserve(last.reason, last.sentence)
    assert isinstance(last, Look), "a sampler finishes with a thorough look"
    return Observation(started_ns, at_ns, rate_hz, last, tuple(messages))
