"""Makes the pictures of the README from real runs: `python screenshots/make.py`, from the root of the repository.

Each picture is a run of its own with a fixed seed: real processes, a real database, the dashboard itself.  The figures
differ a little from machine to machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulators.workload import from_mapping
from sqlwatch.diagnose.headline import headline
from sqlwatch.session.simulation import SimulationSession
from sqlwatch.tui.app import SimulateApp

PATIENCE_S = 60
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


@dataclass(frozen=True)
class Picture:
    """A workload, the keys to press, and how long to wait: after the start and after each key, in seconds."""

    name: str
    seconds: float
    size: tuple[int, int] = (120, 40)
    keys: tuple[str, ...] = ()
    workload: Mapping[str, object] = field(default_factory=dict)


PICTURES = (
    Picture("contended", 20),
    Picture("single-writer", 20, keys=("m",)),
    Picture("starvation", 12, workload={"writers": 8, "think": 0}),
    Picture("80x24", 12, (80, 24), keys=("m",)),
)


def start_session(workload: Mapping[str, object]) -> SimulationSession:
    """Return a session of a real workload with a fixed seed; the dashboard starts it."""
    session = SimulationSession(from_mapping({"seed": 1, **workload}))
    session.check()
    return session


async def take(picture: Picture, folder: Path) -> Path:
    """Run the dashboard until the picture can be taken, and write it."""
    session = start_session(picture.workload)
    app = SimulateApp(session, headline=headline, glyphs="block")
    async with app.run_test(size=picture.size) as pilot:
        await phase_of(app, picture.seconds, before=0)
        for key in picture.keys:
            number = app._live.simulation.phase.number if app._live.simulation else 0
            await pilot.press(key)
            await phase_of(app, picture.seconds, before=number + 1)
        await pilot.pause(0.3)
        svg = app.export_screenshot(title=f"sqlwatch simulate: {picture.name}", simplify=True)
        await app.action_quit()
    session.wait(PATIENCE_S)
    path = folder / f"{picture.name}.svg"
    path.write_text(without_web_fonts(svg), encoding="utf-8")
    return path


async def phase_of(app: SimulateApp, seconds: float, *, before: int) -> None:
    """Wait until a phase with at least that number has run for some seconds; raise TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE_S + seconds):
        while True:
            simulation = app._live.simulation
            if simulation and simulation.phase.number >= before and simulation.phase.elapsed_s >= seconds:
                return
            await asyncio.sleep(0.1)


def without_web_fonts(svg: str) -> str:
    """Name fonts that are on the reader's machine instead of one that has to be fetched."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
    return re.sub(r"font-family:\s*Fira Code[^;]*;", f"font-family: {FONTS};", svg)


def main() -> None:
    """Take the pictures that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which pictures (default: all)")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write them")
    options = parser.parse_args()
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    known = {picture.name: picture for picture in PICTURES}
    for name in options.names or known:
        if name not in known:
            parser.error(f"there is no picture {name!r}; known are {', '.join(known)}")
        print(asyncio.run(take(known[name], options.folder)))


if __name__ == "__main__":
    main()
