"""Files of what is on screen, beside each other and of one name; nothing that exists is ever overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlwatch.diagnose.finding import Finding
from sqlwatch.metrics.snapshot import Snapshot

if TYPE_CHECKING:
    from sqlwatch.diagnose.lesson import Lesson

MakeFigures = Callable[[Snapshot, str, Sequence[Finding], "Lesson | None"], Mapping[str, str]]
"""From a Snapshot, its headline and findings, and the lesson that runs, to texts by the ending of their file."""

_MOST_OF_A_SECOND: Final = 100


@dataclass(frozen=True)
class Exporter:
    """Where exports go, and what makes the figures of one: reports, of which the dashboard knows nothing."""

    directory: Path
    figures: MakeFigures

    def write(self, texts: Mapping[str, str], now: datetime) -> str:
        """Write a file for each ending; return in words which, or why none could be written."""
        stem = f"sqlwatch-{now:%Y%m%d-%H%M%S}"
        endings = " ".join(texts)
        for number in range(1, _MOST_OF_A_SECOND):
            base = self.directory / (stem if number == 1 else f"{stem}-{number}")
            try:
                _write_all(base, texts)
            except FileExistsError:
                continue
            except OSError as error:
                return f"nothing was exported to {self.directory}: {error.strerror or error}"
            return f"exported {base.name} ({endings}) to {self.directory}"
        return f"nothing was exported: there are too many files {stem} in {self.directory}"


def _write_all(base: Path, texts: Mapping[str, str]) -> None:
    """Write all files or none; raise FileExistsError if one of them is there already, OSError if one cannot be."""
    written: list[Path] = []
    try:
        for ending, text in texts.items():
            path = base.with_name(base.name + ending)
            with path.open("x", encoding="utf-8", newline="") as file:
                written.append(path)
                file.write(text if text.endswith("\n") else text + "\n")
    except OSError:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
