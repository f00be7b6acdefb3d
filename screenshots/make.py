"""Makes the pictures of the README from real runs: `python -m screenshots.make`, from the root of the repository.

Each picture is a run of its own in a real terminal with a fixed seed: the command as a user types it, real processes, a
real database.  The figures differ a little from machine to machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from screenshots.drawing import film, frame_of, still
from screenshots.terminal import Terminal

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
FILM_STEP_S = 1.0
_SECONDS = float
Step = str | _SECONDS
"""A key to press, or how many seconds to wait; `until:WORDS` waits until the words stand on the screen."""

WEB = """
import sqlite3, sys, time
connection = sqlite3.connect("app.db", timeout=60, isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE IF NOT EXISTS visit(at REAL)")
while True:
    connection.execute("INSERT INTO visit VALUES(?)", (time.time(),))
    print("visit", flush=True)
    time.sleep(0.02)
"""
REPORT = """
import sqlite3, time
connection = sqlite3.connect("app.db", isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM visit").fetchone()
print("reads", flush=True)
time.sleep(120)
"""
IMPORT = """
import sqlite3, sys, time
connection = sqlite3.connect("app.db", timeout=60, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO visit VALUES(0)")
print("holds", flush=True)
time.sleep(120)
"""
"""Programs as users write them: one that writes, and two that do something slow inside a transaction."""


@dataclass(frozen=True)
class Picture:
    """A command line, and what happens until the picture is taken."""

    name: str
    command: str
    steps: tuple[Step, ...]
    size: tuple[int, int] = (120, 40)
    is_film: bool = False
    used_by: Mapping[str, str] = field(default_factory=dict)
    """Programs that use the database meanwhile, by the names of their files."""


@contextmanager
def _running(path: Path, programs: Mapping[str, str]) -> Iterator[None]:
    """Have programs use a database until the picture has been taken; each has said something before the next starts."""
    with ExitStack() as stack:
        for name, program in programs.items():
            path.with_name(name).write_text(program, encoding="utf-8")
            process = subprocess.Popen(
                ["python3", name], executable=sys.executable, cwd=path.parent, stdout=subprocess.PIPE
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield


_SIMULATE = "sqlwatch simulate --seed 1 --glyphs block"
_TOGGLE = ("m", "until:SINGLE-WRITER")
_WRITERS = {"web.py": WEB, "worker.py": WEB}
PICTURES = (
    Picture("contended", _SIMULATE, ("until:running", 20.0)),
    Picture("single-writer", _SIMULATE, ("until:running", 20.0, *_TOGGLE, 20.0)),
    Picture("starvation", f"{_SIMULATE} --writers 8 --think 0", ("until:running", 14.0)),
    Picture("80x24", _SIMULATE, ("until:running", 12.0, *_TOGGLE, 12.0), (80, 24)),
    Picture("lesson", "sqlwatch simulate starvation --glyphs block", ("until:done contended", "until:running", 1.2)),
    Picture(
        "watch", "sqlwatch watch app.db --glyphs block", ("until:PINNED", 14.0),
        used_by={**_WRITERS, "report.py": REPORT},
    ),
    Picture("why", "sqlwatch why app.db", (8.0,), (82, 30), used_by={**_WRITERS, "import.py": IMPORT}),
    Picture("film", _SIMULATE, ("until:running", 10.0, *_TOGGLE, 10.0), (100, 30), is_film=True),
)  # fmt: skip


def take(picture: Picture, folder: Path) -> Path:
    """Run the command until the picture can be taken, and write it."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sqlwatch-picture-")))
        stack.enter_context(_running(work / "app.db", picture.used_by))
        command = [sys.executable, "-m", *shlex.split(picture.command)]
        terminal = stack.enter_context(Terminal(command, picture.size, ENVIRONMENT, work))
        frames = []
        for step in picture.steps:
            if isinstance(step, float):
                deadline = time.monotonic() + step
                while time.monotonic() < deadline and terminal.follow(min(FILM_STEP_S, deadline - time.monotonic())):
                    frames.append(frame_of(terminal.screen))
            elif step.startswith("until:"):
                words = step.removeprefix("until:")
                terminal.wait_for(lambda text, words=words: words in text, words)
            else:
                terminal.press(step)
        frame = frame_of(terminal.screen)
    path = folder / f"{picture.name}.svg"
    title = picture.command.removesuffix(" --glyphs block")
    drawn = film(frames, picture.size, title, FILM_STEP_S) if picture.is_film else still(frame, picture.size, title)
    path.write_text(drawn, encoding="utf-8")
    return path


def main() -> None:
    """Take the pictures that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which pictures (default: all)")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write them")
    options = parser.parse_args()
    os.environ.pop("NO_COLOR", None)
    known = {picture.name: picture for picture in PICTURES}
    for name in options.names or known:
        if name not in known:
            parser.error(f"there is no picture {name!r}; known are {', '.join(known)}")
        print(take(known[name], options.folder))


if __name__ == "__main__":
    main()
