"""Charts by example and by property: exact sizes, no exceptions, higher values are not drawn lower."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.buckets import BUCKET_COUNT, LOWER_EDGES_NS, bucket_of
from simulators.busy import LADDER_MS
from sqlwatch.charts import axis, units
from sqlwatch.charts.bars import bar_rows
from sqlwatch.charts.glyphs import ASCII, BLOCK, BRAILLE, GLYPH_SETS, GlyphSet
from sqlwatch.charts.histogram import Waits, rung_cells, spread, wait_histogram, wait_row
from sqlwatch.charts.segment import Ink, Segment, fitted, folded, inked, plain, width_of
from sqlwatch.charts.series import Happening, Series, time_chart, time_row
from sqlwatch.metrics.ladder import RUNGS_MS

glyph_sets = st.sampled_from(list(GLYPH_SETS.values()))
sizes = st.tuples(st.integers(0, 160), st.integers(0, 40))
bucket_counts = st.lists(st.one_of(st.just(0), st.integers(0, 10**12)), max_size=BUCKET_COUNT)
durations = st.integers(-5, 10**13)
values = st.lists(st.one_of(st.none(), st.floats(0, 1e15), st.just(float("nan")), st.just(float("inf"))), max_size=300)


def counts_of(*durations_ns: int) -> list[int]:
    counts = [0] * BUCKET_COUNT
    for duration_ns in durations_ns:
        counts[bucket_of(duration_ns)] += 1
    return counts


def test_the_rungs_are_those_of_the_ladder() -> None:
    waited, rungs = 0, []
    for retry in range(20):
        waited += LADDER_MS[min(retry, len(LADDER_MS) - 1)]
        rungs.append(waited)
    assert list(RUNGS_MS[:20]) == rungs


@pytest.mark.parametrize("glyphs", [BRAILLE, BLOCK, ASCII])
def test_a_wait_that_ends_on_a_rung_is_drawn_over_its_mark(glyphs: GlyphSet) -> None:
    for rung_ms in (1, 3, 8, 18):
        waits = Waits("contended", counts_of(rung_ms * 1_000_000 + 80_000), Ink.CONTENDED)
        rows = [plain(row) for row in wait_histogram([waits], 160, 12, glyphs)]
        mark = axis.GUTTER + axis.log_cell(rung_ms * 1e6, 160 - axis.GUTTER)
        line = next(row for row in rows if row.lstrip().startswith(glyphs.corner))
        assert line[mark] == glyphs.rung
        bottom = next(row for row in rows if row.lstrip().startswith("0%"))
        drawn = [cell for cell in range(axis.GUTTER, 160) if bottom[cell] not in (" ", glyphs.guide)]
        assert drawn
        assert all(-1 <= cell - mark <= 2 for cell in drawn)  # a bucket may begin just below its rung


def test_the_axis_does_not_move_with_the_data() -> None:
    short = wait_histogram([Waits("a", counts_of(20_000), Ink.CONTENDED)], 100, 14, BLOCK)
    long = wait_histogram([Waits("b", counts_of(9_000_000_000), Ink.SINGLE_WRITER)], 100, 14, BLOCK)
    assert [plain(row) for row in short[-3:]] == [plain(row) for row in long[-3:]]


def test_unfinished_waits_are_counted_where_they_are() -> None:
    waits = Waits("contended", counts_of(20_000), Ink.CONTENDED)
    rows = wait_histogram([waits], 107, 14, BLOCK, unfinished_ns=[10**10, 10**10, 5_000_000], starved_after_ns=10**9)
    now = next(row for row in rows if plain(row).lstrip().startswith("waiting"))
    cells = plain(now)
    assert cells[axis.GUTTER + axis.log_cell(10**10, 100)] == "2"
    assert cells[axis.GUTTER + axis.log_cell(5_000_000, 100)] == "1"
    assert Segment("2", Ink.WARNING) in now


def test_two_modes_stand_above_one_axis() -> None:
    series = [
        Waits("contended", counts_of(10**8), Ink.CONTENDED),
        Waits("single-writer", counts_of(10**7), Ink.SINGLE_WRITER),
    ]
    text = [plain(row) for row in wait_histogram(series, 80, 16, BLOCK)]
    names = [index for index, row in enumerate(text) if "contended" in row or "single-writer" in row]
    assert len(names) == 2
    assert sum("100us" in row for row in text) == 1


@settings(deadline=None)
@given(bucket_counts, st.integers(1, 400))
def test_spreading_keeps_the_sum(counts: list[int], columns: int) -> None:
    assert sum(spread(counts, columns)) == pytest.approx(sum(counts))


@settings(deadline=None)
@given(st.lists(bucket_counts, max_size=3), sizes, glyph_sets, st.booleans(), st.lists(durations, max_size=20))
def test_a_histogram_has_exactly_its_size(
    all_counts: list[list[int]], size: tuple[int, int], glyphs: GlyphSet, logarithmic: bool, unfinished: list[int]
) -> None:
    width, height = size
    caption = ((Segment("p99 131ms"),), (Segment("longest 1.2s"),))
    series = [Waits(f"mode {index}", counts, Ink.CONTENDED, caption) for index, counts in enumerate(all_counts)]
    rows = wait_histogram(
        series, width, height, glyphs, logarithmic=logarithmic, unfinished_ns=unfinished, starved_after_ns=10**9
    )
    assert len(rows) == height
    assert all(width_of(row) == width for row in rows)


@settings(deadline=None)
@given(bucket_counts, st.integers(0, 120), glyph_sets, st.sampled_from(["", "waits "]))
def test_a_row_of_waits_has_exactly_its_width(counts: list[int], width: int, glyphs: GlyphSet, label: str) -> None:
    waits = Waits("contended", counts, Ink.CONTENDED, ((Segment("p99 131ms"),),))
    assert width_of(wait_row(waits, width, glyphs, label)) == width


@settings(deadline=None)
@given(
    values,
    sizes,
    glyph_sets,
    st.integers(1, 10**11),
    st.booleans(),
    st.lists(st.tuples(st.floats(-1e9, 1e12), st.sampled_from(["", "single-writer"])), max_size=9),
)
def test_a_time_chart_has_exactly_its_size(
    values: list[float | None],
    size: tuple[int, int],
    glyphs: GlyphSet,
    period_ns: int,
    peaks: bool,
    marks: list[tuple[float, str]],
) -> None:
    width, height = size
    series = Series(values, period_ns, [Ink.SERIES] * len(values), end_period=7, peaks=peaks)
    happenings = [Happening(ago_ns, glyphs.checkpoint, Ink.MARK, words) for ago_ns, words in marks]
    for limit in (axis.nice_limit, axis.nice_binary_limit):
        rows = time_chart(series, width, height, glyphs, write=units.size, happenings=happenings, limit=limit)
        assert len(rows) == height
        assert all(width_of(row) == width for row in rows)
    assert width_of(time_row(series, width, glyphs, "tx ", [(Segment("275/s"),)])) == width


def test_the_axis_reaches_the_value_that_the_title_gives() -> None:
    young = Series([100.0], 10**9, [Ink.SERIES], now=823.0)
    (top, *_) = time_chart(young, 40, 6, BLOCK, write=units.rate)
    assert plain(top).startswith("1.0k/s")


@pytest.mark.parametrize("limit", [1.0, 2.0, 40.0, 600.0, 8000.0, 1e7])
@pytest.mark.parametrize("is_binary", [False, True])
def test_a_tall_axis_has_a_label_about_every_five_rows(limit: float, is_binary: bool) -> None:
    top = limit * 1024 if is_binary else limit
    texts = [row[0].text[:-1].strip() for row in axis.gutters(31, top, units.size if is_binary else units.rate, "|")]
    labels = [text for text in texts if text]
    assert 3 <= len(labels) == len(set(labels)) <= 7
    rows = [number for number, text in enumerate(texts) if text]
    gaps = [second - first for first, second in pairwise(rows)]
    assert min(gaps) >= 5
    assert max(gaps) - min(gaps) <= 1, "they stand evenly"


def test_a_small_axis_has_its_ends_and_where_there_is_a_middle_its_half() -> None:
    for height in range(2, 11):
        texts = [row[0].text[:-1].strip() for row in axis.gutters(height, 600, units.rate, "|")]
        half = ["300/s"] if height % 2 else []
        assert [text for text in texts if text] == ["600/s", *half, "0/s"]


def test_words_of_a_mark_stand_left_where_there_is_no_room_at_the_right() -> None:
    series = Series([1.0] * 60, 10**9, [Ink.SERIES] * 60)
    chart = time_chart(
        series, 67, 6, BLOCK, write=units.rate, happenings=[Happening(2e9, "v", Ink.MARK, "single-writer")]
    )
    assert "single-writer v" in plain(chart[-2])


def test_a_mode_keeps_its_colour_over_time() -> None:
    series = Series([5.0] * 120, 10**9, [Ink.CONTENDED] * 60 + [Ink.SINGLE_WRITER] * 60, end_period=120)
    bottom = time_chart(series, axis.GUTTER + 120, 4, BLOCK, write=units.rate)[2]
    assert [segment.ink for segment in bottom[1:]] == [Ink.CONTENDED, Ink.SINGLE_WRITER]
    assert [len(segment.text) for segment in bottom[1:]] == [60, 60]


@given(glyph_sets, st.integers(1, 12), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_value_is_not_drawn_lower(glyphs: GlyphSet, height: int, one: float, other: float) -> None:
    low, high = sorted((one, other))

    def reach(fraction: float) -> int:
        rows = glyphs.fill([fraction] * glyphs.columns, height)
        steps = {char: glyphs.fills.index(char) for row in rows for char in row}
        return sum(steps[row[0]] for row in rows)

    assert reach(low) <= reach(high)
    assert reach(high) > 0 or high == 0
    assert reach(0.0) == 0


@given(glyph_sets, st.floats(allow_nan=True, allow_infinity=True), st.integers(1, 60))
def test_a_bar_has_exactly_its_width(glyphs: GlyphSet, fraction: float, width: int) -> None:
    assert len(glyphs.bar(fraction, width)) == width


@given(sizes, glyph_sets, st.lists(st.tuples(st.text("ab ", max_size=9), st.none() | st.floats(0, 9)), max_size=9))
def test_bars_have_exactly_their_size(
    size: tuple[int, int], glyphs: GlyphSet, bars: list[tuple[str, float | None]]
) -> None:
    rows = bar_rows([(label, value, Ink.SERIES) for label, value in bars], *size, glyphs)
    assert len(rows) == size[1]
    assert all(width_of(row) == size[0] for row in rows)


@given(st.floats(0, 1e18), st.floats(1e-9, 1e6))
def test_a_limit_is_not_below_its_value(largest: float, least: float) -> None:
    assert axis.nice_limit(largest, least) >= max(largest, least) * (1 - 1e-9)
    assert axis.nice_binary_limit(largest) >= largest * (1 - 1e-9)


@settings(deadline=None)
@given(st.integers(1, 300))
def test_rungs_stand_apart_and_inside(width: int) -> None:
    cells = rung_cells(width)
    assert all(0 <= cell < width for cell in cells)
    assert all(later - earlier >= 2 for earlier, later in pairwise(cells))


@given(st.integers(1, 300))
def test_the_time_axis_ascends(width: int) -> None:
    cells = [axis.log_cell(edge_ns, width) for edge_ns in LOWER_EDGES_NS]
    assert cells == sorted(cells)
    assert cells[0] == 0
    assert cells[-1] == width - 1
    assert len(axis.log_labels(width)) == width


@given(st.text("abc", max_size=20), st.integers(0, 30))
def test_fitting_is_exact(text: str, width: int) -> None:
    row = fitted(inked(text, [Ink.TEXT if char == "a" else Ink.MARK for char in text]), width)
    assert plain(row) == text[:width].ljust(width)


def test_charts_need_no_terminal_library() -> None:
    modules = "axis, bars, glyphs, histogram, segment, series, units"
    code = (
        f"import sys; from sqlwatch.charts import {modules}; print(sorted({{'rich', 'textual'}} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@given(st.integers(1, 240), st.integers(12, 200), st.sampled_from([BLOCK, BRAILLE, ASCII]))
def test_the_axis_tells_the_time_that_is_drawn(count: int, width: int, glyphs: GlyphSet) -> None:
    """Half of the known time is marked by a happening, which must stand in the middle of the bars."""
    series = Series([1.0] * count, 10**9, [Ink.SERIES] * count, end_period=count)
    chart = time_chart(
        series, width, 6, glyphs, write=units.rate, happenings=[Happening(count / 2 * 1e9, "!", Ink.MARK)]
    )
    bars, marks = plain(chart[-3])[axis.GUTTER :], plain(chart[-2])[axis.GUTTER :]
    first = next(cell for cell, char in enumerate(bars) if char != " ")
    if "!" in marks and first:
        assert abs(marks.index("!") - (first + len(bars)) / 2) <= 1.5


def test_a_young_chart_is_not_an_empty_one() -> None:
    for count, cells, oldest in ((10, 40, "-14s"), (16, 32, "-30s"), (60, 60, "-60s")):
        series = Series([1.0] * count, 10**9, [Ink.SERIES] * count)
        chart = [plain(row) for row in time_chart(series, 67, 6, BLOCK, write=units.rate)]
        assert chart[0].count("█") == cells
        assert chart[-1].split()[0] == oldest


@given(st.lists(st.tuples(st.text("ab  ", max_size=9), st.sampled_from(Ink)), max_size=9), st.integers(1, 12))
def test_a_folded_row_keeps_every_word_and_its_inks(parts: list[tuple[str, Ink]], width: int) -> None:
    row = tuple(Segment(text, ink) for text, ink in parts)
    lines = folded(row, width)
    assert lines
    assert all(width_of(line) <= width for line in lines)
    signs = [(sign, ink) for text, ink in row for sign in text if sign != " "]
    assert [(sign, ink) for line in lines for text, ink in line for sign in text if sign != " "] == signs
    words, kept = plain(row).split(), [word for line in lines for word in plain(line).split()]
    assert "".join(kept) == "".join(words)
    if max(map(len, words), default=0) <= width:
        assert kept == words, "only a word that is too long is cut"
