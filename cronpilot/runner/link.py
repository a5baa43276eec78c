"""One connection to a keeper, seen from the engine: its messages as they come, and its silence."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cronpilot.runner.keeper import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cronpilot.runner.keeper.protocol import Message


class Link(asyncio.Protocol):
    """Hands each message to `hear`, in the loop, in the moment in which it is there.

    (Not a stream that a task reads: waking it for each message took half of an engine's work for a
    run of a few milliseconds.)
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines = protocol.Lines()
        self._waiting: asyncio.Queue[Message | None] = asyncio.Queue()
        self._hear: Callable[[Message], None] = self._waiting.put_nowait
        self._transport: asyncio.Transport | None = None
        self.heard_at = self._loop.time()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done when the link is broken; with an exception when hearing a message failed."""

    async def next(self, seconds: float) -> Message | None:
        """The next message that nobody heard yet. None: broken. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            return await self._waiting.get()

    def hear(self, call: Callable[[Message], None]) -> None:
        """From now on `call` is told of each message, first of those that wait."""
        self._hear = call
        while not self._waiting.empty():
            message = self._waiting.get_nowait()
            if message is not None:
                call(message)

    def send(self, message: Message) -> None:
        if self._transport is not None:
            self._transport.write(protocol.encode(message))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def watch(self, *, ping_after: float, patience: float) -> bool:
        """Until the link breaks (True), or stays silent for `patience` after we asked (False)."""
        asked_at: float | None = None
        while True:
            if asked_at is not None and self.heard_at > asked_at:
                asked_at = None
            due = self.heard_at + ping_after if asked_at is None else asked_at + patience
            pause = due - self._loop.time()
            if pause > 0:
                await asyncio.wait({self.closed}, timeout=pause)
                if self.closed.done():
                    self.closed.result()  # raises what hearing raised: a bug of ours
                    return True
            elif asked_at is not None:
                return False
            else:
                asked_at = self._loop.time()
                self.send(protocol.ping())

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        try:
            messages = self._lines.feed(data)
        except ValueError:  # no keeper that we understand
            self.close()
            return
        try:
            for message in messages:
                self._hear(message)
        except Exception as problem:  # noqa: BLE001  raised again where somebody waits for us
            if not self.closed.done():
                self.closed.set_exception(problem)
            self.close()

    def connection_lost(self, problem: Exception | None) -> None:
        self._transport = None
        self._waiting.put_nowait(None)
        if not self.closed.done():
            self.closed.set_result(None)


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The path of a socket, by a detour when it is too long for the kernel (107 bytes)."""
    if len(os.fsencode(path)) < 108:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
