"""One transaction's wait, told from the lanes of all workers: on which rungs it slept, and who held the lock."""

from __future__ import annotations

import msgspec

from simulators.events import Mode, is_busy
from simulators.transactions import Transaction
from sqlwatch.metrics.ladder import looks_ns, looks_until_got_ns, sleeps_ns
from sqlwatch.metrics.lanes import Lanes, transactions_of, wait_end_ns
from sqlwatch.metrics.meanwhile import Meanwhile, meanwhile


class Sleep(msgspec.Struct, frozen=True):
    """One rung of the ladder: how long it slept, and how long after asking it looked at the lock again."""

    slept_ns: int
    looked_ns: int


class WaitStory(msgspec.Struct, frozen=True):
    """All that is known of one transaction and its wait."""

    worker: int
    label: str
    database: int
    mode: Mode
    transaction: Transaction
    waited_ns: int
    sleeps: tuple[Sleep, ...] | None
    """None where the delays were drawn at random."""
    meanwhile: Meanwhile


def wait_story(lanes: Lanes, worker: int, number: int) -> WaitStory | None:
    """Return the story of a worker's transaction; None if its event is not kept (any more)."""
    lane = lanes.lane(worker)
    if lane is None:
        return None
    found = next((pair for pair in transactions_of(lane, 0, lanes.now_ns) if pair[0].number == number), None)
    if found is None:
        return None
    transaction, mode = found
    asked_ns, until_ns = transaction.asked_ns, max(wait_end_ns(transaction, mode), transaction.asked_ns)
    if mode is Mode.SINGLE_WRITER and transaction.got_ns:
        until_ns = max(transaction.got_ns, asked_ns)
    return WaitStory(
        worker=worker,
        label=lane.label,
        database=lane.database,
        mode=mode,
        transaction=transaction,
        waited_ns=until_ns - asked_ns,
        sleeps=_sleeps(lanes, transaction, mode, until_ns - asked_ns),
        meanwhile=meanwhile(lanes, lane, asked_ns, until_ns),
    )


def _sleeps(lanes: Lanes, transaction: Transaction, mode: Mode, waited_ns: int) -> tuple[Sleep, ...] | None:
    """Return the rungs that were slept; the last one of a wait without the lock was the busy error itself."""
    if not transaction.retries or mode is Mode.SINGLE_WRITER:
        return ()
    if lanes.delays_ns is None:
        return None
    delays = sleeps_ns(lanes.delays_ns, transaction.retries)
    if transaction.got_ns:
        looks = looks_until_got_ns(lanes.delays_ns, transaction.retries, waited_ns) if delays else []
    else:
        looks = looks_ns(lanes.delays_ns, min(waited_ns, lanes.limit_ns))[: transaction.retries]
        left_ns = lanes.limit_ns - sum(delays[: len(looks)])
        if is_busy(transaction.outcome) and len(looks) < transaction.retries - 1 and 0 < left_ns <= waited_ns:
            delays[len(looks)] = left_ns  # the last sleep is what is left of the limit
            looks.append(lanes.limit_ns)
    return tuple(Sleep(slept, look) for slept, look in zip(delays, looks, strict=False))
