"""Phases side by side: which, against which, and that every figure of every phase is in the table at any width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulators.scenario import parse
from sqlwatch.charts.segment import plain, width_of
from sqlwatch.charts.side_table import side_table
from sqlwatch.charts.units import UNKNOWN
from sqlwatch.diagnose.lesson import here_words, judge, verdict_so_far
from sqlwatch.diagnose.side_by_side import base_of, in_words, newest_phases, side_by_side, side_notes
from sqlwatch.metrics.histogram import HistogramBuilder
from sqlwatch.metrics.snapshot import Period

SCENARIO = parse(
    """
[workload]
writers = 2
duration = "1s"
[[phases]]
name = "b"
watch = '''
  the
  queue '''
[[phases]]
name = "a"
[[effects]]
says = "speed"
figure = "commits_per_s"
of = "b"
against = "a"
at-least = 2
[[effects]]
says = "errors"
figure = "busy_error_share"
of = "a"
at-least = 0.5
""",
    "x",
)


def period(name: str, committed: int, *waits_ns: int, errors: dict[int, int] | None = None) -> Period:
    builder = HistogramBuilder()
    for wait_ns in waits_ns:
        builder.add(wait_ns)
    waits = builder.freeze()
    busy = sum((errors or {}).values())
    return Period(
        name, None, 1, 0, 10**9, committed=committed, finished=committed + busy, rows=committed, lock_wait=waits,
        commit_latency=waits, errors=errors or {}, busy_errors=busy,
    )  # fmt: skip


def test_the_newest_of_each_phase_stands_in_the_order_of_the_scenario() -> None:
    repeats = [(period("b", 1), period("a", 2)), (period("b", 3), period("other", 4))]
    phases = newest_phases(SCENARIO, repeats)
    assert [(phase.name, phase.committed) for phase in phases] == [("b", 3), ("a", 2), ("other", 4)]
    assert base_of(SCENARIO, phases) is phases[1], "the effects are measured against it"
    assert base_of(SCENARIO, phases[:1]) is phases[0], "it has not run yet"
    assert base_of(SCENARIO, ()) is None


def test_ratios_are_to_the_base_and_errors_have_their_names() -> None:
    base, other = period("a", 100, 1_000_000), period("b", 250, 4_000_000, errors={5: 3, 517: 1})
    rows = {row.label: row for row in side_by_side((base, other), base)}
    assert rows["commits a second"].cells == ("100/s", "250/s")
    assert rows["commits a second"].ratios == ("", "2.50x")
    assert rows["lock wait max"].cells == ("1.0ms", "4.0ms")
    assert rows["lock wait max"].ratios == ("", "4.00x")
    assert rows["busy errors"].cells == ("0", "4")
    assert rows["busy errors"].ratios == ("", ""), "there is no ratio to nothing"
    assert rows["  SQLITE_BUSY_SNAPSHOT"].cells == ("0", "1")
    assert rows["fairness (Jain's index)"].cells == (UNKNOWN, UNKNOWN)
    assert "read latency p99" not in rows, "nobody read"
    assert "rows a second" not in rows, "each transaction wrote one"
    words = in_words(base, other)
    assert words.startswith("b against a: 250/s commits instead of 100/s (2.50x), ")
    assert words.endswith("a longest lock wait of 4.0ms instead of 1.0ms (4.00x)")
    assert in_words(period("a", 0), period("b", 0)) == "b against a: nothing to compare yet"
    assert "figure of a" in side_notes((base, other), base)
    assert "figure of" not in side_notes((base,), base)


def test_what_can_be_told_before_the_end() -> None:
    first = period("b", 300)
    told = judge(SCENARIO, [(first,)])
    assert [one.shown for one in told] == [None, None]
    assert verdict_so_far(told, is_over=False) == "not over yet; none of the 2 effects can be told so far"
    told = judge(SCENARIO, [(first, period("a", 100, errors={5: 300}))])
    assert [one.shown for one in told] == [True, True]
    assert [here_words(one) for one in told] == ["300/s in b, 3x the 100/s in a", "75% in a"]
    assert told[1].expected == "at least 50%"
    assert verdict_so_far(told, is_over=True) == "shown: both effects appeared"


def test_what_to_watch_in_a_phase() -> None:
    assert [SCENARIO.watch_of(phase) for phase in SCENARIO.phases] == ["the queue", ""]


@given(st.lists(st.text("ab", min_size=1, max_size=24), min_size=1, max_size=8), st.integers(1, 200))
def test_no_column_of_the_table_is_left_out_and_no_line_too_long(headings: list[str], width: int) -> None:
    cells = [f"{number}ms" for number in range(len(headings))]
    rows = [("commit latency p99.9", cells, ["1.00x"] * len(headings)), ("WAL", cells, [""] * len(headings))]
    table = side_table(headings, rows, width)
    assert all(width_of(row) in (0, width) for row in table)
    if width >= 36:
        text = "\n".join(map(plain, table))
        assert all(text.count(f"{cell} ") == 2 for cell in cells)
        assert text.count("1.00x") == len(headings)
