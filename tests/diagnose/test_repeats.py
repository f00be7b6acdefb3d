"""The repeats of a phase: what each measured, and how far they lie apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.diagnose.lesson import FIGURES
from sqlwatch.diagnose.repeats import MAIN, main_figures, repeats_of, spread, spread_words
from sqlwatch.metrics.snapshot import Period


def period(name: str, committed: int) -> Period:
    return Period(name, None, 1, 0, 10**9, committed=committed, finished=committed)


def test_the_repeats_of_a_phase_are_found_by_its_name_also_if_one_was_cut_short() -> None:
    repeats = [(period("a", 1), period("b", 2)), (period("a", 3), period("b (cut short)", 4))]
    assert [one.committed for one in repeats_of("a", repeats)] == [1, 3]
    assert [one.committed for one in repeats_of("b", repeats)] == [2]


def test_the_main_figures_are_those_that_an_effect_may_ask_for() -> None:
    assert set(MAIN) <= set(FIGURES)
    assert main_figures(period("a", 5))["commits_per_s"] == 5
    assert main_figures(period("a", 5))["lock_wait_p99_ms"] is None, "no wait was measured"


def test_one_repeat_has_no_range_and_an_unknown_figure_none_either() -> None:
    assert spread([period("a", 5)]) == {}
    assert spread_words([period("a", 5)]) == ""
    assert "lock_wait_p99_ms" not in spread([period("a", 5), period("a", 6)])
    assert spread_words([period("a", 5), period("a", 6), period("a", 9)]) == "commits 6.0/s (5.0/s to 9.0/s)"


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=9))
def test_the_median_lies_in_the_range(commits: list[int]) -> None:
    found = spread([period("a", count) for count in commits])["commits_per_s"]
    assert (found.low, found.high) == (min(commits), max(commits))
    assert found.low <= found.median <= found.high
