"""`--fail-on 'EXPRESSION'` of an observation: conditions on the figures of a report, judged at every moment.

The names are those of the JSON report: `commits_per_s`, `write_lock_utilisation`, `wal_live_frames`, `busy_errors`,
`waiters`, and the counts of findings, `critical` and `warning`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sqlwatch.diagnose import Severity
from sqlwatch.report import expression
from sqlwatch.report.expression import Expression, Figures, Verdict, judged
from sqlwatch.report.why_json import RatesReport, WalReport, WhyReport

_RATES: Final = tuple(name for name in RatesReport.__struct_fields__ if name != "by_process")
_WAL: Final = tuple(f"wal_{name}" for name in WalReport.__struct_fields__)
NAMES: Final = (*_RATES, *_WAL, "busy_errors", "waiters", "readers", "critical", "warning")
_EXAMPLES: Final = ("busy_errors", "commits_per_s", "write_lock_utilisation", "wal_live_frames", "critical", "warning")


def parse(text: str) -> Expression:
    """Read an expression; raise ExpressionError that says what is wrong with it, and what is near."""
    return expression.parse(text, NAMES, _EXAMPLES)


def judge(condition: Expression, report: WhyReport) -> Verdict:
    """Judge an expression by one report."""
    return judged(condition, "this database", _figures(report))


def _figures(report: WhyReport) -> Figures:
    figures: dict[str, float | None] = {name: getattr(report.rates, name) for name in _RATES}
    if report.wal is not None:
        figures |= {f"wal_{name}": value for name, value in msgspec.structs.asdict(report.wal).items()}
    figures["busy_errors"] = report.busy_errors.count
    figures["waiters"] = len(report.waiters) if report.waiters is not None else None
    figures["readers"] = len(report.locks.readers) if report.locks is not None else None
    for severity in (Severity.CRITICAL, Severity.WARNING):
        figures[severity.value] = sum(finding.severity is severity for finding in report.findings)
    return figures
