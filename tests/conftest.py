"""What all tests share: no timing luck from hypothesis, and a check that nothing is left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on what else the machine does.
settings.register_profile("sqlwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sqlwatch")

GONE_WITHIN_S = 10


@pytest.fixture
def short_tmp(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a temporary directory of the test's own, and make it the one that simulations use."""
    path = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return path


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the living children of a process, the resource tracker of multiprocessing left out."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in children:
        try:
            if child.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture
def leaves_no_process() -> Iterator[None]:
    """Fail a test that leaves a child process."""
    yield
    deadline = time.monotonic() + GONE_WITHIN_S
    while (left := workers_of(os.getpid())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"left behind: {left}"
