"""Incident 18: who holds the lock lives in another PID namespace, as a container makes one."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sqlwatch.diagnose.finding import Severity

from .crew import MAKE_WAL, Crew
from .diagnosis import PROMISED_S, wait_for_finding

CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")

HOLDS = (
    MAKE_WAL
    + """
c.execute("begin immediate")
c.execute("insert into t values(1)")
say()
listen()
"""
)


@functools.cache
def why_there_are_no_namespaces() -> str | None:
    """Return in words why no container can be made here, None if it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare command"
    tried = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, timeout=20, check=False)
    return tried.stderr.strip() or f"unshare ended with {tried.returncode}" if tried.returncode else None


@pytest.fixture
def container() -> tuple[str, ...]:
    """Return the beginning of a command that runs in a PID namespace of its own."""
    reason = why_there_are_no_namespaces()
    if reason is not None:
        pytest.skip(f"not run: {reason}")
    return CONTAINER


def test_18_the_holder_lives_outside_our_namespace(crew: Crew, database: Path, container: tuple[str, ...]) -> None:
    crew.start(HOLDS)
    began_s = time.monotonic()
    done = subprocess.run(
        [*container, sys.executable, "-m", "sqlwatch", "why", str(database), "--format", "json"],
        capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert time.monotonic() - began_s <= PROMISED_S
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    (finding,) = report["findings"]
    assert (finding["code"], finding["severity"], finding["pid"]) == ("holder-not-visible", "warning", None)
    assert finding["evidence"]["lock"] == "write"
    assert 0.5 <= finding["since_s"] < PROMISED_S
    assert "another PID namespace" in finding["summary"]
    assert "run sqlwatch on the host as root" in finding["remedy"]
    assert any("PID namespace" in line for line in report["not_visible"])


def test_18_a_holder_in_a_container_is_named_from_the_host(
    crew: Crew, database: Path, container: tuple[str, ...]
) -> None:
    program = crew.start(HOLDS, command=(*container, sys.executable))
    (inside,) = psutil.Process(program.pid).children()
    finding = wait_for_finding(database, "idle-writer", beside=[])
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, inside.pid)
    assert f"end process {inside.pid}" in finding.remedy
