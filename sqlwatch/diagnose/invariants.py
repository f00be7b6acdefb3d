"""What must hold of every simulation, however it ended: nothing lost, nothing invented, no damage; pure."""

from __future__ import annotations

from collections.abc import Mapping

from sqlwatch.charts.units import number
from sqlwatch.metrics.snapshot import Accounting


def broken(accounting: Accounting) -> tuple[str, ...]:
    """Return a sentence for each invariant that does not hold.

    Transactions in doubt may be there or not, and what a killed worker had not reported yet is lost rightly.

    >>> fine = Accounting(9, 9, 8, 1, 0, 8, 8, 0, increments_expected=8, increments_in_database=8, integrity_errors=0)
    >>> broken(fine)
    ()
    >>> bad = Accounting(9, 8, 8, 1, 0, 8, 7, 1, increments_expected=8, increments_in_database=6)
    >>> broken(bad)[:2]
    ('1 transaction was done and never reported.', '1 row of a committed transaction is missing.')
    >>> broken(bad)[2:]
    ('2 updates were lost.',)
    """
    a = accounting
    sentences = []
    if a.lost and not a.workers_killed:
        sentences.append(f"{_counted(a.lost, 'transaction was', 'transactions were')} done and never reported.")
    if a.rows_in_database is not None:
        surplus = a.rows_in_database - a.rows_expected
        if surplus < 0:
            missing = _counted(-surplus, "row of a committed transaction is", "committed rows are")
            sentences.append(f"{missing} missing.")
        if surplus > a.rows_in_doubt:
            sentences.append(f"{_counted(surplus, 'row is', 'rows are')} there that nobody committed.")
    if a.increments_expected is not None and a.increments_in_database is not None:
        surplus = a.increments_in_database - a.increments_expected
        if surplus < 0:
            sentences.append(f"{_counted(-surplus, 'update was', 'updates were')} lost.")
        if surplus > a.in_doubt:
            sentences.append(f"{_counted(surplus, 'update is', 'updates are')} there that nobody committed.")
    if a.integrity_errors:
        sentences.append(
            f"integrity_check has {_counted(a.integrity_errors, 'complaint', 'complaints')}, the first one: "
            f"{a.integrity or 'unknown'}."
        )
    return tuple(sentences)


def faults_of(by_phase: Mapping[str, Accounting]) -> tuple[str, ...]:
    """Return a sentence for each invariant that did not hold in a phase, the phase's name before it."""
    return tuple(f"{phase}: {fault}" for phase, accounting in by_phase.items() for fault in broken(accounting))


def invariant_words(accounting: Accounting) -> str:
    """Say in a sentence what was checked and how it came out, a broken invariant first.

    >>> invariant_words(Accounting(9, 9, 8, 1, 0, 8, 8, 0, integrity="ok", integrity_errors=0))
    'Invariants hold: 0 of 9 transactions lost, 8 of 8 rows there, integrity_check ok.'
    """
    faults = broken(accounting)
    head = f"BROKEN: {' '.join(faults)} Checked" if faults else "Invariants hold"
    return f"{head}: {checked_words(accounting)}."


def checked_words(accounting: Accounting) -> str:
    """Say what was counted and checked.

    >>> checked_words(Accounting(9, 9, 8, 1, 0, 8, None, 0, integrity="not checked: not done within 5 s"))
    '0 of 9 transactions lost, rows could not be counted, integrity_check not done within 5 s'
    """
    a = accounting
    rows = "rows could not be counted"
    if a.rows_in_database is not None:
        rows = f"{number(a.rows_in_database)} of {number(a.rows_expected)} rows there"
    parts = [f"{number(a.lost)} of {number(a.transactions_attempted)} transactions lost", rows]
    if a.increments_expected is not None:
        parts.append(f"{number(a.increments_in_database)} of {number(a.increments_expected)} increments there")
    if a.workers_killed:
        parts.append(f"{_counted(a.workers_killed, 'worker', 'workers')} killed")
    if a.in_doubt:
        parts.append(f"{number(a.in_doubt)} in doubt")
    if a.integrity_errors:
        parts.append("integrity_check NOT ok")
    else:
        parts.append(f"integrity_check {(a.integrity or 'not run').removeprefix('not checked: ')}")
    return ", ".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{number(count)} {one if count == 1 else many}"
