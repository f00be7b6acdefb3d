"""From Snapshots to Findings, in plain words; pure."""

from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.headline import headline
from sqlwatch.diagnose.simulation import findings
from sqlwatch.diagnose.thresholds import Thresholds

__all__ = ["Finding", "Severity", "Thresholds", "findings", "headline"]
