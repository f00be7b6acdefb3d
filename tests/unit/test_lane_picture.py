"""A picture that takes what has settled from the one before is the same as one that is made from scratch."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.events import BUSY_CODE, Batch, Counts, Mode, Role, SlotSample, WorkerSample, WorkerState
from simulators.quantities import BusyPolicy
from simulators.transactions import EventSums, Transaction, Transactions
from sqlwatch.metrics import lane_picture
from sqlwatch.metrics.ladder import delays_of
from sqlwatch.metrics.lane_picture import Picture, picture
from sqlwatch.metrics.lane_ring import LaneRing
from sqlwatch.metrics.lanes import LATENESS_NS
from sqlwatch.metrics.stretches import Stretch

MS = 1_000_000
S = 1_000 * MS
T0 = 100 * S
SAMPLE_NS = 50 * MS


@dataclass
class Play:
    """A worker that does one thing after another, tells of it in batches, and is looked at."""

    worker: int
    role: Role
    now_ns: int = T0
    sent_ns: int = T0
    number: int = 0
    counted: int = 0
    pending: list[Transaction] = field(default_factory=list)
    states: list[tuple[int, WorkerState, int]] = field(default_factory=list)
    """(from, state, since)"""
    batches: list[tuple[int, Batch]] = field(default_factory=list)
    """With the moments at which they arrive."""

    def state_at(self, at_ns: int) -> WorkerSample:
        found = [(state, since_ns) for from_ns, state, since_ns in self.states if from_ns <= at_ns]
        state, since_ns = found[-1] if found else (WorkerState.IDLE, 0)
        return WorkerSample(self.worker, state, since_ns)

    def does(self, state: WorkerState, for_ns: int) -> None:
        self.states.append((self.now_ns, state, self.now_ns))
        self.now_ns += for_ns

    def transacts(self, waits_ns: int, holds_ns: int, retries: int, *, fails: bool) -> None:
        asked_ns = self.now_ns
        self.does(WorkerState.WAITING, waits_ns // 2)
        self.send_if_due()  # batches go out also in the midst of a wait
        self.now_ns = asked_ns + waits_ns
        got_ns = 0 if fails else self.now_ns
        if not fails:
            self.does(WorkerState.HOLDING, holds_ns)
        self.number += 1
        outcome = BUSY_CODE if fails else 0
        self.pending.append(
            Transaction(self.number, asked_ns, asked_ns, got_ns, self.now_ns, self.now_ns, retries, outcome)
        )

    def send_if_due(self) -> None:
        if self.now_ns - self.sent_ns > 80 * MS:
            self.send()

    def send(self) -> None:
        if finished := len(self.pending) + self.counted:
            hold_ns = sum(one.released_ns - one.got_ns for one in self.pending if one.got_ns) + self.counted * 10_000
            made = Batch(
                self.worker, self.role, 0, 1, self.sent_ns, self.now_ns, finished,
                transactions=Transactions.of(self.pending), sums=EventSums.of(self.pending),
                lock_hold=Counts(sum_ns=hold_ns),
            )  # fmt: skip
            self.batches.append((self.now_ns + self.worker * 9 * MS, made))
        self.sent_ns, self.pending, self.counted = self.now_ns, [], 0


steps = st.tuples(
    st.sampled_from(["transaction", "transaction", "failure", "short ones", "think", "rest"]),
    st.integers(0, 400), st.integers(1, 120), st.integers(0, 9),
)  # fmt: skip


def perform(play: Play, script: list[tuple[str, int, int, int]]) -> Play:
    """Play a script."""
    for what, some, more, retries in script:
        if what in ("transaction", "failure"):
            play.transacts(some * MS, more * MS, retries, fails=what == "failure")
        elif what == "short ones":
            play.number += more
            play.counted += more
            play.does(WorkerState.IDLE, more * MS)
        else:
            play.does(WorkerState.PARKED if what == "rest" else WorkerState.IDLE, some * MS)
        play.send_if_due()
    return play


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Play], list[tuple[int, Batch]]]:
    scripts = draw(st.lists(st.lists(steps, min_size=1, max_size=20), min_size=1, max_size=3))
    plays = [perform(Play(number, Role.WRITER), script) for number, script in enumerate(scripts, 1)]
    plays.append(Play(9, Role.READER))
    for reading in draw(st.lists(st.booleans(), max_size=20)):
        plays[-1].does(WorkerState.READING if reading else WorkerState.IDLE, 130 * MS)
    return plays, sorted((batch for play in plays for batch in play.batches), key=lambda pair: pair[0])


def assert_same(one: Picture, other: Picture) -> None:
    assert one[0] == other[0]
    for lock, fresh in zip(one.locks, other.locks, strict=True):
        assert lock.is_exact is fresh.is_exact
        for shares, expected in ((lock.held, fresh.held), (lock.wasted, fresh.wasted)):
            assert [None if share is None else round(share, 9) for share in shares] == [
                None if share is None else round(share, 9) for share in expected
            ]
    assert one.lanes.keys() == other.lanes.keys()
    for worker, lane in one.lanes.items():
        fresh_lane = other.lanes[worker]
        for number, (column, expected_column) in enumerate(zip(lane.columns, fresh_lane.columns, strict=True)):
            assert [round(float(value), 9) for value in column] == [
                round(float(value), 9) for value in expected_column
            ], (worker, number)
        assert lane.is_exact is fresh_lane.is_exact


@settings(max_examples=150, deadline=None)
@given(
    runs(), st.integers(1, 40), st.sampled_from([1, 3, 20, 100]), st.integers(50, 900), st.sampled_from([3, 30, 1200]),
    st.sampled_from(list(Mode)), st.sampled_from([0, LATENESS_NS]),
    st.lists(st.none() | st.frozensets(st.integers(1, 10)), min_size=1, max_size=4),
)  # fmt: skip
def test_what_has_settled_never_changes_whoever_is_in_sight(
    run: tuple[list[Play], list[tuple[int, Batch]]], columns: int, column_ms: int, step_ms: int, most: int, mode: Mode,
    late_ns: int, sights: list[frozenset[int] | None],
) -> None:  # fmt: skip
    plays, batches = run
    ring = LaneRing(1, delays_of(BusyPolicy()), 5 * S)
    for play in plays:
        ring.start(play.worker, play.role, 0)
    if mode is Mode.SINGLE_WRITER:
        ring.start(10, Role.SINGLE_WRITER, 0)
    column_ns = column_ms * MS
    end_ns = max(play.now_ns for play in plays) + S
    before: Picture | None = None
    sampled_ns = T0
    usual, lane_picture.MOST_EVENTS = lane_picture.MOST_EVENTS, most  # type: ignore[misc]
    try:
        for now_ns in range(T0 + S, end_ns, step_ms * MS):
            while sampled_ns <= now_ns:
                states = tuple(play.state_at(sampled_ns) for play in plays)
                ring.add_sample(SlotSample(sampled_ns, 1, 10, (sampled_ns // SAMPLE_NS % 10,), (3,), states))
                sampled_ns += SAMPLE_NS
            while batches and batches[0][0] <= now_ns:
                ring.add_batch(batches.pop(0)[1], mode)
            lanes = ring.freeze(now_ns, mode)
            until_ns = (now_ns - late_ns) // column_ns * column_ns
            stretch = Stretch(until_ns - columns * column_ns, column_ns, columns)
            sights.append(wanted := sights.pop(0))
            before = picture(lanes, stretch, before, workers=wanted)
            whole = picture(lanes, stretch)
            in_sight = {worker: lane for worker, lane in whole.lanes.items() if wanted is None or worker in wanted}
            assert_same(before, whole._replace(lanes=in_sight))
    finally:
        lane_picture.MOST_EVENTS = usual  # type: ignore[misc]
