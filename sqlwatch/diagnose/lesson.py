"""What a lesson has shown: its expected effects, judged by the figures of its phases; pure."""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from simulators.scenario import Effect, Scenario, ScenarioError
from sqlwatch.charts import units
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.snapshot import Period

Figure = Callable[[Period], float | None]


def _ms(histogram: Callable[[Period], Histogram], percentile: float) -> Figure:
    def figure(period: Period) -> float | None:
        value_ns = histogram(period).percentile_ns(percentile)
        return None if value_ns is None else value_ns / 1e6

    return figure


def _longest_wait_ms(period: Period) -> float | None:
    return period.fairness.longest_wait_ns / 1e6


def _error_share(period: Period) -> float | None:
    return period.busy_errors / period.finished if period.finished else None


FIGURES: Final[Mapping[str, Figure]] = {
    "commits_per_s": lambda period: period.per_second(period.committed),
    "rows_per_s": lambda period: period.per_second(period.rows),
    "reads_per_s": lambda period: period.per_second(period.reads),
    "contended_share": lambda period: period.positions.contended_share if period.positions else None,
    "last_then_first_share": lambda period: period.positions.last_then_first_share if period.positions else None,
    "kept_place_share": lambda period: period.positions.kept_place_share if period.positions else None,
    "positions_chi_square": lambda period: period.positions.chi_square if period.positions else None,
    "positions_p_value": lambda period: period.positions.p_value if period.positions else None,
    "wait_spread": lambda period: period.positions.wait_spread if period.positions else None,
    "elapsed_s": lambda period: period.elapsed_s,
    "busy_errors": lambda period: period.busy_errors,
    "busy_error_share": _error_share,
    "busy_retries": lambda period: period.busy_retries,
    "jain": lambda period: period.fairness.jain,
    "starved_workers": lambda period: period.fairness.starved_workers,
    "longest_wait_ms": _longest_wait_ms,
    "lock_wait_p50_ms": _ms(lambda period: period.all_waits, 50),
    "lock_wait_p99_ms": _ms(lambda period: period.all_waits, 99),
    "commit_latency_p50_ms": _ms(lambda period: period.commit_latency, 50),
    "commit_latency_p99_ms": _ms(lambda period: period.commit_latency, 99),
    "read_latency_p50_ms": _ms(lambda period: period.read_latency, 50),
    "read_latency_p99_ms": _ms(lambda period: period.read_latency, 99),
    "wasted_lock_time": lambda period: period.wasted_lock_time,
    "lock_utilisation": lambda period: period.lock_utilisation,
    "wal_peak_bytes": lambda period: period.wal.peak_bytes,
    "wal_resets": lambda period: period.wal.resets,
    "checkpoints": lambda period: period.wal.checkpoints,
}
"""What an effect may ask for; waits count those without an end at their length so far."""


class Shown(msgspec.Struct, frozen=True):
    """One effect as it was measured: the median over the repeats, and their range; None where a figure is unknown."""

    says: str
    figure: str
    of: str
    against: str | None
    measured: float | None
    low: float | None
    high: float | None
    expected: str
    published: float | None
    shown: bool | None
    """Whether it appeared; None if it cannot be told."""
    words: str


class Lesson(msgspec.Struct, frozen=True):
    """A scenario that was run, and what its effects came to."""

    scenario: Scenario
    shown: tuple[Shown, ...]


def check_figures(scenario: Scenario, where: str) -> None:
    """Raise ScenarioError if an effect asks for a figure that there is not."""
    for number, effect in enumerate(scenario.effects):
        if effect.figure not in FIGURES:
            near = difflib.get_close_matches(effect.figure, FIGURES, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(FIGURES)}."
            raise ScenarioError(f"{where}: effects[{number}].figure: there is no figure {effect.figure}; {hint}")


def judge(scenario: Scenario, repeats: Sequence[Sequence[Period]]) -> tuple[Shown, ...]:
    """Judge every effect; `repeats` has the periods of all phases, once for each repeat."""
    return tuple(_judge(effect, repeats) for effect in scenario.effects)


def verdict(shown: Sequence[Shown]) -> str:
    """Say in a few words what a lesson has shown."""
    count = sum(one.shown is True for one in shown)
    if not shown:
        return "measured; nothing in particular was expected"
    if count == len(shown):
        return "shown" if count == 1 else f"shown: all {count} effects appeared"
    missing = "; ".join(one.words for one in shown if one.shown is not True)
    return f"not shown: {missing}"


def verdict_so_far(shown: Sequence[Shown], *, is_over: bool) -> str:
    """Say what a lesson has shown; before its end, how much of it can be told already."""
    if is_over or not shown:
        return verdict(shown)
    told = [one for one in shown if one.shown is not None]
    appeared = sum(one.shown is True for one in told)
    return f"not over yet; so far {appeared} of {len(told)} effects appeared, {len(shown) - len(told)} cannot be told"


def measured_words(shown: Shown) -> str:
    """Write what was measured, and its range over the repeats where there is one."""
    if shown.measured is None:
        return units.UNKNOWN
    here = written(shown.figure, shown.measured, is_ratio=shown.against is not None)
    if shown.low == shown.high:
        return here
    low, high = (written(shown.figure, value, is_ratio=shown.against is not None) for value in (shown.low, shown.high))
    return f"{here} ({low} to {high})"


def written(figure: str, value: float | None, *, is_ratio: bool) -> str:
    """Write a figure with the unit that its name ends in, or a ratio.

    >>> written("longest_wait_ms", 2100, is_ratio=False), written("longest_wait_ms", 26.31, is_ratio=True)
    ('2.1s', '26.3x')
    >>> written("busy_error_share", 0.5, is_ratio=False), written("jain", 0.1254, is_ratio=False)
    ('50%', '0.125')
    """
    if value is None:
        return units.UNKNOWN
    if is_ratio:
        return f"{_plain(value)}x"
    for ending, write in _UNITS.items():
        if figure.endswith(ending):
            return write(value)
    return _plain(value)


_UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    "_per_s": units.rate,
    "_ms": lambda value: units.duration(value * 1e6),
    "_s": lambda value: units.duration(value * 1e9),
    "_bytes": units.size,
    "_share": units.share,
    "wasted_lock_time": units.share,
    "lock_utilisation": units.share,
}
"""End of a figure's name to how it is written."""


def _judge(effect: Effect, repeats: Sequence[Sequence[Period]]) -> Shown:
    measured = [value for periods in repeats if (value := _value(effect, periods)) is not None]
    middle = statistics.median(measured) if measured else None
    shown = None
    if middle is not None:
        is_enough = effect.at_least is None or middle >= effect.at_least
        shown = is_enough and (effect.at_most is None or middle <= effect.at_most)
    low, high = (min(measured), max(measured)) if measured else (None, None)
    return Shown(
        effect.says, effect.figure, effect.of, effect.against, middle, low, high,
        _expected(effect), effect.published, shown, _words(effect, middle, low, high, shown),
    )  # fmt: skip


def _value(effect: Effect, periods: Sequence[Period]) -> float | None:
    by_name = {period.name: period for period in periods}
    if effect.of not in by_name or (effect.against is not None and effect.against not in by_name):
        return None  # the run was ended before it came to that phase
    figure = FIGURES[effect.figure]
    value = figure(by_name[effect.of])
    if effect.against is None or value is None:
        return value
    base = figure(by_name[effect.against])
    return value / base if base else None


def _expected(effect: Effect) -> str:
    parts = [f"at least {_written(effect, effect.at_least)}"] if effect.at_least is not None else []
    parts += [f"at most {_written(effect, effect.at_most)}"] if effect.at_most is not None else []
    return " and ".join(parts)


def _words(effect: Effect, middle: float | None, low: float | None, high: float | None, shown: bool | None) -> str:
    if middle is None:
        here = "cannot be told here"
    else:
        spread = "" if low == high else f" ({_written(effect, low)} to {_written(effect, high)} in the repeats)"
        here = f"here {_written(effect, middle)}{spread}"
    against = f" against {effect.against}" if effect.against is not None else ""
    source = f"; the source says {_written(effect, effect.published)}" if effect.published is not None else ""
    no = "" if shown is not False else ", and that is not what was expected"
    return f"{effect.says}, {effect.of}{against}: {here}; expected {_expected(effect)}{source}{no}"


def _written(effect: Effect, value: float | None) -> str:
    return written(effect.figure, value, is_ratio=effect.against is not None)


def _plain(value: float) -> str:
    """Write a figure with three digits.

    >>> _plain(26.3456), _plain(0.1234), _plain(1234567.0), _plain(0.0)
    ('26.3', '0.123', '1,234,567', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
