"""CPU, key presses, frames, first paint and memory of the dashboard under the load of synthetic writers.

    python -m tests.benchmarks.dashboard_load [--seconds 30] [--transactions 10000 --events 10000]

Limits at 200x50: under 15 % of a core at 150,000 transactions/s, under 8 % at 10,000 events/s, under 1 % frozen; a key
answered within 100 ms (p99), no frame over 100 ms, under 200 KiB/s to the terminal, first paint under 600 ms, and, over
ten minutes (--seconds 600), under 5 MB of drift.
"""

from __future__ import annotations

import os
import select
import statistics
import sys
import tempfile
import time

import click
import psutil

from tests.test_end_of_life import Terminal

PROGRAM = """
import sys
from simulators.events import Role
import asyncio.events, atexit, time
import simulators.handle
longest_ns, run = 0, asyncio.events.Handle._run
def timed(handle):
    global longest_ns
    started_ns = time.thread_time_ns()
    run(handle)
    longest_ns = max(longest_ns, time.thread_time_ns() - started_ns)
asyncio.events.Handle._run = timed
atexit.register(lambda: print(f"longest frame: {longest_ns / 1e6:.0f} ms of CPU time"))
simulators.handle._MODULES[Role.WRITER] = "tests.benchmarks.synthetic_writer"
from sqlwatch.cli.main import main
main()
"""

QUIET_S = 0.05
"""A terminal that is told nothing for so long has been told an answer whole."""


def first_paint_s(temporary: str) -> float:
    """Return how long the dashboard takes from the start of the process to its first picture."""
    started = time.monotonic()
    terminal = Terminal([sys.executable, "-m", "sqlwatch", "simulate"], 200, 50, TMPDIR=temporary)
    while b"CONTENDED" not in terminal.raw and b"sqlwatch" not in terminal.raw:
        terminal.read()
    elapsed = time.monotonic() - started
    terminal.until("CONTENDED")
    terminal.press("q")
    terminal.end()
    terminal.close()
    return elapsed


def answer_s(terminal: Terminal, key: str, sign: str) -> float:
    """Press a key and return how long it takes until what puts its sign on the first lines of the screen is here."""
    terminal.read()
    started = time.monotonic()
    terminal.press(key)
    while True:
        # Following a screen takes longer than reading it, so that comes after.
        arrived = []
        while select.select([terminal.master], [], [], QUIET_S)[0]:
            data = os.read(terminal.master, 65536)
            arrived.append((time.monotonic() - started, data))
        seen_s = None
        for at_s, data in arrived:
            terminal.raw += data
            terminal.stream.feed(data)
            if seen_s is None and any(sign in line for line in upper_lines(terminal)):
                seen_s = at_s
        if seen_s is not None:
            return seen_s


def cost(terminal: Terminal, seconds: float) -> str:
    """Say what the dashboard uses during `seconds`."""
    process = psutil.Process(terminal.process.pid)
    sizes, cpu, started, written = [], process.cpu_times(), time.monotonic(), len(terminal.raw)
    while time.monotonic() - started < seconds:
        terminal.read()
        sizes.append(process.memory_info().rss)
    passed = time.monotonic() - started
    used = process.cpu_times()
    share = (used.user + used.system - cpu.user - cpu.system) / passed
    rate = (len(terminal.raw) - written) / passed / 1024
    tenth = max(len(sizes) // 10, 1)
    drift = statistics.median(sizes[-tenth:]) - statistics.median(sizes[:tenth])
    return (
        f"{share:.1%} of a core, {rate:.1f} KiB/s to the terminal, "
        f"memory {sizes[-1] / 2**20:.0f} MiB, drift {drift / 2**20:+.1f} MiB in {passed:.0f} s"
    )


def upper_lines(terminal: Terminal) -> list[str]:
    """Return the text of the first lines: all of them would cost more than what is measured."""
    buffer, columns = terminal.screen.buffer, range(terminal.screen.columns)
    return ["".join(buffer[row][column].data for column in columns) for row in range(4)]


@click.command()
@click.option("--seconds", default=30.0, show_default=True, help="How long CPU and memory are measured.")
@click.option("--presses", default=200, show_default=True)
@click.option("--transactions", default=150_000, show_default=True, help="Transactions a second of all writers.")
@click.option("--events", default=4_000, show_default=True, help="How many of them are events.")
def main(seconds: float, presses: int, transactions: int, events: int) -> None:
    """Print what the dashboard costs."""
    load = {"SYNTHETIC_TRANSACTIONS_PER_S": str(transactions), "SYNTHETIC_EVENTS_PER_S": str(events)}
    with tempfile.TemporaryDirectory() as temporary:
        paints = [first_paint_s(temporary) for _ in range(5)]
        click.echo(
            f"first paint: median {statistics.median(paints) * 1000:.0f} ms, longest {max(paints) * 1000:.0f} ms"
        )
        terminal = Terminal([sys.executable, "-c", PROGRAM, "simulate"], 200, 50, TMPDIR=temporary, **load)
        terminal.until("CONTENDED", "commits")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            terminal.read()
        answers = []
        for _ in range(presses):
            answers.append(answer_s(terminal, "?", "What you see"))
            terminal.press("\x1b")
            # A key that came before the page is closed would make one sequence with it.
            pause = time.monotonic() + 0.15
            while time.monotonic() < pause or any("closes this page" in line for line in upper_lines(terminal)):
                terminal.read()
        answers.sort()
        click.echo(
            f"help key: median {statistics.median(answers) * 1000:.0f} ms, "
            f"p99 {answers[int(len(answers) * 0.99) - 1] * 1000:.0f} ms, longest {answers[-1] * 1000:.0f} ms"
        )
        click.echo(f"running: {cost(terminal, seconds)}")
        click.echo("\n".join(line.rstrip() for line in terminal.screen.display[:3]))
        terminal.press(" ")
        terminal.until("FROZEN")
        click.echo(f"frozen: {cost(terminal, seconds / 3)}")
        terminal.press("p")
        time.sleep(1)
        click.echo(f"frozen and paused: {cost(terminal, seconds / 3)}")
        terminal.press("q")
        click.echo(f"exit code {terminal.end()}")
        click.echo(next(line for line in terminal.raw.decode(errors="replace").splitlines() if "longest frame" in line))
        terminal.close()


if __name__ == "__main__":
    main()
