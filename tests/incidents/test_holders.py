"""Incidents 1 to 3: somebody holds the write lock and does not get on: asleep, waiting for a peer, or stopped."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import psutil
import pytest

from sqlwatch.diagnose.finding import Severity

from ..observe.programs import wait_until
from .crew import MAKE_WAL, Client, Crew, Program
from .diagnosis import assert_nothing_found, wait_for_finding

BEGIN = """
c.execute("begin immediate")
c.execute("insert into t values(1)")
"""

ASLEEP = MAKE_WAL + BEGIN + "say()\ntime.sleep(600)\n"

WAITS_FOR_INPUT = MAKE_WAL + BEGIN + "say()\nlisten()\nc.execute('commit')\nsay('committed')\nlisten()\n"

WAITS_FOR_LOCK = """
c = connect(timeout=60)
say()
c.execute("begin immediate")
"""


def start_idle_writer(crew: Crew, client: Client) -> Program:
    if client is Client.SHELL:
        return crew.shell("begin immediate;", "insert into t values(1);")
    return crew.start_as(client, ASLEEP if client is Client.PYTHON else WAITS_FOR_INPUT)


@pytest.mark.parametrize("client", Client)
def test_1_a_writer_sits_idle_in_its_transaction(crew: Crew, database: Path, client: Client) -> None:
    crew.start(MAKE_WAL + "say()\nlisten()")  # somebody who has it open and does no harm
    culprit = start_idle_writer(crew, client)
    finding = wait_for_finding(database, "idle-writer")
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
    assert str(culprit.pid) in finding.summary
    assert finding.evidence["state"] == "S"
    assert finding.evidence["doing"] == ("clock_nanosleep" if client is Client.PYTHON else "read")
    assert finding.since_s is not None
    assert 0.5 <= finding.since_s < 4
    assert "commit or roll back" in finding.remedy
    assert f"end process {culprit.pid}" in finding.remedy

    culprit.end()
    assert_nothing_found(database)


def test_1_who_waits_is_named_with_the_holder(crew: Crew, database: Path) -> None:
    crew.make_wal()
    culprit = crew.start_apsw(WAITS_FOR_INPUT)
    victims = [crew.start(WAITS_FOR_LOCK).pid, crew.start_apsw(WAITS_FOR_LOCK).pid]
    shell = crew.shell()
    shell.begin("begin immediate;")
    victims.append(shell.pid)
    finding = wait_for_finding(database, "idle-writer", when=lambda it: set(it.evidence["waiting"]) == set(victims))
    assert finding.pid == culprit.pid
    assert all(f"(pid {pid})" in finding.summary for pid in victims)


RECEIVES = (
    MAKE_WAL
    + """
import socket
s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
"""
    + BEGIN
    + """
say()
s.recv(1)
c.execute("rollback")
say("over")
listen()
"""
)

ASKS_A_WEB_SERVICE = (
    MAKE_WAL
    + """
import http.client
service = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=600)
"""
    + BEGIN
    + """
service.request("GET", "/price")
say()
service.getresponse()
"""
)


@pytest.mark.parametrize(
    ("client", "code"),
    [(Client.APSW, RECEIVES), (Client.PYTHON, ASKS_A_WEB_SERVICE)],
    ids=["in recv", "in a request with a timeout"],
)
def test_2_a_writer_waits_for_a_peer(crew: Crew, database: Path, client: Client, code: str) -> None:
    crew.start(MAKE_WAL + "say()\nlisten()")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        culprit = crew.start_as(client, code, str(port))
        connection, _ = server.accept()
        with connection:
            finding = wait_for_finding(database, "writer-blocked-on-network")
            assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)
            assert finding.evidence["peer"] == f"127.0.0.1:{port}"
            assert finding.evidence["doing"] == ("recvfrom" if code is RECEIVES else "poll")
            assert f"127.0.0.1:{port}" in finding.summary
            assert "before BEGIN or after COMMIT" in finding.remedy
            assert f"end process {culprit.pid}" in finding.remedy
            if code is RECEIVES:
                connection.sendall(b"!")
                culprit.expect("over")
            else:
                culprit.end()
    assert_nothing_found(database)


def test_3_a_writer_was_stopped(crew: Crew, database: Path) -> None:
    crew.start_apsw(MAKE_WAL + "say()\nlisten()")
    culprit = crew.shell("begin immediate;", "insert into t values(1);")
    culprit.signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(culprit.pid).status() == psutil.STATUS_STOPPED)
    finding = wait_for_finding(database, "writer-stopped")
    assert (finding.severity, finding.pid, finding.evidence["state"]) == (Severity.CRITICAL, culprit.pid, "T")
    assert f"kill -CONT {culprit.pid}" in finding.remedy

    culprit.signal(signal.SIGCONT)
    culprit.do("commit;")
    assert_nothing_found(database)


def test_a_program_with_threads_is_idle_too(crew: Crew, database: Path) -> None:
    threads = "import threading\nthreading.Thread(target=listen, daemon=True).start()\n"
    culprit = crew.start_apsw(MAKE_WAL + BEGIN + threads + "say()\ntime.sleep(600)")
    finding = wait_for_finding(database, "idle-writer", beside=[])
    assert (finding.severity, finding.pid) == (Severity.CRITICAL, culprit.pid)


def test_a_writer_at_work_is_not_idle(crew: Crew, database: Path) -> None:
    culprit = crew.start(MAKE_WAL + BEGIN + "say()\nwhile True:\n    pass")
    finding = wait_for_finding(database, "long-hold", beside=[])
    assert (finding.severity, finding.pid) == (Severity.WARNING, culprit.pid)
    assert "is at work" in finding.summary
