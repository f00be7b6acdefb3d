"""The browser view: serves the dashboard with textual-serve; each tab is a run of its own.

Needs the extra `web`; everything comes from this machine, the page refers to nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Final, cast

from aiohttp import WSCloseCode, web
from aiohttp.http_exceptions import HttpProcessingError
from jinja2 import Template
from textual_serve.server import Server

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.cli.output import say
from sqlwatch.cli.web_guard import Guard
from sqlwatch.cli.web_options import WebAddress
from sqlwatch.cli.web_tab import END_WITHIN_S, Tab

MOST_TABS: Final = 8
"""Each tab starts all the processes of a run."""
_CLOSING_S: Final = 1.0
_LARGEST_MESSAGE: Final = 1 << 20
_BAD_MESSAGE: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What textual-serve raises for a message that no page of ours sends."""


class WebView(Server):
    """Serves one page, the terminal in it, and a process for each tab."""

    def __init__(self, title: str, guard: Guard, port: int) -> None:
        """Prepare to serve at a port, which names the cookie: cookies are shared by all ports of a host."""
        super().__init__(command=title, port=port, title=title)
        self._guard = guard
        self._cookie = f"sqlwatch-{port}"
        page = resources.files("sqlwatch.cli").joinpath("web_page.html").read_text(encoding="utf-8")
        self._page = Template(page, autoescape=True)
        self._connections: dict[web.WebSocketResponse, asyncio.BaseTransport | None] = {}
        self._tabs: set[Tab] = set()
        """Those whose process may still run; it ends after its connection."""

    async def _make_app(self) -> web.Application:
        """Return the application; nothing in it is reached past the guard."""
        app = web.Application(middlewares=[self._check])
        app.add_routes(
            [
                web.get("/", self.show_page),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_response_prepare.append(self._restrict)
        app.on_shutdown.append(self.on_shutdown)
        app.on_cleanup.append(self._end_tabs)
        return app

    @web.middleware
    async def _check(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        tokens = (request.query.get("token"), request.cookies.get(self._cookie))
        hosts = request.headers.getall("Host", [])
        refusal = self._guard.refusal(
            host=hosts[0] if len(hosts) == 1 else "",
            origin=request.headers.get("Origin"),
            tokens=tuple(token for token in tokens if token is not None),
            is_websocket=request.path == "/ws",
        )
        if refusal is not None:
            raise web.HTTPForbidden(text=f"{refusal}\n")
        return await handler(request)

    async def _restrict(self, request: web.Request, response: web.StreamResponse) -> None:
        """Have the browser refuse frames around the page, guesses of types, and talk of the token elsewhere."""
        response.headers.update(
            {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
        )

    async def show_page(self, request: web.Request) -> web.Response:
        """Return the page, which connects back to where it came from and nowhere else."""
        nonce = secrets.token_urlsafe(16)
        scheme = "wss" if request.secure else "ws"
        text = self._page.render(title=self.title, nonce=nonce, websocket=f"{scheme}://{request.host}/ws")
        response = web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data:; connect-src 'self' {scheme}://{request.host}; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
        if self._guard.token is not None:
            response.set_cookie(self._cookie, self._guard.token, httponly=True, samesite="Lax", path="/")
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a dashboard for one tab until the tab is closed or the dashboard is left."""
        if len(self._connections) >= MOST_TABS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_TABS} tabs are open already; close one.\n")
        connection = web.WebSocketResponse(heartbeat=15, timeout=_CLOSING_S, max_msg_size=_LARGEST_MESSAGE)
        await connection.prepare(request)
        self._connections[connection] = request.transport
        tab = Tab(
            self.command, write_bytes=connection.send_bytes, write_str=connection.send_str,
            close=cast("Callable[[], Awaitable[None]]", connection.close), download_manager=self.download_manager,
        )  # fmt: skip
        self._tabs.add(tab)
        try:
            await tab.start(int(request.query.get("width", "80")), int(request.query.get("height", "24")))
            await self._process_messages(connection, tab)
        except _BAD_MESSAGE:
            await connection.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not understood")
        finally:
            await _close(connection, self._connections.pop(connection))
            await tab.stop()
            self._tabs.discard(tab)
        return connection

    async def on_shutdown(self, app: web.Application) -> None:
        """Close all connections; each tab then ends its process."""
        await asyncio.gather(*(_close(*one) for one in self._connections.items()))

    async def _end_tabs(self, app: web.Application) -> None:
        """Wait for the processes of tabs that were closed shortly before: aiohttp does not."""
        await asyncio.gather(*(tab.stop() for tab in self._tabs))


async def _close(connection: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
    """Close a connection for good, also if the browser takes nothing any more: whoever sends must not wait for it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSING_S):
            await connection.close(code=WSCloseCode.GOING_AWAY, message=b"ended")
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def serve(address: WebAddress, title: str) -> int:
    """Serve until a signal ends it, and return when all processes have ended: 0, or 128 + the signal but SIGINT's.

    Raise CommandError if the address cannot be had, or if other machines could reach it without leave.
    """
    listening = _listen(address)
    host, port = listening.getsockname()[:2]
    token = None if _is_loopback(host) else secrets.token_urlsafe(24)
    shown = socket.gethostname() if ipaddress.ip_address(host).is_unspecified else address.host
    shown = f"[{shown}]" if ":" in shown else shown
    query = "" if token is None else f"?token={token}"
    words = f"{title}: open http://{shown}:{port}/{query}\nEach tab is a run of its own; ctrl+c here ends all."
    if token is not None:
        words += "\nWhoever knows this address can use it. The connection is not encrypted."
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    with contextlib.redirect_stdout(sys.stderr):
        return asyncio.run(_run(WebView(title, Guard(token), port), listening, words))


async def _run(view: WebView, listening: socket.socket, words: str) -> int:
    ended: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()

    def end(number: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    runner = web.AppRunner(await view._make_app(), access_log=None, shutdown_timeout=END_WITHIN_S)
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        say(words)
        number = await ended
    finally:
        await runner.cleanup()
    # To end it is the only way to be done with it.
    return ExitCode.DONE if number == signal.SIGINT else 128 + number


def _listen(address: WebAddress) -> socket.socket:
    """Return a socket at the address, checked; raise CommandError with a sentence."""
    try:
        family, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise CommandError(f"--web-host {address.host} is no address of this machine.", ExitCode.USAGE) from error
    if not _is_loopback(str(place[0])) and not address.allow_remote:
        raise CommandError(
            f"At {address.host} other machines could use this dashboard. If you want that, add --web-allow-remote.",
            ExitCode.USAGE,
        )
    try:
        return socket.create_server(place[:2], family=family)
    except OSError as error:
        words = os.strerror(error.errno).lower() if error.errno else str(error)
        raise CommandError(
            f"Port {address.port} of {address.host} cannot be had: {words}. Choose another with --web-port.",
            ExitCode.USAGE,
        ) from error


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell whether a message is about this program, and not about a request that is no HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
