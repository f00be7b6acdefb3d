"""What `sqlwatch why` finds, and how soon."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sqlwatch.diagnose.finding import Finding
from sqlwatch.diagnose.observation import observation_findings
from sqlwatch.metrics.snapshot import Snapshot
from sqlwatch.session.look import LOOK_S, look_at

PROMISED_S = 3.0
"""An incident is named so soon after it has become true."""

HEALTHY_LOOKS = 20


def diagnose(database: Path) -> tuple[Finding, ...]:
    """Look as long as `sqlwatch why` does, and return what it would list with --all."""
    return observation_findings(look_at(database))


def wait_for_finding(
    database: Path, code: str, within_s: float = PROMISED_S, when: Callable[[Finding], bool] = lambda _: True,
    *, beside: Collection[str] | None = None,
) -> Finding:  # fmt: skip
    """Run what `sqlwatch why` runs, again and again, until it names this; call it when the incident has become true.

    `when` is for evidence that is inferred from a single moment, such as who is asleep waiting.  With `beside`, the
    other findings of the same look must have exactly these codes.
    """
    started_s = time.monotonic()
    seen = []
    while True:
        found = diagnose(database)
        passed_s = time.monotonic() - started_s
        seen.append((round(passed_s, 2), found))
        match = next((finding for finding in found if finding.code == code and when(finding)), None)
        if match is not None and passed_s <= within_s:
            assert beside is None or {finding.code for finding in found} == {code, *beside}
            return match
        if passed_s > within_s:
            listed = "\n".join(f"after {at_s} s: {list(one) or 'nothing'}" for at_s, one in seen)
            pytest.fail(f"no {code} within {within_s} s:\n{listed}")


def assert_nothing_found(database: Path) -> None:
    """Look once; there must be no finding of any severity."""
    assert diagnose(database) == ()


def assert_stays_healthy(database: Path, looks: int = HEALTHY_LOOKS, lanes: int = 5) -> list[Snapshot]:
    """Look so many times in full, `lanes` at a time, at programs that run all the while; nothing may be found."""

    def look(number: int) -> Snapshot:
        if number < lanes:
            time.sleep(number * LOOK_S / lanes)  # so that the looks of one lane begin in the midst of the others'
        return look_at(database)

    with ThreadPoolExecutor(lanes) as pool:
        snapshots = list(pool.map(look, range(looks)))
    assert len(snapshots) == looks
    for snapshot in snapshots:
        found = observation_findings(snapshot)
        assert not found, "\n".join(f"{finding.code}: {finding.summary} {finding.evidence}" for finding in found)
    return snapshots
