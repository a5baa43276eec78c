"""The pause of the whole scheduler: who asked for it, until when, and whether it is in force."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from cronpilot.client.messages import EngineStatus
from cronpilot.engine import pausing
from cronpilot.engine.planner import Changes
from cronpilot.storage import meta
from cronpilot.storage.database import Connection

Write = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class Standstill:
    """Lives in the engine's loop; `is_on` is read, and `over` called, on any thread."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        actor: Callable[[], str],
        write: Write,
        changed: Callable[[Changes], None],
        status: Callable[[], Awaitable[EngineStatus]],
    ) -> None:
        """
        Args:
            changed: told when it began or ended by hand, and what was folded then.
        """
        self._now, self._actor, self._write = now, actor, write
        self._changed, self._status = changed, status
        self._on = False

    def is_on(self) -> bool:
        """Whether nothing may start by schedule."""
        return self._on

    def over(self) -> None:
        """It has ended by itself."""
        self._on = False

    def recall(self, connection: Connection) -> None:
        """At a start: whether it was in force when the last engine ended."""
        self._on = meta.get(connection, meta.PAUSED_AT) is not None

    async def pause(self, *, until: datetime | None = None) -> EngineStatus:
        """Start nothing by schedule from now on. Raises UsageProblem: `until` has passed."""
        now, was_on = self._now(), self._on
        self._on = True
        try:
            await self._write(
                lambda c: pausing.pause_all(c, actor=self._actor(), now=now, until=until)
            )
        except BaseException:
            self._on = was_on
            raise
        self._changed(Changes())
        return await self._status()

    async def resume(self) -> EngineStatus:
        """Start by schedule again."""
        now = self._now()
        changes = await self._write(
            lambda c: pausing.resume_all(c, actor=self._actor(), now=now)
        )  # fmt: skip
        self._on = False
        self._changed(changes)
        return await self._status()
