"""The command line, called in this process with a fake session."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sqlwatch.cli.main import main
from tests.cli.fake import FakeSession


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str
    session: FakeSession | None

    @property
    def sentence(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


Run = Callable[..., Outcome]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """Put a fresh fake session in place of the real one, and return its class for a test to change."""

    class Fresh(FakeSession):
        made: list[FakeSession] = []

    monkeypatch.setattr("sqlwatch.session.simulation.SimulationSession", Fresh)
    return Fresh


@pytest.fixture
def terminals() -> set[str]:
    """Return the names of the standard streams that pass for terminals, for a test to change."""
    return set()


@pytest.fixture
def run(
    fake: type[FakeSession],
    terminals: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Return a function that runs `sqlwatch` with arguments."""

    def call(*arguments: str) -> Outcome:
        fake.made.clear()
        for name in terminals:  # here, because pytest makes other streams for a test than for its fixtures
            monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)
        monkeypatch.setattr(sys, "argv", ["sqlwatch", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(caught.value.code or 0), captured.out, captured.err, fake.made[0] if fake.made else None)

    return call
