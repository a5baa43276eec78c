"""Starts whose env_file has to be read first, and may have to be waited for: a disk can hang."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from cronpilot.domain.duration import format_duration
from cronpilot.domain.text import clean
from cronpilot.engine.launch import Claim, Launcher, make_order
from cronpilot.errors import ConfigError
from cronpilot.runner.messages import AttemptKey, NeverStarted, StartOrder

MOST_THREADS = 64  # hang at most, where nobody waits for their files any more; later ones queue


class Preparation:
    """Belongs to the loop. Of each start it says once what becomes of it, unless it is taken back
    before: then it never does."""

    def __init__(
        self,
        launcher: Launcher,
        keep: Callable[[AttemptKey, StartOrder], Awaitable[None]],
        ready: Callable[[AttemptKey, StartOrder | ConfigError], None],
        never: Callable[[NeverStarted], None],
    ) -> None:
        """
        Args:
            keep: writes down what the file said, before the order is ready.
        """
        self._launcher, self._keep, self._ready, self._never = launcher, keep, ready, never
        self._going: dict[AttemptKey, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(MOST_THREADS)

    def begin(self, claim: Claim) -> None:
        self._going[claim.key] = asyncio.create_task(self._prepare(claim))

    def take_back(self, key: AttemptKey) -> bool:
        """That start will not be ready; whether it was still to become it."""
        going = self._going.pop(key, None)
        if going is not None:
            going.cancel()
        return going is not None

    def take_back_all(self) -> None:
        for key in list(self._going):
            self.take_back(key)

    async def _prepare(self, claim: Claim) -> None:
        timeout = claim.task["timeout"]
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                order = await self._read(claim)
        except TimeoutError:
            self._end(claim.key, lambda: self._never(_too_late(claim)))
            return
        except _NoThreadError as problem:
            report = NeverStarted(claim.key, f"waits: {problem}", retry=True, exhausted=True)
            self._end(claim.key, lambda: self._never(report))
            return
        if isinstance(order, StartOrder):
            await self._keep(claim.key, order)
        self._end(claim.key, lambda: self._ready(claim.key, order))

    def _end(self, key: AttemptKey, tell: Callable[[], None]) -> None:
        if self._going.pop(key, None) is not None:  # else it was taken back
            tell()

    async def _read(self, claim: Claim) -> StartOrder | ConfigError:
        """On a thread of its own, for which nobody waits at the end of the engine. The loop's pool
        has few, and what the database is asked would wait behind those that hang."""
        await self._turns.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[StartOrder | ConfigError] = loop.create_future()

        def done(order: StartOrder | ConfigError) -> None:
            self._turns.release()
            if not answer.done():
                answer.set_result(order)

        def read() -> None:
            order = make_order(self._launcher, claim)
            with contextlib.suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(done, order)

        try:
            threading.Thread(target=read, name="env_file", daemon=True).start()
        except RuntimeError:
            self._turns.release()
            raise _NoThreadError(
                "no thread could be started: the process limit is used up"
            ) from None
        return await answer


class _NoThreadError(Exception):
    """The machine has none to spare."""


def _too_late(claim: Claim) -> NeverStarted:
    file, timeout = clean(claim.task["env_file"]), format_duration(claim.task["timeout"])
    said = f"Its env_file {file} could not be read within its timeout of {timeout}."
    return NeverStarted(claim.key, said, retry=False)
