"""What must hold of every simulation is told, and what does not is told loudly."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.diagnose.invariants import broken, faults_of, invariant_words
from sqlwatch.metrics.snapshot import Accounting

FINE = Accounting(9, 9, 8, 1, 0, 8, 8, 0, increments_expected=8, increments_in_database=8, integrity="ok",
                  integrity_errors=0)  # fmt: skip


def test_what_holds_is_said_with_its_figures() -> None:
    assert broken(FINE) == ()
    words = invariant_words(FINE)
    assert words.startswith("Invariants hold: 0 of 9 transactions lost, 8 of 8 rows there, 8 of 8 increments there")
    assert words.endswith("integrity_check ok.")


def test_a_transaction_in_doubt_may_be_there_or_not() -> None:
    one = msgspec.structs.replace(FINE, in_doubt=1, rows_in_doubt=1, rows_in_database=9, increments_in_database=9)
    assert broken(one) == ()
    assert broken(msgspec.structs.replace(one, rows_in_database=10)) == ("2 rows are there that nobody committed.",)
    assert broken(msgspec.structs.replace(one, increments_in_database=10)) == (
        "2 updates are there that nobody committed.",
    )
    assert broken(msgspec.structs.replace(FINE, rows_in_database=9)) == ("1 row is there that nobody committed.",)


def test_what_a_killed_worker_had_not_reported_is_no_fault() -> None:
    assert broken(msgspec.structs.replace(FINE, lost=3, workers_killed=1)) == ()
    assert broken(msgspec.structs.replace(FINE, lost=3)) == ("3 transactions were done and never reported.",)


def test_what_was_not_checked_is_not_said_to_hold() -> None:
    words = invariant_words(msgspec.structs.replace(FINE, rows_in_database=None, integrity=None, integrity_errors=None))
    assert "rows could not be counted" in words
    assert "integrity_check not run" in words
    late = msgspec.structs.replace(FINE, integrity="not checked: not done within 5 s", integrity_errors=None)
    assert invariant_words(late).endswith("integrity_check not done within 5 s.")


def test_a_broken_invariant_is_told_with_its_phase_and_in_sqlites_words() -> None:
    damaged = msgspec.structs.replace(FINE, integrity="row 3 missing from index i", integrity_errors=1)
    assert faults_of({"a": FINE, "b": damaged}) == (
        "b: integrity_check has 1 complaint, the first one: row 3 missing from index i.",
    )


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_every_fault_is_named(missing: int, updates: int, complaints: int) -> None:
    accounting = Accounting(
        9, 9, 9, 0, 0, 9, 9 - missing, 0, increments_expected=9, increments_in_database=9 - updates,
        integrity_errors=complaints,
    )  # fmt: skip
    assert len(broken(accounting)) == (missing > 0) + (updates > 0) + (complaints > 0)
    assert invariant_words(accounting).startswith("BROKEN" if broken(accounting) else "Invariants hold")
