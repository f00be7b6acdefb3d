"""The browser view: what the server gives to whom, and which options go together; the dashboard is a stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from sqlwatch.cli.web import MOST_TABS, WebView
from sqlwatch.cli.web_guard import Guard
from tests.cli.conftest import Run
from tests.conftest import workers_of

pytestmark = pytest.mark.usefixtures("leaves_no_process")

APP = """
import json, os, sys
def write(kind, data):
    sys.stdout.buffer.write(kind + len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()
def read(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:
        sys.exit(0)
    return data
sys.stdout.buffer.write(b"__GANGLION__\\n")
write(b"D", f"size {os.environ['COLUMNS']}x{os.environ['ROWS']} {os.environ['TEXTUAL_DRIVER']}".encode())
while True:
    kind, length = read(1), int.from_bytes(read(4), "big")
    data = read(length)
    if b"quit" in data or data == b"q":
        write(b"M", json.dumps({"type": "exit"}).encode())
        open(sys.argv[0] + ".left", "w").close()
        break
    if data == b"flood":
        for _ in range(400):
            write(b"D", bytes(1 << 16))
    write(b"D", kind + data)
"""
"""Speaks textual-serve's protocol, and sends everything back."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have each tab start the stand-in."""
    path = tmp_path / "app.py"
    path.write_text(APP)
    monkeypatch.setattr(sys, "orig_argv", ["python", str(path)])


@contextlib.asynccontextmanager
async def served(token: str | None = None) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(await WebView("a title", Guard(token), 8765)._make_app())) as client:
        yield client


def origin_of(client: TestClient) -> str:
    return f"http://{client.host}:{client.port}"


async def connect(client: TestClient, query: str = "width=90&height=30") -> ClientWebSocketResponse:
    return await client.ws_connect(f"/ws?{query}", origin=origin_of(client))


async def said(tab: ClientWebSocketResponse) -> str:
    message = await tab.receive(20)
    assert message.type is WSMsgType.BINARY, message
    return bytes(message.data).decode()


async def words_of(response: ClientResponse) -> tuple[int, str]:
    return response.status, (await response.text()).strip()


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    async with served() as client:
        response = await client.get("/")
        page = await response.text()
        assert "a title" in page
        assert f"ws://{client.host}:{client.port}/ws" in page
        assert not re.search(r"(src|href)=.?https?:|url\(.?https?:|@import", page)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        for link in re.findall(r"/static/[^\"]+", page):
            assert (await client.get(link)).status == 200


async def test_a_tab_runs_a_process_of_its_own_and_ends_with_it(app: None) -> None:
    async with served() as client:
        tabs = [await connect(client, f"width={columns}&height=30") for columns in (90, 91)]
        assert [await said(tab) for tab in tabs] == [
            f"size {columns}x30 textual.drivers.web_driver:WebDriver" for columns in (90, 91)
        ]
        processes = workers_of(os.getpid())
        assert len(processes) == 2
        await tabs[0].send_str(json.dumps(["stdin", "hello"]))
        assert await said(tabs[0]) == "Dhello"
        await tabs[0].send_str(json.dumps(["stdin", "q"]))
        assert (await tabs[0].receive(20)).type is WSMsgType.CLOSE
        await tabs[1].close()
        async with asyncio.timeout(20):
            while any(process.is_running() for process in processes):
                await asyncio.sleep(0.01)


async def test_the_server_ends_what_it_started(app: None) -> None:
    async with served() as client:
        tab = await connect(client)
        await said(tab)
        processes = workers_of(os.getpid())
    assert processes
    assert not any(process.is_running() for process in processes)


async def test_a_browser_that_takes_nothing_any_more_holds_up_nobody(app: None, tmp_path: Path) -> None:
    async with served() as client:
        tab = await connect(client)
        await said(tab)
        (process,) = workers_of(os.getpid())
        await tab.send_str(json.dumps(["stdin", "flood"]))
        written, before = 0, -1
        async with asyncio.timeout(20):
            while written < 1 << 16 or written != before:  # until it writes no more, since nobody reads
                await asyncio.sleep(0.2)
                written, before = process.io_counters().write_chars, written
        assert written < 400 << 16
        await client.server.close()
    assert not process.is_running()
    assert (tmp_path / "app.py.left").exists()


async def test_a_process_that_does_not_leave_is_ended(app: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlwatch.cli.web_tab._LEAVES_WITHIN_S", 0.1)
    async with served() as client:
        await said(await connect(client))
        (process,) = workers_of(os.getpid())
        process.suspend()
        monkeypatch.setattr("sqlwatch.cli.web_tab._ENDS_WITHIN_S", 0.1)
    assert not process.is_running()


@pytest.mark.parametrize(
    "message", ["", "[]", "{", '["resize", {}]', '["resize", {"width": "wide", "height": 1}]', "7", '["stdin", 7]']
)
async def test_a_message_that_makes_no_sense_closes_the_tab(app: None, message: str) -> None:
    async with served() as client:
        tab = await connect(client)
        await said(tab)
        await tab.send_str(message)
        assert (await tab.receive(20)).data == 1008


async def test_sizes_are_bounded(app: None) -> None:
    async with served() as client:
        tab = await connect(client, "width=99999999&height=-3")
        assert (await said(tab)).startswith("size 500x1 ")
        await tab.send_str(json.dumps(["resize", {"width": 10**9, "height": 10**9}]))
        assert json.loads((await said(tab))[1:]) == {"type": "resize", "width": 500, "height": 300}


async def test_there_is_a_limit_to_the_tabs(app: None) -> None:
    async with served() as client:
        tabs = [await connect(client) for _ in range(MOST_TABS)]
        with pytest.raises(WSServerHandshakeError, match="503"):
            await connect(client)
        await tabs[0].close()
        async with asyncio.timeout(20):
            while len(workers_of(os.getpid())) == MOST_TABS:
                await asyncio.sleep(0.01)
        assert (await said(await connect(client))).startswith("size")


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x", "/nothing"])
async def test_a_name_of_another_machine_is_refused_everywhere(path: str) -> None:
    async with served() as client:
        status, words = await words_of(await client.get(path, headers={"Host": "evil.example"}))
        assert (status, words) == (403, "This address is only for this machine, and evil.example is no name of it.")


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
async def test_a_websocket_from_another_page_is_refused(origin: str | None) -> None:
    async with served() as client:
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect("/ws", origin=origin)


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x", "/nothing"])
async def test_without_the_token_nothing_is_served(path: str) -> None:
    async with served("secret") as client:
        for url in (path, f"{path}?token=wrong", f"{path}?token="):
            status, words = await words_of(await client.get(url, headers={"Origin": origin_of(client)}))
            assert (status, "token" in words) == (403, True)


async def test_the_token_becomes_a_cookie_for_the_rest(app: None) -> None:
    async with served("secret") as client:
        with pytest.raises(WSServerHandshakeError, match="403"):
            await connect(client)
        response = await client.get("/?token=secret")
        assert response.status == 200
        cookie = response.cookies["sqlwatch-8765"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert "secret" not in await response.text()
        # From here on the client sends the cookie, as a browser does.
        assert (await client.get("/static/js/textual.js")).status == 200
        assert (await said(await connect(client))).startswith("size")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--web", "--headless"], "--headless cannot be had with --web: each tab is a run of its own."),
        (["--web", "-o", "a.json"], "--output cannot be had with --web: each tab is a run of its own."),
        (["--web", "--db", "a.db"], "--db cannot be had with --web: each tab is a run of its own."),
        (["--web-port", "80"], "--web-port is for the browser view; add --web."),
        (["--web-allow-remote"], "--web-allow-remote is for the browser view; add --web."),
        (
            ["--web", "--web-host", "0.0.0.0"],
            "At 0.0.0.0 other machines could use this dashboard. If you want that, add --web-allow-remote.",
        ),
        (["--web", "--web-host", "no.such.invalid"], "--web-host no.such.invalid is no address of this machine."),
        (["--web", "--writers", "no"], "writers:"),
        (["no-such-lesson", "--web"], "There is no scenario no-such-lesson"),
    ],
)
def test_what_does_not_go_together_is_said(run: Run, arguments: list[str], words: str) -> None:
    outcome = run("simulate", *arguments)
    assert outcome.code == 2
    assert words in outcome.sentence


def test_a_port_that_is_taken_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run("simulate", "--web", "--web-port", str(taken.getsockname()[1]))
    assert outcome.code == 2
    assert "cannot be had: address already in use. Choose another with --web-port." in outcome.sentence


def test_without_the_extra_it_is_said_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sqlwatch.cli.web")
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    outcome = run("simulate", "--web")
    assert outcome.code == 2
    assert "pip install textual-serve" in outcome.sentence


def test_a_process_of_a_tab_shows_the_dashboard(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []

    def run_dashboard(session: object, **options: object) -> int:
        shown.append(session)
        session.start(lambda snapshot: None)  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr("sqlwatch.cli.dashboard.run_dashboard", run_dashboard)
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
    outcome = run("simulate", "--web", "--web-port", "0")
    assert (outcome.code, len(shown)) == (0, 1)
