"""How long the batches are that workers send: a word on the board that the fleet writes and every worker reads."""

from __future__ import annotations

import time

from simulators.slots import Board
from simulators.telemetry import BATCH_NS


class BatchLength:
    """The length of batches now, and of those under way; in ns."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._before_ns = self._before_until_ns = 0
        board.batch_ns = BATCH_NS

    def change(self, batch_ns: int) -> None:
        """Have each worker send batches of about this length from the end of its present one on."""
        self._before_ns = self._board.batch_ns
        self._before_until_ns = time.monotonic_ns() + self._before_ns
        self._board.batch_ns = batch_ns

    def late_ns(self) -> int:
        """Return how much later than usual a batch may come now."""
        under_way_ns = self._before_ns if time.monotonic_ns() < self._before_until_ns else 0
        return max(self._board.batch_ns, under_way_ns, BATCH_NS) - BATCH_NS
