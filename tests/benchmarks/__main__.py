"""All benchmarks, one after the other: `python -m tests.benchmarks`, on a machine that does nothing else."""

from __future__ import annotations

import subprocess
import sys

COMMANDS = (
    ["-m", "tests.benchmarks.worker_overhead", "--writers", "1"],
    ["-m", "tests.benchmarks.worker_overhead", "--writers", "8"],
    ["-m", "tests.benchmarks.dashboard_load"],
    ["-m", "tests.benchmarks.dashboard_load", "--transactions", "10000", "--events", "10000"],
    ["-m", "tests.benchmarks.observer_truth"],
    ["-m", "tests.benchmarks.observer_harm", "--writers", "1"],
    ["-m", "tests.benchmarks.observer_harm", "--writers", "8"],
    ["-m", "tests.benchmarks.why_speed"],
)


def main() -> int:
    """Run them all; return how many failed."""
    failed = 0
    for command in COMMANDS:
        print("==", "python", *command, flush=True)
        failed += subprocess.run([sys.executable, *command], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
