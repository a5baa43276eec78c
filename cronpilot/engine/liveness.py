"""Whether the threads of an engine still do their work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cronpilot.engine.clock import Clock
from cronpilot.errors import StorageProblem

# A pass over due tasks comes every 5 s, and may wait 60 s for a commit: see `scheduling`.
LONGEST_PASS_S = 75.0
ANSWER_S = 20.0  # the writer; a database that is locked answers, with an error, after 5 s


class Liveness:
    """Asks the parts of an engine; lives in its loop."""

    def __init__(
        self,
        clock: Clock,
        beaten_at: Callable[[], float],
        write: Callable[[Callable[[Any], None]], Awaitable[None]],
    ) -> None:
        """
        Args:
            beaten_at: when the scheduler last looked at what is due, on the clock's `elapsed`.
            write: runs a closure in the writer's thread.
        """
        self._clock, self._beaten_at, self._write = clock, beaten_at, write

    async def stuck_part(self) -> str | None:
        """The part that does not do its work any more; None when all do.

        A database that refuses is no stuck part: restarting the engine would not mend it.
        """
        if self._clock.elapsed() - self._beaten_at() > LONGEST_PASS_S:
            return "The scheduler"
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._write(_nothing)
        except TimeoutError:
            return "The writer"
        except StorageProblem:
            pass  # it answers; the banner says what is wrong
        return None


def _nothing(_connection: Any) -> None:
    """An empty transaction: it passes through the writer's thread and costs no flush."""
