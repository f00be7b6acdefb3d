"""The page of a simulation or a lesson: whole, closed in itself, and proof against any text."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.events import Mode
from simulators.scenario import Phase, Published, Scenario, builtin
from simulators.workload import Workload, from_mapping
from sqlwatch.charts.svg import printable
from sqlwatch.diagnose.lesson import Lesson, judge
from sqlwatch.metrics.result import Result
from sqlwatch.metrics.snapshot import Mark, MarkKind, Period, Timeline
from sqlwatch.report.again import command_again
from sqlwatch.report.html import simulation_html
from tests.report.make import MS, SECOND, histogram, make_period, make_result, make_worker, results
from tests.report.pages import SVG, Page

HOSTILE = (
    st.text(st.characters(codec=None, exclude_categories=()), max_size=40)  # surrogates and controls too
    | st.sampled_from(["</script><script>alert(1)</script>", "]]>", "{{ 7*7 }}", '"><svg onload=x>', "<!--", "&lt;"])
    | st.text("\x00\x1b\ud800\udcff\ufffe<>&\"'", max_size=12)
)  # fmt: skip


def make_timeline(*commits: int, wal: int | None = None, marks: tuple[Mark, ...] = ()) -> Timeline:
    return Timeline(
        500 * MS, SECOND + len(commits) * 500 * MS, commits=commits, wal_bytes=(wal,) * len(commits), marks=marks
    )


def with_timelines(result: Result, *timelines: Timeline) -> Result:
    workloads = (Workload().to_mapping(),) * len(result.phases)
    return msgspec.structs.replace(result, timelines=timelines, workloads=workloads)


def lesson_of(result: Result, **changes: object) -> Lesson:
    scenario = msgspec.structs.replace(builtin("starvation"), **changes)
    return Lesson(scenario, judge(scenario, [result.phases]))


@settings(max_examples=60, deadline=None)
@given(results(), HOSTILE, st.lists(HOSTILE.filter(bool), min_size=5, max_size=5))
def test_no_text_breaks_out_of_the_page(result: Result, words: str, names: list[str]) -> None:
    named = zip(names, result.phases, strict=False)
    phases = tuple(msgspec.structs.replace(period, name=name) for name, period in named)
    result = msgspec.structs.replace(result, phases=phases, compared=None, message=words)
    result = with_timelines(result, *[make_timeline(1, 2, wal=4096)] * len(phases))
    scenario = Scenario(
        title=words, source=words, question=words, watch=words, expect=words, vanish=words, name=words,
        phases=tuple(Phase(name) for name in names), published=(Published(words, words),),
    )  # fmt: skip
    text = simulation_html(result, Lesson(scenario, ()), written=words)
    assert not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff]", text)
    text.encode()
    page = Page(text)
    assert page.is_self_contained()
    assert " ".join(printable(words).split()) in page.text
    assert {image.tag for image in page.images} <= {f"{SVG}svg"}


@settings(max_examples=40, deadline=None)
@given(results())
def test_any_result_is_a_page(result: Result) -> None:
    page = Page(simulation_html(result))
    assert page.is_self_contained()
    for image in page.images:
        assert image[0].tag == f"{SVG}title"
        assert image[0].text
        assert image[1].tag == f"{SVG}desc"
        assert image[1].text
        assert image.get("role") == "img"
        numbers = " ".join(part.get(name, "") for part in image.iter() for name in ("x", "y", "d", "x1", "y1"))
        assert not re.search("nan|inf|e", numbers)


def test_a_comparison_says_by_how_much() -> None:
    contended = make_period(elapsed_ns=2 * SECOND, until_ns=3 * SECOND, errors={5: 3, 517: 1})
    single = make_period(Mode.SINGLE_WRITER, committed=80, started_ns=3 * SECOND, until_ns=5 * SECOND)
    timeline = make_timeline(10, 10, 12, 8, 20, 20, 22, 18, wal=2**20)
    result = with_timelines(make_result(contended, single, compare=True), timeline, timeline)
    page = Page(simulation_html(result, written="on a Friday"))
    assert "single-writer against contended: 8.0/s commits instead of 20/s (0.40x)" in page.text
    for words in (
        "Commits over time", "The write-ahead log over time", "Who committed", "SQLITE_BUSY_SNAPSHOT", "p99.9",
        "1.0MiB", "on a Friday", "sqlwatch simulate --compare", "~ is sampled",
    ):  # fmt: skip
        assert words in page.text, words
    names = [title for image in page.images if (title := image[0].text)]
    assert names.count("Lock waits, contended") == 2, "one for screens and paper, one for phones"
    assert ("scope", "col") in page.attributes
    assert ("scope", "row") in page.attributes


def test_a_lesson_says_what_was_expected_and_published() -> None:
    starved = tuple(make_worker(number, 0, share=0.0, was_starved=True) for number in range(2, 5))
    contended = make_period(workers=(make_worker(1, share=1.0), *starved), unfinished_waits_ns=(8 * SECOND,))
    result = make_result(contended, make_period(Mode.SINGLE_WRITER))
    lesson = lesson_of(result)
    page = Page(simulation_html(result, lesson))
    for words in (
        lesson.scenario.title, lesson.scenario.question, "What the source published", "27.1 to 114.8 ms",
        "not shown", "STARVED: writer 2, 3, 4.", "3 of 4 committed nothing",
        "1 did not (diamonds); the longest of them lasted 8.0s",
        "sqlwatch simulate starvation", "No phase ran long enough",
    ):  # fmt: skip
        assert words in page.text, words


def test_only_cells_that_lie_in_a_phase_are_drawn() -> None:
    period = make_period(started_ns=SECOND + 250 * MS, until_ns=3 * SECOND)
    exit_mark = Mark(2 * SECOND, MarkKind.WORKER_EXIT, "writer 3: signal 9")
    timeline = make_timeline(1000, 10, 12, 8, 900, marks=(exit_mark,))
    page = Page(simulation_html(with_timelines(make_result(period), timeline)))
    (wide, _) = [image for image in page.images if image[0].text == "Commits a second"]
    assert wide[1].text == "contended at most 24/s."
    paths = [part.get("d", "") for part in wide.iter(f"{SVG}path") if part.get("class") == "ink-contended"]
    assert [path.count("M") for path in paths] == [3]
    assert "A cross marks a worker that ended" in page.text


def test_a_run_that_measured_nothing_has_a_page_too() -> None:
    page = Page(simulation_html(make_result(message="It was ended.")))
    assert "It was ended." in page.text
    assert "Nothing was measured" in page.text
    assert page.images == []


def test_what_does_not_add_up_is_said() -> None:
    accounting = msgspec.structs.replace(make_result().accounting, rows_in_database=78, lost=2)
    text = Page(simulation_html(make_result(make_period(), accounting=accounting))).text
    assert "2 lost" in text
    assert "difference -2" in text
    accounting = msgspec.structs.replace(accounting, rows_in_database=None)
    assert "could not be counted" in Page(simulation_html(make_result(accounting=accounting))).text


class TestCommand:
    """How to run it again."""

    def test_options_are_what_differs_from_the_defaults(self) -> None:
        given = {"writers": 3, "hold": "7ms", "group-commit": True, "duration": "2s", "mode": "mutex"}
        result = make_result(make_period(), workload=from_mapping(given).to_mapping())
        command = command_again(result)
        assert command == "sqlwatch simulate --writers 3 --mode mutex --group-commit --hold 7ms --duration 2s"

    def test_a_comparison_is_one(self) -> None:
        asked = from_mapping({}).to_mapping()
        result = make_result(make_period(), make_period(Mode.SINGLE_WRITER), compare=True, workload=asked)
        assert command_again(result) == "sqlwatch simulate --compare"

    def test_a_lesson_goes_by_its_name_with_what_was_given(self) -> None:
        scenario = builtin("starvation")
        workload = scenario.workload_of(scenario.phases[0], {"think": "200ms"}).to_mapping()
        period: Period = make_period(name=scenario.phases[0].name)
        result = make_result(period, workloads=(workload,))
        assert command_again(result, Lesson(scenario, ())) == "sqlwatch simulate starvation --think 200ms"
        own = msgspec.structs.replace(scenario, name="my own", phases=scenario.phases[:1])
        assert command_again(result, Lesson(own, ())) == "sqlwatch simulate 'my own.toml' --think 200ms"


def test_a_wait_longer_than_the_axis_stays_in_the_image() -> None:
    period = make_period(lock_wait=histogram(1, 60 * SECOND))
    for image in Page(simulation_html(make_result(period))).images:
        if image[0].text == "Lock waits, contended":
            (bars,) = [part.get("d", "") for part in image.iter(f"{SVG}path") if part.get("class") == "ink-contended"]
            starts = [float(x) for x in re.findall(r"M([\d.-]+) ", bars)]
            assert all(0 <= x <= float(image.get("width", "0")) for x in starts)
            assert len(starts) == 2
