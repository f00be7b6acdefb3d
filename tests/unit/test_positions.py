"""Who got the lock as which, from rounds whose events come in any order."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Outcome
from simulators.transactions import Transaction
from sqlwatch.diagnose.rounds import round_headings, round_rows, round_words
from sqlwatch.metrics.positions import LATE_NS, Positions, RoundStory
from sqlwatch.metrics.snapshot import Period
from sqlwatch.report.plain import WIDTH
from sqlwatch.report.rounds import round_lines

SECOND = 1_000_000_000
MS = 1_000_000


def turn(began_ns: int, asked_ns: int, got_ns: int, *, retries: int = 0, outcome: int = 0) -> Transaction:
    return Transaction(1, began_ns, asked_ns, got_ns, got_ns + MS if got_ns else 0, asked_ns + 9 * MS, retries, outcome)


def story(orders: list[list[int]], *, missing: tuple[int, int] | None = None) -> RoundStory:
    """Rounds a second apart in which workers get the lock in the orders given, and ask in the same order."""
    told = RoundStory()
    for number, order in enumerate(orders):
        began_ns = (number + 1) * 10 * MS
        for position, worker in enumerate(order):
            if (number, worker) != missing:
                asked_ns = began_ns + position
                told.add(worker, [turn(began_ns, asked_ns, asked_ns + 10 + position * MS, retries=position and 1)])
    return told


def test_a_table_of_three_rounds() -> None:
    positions = story([[1, 2, 3], [3, 1, 2], [2, 3, 1]]).freeze([3, 1, 2], is_over=True)
    assert positions.workers == (1, 2, 3)
    assert positions.rounds == 3
    assert positions.table == positions.arrivals == ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    assert (positions.pairs, positions.last_then_first, positions.last_then_asked_first) == (2, 2, 2)
    assert (positions.contended, positions.acquisitions) == (6, 9)
    assert positions.longest_waits_ns == (2 * MS + 10,) * 3
    assert positions.wait_spread == 1
    assert positions.chi_square == 0
    assert positions.p_value == 1


def test_one_that_is_always_first_is_no_chance() -> None:
    positions = story([[1, 2, 3, 4]] * 30).freeze(range(1, 5), is_over=True)
    assert positions.chi_square_of(0) == 90
    assert positions.p_value is not None
    assert positions.p_value < 1e-9
    assert positions.last_then_first_share == 0
    assert any("more uneven than chance" in words for words in round_words(positions))


def test_a_round_without_the_lock_for_all_is_left_out_and_breaks_the_pair() -> None:
    told = story([[1, 2], [2, 1]])
    told.add(1, [turn(SECOND, SECOND, SECOND + 5)])
    told.add(2, [turn(SECOND, SECOND, 0, outcome=5)])
    later_ns = SECOND + 10 * MS
    told.add(1, [turn(later_ns, later_ns, later_ns + 5)])
    told.add(2, [turn(later_ns, later_ns, later_ns + 9, outcome=Outcome.COMMITTED)])
    positions = told.freeze([1, 2], is_over=True)
    assert (positions.rounds, positions.left_out, positions.pairs) == (3, 1, 1)


def test_a_round_is_waited_for_until_it_is_late() -> None:
    told = story([[1, 2], [2, 1], [1, 2]], missing=(1, 2))
    assert told.freeze([1, 2], is_over=False).rounds == 1
    began_ns = 10 * MS + LATE_NS * 2
    told.add(1, [turn(began_ns, began_ns, began_ns + 1)])
    told.add(2, [turn(began_ns, began_ns, began_ns + 2)])
    positions = told.freeze([1, 2], is_over=False)
    assert (positions.rounds, positions.left_out) == (3, 1)


def test_another_writer_begins_the_tables_anew() -> None:
    told = story([[1, 2], [2, 1]])
    assert told.freeze([1, 2], is_over=False).rounds == 2
    positions = told.freeze([1, 2, 3], is_over=False)
    assert (positions.rounds, positions.left_out, positions.table) == (0, 2, ((0, 0, 0),) * 3)


def test_what_comes_after_the_end_completes_its_round() -> None:
    told = story([[1, 2], [2, 1], [1, 2]], missing=(1, 1))
    for _ in range(2):
        positions = told.freeze([1, 2], is_over=True)
        assert (positions.rounds, positions.left_out, positions.pairs) == (2, 1, 0)
    began_ns = 20 * MS
    told.add(1, [turn(began_ns, began_ns + 1, began_ns + 5 * MS)])
    positions = told.freeze([1, 2], is_over=True)
    assert (positions.rounds, positions.left_out, positions.pairs, positions.last_then_first) == (3, 0, 2, 2)


def test_what_comes_after_its_round_was_left_out_is_not_counted_again() -> None:
    told = story([[1, 2], [2, 1]], missing=(0, 1))
    late_ns = 10 * MS + LATE_NS
    told.add(1, [turn(late_ns, late_ns, late_ns + 1)])
    told.add(2, [turn(late_ns, late_ns, late_ns + 2)])
    assert told.freeze([1, 2], is_over=False).left_out == 1
    told.add(1, [turn(10 * MS, 10 * MS, 10 * MS + 1)])
    positions = told.freeze([1, 2], is_over=True)
    assert (positions.rounds, positions.left_out) == (2, 1)


def test_the_place_of_asking_is_compared_with_that_of_getting() -> None:
    told = RoundStory()
    for began_ns, got in ((MS, (1, 2, 3)), (2 * MS, (3, 2, 1))):  # they ask as 1, 2, 3
        for position, worker in enumerate(got):
            told.add(worker, [turn(began_ns, began_ns + worker, began_ns + 10 + position)])
    positions = told.freeze([1, 2, 3], is_over=True)
    assert (positions.kept_places, positions.kept_place_share) == (4, 4 / 6)
    assert positions.arrivals == ((2, 0, 0), (0, 2, 0), (0, 0, 2))


@given(st.integers(2, 6), st.integers(0, 40), st.integers(0, 2**32))
def test_every_row_and_every_column_add_up_to_the_rounds(size: int, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    members = list(range(1, size + 1))
    orders = [rng.sample(members, size) for _ in range(rounds)]
    positions = story(orders).freeze(members, is_over=True)
    assert positions.rounds == rounds
    for table in (positions.table, positions.arrivals):
        assert all(sum(row) == rounds for row in table)
        assert all(sum(column) == rounds for column in zip(*table, strict=True))
    assert positions.pairs == max(rounds - 1, 0)
    assert positions.last_then_first == sum(a[-1] == b[0] for a, b in pairwise(orders))
    check_words(positions)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 2**32))
def test_nothing_is_counted_twice_however_often_it_is_frozen(pauses: list[int], seed: int) -> None:
    rng = random.Random(seed)
    told = RoundStory()
    pending = [(number, worker) for number in range(len(pauses)) for worker in (1, 2, 3)]
    for number, worker in sorted(pending, key=lambda one: one[0] + rng.random() * 3):
        began_ns = (number + 1) * MS
        told.add(worker, [turn(began_ns, began_ns + worker, began_ns + 10 * worker)])
        if rng.random() < 0.3:
            told.freeze([1, 2, 3], is_over=False)
    positions = told.freeze([1, 2, 3], is_over=True)
    assert (positions.rounds, positions.left_out) == (len(pauses), 0)


def check_words(positions: Positions) -> None:
    headings, rows = round_headings(positions), round_rows(positions)
    assert all(len(row) == len(headings) for row in rows)
    assert round_words(positions)


def shifted(shares: int, rounds: int = 100, size: int = 8) -> Positions:
    """Rounds in which the last one is the first of the next in `shares` of `rounds - 1`, else the second."""
    order, orders = list(range(size)), []
    for number in range(rounds):
        orders.append(order)
        *others, last = order
        order = [last, *others] if number < shares else [others[0], last, *others[1:]]
    return story(orders).freeze(range(size), is_over=True)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (13, "one round says nothing of the next"),
        (24, "part of what looks like an order of the lock is the order at the barrier"),
        (90, "the columns first and last are nearly the same"),
        (0, "Rarer than chance makes it"),
    ],
)
def test_what_is_said_of_the_shift_depends_on_how_likely_it_is(times: int, words: str) -> None:
    positions = shifted(times)
    assert positions.last_then_first == times
    said = round_words(positions)
    assert words in said[-1]
    assert any("depends on the one before it" in one for one in said) is (times != 13)


@given(st.integers(2, 64), st.integers(1, 3), st.sampled_from([1, 90, 1_500]), st.integers(0, 2**32))
def test_the_table_fits_a_terminal(size: int, steps: int, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    few = [rng.sample(range(size), size) for _ in range(steps)]
    positions = story(few).freeze(range(size), is_over=True)
    scaled = tuple(tuple(count * rounds for count in row) for row in positions.table)
    positions = msgspec.structs.replace(positions, rounds=steps * rounds, table=scaled, arrivals=scaled)
    lines = round_lines([Period("x", None, 0, 0, 0, positions=positions)])
    assert all(len(line) <= WIDTH for line in lines)
    assert len(lines) > size
