"""A database that others use, as a session: the sampler process and the logs are the sources."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from simulators.events import Tick
from sqlwatch.metrics.log_messages import LogMessage
from sqlwatch.metrics.observation_fold import ObservationFold
from sqlwatch.metrics.snapshot import Snapshot, Status
from sqlwatch.observe.sampler_process import SamplerProcess
from sqlwatch.observe.sampling import DEFAULT_RATE_HZ
from sqlwatch.observe.text import printable
from sqlwatch.session.errors import CANNOT_EXIT, SessionError
from sqlwatch.session.own_cpu import OwnCpu

LOOK_S: Final = 0.05
"""How long to wait for messages before looking at the clock and the commands again."""

UNWATCHED_SNAPSHOT_NS: Final = 1_000_000_000
"""How far Snapshots are apart at least while nobody watches."""

MOST_LINES: Final = 10_000
"""Lines of logs that may wait for being counted; then no further ones are read for a while."""

MOST_RESTARTS: Final = 3
"""A sampler that has died so often will die again."""


class ObservationSession:
    """An observation from start to end, in a thread of its own; the database may come and go meanwhile."""

    def __init__(
        self,
        path: Path,
        *,
        rate_hz: float = DEFAULT_RATE_HZ,
        logs: Sequence[str] = (),
        duration_s: float | None = None,
        snapshots_per_s: float = 4,
    ) -> None:
        self.latest: Snapshot | None = None
        """The newest Snapshot."""
        self._path = path
        self._rate_hz = rate_hz
        self._logs = logs
        self._duration_s = duration_s
        self._snapshot_ns = round(1e9 / snapshots_per_s)
        self._is_watched = True
        self._on_snapshot: Callable[[Snapshot], None] | None = None
        self._from_logs: queue.Queue[LogMessage] = queue.Queue(MOST_LINES)
        self._stop = threading.Event()
        self._reset = threading.Event()
        self._ended = threading.Event()
        self._message: str | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run_guarded, name="observation")

    # Called from other threads.

    def start(self, on_snapshot: Callable[[Snapshot], None] | None = None) -> None:
        """Start; `on_snapshot` is called from the session's thread with each Snapshot."""
        self._on_snapshot = on_snapshot
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; returns at once.  One that never was started has ended then."""
        self._stop.set()
        if self._thread.ident is None:
            self._ended.set()

    def reset(self) -> None:
        """Begin the statistics anew."""
        self._reset.set()

    def attend(self, is_watched: bool) -> None:
        """Say whether anybody watches: else all is looked at as before, but Snapshots are rarer."""
        self._is_watched = is_watched

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; return whether it has come."""
        return self._ended.wait(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether the session is over, with its process and threads."""
        return self._ended.is_set()

    def check(self) -> None:
        """Raise what ended the session, if it did not end in good order.  Only after the end."""
        if self._failure is not None:
            raise self._failure

    # The session's thread.

    def _run_guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001  # handed to whoever asks how it ended
            self._failure = error
        finally:
            self._ended.set()

    def _run(self) -> None:
        fold = ObservationFold(printable(str(self._path)), self._rate_hz, time.monotonic_ns())
        logs = threading.Thread(target=self._follow_logs, name="logs") if self._logs else None
        if logs is not None:
            logs.start()
        try:
            self._observe(fold)
        finally:
            self._stop.set()
            if logs is not None:
                logs.join()
                self._fold_logs(fold)
        self._publish(fold.snapshot(Status.ENDED, self._message))

    def _follow_logs(self) -> None:
        from sqlwatch.observe.log_files import LogFollower  # watchfiles is loaded only where there is a log to follow

        follower = LogFollower(self._logs)
        try:
            follower.run(self._hand_on, self._stop)
        finally:
            follower.close()

    def _hand_on(self, message: LogMessage) -> None:
        """Leave a message for the session's thread; where that is behind, wait for it as long as it runs."""
        is_left = False
        while not is_left and not (self._stop.is_set() and self._from_logs.full()):
            with contextlib.suppress(queue.Full):
                self._from_logs.put(message, timeout=LOOK_S)
                is_left = True

    def _observe(self, fold: ObservationFold) -> None:
        started_ns = time.monotonic_ns()
        for restart in range(MOST_RESTARTS + 1):
            with SamplerProcess([self._path], self._rate_hz) as sampler:
                self._follow(sampler, fold, started_ns)
            if self._stop.is_set():
                return
            words = sampler.exit_words() or "no reason given"
            self._message = f"The sampler ended ({words}) and was started again; what happened meanwhile was not seen."
            if restart == MOST_RESTARTS:
                raise SessionError(f"The sampler keeps ending ({words}), so nothing can be seen.", CANNOT_EXIT)

    def _follow(self, sampler: SamplerProcess, fold: ObservationFold, started_ns: int) -> None:
        """Fold what the sampler and the logs say until somebody says stop, the time is over, or the sampler ends."""
        own_cpu = OwnCpu(sampler.pid)
        snapshot_ns = 0
        while sampler.is_open and not self._stop.is_set():
            for message in sampler.receive(LOOK_S):
                fold.add(message)
            self._fold_logs(fold)
            now_ns = time.monotonic_ns()
            if self._reset.is_set():
                self._reset.clear()
                self._message = None
                fold.restart(now_ns)
            gap_ns = self._snapshot_ns if self._is_watched else max(self._snapshot_ns, UNWATCHED_SNAPSHOT_NS)
            if now_ns - snapshot_ns >= gap_ns:
                snapshot_ns = now_ns
                fold.add(Tick(now_ns, own_cpu.share(now_ns)))
                self._publish(fold.snapshot(Status.RUNNING, self._message))
            if self._duration_s is not None and now_ns - started_ns >= self._duration_s * 1e9:
                self._stop.set()

    def _fold_logs(self, fold: ObservationFold) -> None:
        for _ in range(self._from_logs.qsize()):
            fold.add(self._from_logs.get())

    def _publish(self, snapshot: Snapshot) -> None:
        self.latest = snapshot
        if self._on_snapshot is not None:
            self._on_snapshot(snapshot)
