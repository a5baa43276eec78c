"""A stream that makes nobody wait: what is written to it goes on by a thread of its own.

A pipe that nobody reads and a terminal that was stopped block whoever writes. While they do, so
much is kept; what comes then is dropped, and counted where it is missing.
"""

from __future__ import annotations

import io
import os
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST = 10_000  # writes that are kept while nobody reads; some 2 MB of log lines
DRAIN_S = 2.0  # as long as the end waits for somebody who reads

_AT_ONCE = 200


class Outlet(io.TextIOBase):
    """Text to one descriptor, in the order in which it is written."""

    def __init__(self, descriptor: int, missing: Callable[[int], str]) -> None:
        """
        Args:
            missing: what stands in the place of so many lines.
        """
        self._descriptor, self._missing = descriptor, missing
        self._waiting: queue.SimpleQueue[str | threading.Event] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._dropped = 0  # lines
        threading.Thread(target=self._work, name="outlet", daemon=True).start()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        with self._lock:
            if self._waiting.qsize() < MOST:
                self._tell_dropped()
                self._waiting.put(text)
            else:
                self._dropped += text.count("\n")
        return len(text)

    def drain(self, patience_s: float = DRAIN_S) -> None:
        """Wait until all is written, if somebody reads it."""
        written = threading.Event()
        with self._lock:
            self._tell_dropped()
            self._waiting.put(written)
        written.wait(patience_s)

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._waiting.put(self._missing(self._dropped))
            self._dropped = 0

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < _AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get())
            text = "".join(part for part in batch if isinstance(part, str))
            self._write(text.encode("utf-8", "backslashreplace"))
            for mark in batch:
                if isinstance(mark, threading.Event):
                    mark.set()

    def _write(self, data: bytes) -> None:
        """All of it, however long that takes; nothing where nobody can ever read it."""
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody who shares the descriptor made it so
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
            except OSError:
                return


@contextmanager
def unblocked_stderr(missing: Callable[[int], str]) -> Iterator[None]:
    """Whatever this process says on stderr meanwhile waits for nobody."""
    before = sys.stderr
    before.flush()
    sys.stderr = outlet = Outlet(before.fileno(), missing)
    try:
        yield
    finally:
        sys.stderr = before
        outlet.drain()
