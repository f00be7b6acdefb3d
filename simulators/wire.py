"""The messages between a writer and the single writer, over a local stream socket.

A request carries the whole transaction, its rows' payload included, so that the queue pays for what it moves.  A client
has one request under way at a time.  All numbers are little-endian.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<IIIIQ")  # bytes of payload that follow, kind, worker, its slot, transaction number
_REPLY: Final = struct.Struct("<iqq")
REPLY_SIZE: Final = _REPLY.size


class Kind(IntEnum):
    """What a client asks for."""

    WRITE = 1
    LOOK_UP = 2
    """Is this transaction in the database?"""


class Request(NamedTuple):
    """One request as the single writer sees it."""

    kind: int
    worker: int
    slot: int
    number: int
    payload: bytes


class Reply(NamedTuple):
    """The answer: an outcome (see `events.Outcome`) and when the transaction got and released the lock (ns, or 0)."""

    outcome: int
    got_ns: int
    released_ns: int


def pack_request(request: Request) -> bytes:
    """Return a request as it crosses the socket."""
    return (
        _HEAD.pack(len(request.payload), request.kind, request.worker, request.slot, request.number) + request.payload
    )


def unpack_request(received: bytes) -> tuple[Request, int] | None:
    """Return the first request in `received` and its length in bytes; None while it is incomplete."""
    if len(received) < _HEAD.size:
        return None
    size, kind, worker, slot, number = _HEAD.unpack_from(received)
    end = _HEAD.size + size
    if len(received) < end:
        return None
    return Request(kind, worker, slot, number, received[_HEAD.size : end]), end


def pack_reply(reply: Reply) -> bytes:
    """Return a reply as it crosses the socket."""
    return _REPLY.pack(*reply)


def unpack_reply(received: bytes) -> Reply:
    """Return the reply in `received`, which has REPLY_SIZE bytes."""
    return Reply(*_REPLY.unpack(received))
