"""Numbers stay within their widths, grow with their value, and unknown is a dash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlwatch.charts import units


@given(st.floats(0, 3.5e15))
def test_durations_keep_their_width(ns: float) -> None:
    assert len(units.duration(ns)) <= units.DURATION_WIDTH


@given(st.floats(0, 1e20))
def test_counts_and_rates_keep_their_width(value: float) -> None:
    assert len(units.count(value)) <= units.COUNT_WIDTH
    assert len(units.rate(value)) <= units.RATE_WIDTH


@given(st.floats(0, 1e18))
def test_sizes_keep_their_width(value: float) -> None:
    assert len(units.size(value)) <= units.SIZE_WIDTH


@given(st.floats(0, 1))
def test_shares_keep_their_width(value: float) -> None:
    assert len(units.share(value)) <= units.SHARE_WIDTH
    assert len(units.marked(units.share(value))) <= units.SHARE_WIDTH


@given(st.integers(1, 3_600_000_000_000))
def test_a_duration_reads_as_what_it_is(ns: int) -> None:
    text = units.duration(ns)
    scale = {"us": 1e3, "ms": 1e6, "s": 1e9}
    if "m" in text.removesuffix("ms") or "h" in text:
        hours, _, minutes = text.rpartition("h")
        if hours:
            read = int(hours) * 3600e9 + int(minutes.removesuffix("m")) * 60e9
        else:
            whole, _, seconds = text.partition("m")
            read = int(whole) * 60e9 + int(seconds.removesuffix("s")) * 1e9
    else:
        unit = next(unit for unit in ("us", "ms", "s") if text.endswith(unit))
        read = float(text.removesuffix(unit)) * scale[unit]
    assert abs(read - ns) <= max(0.06 * ns, 60)


def test_unknown_is_a_dash() -> None:
    for write in (units.duration, units.clock, units.count, units.rate, units.size, units.share, units.index):
        assert write(None) == units.UNKNOWN == "\N{EN DASH}"
