"""The process behind a browser tab: sqlwatch itself, started anew, ended with the tab."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Any, Final

from aiohttp import ClientConnectionError
from textual_serve.app_service import AppService

_LEAVES_WITHIN_S: Final = 5.0
_ENDS_WITHIN_S: Final = 5.0
END_WITHIN_S: Final = _LEAVES_WITHIN_S + _ENDS_WITHIN_S + 1.0
"""After this time a tab's processes have ended, by force if need be, in seconds; they take about one."""
_MOST_COLUMNS: Final = 500
_MOST_ROWS: Final = 300
"""Beyond what any screen shows; a larger picture would only cost memory."""
_GONE: Final = (ConnectionError, ClientConnectionError)
"""What aiohttp raises for a browser that has gone."""


class Tab(AppService):
    """A dashboard in a process of its own, in a session of its own, so that ctrl+c reaches the server alone."""

    _ending: asyncio.Task[None] | None = None

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        """Start what was started here, on pipes; it finds out by its environment that it draws for a browser."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, *sys.orig_argv[1:],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            env=self._build_environment(*_bounded(width, height)),
        )  # fmt: skip
        # It shares our stderr, for its summary and errors; textual-serve insists on something to read.
        process.stderr = asyncio.StreamReader()
        process.stderr.feed_eof()
        self._process, self._stdin = process, process.stdin
        return process

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """Say what the terminal in the browser can do, whatever the one here can."""
        return super()._build_environment(width, height) | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tell the process about the new size of the page, in cells."""
        await super().set_terminal_size(*_bounded(width, height))

    async def run(self) -> None:
        """Pass on what the process draws; where nobody takes it any more, read on: a full pipe would block its end."""
        await super().run()
        assert self._process is not None
        assert self._process.stdout is not None
        while await self._process.stdout.read(1 << 16):
            pass

    async def on_data(self, payload: bytes) -> None:
        """Pass a part of the picture on, or drop it if the browser has gone."""
        with contextlib.suppress(*_GONE):
            await super().on_data(payload)

    async def on_meta(self, data: bytes) -> None:
        """Pass a message on, or drop it if the browser has gone."""
        with contextlib.suppress(*_GONE):
            await super().on_meta(data)

    async def stop(self) -> None:
        """Have the process leave, and return when it has ended; by force if it does not within some seconds."""
        if self._process is None:
            return
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(self._process))
        await asyncio.shield(self._ending)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVES_WITHIN_S):
                await self.send_meta({"type": "quit"})
                self.stdin.close()
                await process.wait()
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await process.wait()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


def _bounded(width: Any, height: Any) -> tuple[int, int]:
    """Return a size in cells that can be drawn; raise ValueError or TypeError for what is no number."""
    return min(max(int(width), 1), _MOST_COLUMNS), min(max(int(height), 1), _MOST_ROWS)
