"""How long the batches are that workers send: a word on the board that the fleet writes and every worker reads."""

from __future__ import annotations

import time
from typing import Final

from simulators.slots import Board
from simulators.telemetry import BATCH_NS

_TOGETHER: Final = 10
"""So many workers send as often as any does; of more than that each sends less often, up to a quarter as often."""
_LONGEST: Final = 4 * BATCH_NS


class BatchLength:
    """The length of batches now, and of those under way; in ns."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._asked_ns = self._fitting_ns = board.batch_ns = BATCH_NS
        self._before_ns = self._before_until_ns = 0

    def change(self, batch_ns: int) -> None:
        """Have each worker send batches of about this length, or the next longer that fits, from its next one on."""
        self._asked_ns = batch_ns
        self._use()

    def fit(self, workers: int) -> None:
        """Have so many workers send no more batches together than can be read at little cost, each being a message."""
        self._fitting_ns = min(-(-workers // _TOGETHER) * BATCH_NS, _LONGEST)
        self._use()

    def _use(self) -> None:
        batch_ns = max(self._asked_ns, self._fitting_ns)
        if batch_ns != self._board.batch_ns:
            self._before_ns = self._board.batch_ns
            self._before_until_ns = time.monotonic_ns() + self._before_ns
            self._board.batch_ns = batch_ns

    def late_ns(self) -> int:
        """Return how much later than usual a batch may come now."""
        under_way_ns = self._before_ns if time.monotonic_ns() < self._before_until_ns else 0
        return max(self._board.batch_ns, under_way_ns) - BATCH_NS
