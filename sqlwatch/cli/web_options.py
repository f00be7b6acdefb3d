"""The options of the browser view, the same for `simulate` and `watch`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.tui.browser import is_in_browser

PORT: Final = 8765

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ONE_RESULT: Final = ("headless", "format_", "output", "html", "record", "fail_on", "db")
"""Options that mean one run with one result, by the names of their parameters."""
_EXTRA: Final = ("textual_serve", "aiohttp", "aiohttp_jinja2")
"""What the extra `web` installs."""
_ONLY_WEB: Final = ("web_host", "web_port", "web_allow_remote")


@dataclass(frozen=True)
class WebAddress:
    """Where the browser view is to be served."""

    host: str
    port: int
    """0 for any free port."""
    allow_remote: bool
    """Whether it may be an address that other machines reach."""


def web_options(command: _Command) -> _Command:
    """Give a command the options of the browser view; it receives them as `web`, a WebAddress or None."""

    @functools.wraps(command)
    def with_web(*args: Any, web: bool, web_host: str, web_port: int, web_allow_remote: bool, **given: Any) -> Any:
        _check(click.get_current_context(), web)
        # The process that the server starts for a tab has the same arguments, and is the dashboard itself.
        is_server = web and not is_in_browser()
        address = WebAddress(web_host, web_port, web_allow_remote) if is_server else None
        return command(*args, web=address, **given)

    options = (
        click.option("--web", is_flag=True, help="Serve the dashboard to browsers on this machine; each tab is a run."),
        click.option("--web-host", metavar="HOST", default="127.0.0.1", show_default=True, help="Address to serve at."),
        click.option(
            "--web-port", type=click.IntRange(0, 65535), default=PORT, show_default=True, metavar="PORT",
            help="Port to serve at; 0 takes any free one.",
        ),
        click.option(
            "--web-allow-remote", is_flag=True,
            help="Let --web-host be an address that other machines reach; the printed address then has a token.",
        ),
    )  # fmt: skip
    wrapped: Any = with_web
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]  # click's decorators keep the type of a command, and say Any


def _check(context: click.Context, web: bool) -> None:
    """Raise CommandError for options that do not go together."""
    wrong = _ONE_RESULT if web else _ONLY_WEB
    why = "cannot be had with --web: each tab is a run of its own" if web else "is for the browser view; add --web"
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in wrong and source is ParameterSource.COMMANDLINE:
            raise CommandError(f"{parameter.opts[-1]} {why}.", ExitCode.USAGE)


def serve_in_browser(address: WebAddress, title: str) -> int:
    """Serve the dashboard to browsers until a signal ends it; raise CommandError without the extra `web`."""
    try:
        from sqlwatch.cli.web import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise CommandError(
            "The browser view needs the package textual-serve: pip install textual-serve (it is the extra web).",
            ExitCode.USAGE,
        ) from error
    return serve(address, title)
