"""The sampler in a process of its own: beside a busy dashboard a thread would miss a third of its looks.

The child runs `main([RATE, PATH, ...])`.  It writes messages to its stdout, each as 4 bytes of length and msgpack, and
ends when its stdin closes, which happens whenever the parent ends.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from sqlwatch.metrics.observations import Message
from sqlwatch.observe.sampler import Sampler
from sqlwatch.observe.sampling import DEFAULT_RATE_HZ, SamplingClock, run_samplers
from sqlwatch.observe.text import printable

_LENGTH: Final = 4
_READ: Final = 1 << 16
_PATIENCE_S: Final = 2.0
_CHECK_S: Final = 0.05
"""Time between two checks of whether the parent is still there."""
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
        """Return the descriptor that becomes readable when messages are there."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def receive(self, timeout_s: float = 0.0) -> list[Message]:
        """Return the messages that have arrived, waiting up to a time for the first."""
        if not self._is_open or not select.select([self], [], [], timeout_s)[0]:
            return []
        data = os.read(self.fileno(), _READ)
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
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:  # stopped, or stuck in a file system that does not answer
            process.kill()
            process.wait()
        self.exit_words()  # while what it said can still be read
        if process.stderr is not None:
            process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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


def _start(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Start the child deaf to ctrl+c and hang-up from its first instruction: it inherits them blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE, str(_ROOT), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main(arguments: Sequence[str]) -> None:
    """Sample until stdin closes or nobody reads stdout any more."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    rate_hz, *paths = arguments
    encoder = msgspec.msgpack.Encoder()

    def emit(messages: list[Message]) -> None:
        parts = (encoder.encode(message) for message in messages)
        data = b"".join(len(part).to_bytes(_LENGTH, "big") + part for part in parts)
        while data:
            data = data[os.write(1, data) :]

    next_check_s = 0.0

    def sleep(seconds: float) -> bool:
        """Sleep, and tell whether stdin is still open; the parent never writes to it, so readable means closed."""
        nonlocal next_check_s
        if seconds < _CHECK_S:
            time.sleep(seconds)  # costs half as much as select
            if time.monotonic() < next_check_s:
                return True
            seconds = 0.0
        next_check_s = time.monotonic() + _CHECK_S
        return not select.select([0], [], [], seconds)[0]

    gc.freeze()  # what was imported never becomes garbage: no need to look through it again and again
    now_ns = time.monotonic_ns()
    samplers = [Sampler(Path(path), now_ns, number) for number, path in enumerate(paths)]
    try:
        run_samplers(samplers, float(rate_hz), emit, sleep)
    except BrokenPipeError:
        pass  # the parent is gone
    finally:
        for sampler in samplers:
            sampler.close()
