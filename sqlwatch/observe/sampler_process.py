"""The sampler in a process of its own: beside a busy dashboard a thread would miss a third of its looks.

The child runs `main([RATE, PATH, ...])`.  It writes messages to its stdout, each as 4 bytes of length and msgpack, and
ends when its stdin closes, which happens whenever the parent ends.
"""

from __future__ import annotations

import gc
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from sqlwatch.metrics.observations import Message
from sqlwatch.observe.sampler import Sampler
from sqlwatch.observe.sampling import DEFAULT_RATE_HZ, SamplingClock, run_samplers
from sqlwatch.observe.text import printable

_LENGTH: Final = 4
_READ: Final = 1 << 16
_PATIENCE_S: Final = 2.0
_CHECK_S: Final = 0.1
"""Time between two checks of whether the parent is still there."""
_CAN_SELECT: Final = sys.platform != "win32"
"""Whether select takes pipes; on Windows it takes sockets only, and a thread reads each pipe instead."""
_ROOT: Final = Path(__file__).parents[2]
_CODE: Final = f"""
import sys
root = sys.argv.pop(1)
if root not in sys.path:
    sys.path.insert(0, root)
from {__name__} import main
main(sys.argv[1:])
"""
"""With -P: a file `random.py` in the working directory must not be taken for the library's."""


class SamplerProcess:
    """A child that samples databases; a message's `database` is the number of its path."""

    def __init__(self, paths: Sequence[Path], rate_hz: float = DEFAULT_RATE_HZ) -> None:
        SamplingClock(rate_hz, 0)  # raises ValueError for a rate out of range
        self._decoder = msgspec.msgpack.Decoder(Message)
        self._buffer = bytearray()
        self._process = _start([f"{rate_hz:g}", *(str(path) for path in paths)])
        self._chunks = None if _CAN_SELECT else _chunks_of(self.fileno())
        self._is_open = True
        self._said = ""

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def is_open(self) -> bool:
        """Whether messages may still come; False once the child has ended."""
        return self._is_open

    def fileno(self) -> int:
        """Return the descriptor from which messages come; where select takes pipes, it becomes readable then."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def receive(self, timeout_s: float = 0.0) -> list[Message]:
        """Return the messages that have arrived, waiting up to a time for the first."""
        data = self._read(timeout_s) if self._is_open else None
        if data is None:
            return []
        self._is_open = bool(data)
        self._buffer += data
        return self._take()

    def exit_words(self) -> str | None:
        """Say how the child ended, with what it said on stderr if it failed; None while it lives."""
        code = self._process.poll()
        if code is None:
            return None
        stderr = self._process.stderr
        if stderr is not None and not stderr.closed:
            self._said += stderr.read().decode(errors="replace")
        words = f"signal {-code}" if code < 0 else f"exit {code}"
        lines = self._said.strip().splitlines()
        return f"{words}: {printable(lines[-1])}" if lines else words

    def close(self) -> None:
        """End the child and wait for it."""
        process = self._process
        self._is_open = False
        streams = [process.stdin, process.stdout]
        if self._chunks is not None:
            streams.pop()  # Windows closes no descriptor that a thread reads; it will have read to the end
        _close(streams)
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:  # stopped, or stuck in a file system that does not answer
            process.kill()
            process.wait()
        self.exit_words()  # while what it said can still be read
        _close([process.stdout, process.stderr])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, timeout_s: float) -> bytes | None:
        """Return what has arrived, nothing at the end; None if nothing came in time."""
        if self._chunks is None:
            return os.read(self.fileno(), _READ) if select.select([self], [], [], timeout_s)[0] else None
        try:
            return self._chunks.get(timeout=timeout_s) if timeout_s > 0 else self._chunks.get_nowait()
        except queue.Empty:
            return None

    def _take(self) -> list[Message]:
        messages = []
        start = 0
        while len(self._buffer) - start >= _LENGTH:
            end = start + _LENGTH + int.from_bytes(self._buffer[start : start + _LENGTH], "big")
            if len(self._buffer) < end:
                break
            messages.append(self._decoder.decode(memoryview(self._buffer)[start + _LENGTH : end].tobytes()))
            start = end
        del self._buffer[:start]
        return messages


def _close(streams: Iterable[IO[bytes] | None]) -> None:
    for stream in streams:
        if stream is not None:
            stream.close()


def _chunks_of(descriptor: int) -> queue.SimpleQueue[bytes]:
    """Read a pipe to its end in a thread; gives the queue of what comes, with nothing as the last piece."""
    chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        data = b"?"
        while data:
            try:
                data = os.read(descriptor, _READ)
            except OSError:  # closed on our side
                data = b""
            chunks.put(data)

    threading.Thread(target=read, name="sampler pipe", daemon=True).start()
    return chunks


def _start(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Start the child deaf to ctrl+c and hang-up from its first instruction: it inherits them blocked."""
    command = [sys.executable, "-P", "-c", _CODE, str(_ROOT), *arguments]
    if sys.platform == "win32":  # ctrl+c does not reach another process group
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )  # fmt: skip
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Parent:
    """Tells whether the parent is there: it never writes to our stdin, so anything to read means its end."""

    def __init__(self) -> None:
        self._slept_s = 0.0
        self._chunks = None if _CAN_SELECT else _chunks_of(0)

    def sleep(self, seconds: float) -> bool:
        """Sleep, and tell whether the parent is still there."""
        self._slept_s += seconds
        if seconds < _CHECK_S:
            time.sleep(seconds)  # costs half as much as select
            if self._slept_s < _CHECK_S:
                return True
            seconds = 0.0
        self._slept_s = 0.0
        if self._chunks is None:
            return not select.select([0], [], [], seconds)[0]
        time.sleep(seconds)
        return self._chunks.empty()


def main(arguments: Sequence[str]) -> None:
    """Sample until stdin closes or nobody reads stdout any more."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no hang-up
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    rate_hz, *paths = arguments
    encoder = msgspec.msgpack.Encoder()

    def emit(messages: list[Message]) -> None:
        parts = (encoder.encode(message) for message in messages)
        data = b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in parts)
        while data:
            data = data[os.write(1, data) :]

    gc.freeze()  # what was imported never becomes garbage: no need to look through it again and again
    now_ns = time.monotonic_ns()
    samplers = [Sampler(Path(path), now_ns, number) for number, path in enumerate(paths)]
    try:
        run_samplers(samplers, float(rate_hz), emit, _Parent().sleep)
    except BrokenPipeError:
        pass  # the parent is gone
    finally:
        for sampler in samplers:
            sampler.close()
