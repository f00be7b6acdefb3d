from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from simulators.scenario import Scenario, ScenarioError, builtin, names, parse, read
from sqlwatch.diagnose.compared import phases_in_words
from sqlwatch.diagnose.lesson import FIGURES, check_figures, judge, verdict
from sqlwatch.metrics.histogram import HistogramBuilder
from sqlwatch.metrics.snapshot import Period

HEAD = 'title = "T"\n[workload]\nwriters = 2\nduration = "1s"\n[[phases]]\nname = "a"\n[[phases]]\nname = "b"\n'


def period(name: str, committed: int, elapsed_ns: int = 10**9) -> Period:
    return Period(name, None, 1, 0, elapsed_ns, committed=committed, finished=committed)


@pytest.mark.parametrize("name", names())
def test_every_lesson_is_whole(name: str) -> None:
    lesson = builtin(name)
    check_figures(lesson, name)
    assert lesson.name == name
    for text in (
        lesson.title,
        lesson.source,
        lesson.place,
        lesson.question,
        lesson.watch,
        lesson.expect,
        lesson.vanish,
    ):
        assert text.strip(), "a lesson leaves nothing unsaid"
    assert lesson.phases
    assert lesson.effects
    assert lesson.length_s <= 25, "with starting and ending it must be over in 30 s"


@pytest.mark.parametrize("name", names())
def test_what_phases_run_is_told_apart(name: str) -> None:
    lesson = builtin(name)
    told = phases_in_words(lesson)
    assert [phase for phase, _ in told] == [phase.name for phase in lesson.phases]
    assert len({words for _, words in told}) == len(told), "no two phases are said to run the same"
    assert all(" " not in phase and "," not in phase for phase, _ in told), "a name that stands in a sentence"


def test_what_the_first_phase_runs_is_whole() -> None:
    text = "[workload]\nwriters=2\npayload='1KiB'\nautocheckpoint=100\n[[phases]]\nname='a'\n[[phases]]\nname='b'\n"
    (_, first), (_, second) = phases_in_words(parse(text + "workload={mode='mutex',group-commit=true}", "x"))
    assert first.endswith("payload 1KiB, autocheckpoint 100, contended")
    assert second == "the same with mode mutex, group-commit"


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"did you mean starvation\?"):
        builtin("starvaton")
    with pytest.raises(ScenarioError, match="lists them"):
        builtin("zzz")


def test_a_file_with_a_workload_alone_is_a_scenario(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[workload]\nwriters = 3\n")
    scenario = read(path)
    assert (scenario.name, scenario.phases, scenario.workload) == ("mine", (), {"writers": 3})


def test_parameters_of_a_phase_go_before_those_of_the_scenario_and_given_ones_before_all() -> None:
    scenario = parse(HEAD + "[phases.workload]\nwriters = 5\n", "x")
    first, second = scenario.phases
    assert scenario.workload_of(first).writers == 2
    assert scenario.workload_of(second).writers == 5
    assert scenario.workload_of(second, {"writers": 7}).writers == 7
    assert scenario.length_s == pytest.approx(2.6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = \n", "line 1"),
        ("titel = 'x'\n", "did you mean title?"),
        ("writers = 3\n", "belongs under [workload]"),
        ("title = 3\n", "title: 3 is not a text"),
        ("[workload]\nwriters = 99\n", "workload.writers: 99 is not allowed"),
        ("repeats = 0\n", "repeats"),
        (HEAD + "hold = '1ms'\n", "phases[1]"),
        (HEAD + "[phases.workload]\nwriters = 99\n", "phases[1].workload.writers: 99"),
        (HEAD.replace('"b"', '"a"'), "'a' is there twice"),
        (HEAD + "[[effects]]\nsays='x'\nfigure='jain'\nof='c'\nat-least=1\n", "effects[0].of: there is no phase 'c'"),
        (HEAD + "[[effects]]\nsays='x'\nfigure='jain'\nof='a'\n", "give at-least or at-most"),
        (HEAD + "[[effects]]\nsays='x'\nfigure='jain'\nat-least=1\n", "effects[0]"),
        (
            HEAD + "[[effects]]\nsays='x'\nfigure='jain'\nof='a'\nagainst='a'\nat-least=1\n",
            "against itself is always 1",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_or_line(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(text, "my.toml")
    assert str(raised.value).startswith("my.toml")
    assert words in str(raised.value)


def test_a_figure_that_there_is_not_is_refused() -> None:
    scenario = parse(HEAD + "[[effects]]\nsays='x'\nfigure='jian'\nof='a'\nat-least=1\n", "my.toml")
    with pytest.raises(ScenarioError, match=r"effects\[0\].figure: .* did you mean jain\?"):
        check_figures(scenario, "my.toml")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("service_latency_p99_ns", r"there is no figure service_latency_p99_ns; did you mean service_latency_p99_ms\?"),
        ("commits_per_s", "commits_per_s has not the unit of commit_latency_p99_ms"),
    ],
)
def test_figures_that_cannot_be_compared_are_refused(other: str, words: str) -> None:
    effect = f"[[effects]]\nsays='x'\nfigure='commit_latency_p99_ms'\nagainst-figure='{other}'\nof='a'\nat-least=1\n"
    with pytest.raises(ScenarioError, match=rf"my.toml: effects\[0\].against-figure: {words}"):
        check_figures(parse(HEAD + effect, "my.toml"), "my.toml")


def test_two_figures_of_one_phase_are_compared() -> None:
    histogram = HistogramBuilder()
    histogram.add(40_000_000)
    blind = HistogramBuilder()
    blind.add(2_000_000)
    one = msgspec.structs.replace(
        period("a", 100), commit_latency=histogram.freeze(), service_latency=blind.freeze()
    )  # fmt: skip
    text = "[[effects]]\nsays='p99'\nfigure='commit_latency_max_ms'\nagainst-figure='service_latency_max_ms'\nof='{}'\n"
    scenario = parse(HEAD + text.format("a") + "at-least=10\n" + text.format("b") + "against='a'\nat-least=1\n", "x")
    check_figures(scenario, "x")
    same, other = judge(scenario, [[one, period("b", 100)]])
    assert (same.measured, same.shown, same.against) == (20.0, True, "its service_latency_max_ms")
    assert same.words == "p99: 40ms in a, 20x its service latency max of 2.0ms; expected at least 10x"
    assert (other.measured, other.against) == (None, "service_latency_max_ms of a"), "a closed loop has no blind figure"


def effects(*lines: str) -> Scenario:
    return parse(
        HEAD + "".join(f"[[effects]]\nsays='throughput'\nfigure='commits_per_s'\n{line}\n" for line in lines), "x"
    )


def test_effects_are_medians_of_ratios_over_the_repeats() -> None:
    scenario = effects("of='b'\nagainst='a'\nat-least=2\npublished=20")
    repeats = [[period("a", 100), period("b", count)] for count in (150, 300, 900)]
    (shown,) = judge(scenario, repeats)
    assert (shown.measured, shown.low, shown.high, shown.shown) == (3.0, 1.5, 9.0, True)
    assert shown.words == (
        "throughput: 300/s in b, 3x the 100/s in a (1.5x to 9x in the repeats); expected at least 2x; "
        "the source says 20x, and here it is less"
    )
    assert verdict([shown]) == "shown"


def test_what_does_not_appear_is_said() -> None:
    scenario = effects("of='a'\nat-most=50", "of='a'\nat-least=50")
    shown = judge(scenario, [[period("a", 100), period("b", 1)]])
    assert [one.shown for one in shown] == [False, True]
    assert shown[0].words == "throughput: 100/s in a; not as expected (at most 50/s)"
    assert verdict(shown) == f"not shown: {shown[0].words}"


def test_what_was_not_measured_is_unknown() -> None:
    scenario = effects("of='b'\nagainst='a'\nat-least=2")
    for periods in ([], [period("a", 100)], [period("a", 0), period("b", 5)]):
        (shown,) = judge(scenario, [periods])
        assert (shown.measured, shown.shown) == (None, None)
        assert "cannot be told here" in shown.words
        assert verdict([shown]) == "cannot be told: 0 of 1 effects appeared, and 1 could not be measured"
    assert verdict([]) == "measured; nothing in particular was expected"


def test_a_verdict_without_all_phases_says_how_much_is_missing() -> None:
    scenario = effects("of='a'\nat-most=50", "of='a'\nat-least=50", "of='b'\nat-least=50")
    untold = judge(scenario, [[period("a", 100)]])
    assert [one.shown for one in untold] == [False, True, None]
    assert verdict(untold) == f"not shown: {untold[0].words}; 1 more could not be measured"
    assert verdict(untold[1:]) == "cannot be told: 1 of 2 effects appeared, and 1 could not be measured"


@pytest.mark.parametrize(
    ("count", "published", "words"),
    [
        (1900, 20, "the source says 20x, and so it is here"),
        (5000, 20, "the source says 20x, and here it is more"),
        (300, 20, "the source says 20x, and here it is less"),
        (50, 20, "the source says 20x, and here it is the other way round"),
        (300, 0.5, "the source says 0.5x, and here it is the other way round"),
        (160, 1, "the source says that it makes no difference, and here it does"),
        (105, 1, "the source says that it makes no difference, and so it is here"),
        (0, 20, "the source says 20x, and here it is the other way round"),
    ],
)
def test_the_source_is_held_against_what_was_measured(count: int, published: float, words: str) -> None:
    scenario = effects(f"of='b'\nagainst='a'\nat-least=0\npublished={published}")
    second = msgspec.structs.replace(period("b", count), finished=max(count, 1))
    (shown,) = judge(scenario, [[period("a", 100), second]])
    assert shown.words.endswith(f"; {words}")
    is_denied = "round" in words or "here it does" in words
    assert verdict([shown]) == ("shown" + (f"; of throughput {words}" if is_denied else ""))


def test_a_ratio_names_both_figures_of_the_repeat_that_counts() -> None:
    scenario = effects("of='b'\nagainst='a'\nat-least=2")
    (odd,) = judge(scenario, [[period("a", 100), period("b", 900)], [period("a", 50), period("b", 100)],
                              [period("a", 10), period("b", 40)]])  # fmt: skip
    assert (odd.measured, odd.value, odd.base) == (4.0, 40.0, 10.0)
    (even,) = judge(scenario, [[period("a", 100), period("b", 900)], [period("a", 50), period("b", 100)]])
    assert (even.measured, even.value, even.base) == (5.5, None, None)
    assert even.words.startswith("throughput: 5.5x in b, against a (2x to 9x in the repeats);")


def test_what_must_not_be_there_is_expected_to_be_none() -> None:
    scenario = parse(HEAD + "[[effects]]\nsays='busy errors'\nfigure='busy_errors'\nof='a'\nat-most=0\n", "x")
    (shown,) = judge(scenario, [[period("a", 100)]])
    assert shown.words == "busy errors: 0 in a; expected none"


def effect_of(figure: str, more: str) -> Scenario:
    return parse(HEAD + f"[[effects]]\nsays='it'\nfigure='{figure}'\nof='a'\n{more}\n", "x")


@pytest.mark.parametrize("figure", ["busy_errors", "starved_workers", "commits_per_s", "longest_wait_ms", "wal_resets"])
def test_a_phase_in_which_nothing_ran_shows_nothing(figure: str) -> None:
    idle = period("a", 0)
    for periods in ([idle], [msgspec.structs.replace(idle, finished=3, withdrawn=3)]):
        (shown,) = judge(effect_of(figure, "at-most=0"), [periods])
        assert (shown.measured, shown.shown) == (None, None)
        assert "cannot be told here, of a" in shown.words
    (shown,) = judge(effect_of("rows_per_s", "against='b'\nat-most=1"), [[idle, period("b", 5)]])
    assert shown.shown is None


def test_a_phase_that_only_read_has_run() -> None:
    (shown,) = judge(effect_of("busy_errors", "at-most=0"), [[msgspec.structs.replace(period("a", 0), reads=7)]])
    assert (shown.measured, shown.shown) == (0, True)


def test_every_figure_can_be_asked_of_an_empty_period() -> None:
    for name, figure in FIGURES.items():
        assert figure(Period("x", None, 0, 0, 0)) in (None, 0, 0.0), name


def test_a_files_name_that_is_no_text_becomes_one(tmp_path: Path) -> None:
    path = tmp_path / "b\udcff.toml"
    path.write_text("[workload]\nwriters = 3\n")
    assert read(path).name == "b?"
