"""What the observer says against what the writers themselves know: utilisation, commits, holds.

    python -m tests.benchmarks.observer_truth [--seconds 30] [--rate 200]

Limits: the share of the time in which each process held the write lock is right within 0.02, commits are exact, and
every hold of 25 ms or more is seen, as a run that is at most six sampling periods shorter.  (A look falls into each
period at a random moment of it and may be late by one, so two looks are up to three periods apart, and that at either
end; most runs are one or two periods shorter.)  Looks that the sampler says it missed are allowed for.

A writer knows that it held the lock from BEGIN's return to its call of COMMIT, and that it no longer does when COMMIT
returns: two figures, which differ if a transaction takes microseconds, and the observer's must not lie outside.
"""

from __future__ import annotations

import array
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from sqlwatch.metrics.observations import Commits, HeldRun, LockName, LockSample, Look, Message
from sqlwatch.observe.sampler_process import SamplerProcess

LONG_NS = 25_000_000
MOST_ERROR = 0.02
NEXT_MESSAGE_NS = 150_000_000
"""A look that comes too late counts as missed in the message after it."""


class Hold(NamedTuple):
    """A transaction of a writer: the lock was held from at or before `got_ns` until between the other two."""

    pid: int
    got_ns: int
    done_ns: int
    released_ns: int


class Truth(NamedTuple):
    """What happened, by the writers' own clocks, and what the observer sent meanwhile."""

    began_ns: int
    ended_ns: int
    holds: dict[int, list[Hold]]
    messages: list[Message]


class Agreement(NamedTuple):
    """How far the observer is from the truth."""

    shares: dict[int, tuple[float, float, float]]
    """pid -> utilisation as observed, and as it was at least and at most."""
    observed_commits: int
    commits: int
    is_exact: bool
    long_holds: int
    unseen: list[Hold]
    shortfalls_ns: list[int]
    """By how much the run was shorter than the hold."""
    looks: int
    missed: int

    @property
    def largest_error(self) -> float:
        """The largest error of a utilisation."""
        return max(max(least - seen, seen - most, 0.0) for seen, least, most in self.shares.values())


def watch(path: Path, kinds: list[str], seconds: float, rate_hz: float) -> Truth:
    """Let writers work for a time while a sampler watches; return both stories."""
    everybody: list[subprocess.Popen[bytes]] = []
    try:
        for seed, kind in enumerate(["keeps the database open", *kinds]):
            everybody.append(_start(path, kind, seed))
        writers = everybody[1:]
        with SamplerProcess([path], rate_hz) as sampler:
            heard: list[Message] = []

            def listen(until_ns: int) -> None:
                while time.monotonic_ns() < until_ns or not heard or heard[-1].at_ns < until_ns:
                    assert sampler.is_open, sampler.exit_words()
                    heard.extend(sampler.receive(0.05))

            while not any(isinstance(message, Look) for message in heard):
                heard += sampler.receive(0.05)
            heard.clear()
            began_ns = time.monotonic_ns()
            for writer in writers:
                _tell(writer)
            listen(began_ns + round(seconds * 1e9))
            for writer in writers:
                _tell(writer)
            holds = {writer.pid: _holds(writer) for writer in writers}
            ended_ns = time.monotonic_ns()
            listen(ended_ns + 500_000_000)
        return Truth(began_ns, ended_ns, holds, heard)
    finally:
        for writer in everybody:
            writer.kill()
            writer.communicate()


def _start(path: Path, kind: str, seed: int) -> subprocess.Popen[bytes]:
    """Start a writer and wait until it has the database open, for two cannot create it at once."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.logged_writer", str(path), kind, str(seed)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    return writer


def _tell(writer: subprocess.Popen[bytes]) -> None:
    assert writer.stdin is not None
    writer.stdin.write(b"go\n")
    writer.stdin.flush()


def _holds(writer: subprocess.Popen[bytes]) -> list[Hold]:
    assert writer.stdout is not None
    events = array.array("q", writer.stdout.read())
    return [Hold(writer.pid, *events[at : at + 3]) for at in range(0, len(events), 3)]


def compare(truth: Truth, period_ns: int) -> Agreement:
    """Compare both stories, utilisation over the looks' own time."""
    samples = [message for message in truth.messages if isinstance(message, LockSample)]
    samples = [sample for sample in samples if sample.since_ns >= truth.began_ns and sample.at_ns <= truth.ended_ns]
    since_ns, until_ns = samples[0].since_ns, samples[-1].at_ns
    looks = sum(sample.looks for sample in samples)
    shares = {}
    for pid, holds in truth.holds.items():
        seen = sum(
            held.looks for sample in samples for held in sample.held if held.pid == pid and held.lock is LockName.WRITE
        )
        inside = [hold for hold in holds if since_ns <= hold.got_ns and hold.released_ns <= until_ns]
        least_ns = sum(hold.done_ns - hold.got_ns for hold in inside)
        most_ns = sum(hold.released_ns - hold.got_ns for hold in inside)
        shares[pid] = (seen / looks, least_ns / (until_ns - since_ns), most_ns / (until_ns - since_ns))
    commits = [message for message in truth.messages if isinstance(message, Commits)]
    runs = _runs(truth.messages)
    long_holds = [
        hold for holds in truth.holds.values() for hold in holds if hold.done_ns - hold.got_ns >= LONG_NS
    ]  # fmt: skip
    unseen, shortfalls = [], []
    for hold in long_holds:
        lengths = [
            run.until_ns - run.since_ns
            for run in runs.get(hold.pid, [])
            if run.since_ns <= hold.released_ns and run.until_ns >= hold.got_ns
        ]
        shortfall = hold.done_ns - hold.got_ns - max(lengths, default=-1)
        shortfalls.append(shortfall)
        until = hold.released_ns + NEXT_MESSAGE_NS
        missed = sum(sample.missed for sample in samples if hold.got_ns <= sample.at_ns and sample.since_ns <= until)
        if shortfall > (6 + missed) * period_ns or not (lengths or missed):
            unseen.append(hold)
    return Agreement(
        shares=shares,
        observed_commits=sum(message.commits for message in commits),
        commits=sum(len(holds) for holds in truth.holds.values()),
        is_exact=all(message.is_exact for message in commits),
        long_holds=len(long_holds),
        unseen=unseen,
        shortfalls_ns=shortfalls,
        looks=looks,
        missed=sum(sample.missed for sample in samples),
    )


def _runs(messages: list[Message]) -> dict[int, list[HeldRun]]:
    """Return pid -> the runs in which it held the write lock, each as long as it was last said to be."""
    runs: dict[tuple[int, int], HeldRun] = {}
    for message in messages:
        if isinstance(message, LockSample):
            runs |= {(run.pid, run.since_ns): run for run in message.runs if run.lock is LockName.WRITE}
    by_pid: dict[int, list[HeldRun]] = {}
    for run in runs.values():
        by_pid.setdefault(run.pid, []).append(run)
    return by_pid


@click.command()
@click.option("--seconds", default=30.0, show_default=True, help="How long each set of writers is watched.")
@click.option("--rate", default=200.0, show_default=True, help="Looks a second.")
def main(seconds: float, rate: float) -> None:
    """Print how far the observer is from the truth; exit with 1 if it is beyond a limit."""
    is_right = True
    sets = {
        "1 busy writer": ["busy"], "3 busy writers": ["busy"] * 3, "8 busy writers": ["busy"] * 8,
        "3 writers of batches": ["batch"] * 3, "8 writers of batches": ["batch"] * 8,
        "4 writers that hold for 0 to 60 ms": ["mixed"] * 4, "one of batches, 3 that hold": ["batch"] + ["mixed"] * 3,
    }  # fmt: skip
    for name, kinds in sets.items():
        with tempfile.TemporaryDirectory(prefix="observer-truth-") as directory:
            found = compare(watch(Path(directory) / "app.db", kinds, seconds, rate), round(1e9 / rate))
        click.echo(f"{name}: {found.looks} looks, {found.missed} missed")
        shares = ", ".join(f"{seen:.3f} ({least:.3f}..{most:.3f})" for seen, least, most in found.shares.values())
        click.echo(f"  write-lock utilisation, observed (true): {shares}")
        click.echo(f"  largest error {found.largest_error:.4f}: {_verdict(found.largest_error <= MOST_ERROR)}")
        are_exact = found.observed_commits == found.commits and found.is_exact
        click.echo(f"  commits, observed {found.observed_commits:,} of {found.commits:,}: {_verdict(are_exact)}")
        if found.long_holds:
            median_ms = statistics.median(found.shortfalls_ns) / 1e6
            click.echo(
                f"  holds of 25 ms or more: {found.long_holds - len(found.unseen)} of {found.long_holds} seen: "
                f"{_verdict(not found.unseen)}; runs shorter than the hold by {median_ms:.1f} ms in the median, "
                f"{max(found.shortfalls_ns) / 1e6:.1f} ms at most"
            )
        is_right = is_right and found.largest_error <= MOST_ERROR and are_exact and not found.unseen
    sys.exit(0 if is_right else 1)


def _verdict(holds: bool) -> str:
    return "as it must be" if holds else "NOT AS IT MUST BE"


if __name__ == "__main__":
    main()
