"""What counts as news: Snapshots of a paused workload wait for it."""

from __future__ import annotations

from simulators.events import Running, SlotSample, Tick, WorkerExited, WorkerSample, WorkerState
from sqlwatch.metrics.fold import FoldInput
from tests.unit.test_fold import S, batch, fold_with, transaction


def test_news_is_what_workers_tell_and_begin_and_not_that_time_goes_on() -> None:
    fold = fold_with()

    def has_news(message: FoldInput) -> bool:
        before = fold.news
        fold.add(message)
        return fold.news > before

    waits, holds = (WorkerSample(1, state, 2 * S) for state in (WorkerState.WAITING, WorkerState.HOLDING))
    assert has_news(SlotSample(2 * S, 0, 10, (0,), (0,), (waits,)))
    assert not has_news(SlotSample(3 * S, 0, 10, (0,), (0,), (waits,)))
    assert has_news(SlotSample(3 * S, 0, 10, (0,), (0,), (holds,)))
    assert not has_news(Tick(4 * S))
    assert has_news(batch(1, transaction(1, 4 * S)))
    assert has_news(Running(4 * S, False))
    assert has_news(WorkerExited(4 * S, 2, "ok", 0, 0, 0))
