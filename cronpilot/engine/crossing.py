"""Where work crosses between the loop of the engine and other threads; and odd jobs beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from cronpilot.storage.database import Connection, Database

T = TypeVar("T")
log = logging.getLogger("cronpilot")


class Crossing:
    """Belongs to the loop in which it is made; `soon`, and what `from_thread` gives, may be called
    on any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._odd_jobs: set[asyncio.Task[None]] = set()

    def soon(self, call: Callable[..., None], *values: object) -> None:
        """Call something in the loop; nothing when that is over."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *values)

    def from_thread(self, call: Callable[[T], None]) -> Callable[[T], None]:
        """The same call, for those on other threads."""
        return lambda value: self.soon(call, value)

    async def write(self, closure: Callable[[Connection], T]) -> T:
        """Run a closure in a transaction of the writer; returns after the commit."""
        # The writer works on a thread of its own, where the context of whoever asks is not known.
        context = copy_context()
        return await asyncio.wrap_future(
            self._database.write(lambda connection: context.run(closure, connection))
        )

    def odd_job(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a short coroutine beside the loop's own; keep it alive until it is done."""
        job = asyncio.ensure_future(work)
        self._odd_jobs.add(job)
        job.add_done_callback(self._odd_job_done)

    def _odd_job_done(self, job: asyncio.Task[None]) -> None:
        self._odd_jobs.discard(job)
        if not job.cancelled() and (error := job.exception()) is not None:
            log.error("A part of the engine failed: %s", error, exc_info=error)
