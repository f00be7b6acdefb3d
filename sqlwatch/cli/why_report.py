"""Writing what was seen of a database, as text or JSON, to stdout or a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlwatch.cli.output import print_text, write_file
from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.observation import observation_findings
from sqlwatch.diagnose.thresholds import Limits
from sqlwatch.metrics.snapshot import Snapshot


def wall_time() -> str:
    """Return the time of day for a report, in ISO 8601 with its zone."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def is_found(findings: Sequence[Finding]) -> bool:
    """Tell whether anything critical or worth a warning was found."""
    return any(finding.severity is not Severity.INFO for finding in findings)


def write_report(
    snapshot: Snapshot | None, limits: Limits, format_: str, output: Path | None,
    *, all_findings: bool = True, shows_text: bool = False,
) -> bool:  # fmt: skip
    """Write the report on a Snapshot and return whether anything was found; raise CommandError if it cannot be written.

    `shows_text` prints the text although there is a file.  None, where nothing was seen, writes nothing.
    """
    if snapshot is None:
        return False
    findings = observation_findings(snapshot, limits)
    report = _report(snapshot, findings, format_, all_findings=all_findings)
    if output is None:
        print_text(report)
        return is_found(findings)
    if shows_text:
        print_text(report if format_ == "text" else _report(snapshot, findings, "text", all_findings=all_findings))
    write_file(output, report)
    return is_found(findings)


def _report(snapshot: Snapshot, findings: Sequence[Finding], format_: str, *, all_findings: bool) -> str:
    if format_ == "json":
        from sqlwatch.report.why_json import why_json

        listed = findings if all_findings else [one for one in findings if one.severity is not Severity.INFO]
        return why_json(snapshot, listed, wall_time())
    from sqlwatch.report.why_text import why_text

    return why_text(snapshot, findings, all_findings=all_findings)
