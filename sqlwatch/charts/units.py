"""Numbers for people: durations, rates, counts, sizes and shares in few characters of a known greatest width.

Unknown is a dash, never 0.  The widths below are the most characters that a format uses, so columns can be stable.
"""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "\N{EN DASH}"
DURATION_WIDTH: Final = 6
COUNT_WIDTH: Final = 4
RATE_WIDTH: Final = 6
SIZE_WIDTH: Final = 6
SHARE_WIDTH: Final = 5

_SI: Final = ("", "k", "M", "G", "T", "P", "E")
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def duration(ns: float | None) -> str:
    """Write a duration given in ns; at most 6 characters up to 99,999 hours.

    >>> [duration(ns) for ns in (0, 640, 9_940, 512_000, 2_100_000, 131e6, 1.3e9, 42e9, 192e9, 3720e9)]
    ['0us', '0.6us', '9.9us', '512us', '2.1ms', '131ms', '1.3s', '42s', '3m12s', '1h02m']
    >>> duration(999_950), duration(59_950_000_000), duration(None) == UNKNOWN
    ('1.0ms', '1m00s', True)
    """
    if ns is None:
        return UNKNOWN
    if ns <= 0:
        return "0us"
    for unit, scale in (("us", 1e3), ("ms", 1e6)):
        value = ns / scale
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{value:.0f}{unit}"
    seconds = ns / 1e9
    if seconds < 9.95:
        return f"{max(seconds, 1.0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    hours = whole // 3600
    return f"{hours}h{whole % 3600 // 60:02d}m" if hours < 100 else f"{hours}h"


def clock(ns: float | None) -> str:
    """Write an elapsed time given in ns as minutes and seconds.

    >>> clock(23_400_000_000), clock(3_723_000_000_000)
    ('0:23', '1:02:03')
    """
    if ns is None:
        return UNKNOWN
    seconds = max(int(ns // 1_000_000_000), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def count(value: float | None) -> str:
    """Write a number of things in at most 4 characters (up to 10^21).

    >>> [count(value) for value in (0, 7, 999, 1_234, 12_345, 999_600, 1_250_000)]
    ['0', '7', '999', '1.2k', '12k', '1.0M', '1.2M']
    """
    if value is None:
        return UNKNOWN
    scaled = float(value)
    for prefix in _SI:
        if not prefix and abs(scaled) < 999.5:
            return f"{scaled:.0f}"
        if abs(scaled) < 9.95 or (prefix and abs(scaled) < 999.5):
            return f"{scaled:.1f}{prefix}" if abs(scaled) < 9.95 else f"{scaled:.0f}{prefix}"
        scaled /= 1000
    return f"{scaled * 1000:.0f}{_SI[-1]}"


def number(value: float | None) -> str:
    """Write a whole number of things with separators, as wide as it is.

    >>> number(2731), number(0), number(None) == UNKNOWN
    ('2,731', '0', True)
    """
    return UNKNOWN if value is None else f"{value:,.0f}"


def rate(per_s: float | None) -> str:
    """Write a rate per second in at most 6 characters.

    >>> rate(275.2), rate(105_300), rate(0.4), rate(0)
    ('275/s', '105k/s', '0.4/s', '0/s')
    """
    if per_s is None:
        return UNKNOWN
    return f"{per_s:.1f}/s" if 0 < per_s < 9.95 else f"{count(per_s)}/s"


def size(octets: float | None) -> str:
    """Write a number of bytes in at most 6 characters.

    >>> size(0), size(512), size(4_120_000), size(48_600_000)
    ('0B', '512B', '3.9MiB', '46MiB')
    """
    if octets is None:
        return UNKNOWN
    scaled = float(octets)
    for unit in _BINARY:
        if unit == "B" and scaled < 999.5:
            return f"{scaled:.0f}B"
        if scaled < 9.95:
            return f"{scaled:.1f}{unit}"
        if unit != "B" and scaled < 999.5:
            return f"{scaled:.0f}{unit}"
        scaled /= 1024
    return f"{scaled * 1024:.0f}{_BINARY[-1]}"


def share(part: float | None) -> str:
    """Write a share 0..1 as a percentage in at most 5 characters.

    >>> share(0), share(0.0004), share(0.0625), share(0.371), share(0.9996), share(1)
    ('0%', '<0.1%', '6.2%', '37%', '>99%', '100%')
    """
    if part is None:
        return UNKNOWN
    percent = part * 100
    if percent <= 0:
        return "0%"
    if percent < 0.1:
        return "<0.1%"
    if percent < 9.95:
        return f"{percent:.1f}%"
    if 99.5 <= percent < 100:
        return ">99%"
    return f"{percent:.0f}%"


def marked(text: str, mark: str = "~", looks: int | None = None) -> str:
    """Put the mark of a sampled figure before it, but not before a bound, which claims no more than that, or a dash.

    So a marked share keeps the width of others.  One that came from few `looks` is no bound, but about 0 % or 100 %.

    >>> [marked(share(part)) for part in (0, 0.0004, 0.371, 0.9996, 1)], marked(share(None)) == UNKNOWN
    (['~0%', '<0.1%', '~37%', '>99%', '~100%'], True)
    >>> [marked(share(part), looks=looks) for looks in (50, 500, 5000) for part in (0.0004, 0.9996)]
    ['~0%', '~100%', '~0%', '>99%', '<0.1%', '>99%']
    """
    if text == UNKNOWN:
        return text
    for sign, least, about in _BOUNDS:
        if text.startswith(sign):
            return text if not mark or looks is None or looks >= least else mark + about
    return mark + text


_BOUNDS: Final = (("<", 1_000, "0%"), (">", 100, "100%"))
"""The sign of a bound, how many looks can tell it, and what is written where there were fewer."""


def index(value: float | None) -> str:
    """Write an index between 0 and 1, such as Jain's.

    >>> index(0.125), index(1.0)
    ('0.12', '1.00')
    """
    return UNKNOWN if value is None else f"{value:.2f}"
