"""From Snapshots to Findings, in plain words; pure."""

from sqlwatch.diagnose.finding import Finding, Severity
from sqlwatch.diagnose.headline import headline
from sqlwatch.diagnose.observation import observation_findings, observation_headline
from sqlwatch.diagnose.simulation import findings
from sqlwatch.diagnose.thresholds import Limits, Thresholds

__all__ = [
    "Finding", "Limits", "Severity", "Thresholds", "findings", "headline", "observation_findings",
    "observation_headline",
]  # fmt: skip
