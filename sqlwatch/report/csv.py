"""A simulation's phases as CSV (RFC 4180): the figures of the JSON report, a line for each phase and repeat."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import msgspec

from simulators.buckets import BUCKET_COUNT
from sqlwatch.charts.text import clean
from sqlwatch.metrics.histogram import Histogram
from sqlwatch.metrics.positions import RoundStory
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Period, Snapshot, WalTotals
from sqlwatch.report.json import PhaseReport, Times, phase_report

REPEAT: Final = "repeat"
"""The first column: 1 for the first time all phases were run, and so on."""

_LISTS: Final = (
    "workers", "quality", "accounting", "repeats", "spread", "buckets", "positions", "arrivals", "longest_waits_ms",
    "chi_square_by_position", "p_value_by_position",
)  # fmt: skip
"""What of a phase has no place in one line."""


def simulation_csv(result: Result) -> str:
    r"""Return the phases as lines that end with CR LF; the last LF is left to whoever writes it.

    The columns are those of `columns`, whatever was run; what is unknown is empty.
    """
    repeats = enumerate(result.repeats or (result.phases,), start=1)
    return phases_csv((repeat, phase) for repeat, phases in repeats for phase in phases)


def snapshot_csv(snapshot: Snapshot) -> str:
    """Return the phases of a running simulation likewise, the present one last.

    Of a lesson the repeats are counted by the names of its phases; else there is one.
    """
    simulation = snapshot.simulation
    phases = (*simulation.ended_phases, simulation.phase) if simulation is not None else ()
    seen: Counter[str] = Counter()
    rows = []
    for phase in phases:
        seen[phase.name] += 1
        rows.append((seen[phase.name] if snapshot.lesson is not None else 1, phase))
    return phases_csv(rows)


def phases_csv(phases: Iterable[tuple[int, Period]]) -> str:
    """Return a line for each phase, after the number of its repeat; see `simulation_csv`."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(columns())
    for repeat, phase in phases:
        figures = {REPEAT: repeat, **dict(_flat(phase_report(phase)))}
        lines.writerow([_cell(figures.get(name)) for name in columns()])
    return text.getvalue().removesuffix("\n")


@cache
def columns() -> tuple[str, ...]:
    """Return the names of the columns: `repeat`, and those of the JSON's phases, with dots: `lock_wait_ms.p99`."""
    one = Histogram((1, *[0] * (BUCKET_COUNT - 1)), 1, 1, 1)
    rounds = RoundStory().freeze((), is_over=True)
    fullest = Period("", None, 0, 0, 0, service_latency=one, wal=WalTotals(checkpoints=1), positions=rounds)
    return (REPEAT, *(name for name, _ in _flat(phase_report(fullest))))


def _flat(report: PhaseReport | msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the figures of a report by name; a histogram that counts no unfinished durations has none to name."""
    for name in report.__struct_fields__:
        value = getattr(report, name)
        if name in _LISTS or (
            isinstance(report, Times) and report.with_unfinished is None and name.endswith("unfinished")
        ):
            continue
        if isinstance(value, msgspec.Struct):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _cell(value: object) -> object:
    """Return what stands in a cell; a name from outside keeps no control characters."""
    return "" if value is None else clean(value) if isinstance(value, str) else value
