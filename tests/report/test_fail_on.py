"""--fail-on: reading expressions, judging them, and what is unknown."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Mode
from sqlwatch.metrics.result import Result
from sqlwatch.report.expression import ExpressionError
from sqlwatch.report.fail_on import judge, names, parse
from sqlwatch.report.json import simulation_report
from tests.report.make import MS, histogram, make_period, make_result, results


def crossed(text: str, *phases: object, **changes: object) -> list[bool | None]:
    result = make_result(*phases, **changes)  # type: ignore[arg-type]
    return [verdict.crossed for verdict in judge(parse(text), simulation_report(result))]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("busy_errors>0", True),
        ("busy_errors > 3", False),
        ("busy_errors>=3", True),
        ("busy_errors<=2", False),
        ("busy_errors==3", True),
        ("busy_errors!=3", False),
        ("busy_errors<1e1", True),
        ("lock_wait_max_ms>99.5 and lock_wait_max_ms<100.5", True),
        ("lost>0 and busy_errors>0", False),
        ("lost>0 or busy_errors>0", True),
        ("lost>0 and lost>0 or jain==1", True),
        ("jain==1 or lost>0 and lost>0", True),
        ("wal_peak_bytes>4095 and starved_workers==0 and commits_per_s==4", True),
        ("wasted_lock_time>-1", True),
    ],
)
def test_expressions(text: str, holds: bool) -> None:
    assert crossed(f"  {text} ", make_period(busy_errors=3)) == [holds]


def test_every_phase_is_judged() -> None:
    assert crossed("commits>10", make_period(), make_period(Mode.SINGLE_WRITER, committed=5)) == [True, False]


def test_figures_of_the_run_are_judged_once() -> None:
    assert crossed("lost>0", make_period(), make_period(Mode.SINGLE_WRITER)) == [False]


def test_what_is_unknown_is_neither_crossed_nor_not() -> None:
    idle = make_period(lock_wait=histogram(), wasted_lock_time=None)
    assert crossed("lock_wait_p99_ms>0", idle) == [None]
    assert crossed("lock_wait_p99_ms<=0", idle) == [None]
    assert crossed("lock_wait_p99_ms>0 or commits>0", idle) == [True]
    assert crossed("lock_wait_p99_ms>0 and commits<0", idle) == [False]
    assert crossed("throughput_ratio<1", idle) == [None]
    assert crossed("busy_errors>0") == [None]


def test_the_words_give_the_figures() -> None:
    report = simulation_report(make_result(make_period(busy_errors=3, lock_wait=histogram())))
    (verdict,) = judge(parse("busy_errors>0 and lock_wait_p99_ms>1"), report)
    assert "cannot be judged in phase contended" in verdict.words
    assert "busy_errors is 3, lock_wait_p99_ms is unknown" in verdict.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("busy_error>0", "did you mean busy_errors?"),
        ("lockwait_p99_ms>0", "did you mean lock_wait_p99_ms?"),
        ("zzz>0", "there is no figure zzz; some are busy_errors"),
        ("busy_errors", "is no expression"),
        ("", "is no expression"),
        ("busy_errors>many", "is no expression"),
        ("busy_errors>1.2.3", "is no expression"),
        ("busy_errors>0 and", "is no expression"),
        ("busy_errors=0", "is no expression"),
        ("busy_errors>1e999", "is no expression"),
        ("name>0", "there is no figure name"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=r"^[^\n]+$") as caught:
        parse(text)
    assert words in str(caught.value)


def test_the_promised_names_are_there() -> None:
    assert {
        "busy_errors", "busy_retries", "lock_wait_p99_ms", "lock_wait_max_ms", "commit_latency_p99_ms", "commits_per_s",
        "jain", "starved_workers", "wasted_lock_time", "wal_peak_bytes", "lost", "lock_wait_with_unfinished_p99_ms",
    } <= set(names())  # fmt: skip
    assert len(set(names())) == len(names())


SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne}


@given(st.sampled_from(sorted(SIGNS)), st.integers(0, 50), st.floats(-1e6, 1e6))
def test_a_condition_is_what_python_makes_of_it(sign: str, errors: int, number: float) -> None:
    assert crossed(f"busy_errors {sign} {number!r}", make_period(busy_errors=errors)) == [SIGNS[sign](errors, number)]


@given(st.text(max_size=40) | st.lists(st.sampled_from([*names(), *SIGNS, "and", "or", "1", " "])).map(" ".join))
def test_any_text_is_an_expression_or_a_sentence(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError as error:
        assert str(error)
    else:
        assert parse(expression.text) == expression


@given(results(), st.sampled_from(names()), st.sampled_from(sorted(SIGNS)))
def test_every_name_can_be_judged_in_any_result(result: Result, name: str, sign: str) -> None:
    for verdict in judge(parse(f"{name}{sign}1"), simulation_report(result)):
        assert verdict.crossed in (True, False, None)
        assert name in verdict.words


def test_percentiles_are_those_of_the_json() -> None:
    report = simulation_report(make_result(make_period(lock_wait=histogram(2 * MS))))
    p99 = report.phases[0].lock_wait_ms.p99
    assert judge(parse(f"lock_wait_p99_ms=={p99!r}"), report)[0].crossed is True
