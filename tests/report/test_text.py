"""The summary as text: what it says, and that it always fits."""

from __future__ import annotations

import unicodedata

import msgspec
from hypothesis import given, settings

from simulators.events import Mode, Role
from sqlwatch.charts.units import UNKNOWN
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Accounting, Fairness, Quality
from sqlwatch.report.text import simulation_text
from tests.report.make import MS, SECOND, WORDS, histogram, make_period, make_result, make_worker, results


def cells(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def line_with(text: str, words: str) -> str:
    return next(line for line in text.splitlines() if words in line)


@settings(max_examples=150)
@given(results(), WORDS)
def test_any_result_fits_80_columns_and_moves_no_cursor(result: Result, title: str) -> None:
    for line in simulation_text(result, title).split("\n"):
        assert cells(line) <= 80, line
        assert not any(unicodedata.category(char) in ("Cc", "Cf") for char in line)


def test_compared_phases_stand_side_by_side_with_their_ratio() -> None:
    contended = make_period(committed=1_000)
    single = make_period(Mode.SINGLE_WRITER, committed=1_250, commit_latency=histogram(3 * MS, 4 * MS))
    text = simulation_text(make_result(contended, single, compare=True))
    assert line_with(text, "commits a second").split() == ["commits", "a", "second", "100/s", "125/s", "1.25x"]
    assert "single-writer / contended: throughput 1.25x, commit latency p99 0.0" in text


def first_page_of(text: str) -> str:
    """What stands before the rest."""
    page = text.partition("All of it follows.")[0]
    assert page != text
    return page


def test_the_first_page_says_what_matters() -> None:
    workers = tuple(make_worker(number, share=0.25, was_starved=number == 3) for number in range(1, 5))
    contended = make_period(committed=1_000, workers=workers, fairness=Fairness(jain=0.4, starved_workers=1),
                            wasted_lock_time=0.4)  # fmt: skip
    single = make_period(Mode.SINGLE_WRITER, committed=1_250, commit_latency=histogram(3 * MS, 4 * MS))
    page = first_page_of(simulation_text(make_result(contended, single, compare=True)))
    assert len(page.splitlines()) <= 32, "it is seen at a glance"
    words = " ".join(page.split())
    assert "In short: single-writer against contended: 125/s commits instead of 100/s (1.25x), a commit" in words
    assert line_with(page, "fairness").split()[-3:] == ["0.40", "1.00", "2.50x"]
    assert "WARNING contended: 1 of 4 writers starved (worker 3)" in words
    assert "WARNING contended: the write lock was free 40% of the time while somebody waited for it" in words
    assert "Nothing was lost: all 80 rows that were committed are there, and no others." in words


def test_the_first_page_of_one_phase_has_no_ratio_and_says_what_is_broken() -> None:
    accounting = Accounting(100, 98, 90, 5, 1, 90, 88, 2)
    page = first_page_of(simulation_text(make_result(make_period(), accounting=accounting)))
    assert "ratio" not in page
    page = " ".join(page.split())
    assert "Findings: none" in page
    assert "BROKEN, so that no figure can be trusted: 2 transactions were done and never reported." in page
    assert "Nothing was lost" not in page


def test_nothing_is_said_to_be_there_that_was_not_counted() -> None:
    unknown = msgspec.structs.replace(make_result().accounting, rows_in_database=None)
    assert "the rows could not be counted" in first_page_of(
        simulation_text(make_result(make_period(), accounting=unknown))
    )
    killed = msgspec.structs.replace(make_result().accounting, workers_killed=1, in_doubt=1)
    page = " ".join(first_page_of(simulation_text(make_result(make_period(), accounting=killed))).split())
    assert "the accounting has what killed workers left in doubt" in page


def test_on_a_terminal_what_matters_stands_last() -> None:
    result = make_result(make_period())
    first, last = simulation_text(result), simulation_text(result, short_last=True)
    assert first.split("All of it follows.")[0].strip() in last
    assert last.endswith("All of it stands above.")
    assert last.index("Accounting") < last.index("Nothing was lost")
    parts = {paragraph for paragraph in first.split("\n\n") if "All of it" not in paragraph}
    assert parts == {paragraph for paragraph in last.split("\n\n") if "All of it" not in paragraph}


def test_without_a_comparison_there_is_no_ratio() -> None:
    assert "ratio" not in simulation_text(make_result(make_period()))


def test_sampled_figures_are_marked_and_the_mark_is_explained() -> None:
    text = simulation_text(make_result(make_period(lock_utilisation=0.5)))
    assert line_with(text, "lock held").split()[-1] == "~50%"
    assert "~ is sampled, not counted (looks at the lock: 2,000)." in text


def test_what_is_unknown_is_a_dash_and_never_0() -> None:
    period = make_period(wasted_lock_time=None, quality={"wasted_lock_time": Quality.UNKNOWN})
    assert line_with(simulation_text(make_result(period)), "lock free, yet wanted").split()[-1] == UNKNOWN


def test_unfinished_waits_count_in_the_second_row_of_percentiles() -> None:
    text = simulation_text(make_result(make_period(unfinished_waits_ns=(8 * SECOND,))))
    lines = text.splitlines()
    finished = lines[lines.index("lock wait, ended with the lock") + 1].split()
    everything = lines[lines.index("lock wait, all: unfinished ones at their length so far") + 1].split()
    assert (finished[-2], finished[-1]) == ("100ms", "3")
    assert (everything[-2], everything[-1]) == ("8.0s", "4")


def test_starved_workers_are_named() -> None:
    workers = tuple(make_worker(number, was_starved=number in (2, 3)) for number in (1, 2, 3))
    text = simulation_text(make_result(make_period(workers=workers, fairness=Fairness(starved_workers=2))))
    assert "STARVED in contended: 2 of 3 writers (workers 2, 3)" in text


def test_errors_are_counted_by_name() -> None:
    text = simulation_text(make_result(make_period(errors={5: 1_200, 517: 3, 13: 1}, busy_errors=1_203)))
    assert "1,200 SQLITE_BUSY, 1 SQLITE_FULL, 3 SQLITE_BUSY_SNAPSHOT" in text


def test_exits_stand_in_the_table_and_unusual_ones_in_full() -> None:
    workers = (make_worker(1, exit="ok"), make_worker(2, exit="signal 9"), make_worker(3, exit="exit 1: no\nmodule"))
    text = simulation_text(make_result(make_period(workers=workers)))
    table = [line.split() for line in text.splitlines() if line[:3].strip().isdigit()]
    assert [row[-1] for row in table] == ["ok", "9", "1"]
    assert "Writer 3 (pid 4003) ended: exit 1: no module" in text
    assert "1 of 3 workers ended in good order" in text


def test_readers_show_reads_and_the_single_writer_only_where_it_served() -> None:
    workers = (make_worker(1), make_worker(2, 0, Role.READER, reads=77), make_worker(3, 0, Role.SINGLE_WRITER))
    contended = simulation_text(make_result(make_period(workers=workers)))
    served = simulation_text(make_result(make_period(Mode.SINGLE_WRITER, workers=workers)))
    assert "77" in line_with(contended, "reader")
    assert "  3 single" not in contended
    assert "  3 single" in served


def test_the_accounting_states_differences() -> None:
    accounting = Accounting(100, 98, 90, 5, 1, 90, 88, 2)
    text = " ".join(simulation_text(make_result(make_period(), accounting=accounting)).split())
    assert "100 attempted by the workers' own count, 98 received, 2 lost" in text
    assert "90 committed, 2 failed, 5 withdrawn, 1 in doubt" in text
    assert "BROKEN: 2 transactions were done and never reported. 2 committed rows are missing." in text
    assert "88 of 90 rows there" in text


def test_rows_that_could_not_be_counted_are_said_to_be_so() -> None:
    accounting = msgspec.structs.replace(make_result().accounting, rows_in_database=None)
    assert "could not be counted" in simulation_text(make_result(make_period(), accounting=accounting))


def test_a_run_without_a_phase_says_so() -> None:
    text = simulation_text(make_result(message="The disk is full."))
    assert "The disk is full." in text
    assert "Nothing was measured" in text


def test_many_phases_are_listed_and_the_newest_of_each_mode_shown() -> None:
    phases = [
        make_period(mode, number=number, committed=number * 100)
        for number, mode in enumerate([Mode.CONTENDED, Mode.SINGLE_WRITER] * 3, start=1)
    ]
    text = simulation_text(make_result(*phases))
    assert sum(line.lstrip()[:1].isdigit() and "/s" in line for line in text.splitlines()) == 6
    assert line_with(text, "commits" + " " * 20).split() == ["commits", "500", "600"]
