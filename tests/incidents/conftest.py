from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .crew import Crew, crew_on


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def crew(database: Path, leaves_no_process: None) -> Iterator[Crew]:
    with crew_on(database) as started:
        yield started
