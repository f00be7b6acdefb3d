"""The browser view for real: a page, a picture, and nothing left however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.conftest import workers_of

PATIENCE_S = 60


class Served:
    """`sqlwatch ... --web` on a port of its own choice, and a tab of it."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.log = folder / "stderr"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sqlwatch", *arguments, "--web", "--web-port", "0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                env={**os.environ, "TERM": "dumb"},
            )  # fmt: skip
        self.session = ClientSession()

    async def open(self) -> ClientWebSocketResponse:
        """Open a tab as a browser does, its size once more at once."""
        await self.until(lambda: "http://" in self.said(), "the address")
        found = re.search(r"http://([0-9.:]+)/", self.said())
        assert found is not None
        async with self.session.get(found[0]) as page:
            assert page.status == 200
        tab = await self.session.ws_connect(f"ws://{found[1]}/ws?width=100&height=30", origin=f"http://{found[1]}")
        await tab.send_str(json.dumps(["resize", {"width": 101, "height": 31}]))
        return tab

    def said(self) -> str:
        return self.log.read_text()

    async def see(self, tab: ClientWebSocketResponse, *words: str) -> None:
        """Wait until the words have been drawn."""
        seen = b""
        while not all(word.encode() in seen for word in words):
            message = await tab.receive(PATIENCE_S)
            assert isinstance(message.data, bytes), (message, self.said())
            seen += message.data

    async def until(self, condition: object, what: str) -> None:
        assert callable(condition)
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}: {self.said()}"
            await asyncio.sleep(0.01)

    async def until_gone(self, processes: list[psutil.Process]) -> None:
        await self.until(lambda: not any(one.is_running() for one in processes), "the processes to end")

    async def close(self) -> None:
        await self.session.close()
        for process in workers_of(self.process.pid):
            process.kill()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
async def simulation(short_tmp: Path, tmp_path: Path) -> AsyncIterator[Served]:
    served = Served(["simulate", "--writers", "2", "--readers", "1"], tmp_path)
    yield served
    await served.close()


async def test_a_tab_that_is_closed_takes_its_run_with_it(simulation: Served, short_tmp: Path) -> None:
    tab = await simulation.open()
    await simulation.see(tab, "CONTENDED", "running")
    processes = workers_of(simulation.process.pid)
    assert len(processes) >= 5
    assert list(short_tmp.iterdir())
    await tab.close()
    await simulation.until_gone(processes)
    assert not list(short_tmp.iterdir())
    assert simulation.process.poll() is None
    assert "0 lost" in simulation.said()
    assert "Traceback" not in simulation.said()


async def test_keys_arrive_and_q_prints_the_summary_where_it_was_started(simulation: Served, short_tmp: Path) -> None:
    tab = await simulation.open()
    await simulation.see(tab, "CONTENDED", "running")
    await tab.send_str(json.dumps(["stdin", "m"]))
    await simulation.see(tab, "SINGLE-WRITER")
    processes = workers_of(simulation.process.pid)
    await tab.send_str(json.dumps(["stdin", "q"]))
    await simulation.until_gone(processes)
    assert "single-writer" in simulation.said()
    assert not list(short_tmp.iterdir())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["int", "term", "hup"]
)
async def test_the_end_of_the_server_is_the_end_of_all(
    simulation: Served, short_tmp: Path, number: signal.Signals, code: int
) -> None:
    tab = await simulation.open()
    await simulation.see(tab, "CONTENDED", "running")
    processes = workers_of(simulation.process.pid)
    simulation.process.send_signal(number)
    out, _ = simulation.process.communicate(timeout=PATIENCE_S)
    assert (simulation.process.returncode, out) == (code, b"")
    assert not any(process.is_running() for process in processes)
    assert not list(short_tmp.iterdir())
    assert "Traceback" not in simulation.said()


async def test_a_server_that_is_killed_takes_all_with_it(simulation: Served, short_tmp: Path) -> None:
    tab = await simulation.open()
    await simulation.see(tab, "CONTENDED", "running")
    processes = workers_of(simulation.process.pid)
    simulation.process.kill()
    await simulation.until_gone(processes)
    assert not list(short_tmp.iterdir())


async def test_a_request_that_is_no_http_is_no_event(simulation: Served) -> None:
    await simulation.until(lambda: "http://" in simulation.said(), "the address")
    found = re.search(r"http://([0-9.]+):([0-9]+)/", simulation.said())
    assert found is not None
    reader, writer = await asyncio.open_connection(found[1], int(found[2]))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert b"400" in await reader.readline()
    writer.close()
    simulation.process.send_signal(signal.SIGTERM)
    simulation.process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in simulation.said()


async def test_watch_is_shown_too(short_tmp: Path, tmp_path: Path) -> None:
    database = tmp_path / "not-there-yet.db"
    served = Served(["watch", str(database)], tmp_path)
    try:
        tab = await served.open()
        await served.see(tab, "not-there-yet.db")
        processes = workers_of(served.process.pid)
        await tab.close()
        await served.until_gone(processes)
        assert "Traceback" not in served.said()
    finally:
        await served.close()
    assert not database.exists()
