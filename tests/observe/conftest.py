from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .programs import Programs, programs_on


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


@pytest.fixture
def programs(database: Path) -> Iterator[Programs]:
    with programs_on(database) as started:
        yield started
