"""What the README and docs say is there, is there; their examples run, and their tables are those of the code."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from simulators.scenario import names, parse
from sqlwatch.charts.glyphs import GLYPH_SETS
from sqlwatch.cli.main import sqlwatch
from sqlwatch.diagnose import load_rules, lock_rules, observation, simulation, wal_rules
from sqlwatch.diagnose.lesson import check_figures
from sqlwatch.tui.simulate_guide import GUIDE
from sqlwatch.tui.view import View
from sqlwatch.tui.watch_guide import guide_for

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

page = pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])


def prose(text: str) -> str:
    """Return a page without its blocks of code, line ends in code spans taken out."""
    return _FENCED.sub("", text)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@page
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(prose(path.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        name, _, part = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), target
        if part:
            assert part in [anchor(heading) for heading in _HEADING.findall(found.read_text())], target


def command_lines(text: str) -> Iterator[list[str]]:
    """Return the words of every command line of sqlwatch: in blocks of code and in code spans."""
    lines = [line for _, block in _FENCED.findall(text) for line in block.splitlines()]
    lines += [code.replace("\n", " ") for code in _CODE.findall(prose(text))]
    for line in lines:
        match = re.match(r"^(?:\$ )?(?:.*&& )?(?:\.venv/bin/)?sqlwatch( .*)?$", line)
        if match:
            yield shlex.split((match[1] or "").partition(" | ")[0], comments=True)


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def command_of(name: str) -> click.Command:
    command = sqlwatch.get_command(click.Context(sqlwatch), name)
    assert command is not None, f"there is no command {name}"
    return command


ALL_OPTIONS = {"--help", "--version"}.union(
    *(options_of(command_of(name)) for name in sqlwatch.list_commands(click.Context(sqlwatch)))
)


@page
def test_commands_exist_with_their_options(path: Path) -> None:
    for name, *arguments in filter(None, command_lines(path.read_text())):
        command = command_of(name)
        known = options_of(command) | {"--help"}
        given = [word.partition("=")[0] for word in arguments if re.match(r"--?[a-zA-Z]", word)]
        assert set(given) <= known, (name, arguments)
        first = arguments[0] if arguments and not arguments[0].startswith("-") else None
        if name in ("simulate", "scenarios") and first is not None:
            assert first in names() or first.endswith(".toml") or first.isupper(), first


def test_command_lines_are_found() -> None:
    found = [line for path in PAGES for line in command_lines(path.read_text()) if line]
    assert ["simulate", "--web", "--web-host", "0.0.0.0", "--web-allow-remote"] in found
    assert {line[0] for line in found} == {"simulate", "scenarios", "why", "watch"}


@page
def test_options_that_are_named_exist(path: Path) -> None:
    for code in _CODE.findall(prose(path.read_text())):
        if code.startswith("--"):
            given = [word.partition("=")[0] for word in shlex.split(code) if word.startswith("--")]
            assert set(given) <= ALL_OPTIONS, code


def test_files_that_are_named_exist() -> None:
    for path in PAGES:
        for code in _CODE.findall(prose(path.read_text())):
            if (
                re.fullmatch(r"(sqlwatch|simulators|tests|docs|screenshots)/[\w/.\-]+", code)
                and "reads_panel" not in code
            ):
                assert (ROOT / code).exists(), (path.name, code)


def test_every_panel_is_explained() -> None:
    page = (ROOT / "docs" / "reading.md").read_text()
    simulate, watch = page.split("\n## watch\n")
    for guide, part in ((GUIDE, simulate), (guide_for(View(GLYPH_SETS["ascii"])), watch)):
        for title, _ in guide[1:]:  # the first one is about all of it
            assert f"**{title}.**" in part, title


def test_every_finding_is_explained() -> None:
    page = (ROOT / "docs" / "incidents.md").read_text()
    explained = set(re.findall(r"^\| `([a-z-]+)`", page, re.MULTILINE))
    codes = {
        code
        for module in (lock_rules, wal_rules, load_rules, simulation)
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)",\s+Severity\.', Path(module.__file__ or "").read_text())
    }
    assert len(codes) > 20
    assert codes == explained


def make() -> Any:
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["keys.md", "../README.md"])
def test_tables_are_those_of_the_code(name: str) -> None:
    assert make().made(name) == (ROOT / "docs" / name).read_text(), "run: python docs/make.py"


def examples(language: str) -> list[str]:
    return [block for kind, block in _FENCED.findall((ROOT / "docs" / "extending.md").read_text()) if kind == language]


def test_the_rule_of_the_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    rule, test, _, _ = examples("python")
    space: dict[str, Any] = {}
    exec(rule, space)
    monkeypatch.setattr(observation, "_RULES", (*observation._RULES, space["many_small_commits"]))
    exec(test, space)
    space["test_many_small_commits"]()


def test_the_panel_of_the_example_works() -> None:
    _, _, panel, test = examples("python")
    space: dict[str, Any] = {}
    exec(panel, space)
    exec(test, space)
    space["test_reads_are_shown"]()


def test_the_lesson_of_the_example_can_be_read() -> None:
    (text,) = examples("toml")
    lesson = parse(text, "pause.toml", "pause")
    check_figures(lesson, "pause.toml")
    assert len(lesson.phases) == 2


def test_the_workload_of_the_example_can_be_read() -> None:
    (text,) = [block for kind, block in _FENCED.findall((ROOT / "docs" / "scripts.md").read_text()) if kind == "toml"]
    assert parse(text, "my.toml").workload["writers"] == 6
