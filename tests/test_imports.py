"""What a fresh interpreter has loaded after an import: the layering, checked where it counts."""

import subprocess
import sys

import pytest

SQLITE = {"apsw", "sqlite3", "_sqlite3"}


def loaded_by(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {statement}; print(*sys.modules, file=sys.stderr)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sqlwatch.cli.main", {"textual", "rich", "msgspec", "psutil"} | SQLITE),
        (
            "from sqlwatch.cli.main import sqlwatch; sqlwatch.main(['--version'], standalone_mode=False)",
            {"textual"} | SQLITE,
        ),
        ("import sqlwatch.cli.simulate", {"textual"} | SQLITE),
        ("import simulators.events", {"sqlwatch", "textual"} | SQLITE),
        ("import simulators.fleet", {"sqlwatch", "textual"} | SQLITE),
        ("import sqlwatch.session.simulation", {"textual", "rich", "click"} | SQLITE),
        ("import sqlwatch.metrics.fold", {"textual", "rich", "click", "psutil"} | SQLITE),
        ("import sqlwatch.diagnose", {"textual", "rich", "click", "psutil"} | SQLITE),
        ("import sqlwatch.report.json, sqlwatch.report.text, sqlwatch.report.fail_on", {"textual", "click"} | SQLITE),
        ("import sqlwatch.tui.app", SQLITE),
    ],
)
def test_an_import_loads_only_what_its_layer_may(statement: str, absent: set[str]) -> None:
    assert not loaded_by(statement) & absent


def test_a_worker_loads_one_sqlite_and_nothing_of_the_dashboard() -> None:
    loaded = loaded_by("import simulators.writer, simulators.reader, simulators.single_writer")
    assert "apsw" in loaded
    assert not loaded & {"sqlite3", "_sqlite3", "textual", "rich", "click", "sqlwatch"}
