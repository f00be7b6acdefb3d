"""Conditions on figures, joined with `and` and `or`: what `--fail-on` takes."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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


def parse(text: str, known: Sequence[str], examples: Sequence[str]) -> Expression:
    """Read an expression on the figures `known`; raise ExpressionError that says what is wrong, and what is near."""
    pieces = _JOIN.split(f" {text.strip()} ")
    alternatives: list[list[Condition]] = [[]]
    for index, piece in enumerate(pieces):
        if index % 2:
            if piece == "or":
                alternatives.append([])
            continue
        alternatives[-1].append(_condition(piece, text, known, examples))
    return Expression(text.strip(), tuple(tuple(every) for every in alternatives))


def _condition(piece: str, text: str, known: Sequence[str], examples: Sequence[str]) -> Condition:
    match = _CONDITION.fullmatch(piece)
    try:
        number = float(match["number"]) if match else math.nan
    except ValueError:
        number = math.nan
    if match is None or not math.isfinite(number):
        raise ExpressionError(
            f"{text!r} is no expression; write NAME OPERATOR NUMBER, for example "
            f"'{examples[0]}>0' or '{examples[1]}>50 and {examples[2]}<0.9'."
        )
    name = match["name"]
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"some are {', '.join(examples)}."
        raise ExpressionError(f"{text!r}: there is no figure {name}; {hint}")
    return Condition(name, match["operator"], number)


def judged(expression: Expression, where: str, figures: Figures) -> Verdict:
    """Judge an expression by the figures of one phase or moment."""
    crossed = expression.holds(figures)
    values = ", ".join(f"{name} is {_plain(figures.get(name))}" for name in expression.names)
    said = {True: "holds", False: "does not hold", None: "cannot be judged"}[crossed]
    return Verdict(expression, where, crossed, f"--fail-on {expression.text!r} {said} in {where}: {values}.")


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _all(values: list[bool | None]) -> bool | None:
    """Tell whether all hold, where None is unknown."""
    return False if False in values else None if None in values else True


def _any(values: list[bool | None]) -> bool | None:
    """Tell whether one holds, where None is unknown."""
    return True if True in values else None if None in values else False
