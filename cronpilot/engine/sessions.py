"""Sessions of browsers, kept for the next engine: nobody has to log in again for its restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

from cronpilot.domain.access import Stay
from cronpilot.engine.following import Write
from cronpilot.errors import StorageProblem
from cronpilot.storage import sessions
from cronpilot.storage.database import Connection

log = logging.getLogger("cronpilot.sessions")


class KeptSessions:
    """Hashes of tokens and whose they are.

    Nobody waits for its writes. What is lost with a full disk is only kept too short or, for an end
    that was asked for by the user's own browser, which has forgotten its token, too long.
    """

    def __init__(
        self, *, read: Callable[[Callable[[Connection], Any]], Awaitable[Any]], write: Write
    ) -> None:
        self._read, self._write = read, write
        self._found: list[Stay] = []
        self._writing: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Read them; done before anybody is let in."""
        self._found = await self._read(sessions.every)

    def every(self) -> list[Stay]:
        """Those that `load` has found."""
        return self._found

    def keep(self, stay: Stay) -> None:
        """A new one."""
        self._soon(lambda c: sessions.add(c, stay))

    def use(self, key: str, at: datetime) -> None:
        """It was used then."""
        self._soon(lambda c: sessions.use(c, key, at))

    def drop(self, keys: Collection[str]) -> None:
        """They are over."""
        self._soon(lambda c: sessions.remove(c, keys))

    def _soon(self, closure: Callable[[Connection], None]) -> None:
        """In the order in which it was asked for."""
        job = asyncio.get_running_loop().create_task(self._try(closure))
        self._writing.add(job)
        job.add_done_callback(self._writing.discard)

    async def _try(self, closure: Callable[[Connection], None]) -> None:
        try:
            await self._write(closure)
        except StorageProblem as problem:
            log.warning("A session was not written down: %s", problem)
