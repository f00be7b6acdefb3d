"""The single writer's queue inside one process: transactions are handed over in memory, as objects, and answered.

Between processes the same is done over a socket (`single_writer.SocketDesk`); who serves, and how, is the same code.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from simulators.events import Outcome
from simulators.orders import Inbox
from simulators.wire import Reply, Request
from simulators.worker import Worker

Answer: TypeAlias = Callable[[Reply], None]
"""Takes the reply to one request; called in the single writer's thread."""

WITHDRAWN: Final = Reply(Outcome.WITHDRAWN, 0, 0)

RETRY_NS: Final = 1_000_000
"""How often a writer looks whether the single writer, which was told to begin before it, has begun."""

_LONGEST_WAIT_NS: Final = 50_000_000
"""How long the single writer waits for requests before it looks for an order: a switch may take half a second."""


class Handover:
    """Where the writers of a database leave their transactions; it takes them while a single writer serves."""

    def __init__(self) -> None:
        self.requests: queue.SimpleQueue[tuple[Answer, Request]] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._is_open = False

    def ask(self, request: Request, answer: Answer) -> bool:
        """Leave a request, which will be answered; return False while nobody serves."""
        with self._gate:
            if self._is_open:
                self.requests.put((answer, request))
            return self._is_open

    def set_open(self, is_open: bool) -> None:
        """Begin or end taking requests; after the end there are no new ones in `requests`."""
        with self._gate:
            self._is_open = is_open


class MemoryDesk:
    """The single writer's side of a handover: a `single_writer.Desk`."""

    def __init__(self, handover: Handover, worker: Worker) -> None:
        self.queue: deque[tuple[Answer, Request]] = deque()
        self._handover = handover
        self._inbox: Inbox = worker.inbox
        handover.set_open(True)

    @property
    def clients(self) -> Collection[object]:
        """Nobody: the handover refuses who asks after the end."""
        return ()

    def receive(self, timeout_ns: int) -> None:
        """Queue what has arrived; wait for something up to `timeout_ns`, but not so long that an order would wait."""
        self._inbox.look()
        requests = self._handover.requests
        try:
            if timeout_ns and not self._inbox.has_news:
                self.queue.append(requests.get(timeout=min(timeout_ns, _LONGEST_WAIT_NS) / 1e9))
            while True:
                self.queue.append(requests.get_nowait())
        except queue.Empty:
            return

    def take(self, count: int) -> list[tuple[Answer, Request]]:
        """Remove and return the `count` oldest requests."""
        return [self.queue.popleft() for _ in range(count)]

    def answer(self, client: Answer, reply: Reply) -> None:
        """Give a client its reply."""
        client(reply)

    def close(self) -> None:
        """Take no more requests and withdraw those that have not been served."""
        self._handover.set_open(False)
        self.receive(0)
        for answer, _ in self.take(len(self.queue)):
            answer(WITHDRAWN)


class ThreadLink:
    """A writer thread's way to the single writer: hand over, and sleep until the answer is there."""

    def __init__(self, handover: Handover, worker: Worker) -> None:
        self._handover = handover
        self._inbox = worker.inbox
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()

    def ask(self, request: Request) -> Reply:
        """Return the answer, which always comes: the single writer lives and dies with this thread."""
        while not self._handover.ask(request, self._replies.put):
            self._inbox.rest(RETRY_NS)
            if self._inbox.parks:
                return WITHDRAWN
        return self._replies.get()

    def close(self) -> None:
        """Nothing is open."""
