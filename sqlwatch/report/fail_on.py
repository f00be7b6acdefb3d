"""`--fail-on 'EXPRESSION'`: conditions on the figures of a run, joined with `and` and `or`, judged for every phase.

The names are those of the JSON report: `busy_errors`, `commits_per_s`, `lock_wait_p99_ms` for `lock_wait_ms.p99`,
`jain`, `wal_peak_bytes`, `lost`, `throughput_ratio` and so on; they are read off the report's types.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlwatch.metrics.snapshot import Accounting, Period
from sqlwatch.report.json import Comparison, FairnessReport, SimulationReport, Times, WalReport, phase_report

Figures = Mapping[str, float | None]

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip

_CONDITION: Final = re.compile(
    r"\s*(?P<name>[A-Za-z_][A-Za-z_0-9]*)\s*(?P<operator>>=|<=|==|!=|>|<)\s*(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*"
)
_JOIN: Final = re.compile(r"\s+(and|or)\s+")


class ExpressionError(ValueError):
    """An expression that cannot be read: one or two sentences."""


@dataclass(frozen=True)
class Condition:
    """NAME OPERATOR NUMBER."""

    name: str
    operator: str
    number: float

    def holds(self, figures: Figures) -> bool | None:
        """Tell whether it holds; None if the figure is unknown."""
        value = figures.get(self.name)
        return None if value is None else _OPERATORS[self.operator](value, self.number)


@dataclass(frozen=True)
class Expression:
    """Alternatives (joined with `or`) of conditions (joined with `and`), and the text they were read from."""

    text: str
    alternatives: tuple[tuple[Condition, ...], ...]

    def holds(self, figures: Figures) -> bool | None:
        """Tell whether it holds; None where that hangs on an unknown figure."""
        return _any([_all([condition.holds(figures) for condition in every]) for every in self.alternatives])

    @property
    def names(self) -> tuple[str, ...]:
        """The figures it asks for, each once, in order."""
        return tuple(dict.fromkeys(condition.name for every in self.alternatives for condition in every))


@dataclass(frozen=True)
class Verdict:
    """An expression judged for one phase; `crossed` is None where a figure is unknown."""

    expression: Expression
    phase: str
    crossed: bool | None
    words: str
    """One sentence with the figures."""


def parse(text: str) -> Expression:
    """Read an expression; raise ExpressionError that says what is wrong with it, and what is near."""
    pieces = _JOIN.split(f" {text.strip()} ")
    alternatives: list[list[Condition]] = [[]]
    for index, piece in enumerate(pieces):
        if index % 2:
            if piece == "or":
                alternatives.append([])
            continue
        alternatives[-1].append(_condition(piece, text))
    return Expression(text.strip(), tuple(tuple(every) for every in alternatives))


def _condition(piece: str, text: str) -> Condition:
    match = _CONDITION.fullmatch(piece)
    try:
        number = float(match["number"]) if match else math.nan
    except ValueError:
        number = math.nan
    if match is None or not math.isfinite(number):
        raise ExpressionError(
            f"{text!r} is no expression; write NAME OPERATOR NUMBER, for example 'busy_errors>0' or "
            "'lock_wait_p99_ms>50 and jain<0.9'."
        )
    name = match["name"]
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"some are {', '.join(_EXAMPLES)}."
        raise ExpressionError(f"{text!r}: there is no figure {name}; {hint}")
    return Condition(name, match["operator"], number)


_EXAMPLES: Final = (
    "busy_errors", "lock_wait_p99_ms", "lock_wait_max_ms", "commit_latency_p99_ms", "commits_per_s", "jain",
    "starved_workers", "wasted_lock_time", "wal_peak_bytes", "lost",
)  # fmt: skip


@cache
def names() -> tuple[str, ...]:
    """Return the names of all figures, those of a phase first."""
    return (
        *_flat(phase_report(Period("", None, 0, 0, 0))),
        *Accounting.__struct_fields__,
        *Comparison.__struct_fields__,
    )


def judge(expression: Expression, report: SimulationReport) -> list[Verdict]:
    """Judge an expression for every phase, or once where no figure of a phase is asked for or there is no phase."""
    common: dict[str, float | None] = dict.fromkeys(Comparison.__struct_fields__)
    for part in (report.accounting, report.comparison):
        common |= {name: getattr(part, name) for name in part.__struct_fields__} if part is not None else {}
    asks_phase = any(name not in common for name in expression.names)
    if not report.phases or not asks_phase:
        return [_verdict(expression, "the run", common)]
    return [_verdict(expression, f"phase {phase.name}", {**common, **_flat(phase)}) for phase in report.phases]


def _verdict(expression: Expression, where: str, figures: Figures) -> Verdict:
    crossed = expression.holds(figures)
    values = ", ".join(f"{name} is {_plain(figures.get(name))}" for name in expression.names)
    said = {True: "holds", False: "does not hold", None: "cannot be judged"}[crossed]
    return Verdict(expression, where, crossed, f"--fail-on {expression.text!r} {said} in {where}: {values}.")


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _flat(phase: object) -> dict[str, float | None]:
    """Return the numbers of a phase's report by name: `lock_wait_ms.p99` is `lock_wait_p99_ms`."""
    flat: dict[str, float | None] = {}
    for name in getattr(phase, "__struct_fields__", ()):
        value = getattr(phase, name)
        if isinstance(value, Times):
            flat |= _flat_times(name.removesuffix("_ms"), value)
        elif isinstance(value, FairnessReport):
            flat |= _flat(value)
        elif isinstance(value, WalReport):
            flat |= {f"wal_{inner}": number for inner, number in _flat(value).items()}
        elif value is None or isinstance(value, int | float):
            flat[name] = value
    flat.pop("mode", None)
    return flat


def _flat_times(name: str, times: Times) -> dict[str, float | None]:
    flat: dict[str, float | None] = {f"{name}_count": times.count}
    for statistic in ("p50", "p90", "p95", "p99", "p999", "max", "mean"):
        flat[f"{name}_{statistic}_ms"] = getattr(times, statistic)
    if times.with_unfinished is not None:
        flat[f"{name}_unfinished"] = times.unfinished
        for statistic in times.with_unfinished.__struct_fields__:
            flat[f"{name}_with_unfinished_{statistic}_ms"] = getattr(times.with_unfinished, statistic)
    return flat


def _all(values: list[bool | None]) -> bool | None:
    """Tell whether all hold, where None is unknown."""
    return False if False in values else None if None in values else True


def _any(values: list[bool | None]) -> bool | None:
    """Tell whether one holds, where None is unknown."""
    return True if True in values else None if None in values else False
