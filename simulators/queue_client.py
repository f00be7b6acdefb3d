"""A writer in mode single-writer: sends whole transactions to the process that owns the write connection."""

from __future__ import annotations

import socket
import struct
import time
from typing import Final, Protocol

from simulators import database
from simulators.events import Outcome
from simulators.orders import Order
from simulators.pace import Pace
from simulators.transactions import Transaction
from simulators.wire import REPLY_SIZE, Kind, Reply, Request, pack_request, unpack_reply
from simulators.worker import Worker

_LOOK_NS: Final = 3_000_000
"""How often a client looks for an order; the single writer's answer tells it at once when it must park."""

_RETRY_NS: Final = 10_000_000
_GIVE_UP_NS: Final = 5_000_000_000
_GIVE_UP_PARKING_NS: Final = 400_000_000


_RECEIVE_TIMEOUT: Final = struct.pack("ll", 0, 500_000)
"""A timeval: how long a client waits for an answer before it looks up."""


class WriterGoneError(ConnectionError):
    """The single writer died with our request: its outcome is unknown."""


class Link(Protocol):
    """The way to the single writer: between processes a socket, between threads a queue in memory."""

    def ask(self, request: Request) -> Reply:
        """Hand over a request and return the answer."""

    def close(self) -> None:
        """Ask no more."""


def write_through_queue(worker: Worker, order: Order, link: Link | None = None) -> None:
    """Send transactions, one at a time, and wait for each commit to be acknowledged, until an order says otherwise."""
    slot, inbox, recorder = worker.slot, worker.inbox, worker.recorder
    payload = database.make_payload(worker.workload, worker.setup.worker) * worker.workload.rows
    pace = Pace(worker, order)
    link = link or _SocketLink(worker)
    number = slot.done
    next_look_ns = 0
    due_ns, asked_ns = pace.start()
    while not inbox.parks and (burst := pace.burst(number)):
        number = burst[0]
        slot.waiting_since_ns = asked_ns
        request = Request(Kind.WRITE, worker.setup.worker, worker.setup.slot, number, payload)
        reply = link.ask(request)
        done_ns = time.monotonic_ns()
        slot.done = number
        slot.waiting_since_ns = 0
        if done_ns >= next_look_ns:
            next_look_ns = done_ns + _LOOK_NS
            worker.follow_phase()
        recorder.add(
            Transaction(
                number, due_ns, asked_ns, reply.got_ns, reply.released_ns, done_ns, retries=0, outcome=reply.outcome
            ),
            holds=False,
            started_ns=pace.started_ns,
        )
        recorder.send_if_due()
        if reply.outcome == Outcome.WITHDRAWN:
            inbox.rest(_RETRY_NS)  # until the order to park is here too
        due_ns, asked_ns = pace.next(due_ns)
    link.close()
    pace.end()


class _SocketLink:
    """The connection to the single writer, made again when it was lost."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._socket: socket.socket | None = None

    def ask(self, request: Request) -> Reply:
        """Return the answer; if the single writer dies meanwhile, find out from its successor what became of it."""
        if not self._connect():
            return Reply(Outcome.WITHDRAWN, 0, 0)
        try:
            return self._exchange(request)
        except ConnectionError:
            self.close()
        if not self._connect():
            return Reply(Outcome.UNKNOWN, 0, 0)
        try:
            return self._exchange(request._replace(kind=Kind.LOOK_UP, payload=b""))
        except ConnectionError:
            self.close()
            return Reply(Outcome.UNKNOWN, 0, 0)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> bool:
        """Connect unless connected; return False if nobody listens for long or an order came first."""
        asked_ns = time.monotonic_ns()
        while self._socket is None:
            candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _RECEIVE_TIMEOUT)
            try:
                candidate.connect(str(self._worker.setup.socket))
            except OSError:
                candidate.close()
                patience_ns = _GIVE_UP_PARKING_NS if self._worker.inbox.parks else _GIVE_UP_NS
                if time.monotonic_ns() - asked_ns > patience_ns:
                    return False
                self._worker.inbox.look()
                time.sleep(_RETRY_NS / 1e9)
            else:
                self._socket = candidate
        return True

    def _exchange(self, request: Request) -> Reply:
        assert self._socket is not None
        self._socket.sendall(pack_request(request))
        while True:
            try:
                received = self._socket.recv(REPLY_SIZE, socket.MSG_WAITALL)
                break
            except BlockingIOError:  # nothing for a while: see whether the parent still lives
                self._worker.inbox.look()
        if len(received) < REPLY_SIZE:
            raise WriterGoneError
        return unpack_reply(received)
