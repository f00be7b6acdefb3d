"""What the commands that observe a database have in common: their options' values."""

from __future__ import annotations

from simulators.quantities import parse_time_ns
from sqlwatch.cli.exits import CommandError, ExitCode

_LONGEST_S = 7 * 24 * 3600.0


def check_rate(text: str) -> float:
    """Return a sampling rate in Hz; raise CommandError if it is none."""
    from sqlwatch.observe.sampling import HIGHEST_RATE_HZ, LOWEST_RATE_HZ  # not for --help: it needs psutil

    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = 0.0
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise CommandError(
            f"--sample-rate {text}: give a number of looks a second from {LOWEST_RATE_HZ:g} to {HIGHEST_RATE_HZ:g}.",
            ExitCode.USAGE,
        )
    return rate_hz


def parse_span_s(option: str, text: str) -> float:
    """Return a time in seconds, above 0 and up to a week; raise CommandError if it is none."""
    try:
        span_s = parse_time_ns(text) / 1e9
    except ValueError as error:
        raise CommandError(f"{option} {text!r} {error}.", ExitCode.USAGE) from error
    if not 0 < span_s <= _LONGEST_S:
        raise CommandError(f"{option} {text} is out of range; give more than 0 and at most 168h.", ExitCode.USAGE)
    return span_s
