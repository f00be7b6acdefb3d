"""The filter of the event log: words that must all fit, such as `busy #3 50ms`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from simulators.quantities import parse_time_ns
from sqlwatch.metrics.event_log import Event
from sqlwatch.metrics.result_codes import message_of

HINT: Final = "busy, wait, exit ...; #3 is worker 3; 50ms: waited at least that long"

_WORKER: Final = re.compile(r"#?(\d+)")
_TIME: Final = re.compile(r"[>=]*([0-9.]+(?:ns|us|ms|s|m))")

Test = Callable[[Event], bool]


def event_filter(text: str) -> Test:
    """Return a test for events; a word that is no worker and no time must stand in the kind or the text.

    >>> from simulators.transactions import Transaction
    >>> from sqlwatch.metrics.event_log import EventKind
    >>> wait = Event(0, EventKind.WAIT, 3, Transaction(1, 0, 0, 60_000_000, 0, 60_000_000, 9, 0))
    >>> [event_filter(text)(wait) for text in ("", "wait", "#3 50ms", ">100ms", "4", "busy", "COMMITTED")]
    [True, True, True, False, False, False, True]
    """
    tests = [_test(word.casefold()) for word in text.split()]
    return lambda event: all(test(event) for test in tests)


def _test(word: str) -> Test:
    if worker := _WORKER.fullmatch(word):
        number = int(worker[1])
        return lambda event: event.worker == number
    if time := _TIME.fullmatch(word):
        try:
            least_ns = parse_time_ns(time[1])
        except ValueError:  # digits and dots that are no number: just a word
            return lambda event: word in words_of(event).casefold()
        return lambda event: event.wait_ns is not None and event.wait_ns >= least_ns
    return lambda event: word in words_of(event).casefold()


def words_of(event: Event) -> str:
    """Return the kind of an event and its text, or how its transaction ended."""
    ended = message_of(event.transaction.outcome) if event.transaction is not None else event.text
    return f"{event.kind.value} {ended}"
