"""From Snapshots to Findings, in plain words; pure."""
