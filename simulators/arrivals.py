"""What the workers of a fleet send, and their ends: asked for all at once, which costs a tenth of asking each."""

from __future__ import annotations

import select
from typing import Final, NamedTuple

from simulators.events import Batch
from simulators.handle import Handle

READ_INTERVAL_NS: Final = 50_000_000
"""How often the queues are read and exits are looked for, where nobody rests for longer."""


class Arrived(NamedTuple):
    """Batches, each worker's in their order, and workers whose processes had ended before these were read."""

    batches: list[Batch]
    ended: list[Handle]


class Arrivals:
    """Listens to the queues and the processes of workers."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._senders: dict[int, Handle] = {}
        """By the descriptor of the queue."""
        self._inhabitants: dict[int, list[Handle]] = {}
        """By the descriptor that tells of the end of the process."""

    def add(self, handle: Handle) -> None:
        """Listen to a worker."""
        self._senders[handle.queue_descriptor] = handle
        self._inhabitants.setdefault(handle.process.sentinel, []).append(handle)
        for descriptor in (handle.queue_descriptor, handle.process.sentinel):
            self._poll.register(descriptor, select.POLLIN)

    def forget(self, handle: Handle) -> None:
        """Listen no more to a worker whose end was noticed; its process may have other inhabitants."""
        self._forget_queue(handle.queue_descriptor)
        others = self._inhabitants[handle.process.sentinel]
        others.remove(handle)
        if not others:
            self._poll.unregister(handle.process.sentinel)

    def read(self) -> Arrived:
        """Return what has arrived; one whose process has ended is told of each time until it is forgotten."""
        ready = self._ready()
        ended = [handle for descriptor in ready for handle in self._inhabitants.get(descriptor, ())]
        batches = []
        while senders := [self._senders[descriptor] for descriptor in ready if descriptor in self._senders]:
            for handle in senders:
                batch = handle.next_batch()
                if batch is not None:
                    batches.append(batch)
                else:
                    self._forget_queue(handle.queue_descriptor)
            ready = self._ready()
        return Arrived(batches, ended)

    def wait(self, timeout_s: float, bell: int) -> bool:
        """Wait until there is something to read, here or from the descriptor `bell`, and return whether there is."""
        self._poll.register(bell, select.POLLIN)
        has_arrived = bool(self._poll.poll(timeout_s * 1000))
        self._poll.unregister(bell)
        return has_arrived

    def _ready(self) -> list[int]:
        return [descriptor for descriptor, _ in self._poll.poll(0)]

    def _forget_queue(self, descriptor: int) -> None:
        if self._senders.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)
