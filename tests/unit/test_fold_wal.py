"""The WAL in the fold of a simulation, on hand-made messages."""

import msgspec
import pytest

from simulators.events import Mode, PhaseStarted, Running, Tick
from sqlwatch.metrics.fold import SimulationFold
from sqlwatch.metrics.observations import ReadMark, WalObservation
from sqlwatch.metrics.snapshot import Quality, Status

from .test_fold import MS, S, fold_with, simulation


def observation(
    at_ns: int, live: int | None, copied: int | None = 0, generation: int | None = 1, *marks: ReadMark
) -> WalObservation:
    size = None if live is None else 32 + live * 4120
    return WalObservation(at_ns, 0, size, live, copied, None, marks, generation)


def test_the_wals_size_peak_resets_and_backlog() -> None:
    fold = fold_with(
        observation(S, 500), observation(S + 50 * MS, 900, 900), observation(S + 100 * MS, 10, 0, 3), Tick(2 * S)
    )
    snapshot = fold.snapshot(Status.RUNNING)
    assert (snapshot.wal.live_frames, snapshot.wal.backlog_frames, snapshot.wal.resets) == (10, 10, 2)
    assert snapshot.wal.peak_bytes == 32 + 900 * 4120
    assert simulation(fold).phase.wal.resets == 2
    assert simulation(fold).phase.quality["wal"] is Quality.SAMPLED


@pytest.mark.parametrize(
    ("looks", "resets"),
    [
        ([(7, 9), (7, 20), (8, 1), (12, 3)], 5),
        ([(7, 9), (None, None), (9, 2)], 2),  # not readable for a moment
        ([(2**32 - 2, 9), (1, 4)], 3),
        ([(5, 9), (6, 0), (3_000_000_000, 2)], 1),  # truncated, then begun by a connection that draws a new one
        ([(5, 9), (3_000_000_000, 2)], 1),  # the same, not seen while it was empty
        ([(0, 0), (3_000_000_000, 2)], 0),  # the first frames ever
        ([(None, None), (5, 1), (4, 0)], 1),
    ],
)
def test_resets_are_the_changes_of_the_generation(looks: list[tuple[int | None, int | None]], resets: int) -> None:
    seen = [observation(S + n * MS, frames, 0, generation) for n, (generation, frames) in enumerate(looks)]
    assert simulation(fold_with(*seen, Tick(2 * S))).phase.wal.resets == resets


def test_a_held_mark_pins_only_what_a_checkpoint_would_copy() -> None:
    def look(at_ns: int, live: int, held: bool) -> WalObservation:
        return observation(at_ns, live, 200, 1, ReadMark(1, 200, held, 4711))

    fold = fold_with(look(S, 300, True), look(S + 100 * MS, 1100, True), look(S + 200 * MS, 1300, True))
    (pin,) = fold.snapshot(Status.RUNNING).wal.pins
    assert (pin.slot, pin.frame, pin.pid) == (1, 200, 4711)
    assert fold.snapshot(Status.RUNNING).wal.pinned_ns == 100 * MS
    fold.add(look(S + 300 * MS, 1300, False))
    assert fold.snapshot(Status.RUNNING).wal.pins == ()
    assert fold.snapshot(Status.RUNNING).wal.pinned_ns == 100 * MS


def test_an_unreadable_wal_is_unknown() -> None:
    fold = fold_with(observation(S, None, None), Tick(2 * S))
    wal = fold.snapshot(Status.RUNNING).wal
    assert (wal.file_bytes, wal.live_frames, wal.backlog_frames) == (None, None, None)


def test_without_a_wal_its_figures_are_unknown_and_not_0() -> None:
    fold = SimulationFold("x", 1, 1000, has_wal=False)
    fold.add(PhaseStarted(S, 0, "contended", Mode.CONTENDED))
    fold.add(PhaseStarted(2 * S, 1, "contended", Mode.CONTENDED))
    fold.add(Tick(9 * S))
    found = simulation(fold)
    for period in (found.run, found.phase, found.window, *found.ended_phases):
        assert set(msgspec.structs.astuple(period.wal)) == {None}
    wal = fold.snapshot(Status.RUNNING).wal
    assert (wal.file_bytes, wal.live_frames, wal.resets, wal.checkpoints, wal.pinned_ns) == (None,) * 5


def test_in_a_pause_the_wal_stays_as_it_was_seen_last_though_looks_are_rare() -> None:
    fold = fold_with(observation(S + 100 * MS, 500), observation(2 * S + 100 * MS, 700))
    assert fold.snapshot(Status.RUNNING).timeline.pauses == ()
    fold.add(Running(2_200 * MS, False, paused=True))
    fold.add(observation(2_300 * MS, 300))
    fold.add(observation(5_100 * MS, 300))
    fold.add(Tick(5_200 * MS))
    timeline = fold.snapshot(Status.PAUSED).timeline
    assert timeline.live_frames == (500, None, 700, *[300] * 5), (
        "a gap stays one where nobody says that nothing happened"
    )
    assert timeline.pauses == ((2_200 * MS, None),)
    fold.add(Running(9 * S, True))
    fold.add(observation(9_400 * MS, 900))
    fold.add(Tick(10 * S))
    timeline = fold.snapshot(Status.RUNNING).timeline
    assert timeline.live_frames == (500, None, 700, *[300] * 13, 900)
    assert timeline.pauses == ((2_200 * MS, 9 * S),)
    fold.add(Running(11 * S, False))
    fold.add(Running(11_100 * MS, True))
    assert len(fold.snapshot(Status.RUNNING).timeline.pauses) == 1, "a change of mode is none"
