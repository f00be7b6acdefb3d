"""`--fail-on 'EXPRESSION'` of a simulation: conditions on the figures of a run, judged for every phase.

The names are those of the JSON report: `busy_errors`, `commits_per_s`, `lock_wait_p99_ms` for `lock_wait_ms.p99`,
`jain`, `wal_peak_bytes`, `lost`, `throughput_ratio` and so on; they are read off the report's types.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlwatch.metrics.snapshot import Accounting, Period
from sqlwatch.report import expression
from sqlwatch.report.expression import Expression, Verdict, judged
from sqlwatch.report.json import Comparison, FairnessReport, SimulationReport, Times, WalReport, phase_report

_EXAMPLES: Final = (
    "busy_errors", "lock_wait_p99_ms", "jain", "lock_wait_max_ms", "commit_latency_p99_ms", "commits_per_s",
    "starved_workers", "wasted_lock_time", "wal_peak_bytes", "lost",
)  # fmt: skip


def parse(text: str) -> Expression:
    """Read an expression; raise ExpressionError that says what is wrong with it, and what is near."""
    return expression.parse(text, names(), _EXAMPLES)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all figures, those of a phase first."""
    return (
        *_flat(phase_report(Period("", None, 0, 0, 0))),
        *Accounting.__struct_fields__,
        *Comparison.__struct_fields__,
    )


def judge(condition: Expression, report: SimulationReport) -> list[Verdict]:
    """Judge an expression for every phase, or once where no figure of a phase is asked for or there is no phase."""
    common: dict[str, float | None] = dict.fromkeys(Comparison.__struct_fields__)
    for part in (report.accounting, report.comparison):
        common |= {name: getattr(part, name) for name in part.__struct_fields__} if part is not None else {}
    asks_phase = any(name not in common for name in condition.names)
    if not report.phases or not asks_phase:
        return [judged(condition, "the run", common)]
    return [judged(condition, f"phase {phase.name}", {**common, **_flat(phase)}) for phase in report.phases]


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
