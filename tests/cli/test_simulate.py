"""`sqlwatch simulate` without a terminal: options, files, output, exit codes, with a fake session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulators.workload import KEYS, Workload, from_mapping
from sqlwatch.session.errors import SessionError
from tests.cli.conftest import Run
from tests.cli.fake import FakeSession

OTHER_VALUES = {
    "writers": "3", "readers": "0", "mode": "mutex", "begin": "deferred", "busy": "constant:1", "synchronous": "full",
    "statement": "batch", "rows": "7", "payload": "64KiB", "hold": "exp:1ms", "think": "0", "arrival": "rate:500",
    "read-rows": "11", "read-hold": "3ms", "read-think": "4ms", "databases": "2", "autocheckpoint": "0",
    "pool": "4", "pin-reader": "2s", "checkpointer": "restart:500ms",
    "duration": "2s", "transactions": "99", "warm-up": "0", "max-size": "3GiB", "seed": "5",
}  # fmt: skip
"""A value that is not the default for every parameter that takes one."""


FLAGS = ("group-commit", "keep-interpreter", "shared-connection")


def test_every_parameter_has_an_option_that_reaches_the_session(run: Run) -> None:
    assert set(KEYS) - set(OTHER_VALUES) == {*FLAGS, "worker-kind", "journal-mode"}
    options = [part for key, value in OTHER_VALUES.items() for part in (f"--{key}", value)]
    flags = [f"--{flag}" for flag in FLAGS]
    outcome = run("simulate", "--headless", *flags, "--worker-kind", "thread", *options)
    assert outcome.code == 0
    assert outcome.session is not None
    assert outcome.session.workload == from_mapping(
        {**OTHER_VALUES, **dict.fromkeys(FLAGS, True), "worker-kind": "thread"}
    )


def test_the_journal_mode_reaches_the_session_and_goes_with_no_checkpointer(run: Run) -> None:
    outcome = run("simulate", "--headless", "--journal-mode", "persist")
    assert outcome.session is not None
    assert outcome.session.workload == from_mapping({"journal-mode": "persist", "duration": "10s"})
    refused = run("simulate", "--headless", "--journal-mode", "persist", "--checkpointer", "full:1s")
    assert refused.code == 2
    assert "journal-mode persist" in refused.err


def test_the_help_names_every_parameter_with_what_is_allowed(run: Run) -> None:
    help_text = " ".join(run("simulate", "--help").out.split())
    for key in KEYS:
        assert f"--{key}" in help_text
    assert "0 to 64" in help_text
    assert "contended, mutex, single-writer" in help_text or "contended|mutex|single-writer" in help_text
    for present in ("--html FILE", "text|json|jsonl|csv", "--interval", "lock_wait_ms.p99", "The workload:"):
        assert present in help_text
    assert "--record" not in help_text
    lines = run("simulate", "--help").out.splitlines()
    assert "  sqlwatch simulate starvation" in [line[:30] for line in lines], "examples stay on lines of their own"
    assert help_text.index("--fps") < help_text.index("The workload:") < help_text.index("--writers")


def test_the_default_duration_is_10_s_a_phase(run: Run) -> None:
    def duration(*arguments: str) -> str | None:
        session = run("simulate", *arguments).session
        assert session is not None
        return str(session.workload.duration) if session.workload.duration else None

    assert duration() == "10s"
    assert duration("--compare") == "10s"
    assert duration("--duration", "3s") == "3s"
    assert duration("--transactions", "50") is None


def test_options_of_the_session(run: Run, tmp_path: Path) -> None:
    outcome = run("simulate", "--compare", "--sample-rate", "500", "--fps", "8", "--db", str(tmp_path / "a.db"))
    assert outcome.session is not None
    made = outcome.session
    assert (made.compare, made.sample_rate_hz, made.snapshots_per_s) == (True, 500, 8)
    assert made.database == tmp_path / "a.db"


def test_stdout_is_the_summary_and_stderr_the_narration(run: Run) -> None:
    outcome = run("simulate")
    assert "commits a second" in outcome.out
    assert "16 writers hold 2ms" in outcome.err
    assert "commits a second" not in outcome.err


def test_json_is_all_there_is_on_stdout(run: Run, fake: type[FakeSession]) -> None:
    fake.message = "The databases have reached --max-size 2GiB, so the run was ended early."
    outcome = run("simulate", "--compare", "--format", "json")
    document = json.loads(outcome.out)
    assert document["comparison"]["throughput_ratio"] == 2.0
    assert document["workload"] == from_mapping({"duration": "10s"}).to_mapping()
    assert "reached --max-size" in outcome.err


@pytest.mark.parametrize("format_", ["text", "json", "csv"])
def test_output_goes_to_the_file_whole(run: Run, tmp_path: Path, format_: str) -> None:
    path = tmp_path / "summary"
    path.write_text("what was there before, and much longer than nothing")
    outcome = run("simulate", "--format", format_, "-o", str(path))
    assert (outcome.code, outcome.out) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert "what was there before" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary"]


def test_a_result_that_its_file_cannot_take_goes_to_stdout(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    outcome = run("simulate", "-o", str(tmp_path / "summary"))
    assert outcome.code == 3
    assert "No space left on device" in outcome.err
    assert "commits a second" in outcome.out


@pytest.mark.parametrize(
    ("where", "code", "words"),
    [
        ("missing/summary", 3, "There is no directory"),
        (".", 2, "is a directory"),
        ("locked/summary", 3, "cannot be written"),
    ],
)
def test_an_unwritable_output_is_found_before_anything_runs(
    run: Run, tmp_path: Path, where: str, code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    if where.startswith("locked"):  # whoever tests as root may write anywhere
        monkeypatch.setattr("os.access", lambda path, mode: False)
    outcome = run("simulate", "-o", str(tmp_path / where))
    assert (outcome.code, outcome.out, outcome.session) == (code, "", None)
    assert words in outcome.sentence


@pytest.mark.parametrize(
    ("expressions", "code", "said"),
    [
        (["busy_errors>0"], 1, "busy_errors is 3"),
        (["busy_errors>3"], 0, None),
        (["busy_errors>3", "commits>0"], 1, "commits is 40"),
        (["throughput_ratio>0"], 0, "throughput_ratio is unknown"),
    ],
)
def test_thresholds(run: Run, expressions: list[str], code: int, said: str | None) -> None:
    outcome = run("simulate", *(part for text in expressions for part in ("--fail-on", text)))
    assert outcome.code == code
    assert (said or "busy_errors>0") in outcome.err or said is None
    assert "commits a second" in outcome.out


def test_a_broken_invariant_is_told_and_in_the_exit_code(run: Run, fake: type[FakeSession]) -> None:
    assert "Invariants hold: " in run("simulate").out
    fake.rows_missing = 2
    outcome = run("simulate")
    assert outcome.code == 1
    assert "BROKEN: 2 committed rows are missing." in outcome.out


def test_a_failed_run_keeps_its_code_over_a_threshold(run: Run, fake: type[FakeSession]) -> None:
    fake.message, fake.exit_code = "The disk is full (SQLITE_FULL): the run was ended.", 3
    outcome = run("simulate", "--fail-on", "busy_errors>0")
    assert outcome.code == 3
    assert "The disk is full" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "--writers", "-1"], "writers: '-1' is not allowed"),
        (["simulate", "--writers", "70"], "0 to 64"),
        (["simulate", "--mode", "sideways"], "contended, mutex, single-writer"),
        (["simulate", "--hold", "2 parsecs"], "500us, 2ms or 1.5s"),
        (["simulate", "--writer", "3"], "--writers"),
        (["simulate", "--fps", "50"], "1<=x<=10"),
        (["simulate", "--format", "xml"], "'text', 'json', 'jsonl', 'csv'"),
        (["simulate", "--fail-on", "busy_error>0"], "did you mean busy_errors?"),
        (["simulate", "--compare", "--mode", "mutex"], "--compare runs contended and then single-writer"),
        (["simulate", "-o", "same.db", "--db", "./same.db"], "is a file of the database"),
        (["simulate", "--html", "same.db-wal", "--db", "./same.db"], "--html same.db-wal is a file of the database"),
        (["simulate", "--html", "a.html", "-o", "./a.html"], "give each a file of its own"),
        (["simulate", "nowhere.toml"], "There is no file nowhere.toml"),
        (["simulat"], "did you mean simulate?"),
    ],
)
def test_bad_usage_is_one_sentence_and_2(run: Run, arguments: list[str], words: str) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.session is None
    assert words in outcome.sentence


@pytest.mark.parametrize("code", [2, 3])
def test_a_session_that_cannot_run_says_why(run: Run, fake: type[FakeSession], code: int) -> None:
    fake.check_fails = SessionError("foreign.db was not made by sqlwatch.", code)
    outcome = run("simulate")
    assert (outcome.code, outcome.sentence) == (code, "sqlwatch: foreign.db was not made by sqlwatch.")
    assert outcome.session is not None
    assert not outcome.session.started


def test_a_session_that_fails_while_it_starts(run: Run, fake: type[FakeSession]) -> None:
    fake.run_fails = SessionError("The directory is gone.", 3)
    outcome = run("simulate")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.endswith("sqlwatch: The directory is gone.\n")


def test_without_a_command_there_is_help(run: Run) -> None:
    outcome = run()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: sqlwatch")


class TestFiles:
    """A workload in a TOML file."""

    def write(self, tmp_path: Path, text: str) -> str:
        path = tmp_path / "workload.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_a_file_is_read_and_options_win(self, run: Run, tmp_path: Path) -> None:
        name = self.write(
            tmp_path, 'title = "T"\nsource = "S"\nquestion = "Q"\n[workload]\nwriters = 5\nhold = "7ms"\n'
        )
        session = run("simulate", name, "--hold", "1ms", "--duration", "1s").session
        assert session is not None
        assert session.workload == Workload(**vars_of(writers=5, hold="1ms", duration="1s"))

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[workload]\nwritters = 3\n", ["writters", "did you mean writers?"]),
            ("[workload]\nwriters = 300\n", ["writers", "300", "0 to 64"]),
            ("[workload]\nwriters = \n", ["line 2"]),
            ("writers = 3\n", ["writers", "[workload]"]),
            ('titel = "x"\n', ["titel", "did you mean title?"]),
            ("title = 3\n", ["title"]),
            ("workload = 3\n", ["[workload]"]),
            ("[workload]\nhold = [1, 2]\n", ["hold"]),
            ("[workload]\nwriters = 2024-01-01\n", ["writers"]),
        ],
    )
    def test_a_mistake_is_named_with_the_file(self, run: Run, tmp_path: Path, text: str, words: list[str]) -> None:
        name = self.write(tmp_path, text)
        outcome = run("simulate", name)
        assert (outcome.code, outcome.session) == (2, None)
        for word in (name, *words):
            assert word in outcome.sentence

    def test_a_similar_name_is_suggested(self, run: Run, tmp_path: Path) -> None:
        self.write(tmp_path, "")
        assert "workload.toml?" in run("simulate", str(tmp_path / "worklod.toml")).sentence

    def test_what_is_no_text_is_refused(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "binary.toml"
        path.write_bytes(b"\xff\xfe\x00")
        outcome = run("simulate", str(path))
        assert outcome.code in (2, 3)
        assert "UTF-8" in outcome.sentence


def vars_of(**values: object) -> dict[str, object]:
    """Return parameters as `Workload` takes them."""
    workload = from_mapping({key.replace("_", "-"): value for key, value in values.items()})
    return {key: getattr(workload, key) for key in values}
