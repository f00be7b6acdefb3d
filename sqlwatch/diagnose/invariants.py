"""What must hold of every simulation, however it ended: nothing lost, nothing invented, no damage; pure."""

from __future__ import annotations

from sqlwatch.charts.units import number
from sqlwatch.metrics.snapshot import Accounting


def broken(accounting: Accounting) -> tuple[str, ...]:
    """Return a sentence for each invariant that does not hold.

    Transactions in doubt may be there or not, and what a killed worker had not reported yet is lost rightly.

    >>> fine = Accounting(9, 9, 8, 1, 0, 8, 8, 0, increments_expected=8, increments_in_database=8, integrity_errors=0)
    >>> broken(fine)
    ()
    >>> bad = Accounting(9, 8, 8, 1, 0, 8, 7, 1, increments_expected=8, increments_in_database=6, integrity_errors=2)
    >>> broken(bad)[:2]
    ('1 transaction was done and never reported.', '1 row of a committed transaction is missing.')
    >>> broken(bad)[2:]
    ('2 updates were lost.', 'integrity_check has 2 complaints.')
    """
    a = accounting
    sentences = []
    if a.lost and not a.workers_killed:
        sentences.append(f"{_counted(a.lost, 'transaction was', 'transactions were')} done and never reported.")
    if a.rows_in_database is not None and (missing := a.rows_expected - a.rows_in_database) > 0:
        sentences.append(f"{_counted(missing, 'row of a committed transaction is', 'committed rows are')} missing.")
    if a.rows_in_database is not None and not a.in_doubt and a.rows_in_database > a.rows_expected:
        surplus = a.rows_in_database - a.rows_expected
        sentences.append(f"{_counted(surplus, 'row is', 'rows are')} there that nobody committed.")
    if a.increments_expected is not None and a.increments_in_database is not None:
        missing = a.increments_expected - a.increments_in_database
        if missing > 0:
            sentences.append(f"{_counted(missing, 'update was', 'updates were')} lost.")
    if a.integrity_errors:
        sentences.append(f"integrity_check has {_counted(a.integrity_errors, 'complaint', 'complaints')}.")
    return tuple(sentences)


def invariant_words(accounting: Accounting) -> str:
    """Say in a sentence what was checked and how it came out, a broken invariant first.

    >>> invariant_words(Accounting(9, 9, 8, 1, 0, 8, 8, 0, integrity_errors=0))
    'Invariants hold: 0 of 9 transactions lost, 8 of 8 rows there, integrity_check ok.'
    """
    a = accounting
    there = "rows could not be counted" if a.rows_in_database is None else f"{number(a.rows_in_database)} of "
    rows = there if a.rows_in_database is None else f"{there}{number(a.rows_expected)} rows there"
    parts = [f"{number(a.lost)} of {number(a.transactions_attempted)} transactions lost", rows]
    if a.increments_expected is not None:
        parts.append(f"{number(a.increments_in_database)} of {number(a.increments_expected)} increments there")
    if a.workers_killed:
        parts.append(f"{_counted(a.workers_killed, 'worker', 'workers')} killed")
    if a.in_doubt:
        parts.append(f"{number(a.in_doubt)} in doubt")
    checked = "not run" if a.integrity_errors is None else "ok" if not a.integrity_errors else "NOT ok"
    parts.append(f"integrity_check {checked}")
    faults = broken(accounting)
    return f"{'BROKEN: ' + ' '.join(faults) + ' Checked' if faults else 'Invariants hold'}: {', '.join(parts)}."


def _counted(count: int, one: str, many: str) -> str:
    return f"{number(count)} {one if count == 1 else many}"
