"""The observer against what the writers themselves know; `tests.benchmarks.observer_truth` does it for longer."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.observer_truth import compare, watch

PERIOD_NS = 5_000_000


def test_two_writers_that_hold_for_long_enough_to_be_seen(database: Path) -> None:
    found = compare(watch(database, ["mixed", "mixed"], 2.5, 1e9 / PERIOD_NS), PERIOD_NS)
    assert found.looks > 100
    # 500 looks at holds of tens of milliseconds err by 0.01 or so; a look that was missed could have seen anything.
    assert found.largest_error < 0.1 + found.missed / (found.looks + found.missed)
    assert found.is_exact
    assert found.observed_commits == found.commits > 10
    assert found.long_holds > 0
    assert found.unseen == []


def test_the_commits_of_writers_without_pause_are_exact(database: Path) -> None:
    found = compare(watch(database, ["busy", "busy"], 1.0, 1e9 / PERIOD_NS), PERIOD_NS)
    assert found.is_exact
    assert found.observed_commits == found.commits > 100
