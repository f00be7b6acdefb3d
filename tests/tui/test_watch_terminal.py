"""In a real terminal: the first picture of `watch`, and how the terminal is given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.tui.test_terminal import Terminal

PROGRAM = """
import sys
from tests.tui.fake import FakeSession
from tests.tui.observed import findings, idle_writer, verdict
from sqlwatch.tui.watch_run import run_watch_dashboard

class Session(FakeSession):
    def start(self, on_snapshot):
        super().start(on_snapshot)
        on_snapshot(idle_writer())

session = Session()
code = run_watch_dashboard(session, headline=verdict, findings=findings)
with open(sys.argv[1], "w") as file:
    file.write(" ".join(session.calls))
sys.exit(code)
"""


@pytest.mark.parametrize(("how", "code"), [(b"q", 0), (b"\x03", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_terminal_is_given_back(tmp_path: Path, how: bytes | signal.Signals, code: int) -> None:
    terminal = Terminal(tmp_path / "calls", controlling=False, environment={}, program=PROGRAM)
    try:
        terminal.read_until(b"CRITICAL")
        if isinstance(how, bytes):
            os.write(terminal.master, how)
        else:
            terminal.process.send_signal(how)
        assert terminal.wait() == code
        assert termios.tcgetattr(terminal.slave) == terminal.before
        assert terminal.note.read_text() == "start stop"
    finally:
        terminal.close()


def test_pages_that_few_open_are_not_loaded_for_the_first_picture() -> None:
    statement = "import sys, sqlwatch.tui.watch_run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)
    later = {"detail_screen", "help_screen", "watch_guide", "watch_process_page", "finding_page"}
    loaded = {name.removeprefix("sqlwatch.tui.") for name in done.stdout.split()}
    assert "watch_app" in loaded
    assert not loaded & later
    assert not loaded & {"sqlwatch.observe", "apsw", "sqlite3"}
