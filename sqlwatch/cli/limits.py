"""The option `--limit NAME=VALUE`: from where on the diagnosis calls something wrong."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final, get_type_hints

import click
import msgspec

from simulators.quantities import Size, format_time, parse_time_ns
from sqlwatch.cli.exits import CommandError, ExitCode
from sqlwatch.diagnose.thresholds import DEFAULT_LIMITS, Limits

_FIELDS: Final = {
    field.name.removesuffix("_ns").removesuffix("_bytes").removesuffix("_share").replace("_", "-"): field.name
    for field in msgspec.structs.fields(Limits)
}


def parse_limits(given: Sequence[str]) -> Limits:
    """Return the limits with those that were given; raise CommandError for a wrong name or value."""
    values: dict[str, int | float] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"write NAME=VALUE with a name of {', '.join(_FIELDS)}."
            raise CommandError(f"--limit {text}: there is no such limit; {hint}", ExitCode.USAGE)
        field = _FIELDS[name]
        try:
            values[field] = _parse(field, value)
        except ValueError as error:
            raise CommandError(f"--limit {text}: {value!r} {error}.", ExitCode.USAGE) from error
    return msgspec.structs.replace(DEFAULT_LIMITS, **values)


def _parse(field: str, value: str) -> int | float:
    if field.endswith("_ns"):
        return parse_time_ns(value)
    if field.endswith("_bytes"):
        return Size.parse(value).bytes
    if field.endswith("_share"):
        try:
            share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            raise ValueError("is not a share; write for example 0.9 or 90%")
        return share
    if not value.isascii() or not value.isdigit():
        raise ValueError("is not a whole number")
    return int(value)


def _written(field: str) -> str:
    value = getattr(DEFAULT_LIMITS, field)
    if field.endswith("_ns"):
        return format_time(value)
    return str(Size(value)) if field.endswith("_bytes") else f"{value:g}" if field.endswith("_share") else str(value)


class LimitsCommand(click.Command):
    """A command whose help explains all limits."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the limits, what they mean and their defaults."""
        hints = get_type_hints(Limits, include_extras=True)
        rows = []
        for name, field in _FIELDS.items():
            meta = next(part for part in hints[field].__metadata__ if isinstance(part, msgspec.Meta))
            rows.append((f"{name}={_written(field)}", meta.description or ""))
        with formatter.section("Limits (--limit NAME=VALUE)"):
            formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)
