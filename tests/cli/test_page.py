"""`--html` and `--format csv` of `sqlwatch simulate`: where they go, and that they come whatever ends the run."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.fake import FakeSession
from tests.cli.test_scenarios import sqlwatch
from tests.report.pages import Page
from tests.test_scenario_session import SHORT

PATIENCE_S = 60


def test_the_page_goes_beside_the_summary(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a page.html"
    path.write_text("what was there before")
    outcome = run("simulate", "--compare", "--format", "csv", "--html", str(path))
    assert outcome.code == 0
    assert outcome.out.startswith("repeat,name,mode,")
    assert "The page is in" in outcome.err
    assert "Contended against single-writer" in Page(path.read_text(encoding="utf-8")).text
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_page_that_cannot_be_written_leaves_the_summary(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    outcome = run("simulate", "--html", str(tmp_path / "page.html"))
    assert outcome.code == 3
    assert "No space left on device" in outcome.err
    assert "commits a second" in outcome.out


@pytest.mark.parametrize(
    ("where", "code", "words"), [("missing/a.html", 3, "for --html a.html"), (".", 2, "is a directory")]
)
def test_where_no_page_can_be_is_found_before_anything_runs(
    run: Run, tmp_path: Path, where: str, code: int, words: str
) -> None:
    outcome = run("simulate", "--html", str(tmp_path / where))
    assert (outcome.code, outcome.out, outcome.session) == (code, "", None)
    assert words in outcome.sentence


def test_a_run_that_failed_half_way_has_its_page(run: Run, fake: type[FakeSession], tmp_path: Path) -> None:
    fake.message, fake.exit_code = "The disk is full (SQLITE_FULL): the run was ended.", 3
    path = tmp_path / "page.html"
    assert run("simulate", "--html", str(path)).code == 3
    assert "The disk is full" in Page(path.read_text(encoding="utf-8")).text


def test_a_real_comparison_has_its_page_and_its_csv(tmp_path: Path) -> None:
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    done = sqlwatch(
        "simulate", "--headless", "--duration", "0.5", "--compare", "--writers", "3", "--html", page,
        "--format", "csv", "-o", table,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    text = Page(page.read_text(encoding="utf-8")).text
    assert "sqlwatch simulate --compare --writers 3 --duration 500ms" in text
    assert "none is lost" in text
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["contended", "single-writer"]
    assert all(float(line["commits_per_s"]) > 0 for line in lines)


def test_a_real_lesson_has_its_page_and_a_line_for_each_repeat(tmp_path: Path) -> None:
    lesson, page = tmp_path / "short.toml", tmp_path / "page.html"
    lesson.write_text(SHORT.replace("200ms", "1200ms"))
    done = sqlwatch("simulate", lesson, "--html", page, "--format", "csv")
    assert done.returncode == 0
    lines = list(csv.DictReader(done.stdout.splitlines()))
    assert [(line["repeat"], line["name"]) for line in lines] == [
        (repeat, name) for repeat in "12" for name in ("two", "one")
    ]
    read = Page(page.read_text(encoding="utf-8"))
    for words in ("Two against one", "Does it run?", "Verdict: shown.", "of 2 repeats", "Commits over time"):
        assert words in read.text, words
    (wide, _) = [image for image in read.images if image[0].text == "Commits a second"]
    assert wide[1].text is not None
    assert wide[1].text.startswith("two at most ")
    assert "one at most " in wide[1].text


def test_a_run_that_is_interrupted_has_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "sqlwatch", "simulate", "--headless", "--duration", "60", "--warm-up", "0"]
    with subprocess.Popen(
        [*command, "--writers", "2", "--html", page, "--format", "json"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        while "contended ..." not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert json.loads(out)["phases"][0]["name"] == "contended"
    assert "Lock waits" in Page(page.read_text(encoding="utf-8")).text
