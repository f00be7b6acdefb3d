"""What a lesson has shown: its expected effects, judged by the figures of its phases; pure."""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

import msgspec

from simulators.scenario import Effect, Scenario, ScenarioError
from sqlwatch.charts import units
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.snapshot import Period

Figure = Callable[[Period], float | None]


def _times(name: str, histogram: Callable[[Period], Histogram]) -> dict[str, Figure]:
    """Return the figures of one kind of time, in ms: NAME_p50_ms, and so on to NAME_max_ms."""

    def percentile(percent: float) -> Figure:
        return lambda period: _in_ms(histogram(period).percentile_ns(percent))

    def longest(period: Period) -> float | None:
        times = histogram(period)
        return _in_ms(times.max_ns) if times.count else None

    figures = {f"{name}_p{words}_ms": percentile(percent) for words, percent in _PERCENTS.items()}
    return {**figures, f"{name}_max_ms": longest}


_PERCENTS: Final[Mapping[str, float]] = {"50": 50, "90": 90, "95": 95, "99": 99, "999": 99.9}


def _in_ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6


def _longest_wait_ms(period: Period) -> float | None:
    return _in_ms(period.fairness.longest_wait_ns)


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
    **_times("lock_wait", lambda period: period.all_waits),
    **_times("lock_hold", lambda period: period.lock_hold),
    **_times("commit_latency", lambda period: period.commit_latency),
    **_times("service_latency", lambda period: period.service_latency),
    **_times("read_latency", lambda period: period.read_latency),
    "wasted_lock_time": lambda period: period.wasted_lock_time,
    "lock_utilisation": lambda period: period.lock_utilisation,
    "wal_peak_bytes": lambda period: period.wal.peak_bytes,
    "wal_resets": lambda period: period.wal.resets,
    "checkpoints": lambda period: period.wal.checkpoints,
    "checkpoints_busy": lambda period: period.wal.checkpoints_busy,
    "checkpoints_incomplete": lambda period: period.wal.checkpoints_incomplete,
}
"""What an effect may ask for; waits count those without an end at their length so far, and service latency, which only
an open loop has, is commit latency from the actual start: blind to how late that was."""


class Shown(msgspec.Struct, frozen=True):
    """One effect as it was measured: the median over the repeats, and their range; None where a figure is unknown."""

    says: str
    figure: str
    of: str
    against: str | None
    """The phase, or the other figure of the same phase, that the measured ratio is to; None where it is no ratio."""
    measured: float | None
    low: float | None
    high: float | None
    expected: str
    published: float | None
    shown: bool | None
    """Whether it appeared; None if it cannot be told."""
    words: str
    value: float | None = None
    """Of a ratio the figure of the phase `of`, in the repeat whose ratio is the median; None where no single one is."""
    base: float | None = None
    """Of a ratio the figure that `value` was divided by."""
    against_figure: str | None = None
    """The other figure, where the ratio is to another one than `figure`."""


class Lesson(msgspec.Struct, frozen=True):
    """A scenario that was run, and what its effects came to."""

    scenario: Scenario
    shown: tuple[Shown, ...]
    faults: tuple[str, ...] = ()
    """Invariants that did not hold, a sentence each: then no figure of it can be trusted."""

    @property
    def is_shown(self) -> bool | None:
        """Whether all effects appeared and all invariants hold; None if it cannot be told."""
        known = [one.shown for one in self.shown]
        return False if False in known or self.faults else None if None in known else True


def check_figures(scenario: Scenario, where: str) -> None:
    """Raise ScenarioError if an effect asks for a figure that there is not, or compares figures of different units."""
    for number, effect in enumerate(scenario.effects):
        at = f"{where}: effects[{number}]"
        for key, figure in (("figure", effect.figure), ("against-figure", effect.against_figure)):
            if figure is not None and figure not in FIGURES:
                near = difflib.get_close_matches(figure, FIGURES, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(FIGURES)}."
                raise ScenarioError(f"{at}.{key}: there is no figure {figure}; {hint}")
        if effect.against_figure is not None and _unit(effect.against_figure) != _unit(effect.figure):
            raise ScenarioError(
                f"{at}.against-figure: {effect.against_figure} has not the unit of {effect.figure}, so that their "
                "ratio says nothing."
            )


def _unit(figure: str) -> str:
    """Return the end of a figure's name that says its unit; a count and an index have none."""
    return next((ending for ending in _UNITS if figure.endswith(ending)), "")


def judge(scenario: Scenario, repeats: Sequence[Sequence[Period]]) -> tuple[Shown, ...]:
    """Judge every effect; `repeats` has the periods of all phases, once for each repeat."""
    return tuple(_judge(effect, repeats) for effect in scenario.effects)


def verdict(shown: Sequence[Shown], faults: Sequence[str] = ()) -> str:
    """Say in a few words what a lesson has shown; a broken invariant goes before everything."""
    if faults:
        return f"BROKEN, so that no figure can be trusted: {' '.join(faults).removesuffix('.')}"
    count = sum(one.shown is True for one in shown)
    if not shown:
        return "measured; nothing in particular was expected"
    denied = "".join(f"; of {one.says} {source_words(one)}" for one in shown if _stand(one) in _DENIED)
    if count == len(shown):
        appeared = {1: "shown", 2: "shown: both effects appeared"}.get(count, f"shown: all {count} effects appeared")
        return f"{appeared}{denied}"
    missing = [one.words for one in shown if one.shown is False]
    untold = len(shown) - count - len(missing)
    if not missing:
        return f"cannot be told: {count} of {len(shown)} effects appeared, and {untold} could not be measured"
    return f"not shown: {'; '.join(missing)}" + (f"; {untold} more could not be measured" if untold else "")


def verdict_so_far(shown: Sequence[Shown], faults: Sequence[str] = (), *, is_over: bool) -> str:
    """Say what a lesson has shown; before its end, how much of it can be told already."""
    if is_over or not shown or faults:
        return verdict(shown, faults)
    told = [one for one in shown if one.shown is not None]
    appeared = sum(one.shown is True for one in told)
    if not told:
        return f"not over yet; none of the {len(shown)} effects can be told so far"
    return f"not over yet; so far {appeared} of {len(told)} effects appeared, {len(shown) - len(told)} cannot be told"


def here_words(one: Shown) -> str:
    """Say what was measured, in which phase, beside what, and its range over the repeats where there is one."""
    is_ratio, of = one.against is not None, _named(one.of)
    if one.measured is None:
        return f"cannot be told here, of {of}"
    here, low, high = (written(one.figure, value, is_ratio=is_ratio) for value in (one.measured, one.low, one.high))
    spread = f" ({low} to {high} in the repeats)" if (low, high) != (here, here) else ""
    if not is_ratio:
        return f"{here} in {of}{spread}"
    if one.value is None:
        return f"{here} in {of}, against {one.against}{spread}"
    return f"{written(one.figure, one.value, is_ratio=False)} in {of}, {here} {_base_words(one)}{spread}"


def _base_words(one: Shown) -> str:
    base = written(one.against_figure or one.figure, one.base, is_ratio=False)
    if one.against_figure is None:
        return f"the {base} in {_named(one.against or '')}"
    other = figure_words(one.against_figure)
    if one.against == f"its {one.against_figure}":
        return f"its {other} of {base}"
    return f"the {other} of {base} in {_named((one.against or '').removeprefix(f'{one.against_figure} of '))}"


def _named(phase: str) -> str:
    """Write a phase's name in a sentence.

    >>> _named("pool"), _named("pool of one")
    ('pool', '"pool of one"')
    """
    return f'"{phase}"' if " " in phase else phase


def figure_words(figure: str) -> str:
    """Write the name of a figure without its unit.

    >>> figure_words("service_latency_p99_ms"), figure_words("checkpoints")
    ('service latency p99', 'checkpoints')
    """
    return figure.removesuffix("_ms").replace("_", " ")


class _Stand(Enum):
    """How a measured figure stands to the published one, in the words that follow on what the source says."""

    ALIKE = "and so it is here"
    OPPOSITE = "and here it is the other way round"
    YET_SOME = "and here it does"
    MORE = "and here it is more"
    LESS = "and here it is less"


_DENIED: Final = (_Stand.OPPOSITE, _Stand.YET_SOME)


def _stand(one: Shown) -> _Stand | None:
    """Tell how the measured figure stands to the published one; None if one of them is unknown."""
    said, here = one.published, one.measured
    if said is None or here is None:
        return None
    if one.against is not None and _is_one(said):
        return _Stand.ALIKE if _is_one(here) else _Stand.YET_SOME
    if one.against is not None and not _is_one(here) and (said > 1) != (here > 1):
        return _Stand.OPPOSITE
    if said / _ALIKE <= here <= said * _ALIKE:
        return _Stand.ALIKE
    return _Stand.MORE if here > said else _Stand.LESS


_ALIKE: Final = 1.5
"""Up to so many times the published figure, or that part of it, another machine's is the same."""


def _is_one(times: float) -> bool:
    return 0.9 <= times <= 1.1


def source_words(one: Shown) -> str:
    """Say what the source says of an effect, and how that stands to what was measured; empty if it says nothing."""
    if one.published is None:
        return ""
    is_ratio = one.against is not None
    said = written(one.figure, one.published, is_ratio=is_ratio)
    if is_ratio and _is_one(one.published):
        said = "that it makes no difference"
    stand = _stand(one)
    return f"the source says {said}" + (f", {stand.value}" if stand is not None else "")


def expected_words(one: Shown) -> str:
    """Say what was expected, and if that did not come."""
    return f"not as expected ({one.expected})" if one.shown is False else f"expected {one.expected}"


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
    found = [one for periods in repeats if (one := _measured(effect, periods)) is not None]
    measured = [one.measured for one in found]
    middle = statistics.median(measured) if measured else None
    shown = None
    if middle is not None:
        is_enough = effect.at_least is None or middle >= effect.at_least
        shown = is_enough and (effect.at_most is None or middle <= effect.at_most)
    low, high = (min(measured), max(measured)) if measured else (None, None)
    of_middle = next((one for one in found if one.measured == middle), _Measured())
    judged = Shown(
        effect.says, effect.figure, effect.of, _against(effect), middle, low, high, _expected(effect),
        effect.published, shown, "", of_middle.value, of_middle.base, effect.against_figure,
    )  # fmt: skip
    return msgspec.structs.replace(judged, words=_words(judged))


class _Measured(NamedTuple):
    """An effect in one repeat: the figure or the ratio that counts, and of a ratio what it is made of."""

    measured: float = 0.0
    value: float | None = None
    base: float | None = None


def _measured(effect: Effect, periods: Sequence[Period]) -> _Measured | None:
    by_name = {period.name: period for period in periods}
    if effect.of not in by_name or (effect.against is not None and effect.against not in by_name):
        return None  # the run was ended before it came to that phase
    value = _figure(effect.figure, by_name[effect.of])
    if value is None or not _is_ratio(effect):
        return None if value is None else _Measured(value)
    base = _figure(effect.against_figure or effect.figure, by_name[effect.against or effect.of])
    return _Measured(value / base, value, base) if base else None


def _figure(name: str, period: Period) -> float | None:
    """Return a figure of a phase; None where nothing ended in it: its zeros would say what nobody tried."""
    has_run = period.finished > period.withdrawn or period.reads > 0
    return FIGURES[name](period) if has_run else None


def _is_ratio(effect: Effect) -> bool:
    return effect.against is not None or effect.against_figure is not None


def _against(effect: Effect) -> str | None:
    """Say what a ratio is to: another phase, another figure of the same phase, or another figure of another one."""
    if effect.against_figure is None:
        return effect.against
    if effect.against in (None, effect.of):
        return f"its {effect.against_figure}"
    return f"{effect.against_figure} of {effect.against}"


def _expected(effect: Effect) -> str:
    if effect.at_least is None and effect.at_most == 0:
        return "none"
    parts = [f"at least {_written(effect, effect.at_least)}"] if effect.at_least is not None else []
    parts += [f"at most {_written(effect, effect.at_most)}"] if effect.at_most is not None else []
    return " and ".join(parts)


def _words(one: Shown) -> str:
    """Say in a sentence what an effect came to: measured, expected, published."""
    source = f"; {source_words(one)}" if one.published is not None else ""
    return f"{one.says}: {here_words(one)}; {expected_words(one)}{source}"


def _written(effect: Effect, value: float | None) -> str:
    return written(effect.figure, value, is_ratio=_is_ratio(effect))


def _plain(value: float) -> str:
    """Write a figure with three digits.

    >>> _plain(26.3456), _plain(0.1234), _plain(1234567.0), _plain(0.0)
    ('26.3', '0.123', '1,234,567', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
