"""Exports and copies: what is on screen, never over a file that exists, and errors as sentences."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sqlwatch.cli import exporting
from sqlwatch.cli.exporting import exporter
from sqlwatch.tui.app import SimulateApp
from sqlwatch.tui.export import Exporter
from sqlwatch.tui.watch_app import WatchApp
from sqlwatch.tui.worker_table import WorkerTable
from tests.tui import observed
from tests.tui.conftest import Open, Screen
from tests.tui.fake import FakeSession, headline, make_snapshot

NOON = datetime(2026, 1, 2, 12, 0, 0)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SQLWATCH_EXPORT_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_e_writes_picture_text_and_figures(directory: Path, size: tuple[int, int]) -> None:
    session = FakeSession()
    app = SimulateApp(session, headline=headline, exporter=exporter())
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot, session)
        await pilot.pause()
        await screen.send(make_snapshot())
        shown = screen.text("workers")
        await screen.press("e")
        assert "exported sqlwatch-" in screen.text("headline")
    endings = {path.suffix: path for path in directory.iterdir()}
    assert set(endings) == {".svg", ".txt", ".json", ".csv"}
    assert len({path.stem for path in endings.values()}) == 1
    assert ElementTree.parse(endings[".svg"]).getroot().tag.endswith("svg")
    assert shown in endings[".txt"].read_text()
    report = json.loads(endings[".json"].read_text())
    assert report["schema"] == "sqlwatch.snapshot/1"
    assert len(report["phase"]["workers"]) == 18
    (row,) = csv.DictReader(endings[".csv"].read_text().splitlines())
    assert float(row["lock_wait_ms.p99"]) == report["phase"]["lock_wait_ms"]["p99"]
    assert row["commits"] == str(report["phase"]["commits"])


async def test_the_page_that_is_open_is_what_is_exported(directory: Path) -> None:
    session = FakeSession()
    app = WatchApp(session, headline=observed.verdict, findings=observed.findings, exporter=exporter())
    async with app.run_test(size=(120, 40)) as pilot:
        screen = Screen(app, pilot, session)
        await pilot.pause()
        await screen.send(observed.idle_writer())
        await screen.press("enter", "e")
        assert app.following is not None
        page = app.following.text
    (text,) = directory.glob("*.txt")
    assert text.read_text() == page + "\n"
    (figures,) = directory.glob("*.json")
    assert json.loads(figures.read_text())["schema"] == "sqlwatch.why/1"


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    texts = {".svg": "<svg/>", ".txt": "one"}
    out = Exporter(tmp_path, lambda *_: {})
    (tmp_path / "sqlwatch-20260102-120000.txt").write_text("mine")
    assert "exported sqlwatch-20260102-120000-2 (.svg .txt)" in out.write(texts, NOON)
    assert "exported sqlwatch-20260102-120000-3" in out.write(texts, NOON)
    assert (tmp_path / "sqlwatch-20260102-120000.txt").read_text() == "mine"
    assert not (tmp_path / "sqlwatch-20260102-120000.svg").exists(), "an export has all its files or none"
    assert (tmp_path / "sqlwatch-20260102-120000-2.txt").read_text() == "one\n"


def test_a_directory_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    words = Exporter(tmp_path / "gone", lambda *_: {}).write({".txt": "one"}, NOON)
    assert words == f"nothing was exported to {tmp_path / 'gone'}: No such file or directory"


def test_a_full_disk_leaves_no_half_of_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *args: object, **kwargs: object) -> object:
        if self.suffix == ".json":
            raise OSError(28, "No space left on device")
        return opened(self, *args, **kwargs)  # type: ignore[arg-type]

    opened = Path.open
    monkeypatch.setattr(Path, "open", full)
    words = Exporter(tmp_path, lambda *_: {}).write({".svg": "<svg/>", ".txt": "one", ".json": "{}"}, NOON)
    assert words == f"nothing was exported to {tmp_path}: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_from_a_browser_files_are_written_only_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SQLWATCH_EXPORT_DIR", raising=False)
    assert exporter() == Exporter(Path.cwd(), exporting._figures)
    monkeypatch.setenv("TEXTUAL_DRIVER", "sqlwatch.tui.web_driver:WebDriver")
    assert exporter() is None
    monkeypatch.setenv("SQLWATCH_EXPORT_DIR", str(tmp_path))
    assert exporter() == Exporter(tmp_path, exporting._figures)


async def test_without_an_exporter_e_says_so(opened: Open) -> None:
    async with opened() as screen:
        await screen.press("e")
        assert "nothing is exported from a browser" in screen.text("headline")


async def test_y_copies_the_focused_panel_or_the_table(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as screen:
        copied: list[str] = []
        monkeypatch.setattr(screen.app, "copy_to_clipboard", copied.append)
        await screen.send(make_snapshot(starving=3))
        lines = screen.text("workers").rstrip()
        words = screen.text("headline").rstrip()
        await screen.press("y")
        assert copied[-1] == f"{words}\n\n{lines}"
        assert "copied: headline and workers" in screen.text("headline")
        screen.app.query_one(WorkerTable).focus()
        await screen.press("tab", "shift+tab", "y")
        assert copied[-1] == screen.text("workers").rstrip()
        await screen.press("v", "y")
        assert copied[-1].splitlines()[0].startswith("─ Events")
