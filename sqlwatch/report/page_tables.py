"""The tables of a simulation's page: phases side by side, effects, accounting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlwatch.diagnose.lesson import Shown, source_words, written
from sqlwatch.diagnose.side_by_side import REMAINING, SideRow, rows_of, side_by_side
from sqlwatch.metrics.snapshot import Accounting, Period
from sqlwatch.report.plain import number

PHASES_A_TABLE: Final = 5
"""Phases that stand beside each other; where there are more, the one that ratios go by stands in every table."""


@dataclass(frozen=True)
class Table:
    """Some phases side by side, by their numbers, and their rows."""

    phases: tuple[int, ...]
    base: int
    """The phase that ratios go by."""
    rows: tuple[SideRow, ...]


def phase_tables(phases: Sequence[Period], base: Period | None, *, remaining: bool = False) -> list[Table]:
    """Return the figures of phases with their ratios to `base`, or what those leave out, a few phases a table."""
    tables = []
    by = phases.index(base) if base is not None else 0
    for numbers in chunks(len(phases), by):
        shown = [phases[number] for number in numbers]
        rows = rows_of(REMAINING, shown, base) if remaining else side_by_side(shown, base)
        tables.append(Table(numbers, by, rows))
    return tables


def chunks(count: int, base: int) -> list[tuple[int, ...]]:
    """Return the numbers of the phases of each table; the base stands in every one.

    >>> chunks(2, 0), chunks(7, 0), chunks(6, 5), chunks(0, 0)
    ([(0, 1)], [(0, 1, 2, 3, 4), (0, 5, 6)], [(5, 0, 1, 2, 3), (5, 4)], [])
    """
    if count <= PHASES_A_TABLE:
        return [tuple(range(count))] if count else []
    others = [number for number in range(count) if number != base]
    each = PHASES_A_TABLE - 1
    return [(base, *others[first : first + each]) for first in range(0, len(others), each)]


@dataclass(frozen=True)
class EffectRow:
    """An effect that a lesson expects, in words."""

    says: str
    where: str
    measured: str
    spread: str
    expected: str
    published: str
    verdict: str
    """`shown`, `not shown` or `unknown`."""


def effect_rows(shown: Sequence[Shown]) -> list[EffectRow]:
    """Return each effect of a lesson as it was measured, expected and published."""
    return [_effect(one) for one in shown]


def _effect(one: Shown) -> EffectRow:
    def words(value: float | None) -> str:
        return written(one.figure, value, is_ratio=one.against is not None)

    return EffectRow(
        says=one.says,
        where=_where(one),
        measured=words(one.measured),
        spread="" if one.low == one.high else f"{words(one.low)} to {words(one.high)}",
        expected=one.expected,
        published=source_words(one).removeprefix("the source says "),
        verdict={True: "shown", False: "not shown", None: "unknown"}[one.shown],
    )


def _where(one: Shown) -> str:
    """Name the phases, of a ratio with the figures that it is made of."""
    if one.against is None or one.value is None:
        return one.of if one.against is None else f"{one.of} against {one.against}"
    value = written(one.figure, one.value, is_ratio=False)
    base = written(one.against_figure or one.figure, one.base, is_ratio=False)
    return f"{one.of} ({value}) against {one.against} ({base})"


@dataclass(frozen=True)
class Check:
    """Something that must hold in every run: what was counted, what was found, and whether they agree."""

    what: str
    expected: str
    found: str
    words: str
    holds: bool | None


def checks(accounting: Accounting) -> list[Check]:
    """Return what must hold in every run, and whether it does."""
    a = accounting
    checked = [
        Check(
            "transactions: attempted by the workers' own count, and received", number(a.transactions_attempted),
            number(a.transactions_received), "none is lost" if not a.lost else f"{number(a.lost)} lost", not a.lost,
        ),
        _compared(
            "rows: expected by the commits, and in the databases", a.rows_expected, a.rows_in_database, a.rows_in_doubt
        ),
    ]  # fmt: skip
    if a.increments_expected is not None:
        what = "increments: expected by the commits, and in the databases"
        checked.append(_compared(what, a.increments_expected, a.increments_in_database, a.in_doubt))
    words = a.integrity or "not run: the databases could not be read"
    holds = None if a.integrity_errors is None else not a.integrity_errors
    return [*checked, Check("PRAGMA integrity_check: complaints", "0", number(a.integrity_errors), words, holds)]


def _compared(what: str, expected: int, found: int | None, in_doubt: int) -> Check:
    """Return the check that two counts are equal, but for what is in doubt, which may be there or not."""
    if found is None:
        return Check(what, number(expected), number(found), "could not be counted", None)
    words = "all are there" if found == expected else f"difference {found - expected:+,}"
    return Check(what, number(expected), number(found), words, expected <= found <= expected + in_doubt)
