"""A writer that knows when it held the write lock: the truth that an observer's figures are measured against.

    python -m tests.benchmarks.logged_writer DATABASE KIND SEED

It says "ready", starts at the first line on stdin, stops at the second, and writes its events to stdout: 24 bytes for
each committed transaction, CLOCK_MONOTONIC ns after BEGIN IMMEDIATE, before COMMIT and after it.
KIND `busy` commits one row after another without a pause, `batch` hundreds of rows at a time, so that what happens
between taking the lock and looking at the clock does not count; `mixed` holds the lock for 0 to 60 ms and then thinks.
"""

from __future__ import annotations

import array
import random
import sys
import threading
import time

import apsw


def main(path: str, kind: str, seed: int) -> None:
    """Write until told to stop, then tell."""
    connection = apsw.Connection(path)
    connection.set_busy_timeout(60_000)
    execute = connection.cursor().execute
    execute("PRAGMA journal_mode = WAL")
    execute("PRAGMA synchronous = NORMAL")
    execute("CREATE TABLE IF NOT EXISTS entry(number)")
    chance = random.Random(seed)
    events = array.array("q")
    stop = threading.Event()
    print("ready", flush=True)
    sys.stdin.readline()

    def wait_for_the_end() -> None:
        sys.stdin.readline()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    now_ns = time.monotonic_ns
    while not stop.is_set():
        execute("BEGIN IMMEDIATE")
        got_ns = now_ns()
        for _ in range(400 if kind == "batch" else 1):
            execute("INSERT INTO entry VALUES (1)")
        if kind == "mixed":
            time.sleep(chance.choice((0.0, 0.002, 0.01, chance.uniform(0.025, 0.06))))
        done_ns = now_ns()
        execute("COMMIT")
        events.extend((got_ns, done_ns, now_ns()))
        if kind == "mixed":
            time.sleep(chance.expovariate(1 / 0.05))
    connection.close()
    sys.stdout.buffer.write(events.tobytes())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
