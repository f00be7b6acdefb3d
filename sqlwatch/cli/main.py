"""The entry point: finds the command, loads only that, and turns errors into sentences and exit codes."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Final

import click

from sqlwatch import __version__
from sqlwatch.cli.exits import CommandError, ExitCode

_COMMANDS: Final = {
    "simulate": "Run a workload of writers and readers that fight for one database, and watch their locks.",
    "scenarios": "List the lessons, explain one, or check that they show here what they should.",
    "why": "Say who locks a database that other programs use, since when, and what to do.",
    "watch": "Watch a database that other programs use: who holds, who waits, what is wrong.",
}


_HELP: Final = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""Raised, by click 8.2 and later, for a command line without any argument; its message is the help."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is run or explained."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None if there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(f"sqlwatch.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the nearest for a wrong name."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_COMMANDS)}."
            raise click.UsageError(f"There is no command {args[0]}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 something was found, 2 wrong usage, 3 cannot observe, 128+n ended by signal n.",
)
@click.version_option(__version__, prog_name="sqlwatch", message="%(prog)s %(version)s")
def sqlwatch() -> None:
    """See who holds, who waits for and who starves on a SQLite database's locks.

    Begin with sqlwatch why app.db for a database that your programs use, or with sqlwatch simulate to see what
    contention looks like.
    """


def main() -> None:
    """Run the command line and exit."""
    sys.exit(_run())


def _run() -> int:
    try:
        code = sqlwatch.main(prog_name="sqlwatch", standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, _HELP):
            click.echo(error.format_message(), err=True)
            return ExitCode.USAGE
        return _say(error.format_message(), ExitCode.USAGE)
    except CommandError as error:
        return _say(error.message, error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    return code if isinstance(code, int) else ExitCode.DONE


def _say(message: str, code: int) -> int:
    sentence = message if message.endswith((".", "?", "!")) else f"{message}."
    click.echo(f"sqlwatch: {sentence}", err=True)
    return code
