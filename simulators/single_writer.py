"""The single writer: the one process that owns the write connection, and serves the writers' transactions in turn."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from typing import Any, Final, Protocol, TypeVar

import apsw

from simulators import database
from simulators.busy import BusyHandler
from simulators.events import Mode, Outcome
from simulators.shape import Shape
from simulators.slots import Activity, Slots
from simulators.wire import Kind, Reply, Request, pack_reply, unpack_request
from simulators.worker import Setup, StopHolding, Worker, run
from simulators.writer import outcome_of, run_checkpoint_if_due

_MOST_RECEIVED_BYTES: Final = 1 << 18
_REQUEST_HEAD_BYTES: Final = 64
"""More than a request's head, so that a whole small request is read at once."""

_FAREWELL_NS: Final = 1_000_000_000
Client = TypeVar("Client")


class Desk(Protocol[Client]):
    """Where requests arrive, from other processes or from other threads."""

    queue: deque[tuple[Client, Request]]

    @property
    def clients(self) -> Collection[object]:
        """Those who must be answered before the desk may close."""

    def receive(self, timeout_ns: int) -> None:
        """Queue what has arrived; wait for something, or an order, up to `timeout_ns`."""

    def take(self, count: int) -> list[tuple[Client, Request]]:
        """Remove and return the `count` oldest requests."""

    def answer(self, client: Client, reply: Reply) -> None:
        """Send a reply."""

    def close(self) -> None:
        """Take no more requests."""


_LOOK_UP: Final = "SELECT 1 FROM entry WHERE worker = ? AND number = ? LIMIT 1"


def main(setup: Setup, slots: Slots, queue: SimpleQueue[bytes], pipe: Connection) -> None:
    """Run a single writer process."""
    run(setup, slots, queue, pipe, own_the_write_connection)


def own_the_write_connection(worker: Worker, make_desk: Callable[[Worker], Desk[Any]] | None = None) -> None:
    """Serve while the mode is single-writer; in the other modes there is nothing to own."""
    for order in worker.orders():
        if order.mode is Mode.SINGLE_WRITER:
            with ExitStack() as open_things:
                connection = open_things.enter_context(closing(database.connect(worker.setup.path, worker.workload)))
                open_things.enter_context(worker.recorder.counting_cache(partial(database.cache_status, connection)))
                desk = open_things.enter_context(closing((make_desk or SocketDesk)(worker)))
                serve(worker, desk, Committer(worker, connection))


def serve(worker: Worker, desk: Desk[Client], committer: Committer) -> None:
    """Commit what is queued, oldest first, until an order says otherwise; parked, send every request back."""
    inbox, slot, recorder = worker.inbox, worker.slot, worker.recorder
    takes_all = worker.workload.group_commit
    stopped_ns = 0
    while True:
        desk.receive(0 if desk.queue else max(recorder.next_batch_ns - time.monotonic_ns(), 1_000_000))
        if inbox.has_news:
            order = inbox.next()
            slot.epoch = order.epoch
            if order.run and order.mode is not Mode.SINGLE_WRITER:
                return
            if order.run:
                recorder.send()
                recorder.phase = order.phase
            slot.activity = Activity.WORKING if order.run else Activity.PARKED
            stopped_ns = time.monotonic_ns() if order.stop else 0
        slot.queue_depth = len(desk.queue)
        if inbox.parks:
            for client, _ in desk.take(len(desk.queue)):
                desk.answer(client, Reply(Outcome.WITHDRAWN, 0, 0))
            if stopped_ns and (not desk.clients or time.monotonic_ns() - stopped_ns > _FAREWELL_NS):
                return
        elif desk.queue:
            group = desk.take(len(desk.queue) if takes_all else 1)
            replies = committer.commit([request for _, request in group], len(desk.queue))
            for (client, _), reply in zip(group, replies, strict=True):
                desk.answer(client, reply)
            run_checkpoint_if_due(worker, committer.connection)
            if takes_all:
                os.sched_yield()  # let those who were answered ask again: fuller groups, fewer fsyncs
        recorder.send_if_due()


class SocketDesk:
    """Where requests of other processes arrive: a listening socket, its clients, and the queue in order of arrival."""

    def __init__(self, worker: Worker) -> None:
        self.queue: deque[tuple[socket.socket, Request]] = deque()
        workload = worker.workload
        # recv allocates what it is asked for, so it is asked for one request, not for the most there could be.
        self._receive_bytes = min(_REQUEST_HEAD_BYTES + workload.rows * workload.payload.bytes, _MOST_RECEIVED_BYTES)
        self.clients: dict[socket.socket, bytes] = {}
        """Each client and what has arrived of its next request; it sends one only when it has the last one's answer."""
        path = worker.setup.socket
        path.unlink(missing_ok=True)  # the one that a killed predecessor left
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(worker.inbox, selectors.EVENT_READ)
        self._inbox = worker.inbox

    def receive(self, timeout_ns: int) -> None:
        """Queue what has arrived; wait for something, or an order, up to `timeout_ns`."""
        for key, _ in self._selector.select(timeout_ns / 1e9):
            source = key.fileobj
            if source is self._listener:
                client, _ = self._listener.accept()
                client.setblocking(False)
                self.clients[client] = b""
                self._selector.register(client, selectors.EVENT_READ)
            elif isinstance(source, socket.socket):
                self._read(source)
            else:
                self._inbox.look()

    def take(self, count: int) -> list[tuple[socket.socket, Request]]:
        """Remove and return the `count` oldest requests."""
        return [self.queue.popleft() for _ in range(count)]

    def answer(self, client: socket.socket, reply: Reply) -> None:
        """Send a reply; a client that is gone needs none."""
        try:
            client.send(pack_reply(reply))
        except OSError:
            return

    def close(self) -> None:
        """Close all sockets."""
        for open_socket in (*self.clients, self._listener):
            open_socket.close()
        self._selector.close()

    def _read(self, client: socket.socket) -> None:
        try:
            received = client.recv(self._receive_bytes)
        except ConnectionError:
            received = b""
        if not received:
            self._selector.unregister(client)
            client.close()
            del self.clients[client]
            return
        pending = self.clients[client] + received
        if (unpacked := unpack_request(pending)) is not None:
            request, length = unpacked
            pending = pending[length:]
            self.queue.append((client, request))
        self.clients[client] = pending


class Committer:
    """The write connection and the transactions on it."""

    def __init__(self, worker: Worker, connection: apsw.Connection) -> None:
        self.connection = connection
        self._worker = worker
        self._cursor = connection.cursor()
        self._shape = Shape(worker, self._cursor)
        self._row_bytes = worker.workload.payload.bytes
        self._slots = list(worker.slots)
        self._handler = BusyHandler(
            worker.workload.busy, worker.slot, worker.inbox, worker.random, worker.recorder.count_retry
        )
        connection.set_busy_handler(self._handler)

    def commit(self, requests: Sequence[Request], still_queued: int) -> list[Reply]:
        """Commit the requests as one transaction and return a reply to each.

        A request that fails is rolled back to its savepoint and fails alone; if the transaction itself fails, or SQLite
        has rolled it back (disk full, for one), all fail.
        """
        slot = self._worker.slot
        self._handler.begin()
        outcomes: list[int] = []
        got_ns = 0
        number = slot.done + 1
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            got_ns = time.monotonic_ns()
            slot.got = number
            for request in requests:
                self._slots[request.slot].got = request.number
            slot.waiting_since_ns = 0
            outcomes = [self._run(request, alone=len(requests) == 1) for request in requests]
            self._cursor.execute("COMMIT")
        except (apsw.Error, StopHolding) as error:
            outcomes = [outcome_of(error, self._handler)] * len(requests)
            if self.connection.in_transaction:
                self._cursor.execute("ROLLBACK")
        released_ns = time.monotonic_ns()
        slot.done = number
        if got_ns:
            self._worker.recorder.add_group(got_ns, released_ns, still_queued)
        return [Reply(outcome, got_ns, released_ns if got_ns else 0) for outcome in outcomes]

    def _run(self, request: Request, *, alone: bool) -> int:
        """Run one request inside the open transaction and return its outcome."""
        if request.kind is Kind.LOOK_UP:
            found = self._cursor.execute(_LOOK_UP, (request.worker, request.number)).get
            return Outcome.WRITER_DIED if found is None else Outcome.COMMITTED
        if alone:
            self._write(request)
            return Outcome.COMMITTED
        self._cursor.execute("SAVEPOINT request")
        try:
            self._write(request)
        except apsw.Error as error:
            if not self.connection.in_transaction:
                raise
            self._cursor.execute("ROLLBACK TO request")
            self._cursor.execute("RELEASE request")
            return outcome_of(error, self._handler)
        self._cursor.execute("RELEASE request")
        return Outcome.COMMITTED

    def _write(self, request: Request) -> None:
        """Run the statements of one request."""
        payload = request.payload[: self._row_bytes]
        if self._shape.is_plain:
            self._cursor.execute(self._shape.insert_sql, (request.worker, request.number, payload))
        else:
            self._shape.run(request.worker, request.number, payload)
