"""Findings of a simulation: each rule fires where it must, is silent where it must, and names who and what."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.events import Mode
from sqlwatch.diagnose import Finding, Severity, Thresholds, findings
from sqlwatch.metrics.snapshot import Period, WalTotals
from tests.report.make import MS, PERIODS, SECOND, histogram, make_period, make_worker


def codes(*phases: Period) -> list[str]:
    return [finding.code for finding in findings(phases)]


def only(phase: Period) -> Finding:
    (finding,) = findings([phase])
    return finding


def test_a_healthy_phase_has_none() -> None:
    assert codes(make_period(), make_period(Mode.SINGLE_WRITER)) == []


def test_the_hog_and_who_starved() -> None:
    workers = (make_worker(1, 98, share=0.98), *(make_worker(n, 1, share=0.01, was_starved=True) for n in (2, 3)))
    finding = only(make_period(workers=workers))
    assert (finding.code, finding.severity, finding.pid) == ("write-lock-hog", Severity.WARNING, 4001)
    assert finding.summary == "contended: 2 of 3 writers starved (workers 2, 3); worker 1 made 98% of the commits"
    assert finding.evidence["starved_workers"] == [2, 3]


def test_writers_that_have_gone_are_said_to_be_counted_while_others_work() -> None:
    starved, other = (
        make_worker(1, 50, share=0.4, was_starved=True, exit=None),
        make_worker(2, 50, share=0.4, exit=None),
    )
    killed = make_worker(3, 0, share=0.0, was_starved=True, exit="killed")
    said = [finding.summary for finding in findings([make_period(workers=(starved, other, killed))])]
    assert "contended: 2 of all 3 writers so far starved (workers 1, 3)" in said
    over = tuple(msgspec.structs.replace(one, exit=one.exit or "ok") for one in (starved, other, killed))
    said = [finding.summary for finding in findings([make_period(workers=over)])]
    assert "contended: 2 of 3 writers starved (workers 1, 3)" in said, "nobody counts the living any more"


def test_starving_without_a_hog_blames_nobody() -> None:
    workers = (make_worker(1, share=0.4), make_worker(2, share=0.4), make_worker(3, share=0.2, was_starved=True))
    finding = only(make_period(workers=workers))
    assert finding.pid is None
    assert "worker 1 made" not in finding.summary


@pytest.mark.parametrize(
    ("snapshot_errors", "said", "unsaid"),
    [
        (0, "busy timeout", "SQLITE_BUSY_SNAPSHOT"),
        (7, "SQLITE_BUSY_SNAPSHOT", "busy timeout longer"),
        (3, "BEGIN IMMEDIATE", "!"),
    ],
)
def test_busy_errors_and_the_remedy_that_fits(snapshot_errors: int, said: str, unsaid: str) -> None:
    finding = only(make_period(busy_errors=7, busy_snapshot_errors=snapshot_errors, finished=70))
    assert finding.code == "busy-errors"
    assert finding.summary == "contended: 7 transactions (10% of all) failed: database is locked"
    assert said in finding.remedy
    assert unsaid not in finding.remedy


@pytest.mark.parametrize(
    ("wasted", "expected"), [(0.04, []), (0.06, [Severity.INFO]), (0.37, [Severity.WARNING]), (None, [])]
)
def test_wasted_lock_time(wasted: float | None, expected: list[Severity]) -> None:
    found = findings([make_period(wasted_lock_time=wasted)])
    assert [finding.severity for finding in found] == expected
    assert all(finding.code == "wasted-lock-time" for finding in found)


def test_a_single_writer_has_nobody_asleep_beside_a_free_lock() -> None:
    assert codes(make_period(Mode.SINGLE_WRITER, wasted_lock_time=0.4)) == []


def test_a_sampled_share_needs_samples() -> None:
    assert codes(make_period(wasted_lock_time=0.4, lock_utilisation=0.99, looks=50)) == []


def test_saturation() -> None:
    assert codes(make_period(lock_utilisation=0.89)) == []
    assert only(make_period(lock_utilisation=0.95)).summary == "contended: the write lock was held 95% of the time"


def test_long_holds() -> None:
    assert codes(make_period(lock_hold=histogram(200 * MS))) == []
    assert codes(make_period(lock_hold=histogram(300 * MS))) == ["long-hold"]


@pytest.mark.parametrize(("pinned_ns", "elapsed_ns", "fires"), [
    (SECOND // 2, SECOND, False), (2 * SECOND, 60 * SECOND, False), (8 * SECOND, 60 * SECOND, True),
])  # fmt: skip
def test_a_pinned_wal(pinned_ns: int, elapsed_ns: int, fires: bool) -> None:
    period = make_period(elapsed_ns=elapsed_ns, wal=WalTotals(5 << 20, 5 << 20, 3, 0, pinned_ns))
    assert (codes(period) == ["pinned-wal"]) is fires


@pytest.mark.parametrize(("final", "checkpoints", "fires"), [
    (40 << 20, 0, True), (40 << 20, 1, False), (1 << 20, 0, False), (None, 0, False),
])  # fmt: skip
def test_no_checkpoints(final: int | None, checkpoints: int, fires: bool) -> None:
    assert (codes(make_period(wal=WalTotals(final, final, checkpoints, 0, 0))) == ["no-checkpoints"]) is fires


def test_the_dead_are_named_once_whatever_killed_them() -> None:
    workers = (make_worker(1, exit="ok"), make_worker(2, exit="signal 9"), make_worker(3, exit="killed"))
    found = findings([make_period(workers=workers), make_period(Mode.SINGLE_WRITER, workers=workers)])
    assert [(finding.severity, finding.pid) for finding in found] == [(Severity.WARNING, 4002), (Severity.INFO, 4003)]
    assert {finding.code for finding in found} == {"worker-died"}


def test_the_gravest_come_first() -> None:
    mild, grave = make_period(wasted_lock_time=0.06), make_period(Mode.MUTEX, busy_errors=1)
    assert codes(mild, grave) == ["busy-errors", "wasted-lock-time"]


def test_a_phase_without_time_is_not_judged() -> None:
    assert codes(make_period(elapsed_ns=0, busy_errors=1)) == []


def test_thresholds_can_be_set() -> None:
    phase = make_period(lock_utilisation=0.6)
    assert [finding.code for finding in findings([phase], Thresholds(saturated_utilisation=0.55))] == [
        "write-lock-saturated"
    ]


@given(st.lists(PERIODS, max_size=3))
def test_every_finding_has_evidence_and_a_remedy(phases: list[Period]) -> None:
    for finding in findings(phases):
        assert finding.summary.startswith(finding.evidence["phase"])
        assert finding.remedy.endswith(".")
        assert msgspec.json.encode(finding)
