"""How long batches are, and how late one may come while their length changes."""

from __future__ import annotations

from unittest import mock

from simulators import batch_length
from simulators.batch_length import BatchLength
from simulators.slots import Board
from simulators.telemetry import BATCH_NS


def test_batches_come_late_from_the_change_to_long_ones_until_the_last_long_one_has_come() -> None:
    board, clock = Board(), mock.Mock()
    clock.monotonic_ns.return_value = 10**9
    with mock.patch.object(batch_length, "time", clock):
        length = BatchLength(board)
        assert (board.batch_ns, length.late_ns()) == (BATCH_NS, 0)
        length.change(5 * BATCH_NS)
        assert (board.batch_ns, length.late_ns()) == (5 * BATCH_NS, 4 * BATCH_NS)
        clock.monotonic_ns.return_value += 10**10
        assert length.late_ns() == 4 * BATCH_NS
        length.change(BATCH_NS)
        assert (board.batch_ns, length.late_ns()) == (BATCH_NS, 4 * BATCH_NS)
        clock.monotonic_ns.return_value += 5 * BATCH_NS - 1
        assert length.late_ns() == 4 * BATCH_NS
        clock.monotonic_ns.return_value += 1
        assert length.late_ns() == 0


def test_of_many_workers_each_sends_longer_ones_up_to_a_bound() -> None:
    board = Board()
    length = BatchLength(board)
    lengths = []
    for workers in (0, 1, 10, 11, 20, 21, 64, 1000):
        length.fit(workers)
        lengths.append(board.batch_ns // BATCH_NS)
    assert lengths == [1, 1, 1, 2, 2, 3, 4, 4]
    assert length.late_ns() == 3 * BATCH_NS
    length.change(7 * BATCH_NS)
    length.fit(64)
    assert board.batch_ns == 7 * BATCH_NS
    length.change(BATCH_NS)
    assert board.batch_ns == 4 * BATCH_NS, "what fits still counts"


def test_batches_get_no_shorter_than_usual() -> None:
    board = Board()
    length = BatchLength(board)
    length.change(BATCH_NS // 2)
    assert (board.batch_ns, length.late_ns()) == (BATCH_NS, 0)
